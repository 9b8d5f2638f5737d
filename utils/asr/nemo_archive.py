"""One `.nemo` file: what is inside, read without NeMo.

A program can so look before it loads.
"""

import gzip
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from utils.asr.catalogue import CATALOGUE, NEMO, VOICES, find
from utils.asr.hub import OWN_FILE
from utils.errors import ModelError



@dataclass(frozen=True)
class Kind:
    """Models that do the same.

    Parameters
    ----------
    classes : their names in nemo.collections.asr.models
    use : what they are for
    example : one of them
    """

    classes: re.Pattern[str]
    use: str
    example: str


ASR = Kind(
    re.compile(r"EncDec(CTC|RNNT|Hybrid|MultiTask|Transf)\w*"),
    "speech recognition",
    CATALOGUE[0].name,
)
VOICE = Kind(re.compile("EncDecSpeakerLabelModel"), "telling voices apart", VOICES[0].name)
_BAD_TAR = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


def read_config(path: Path) -> str:
    """The text of the `model_config.yaml` inside a `.nemo` file.

    Raises
    ------
    ModelError : the file cannot be read or is not a NeMo model
    """
    try:
        with tarfile.open(path) as tar:
            for member in tar:  # in order: the weights, which come later, are not read
                if Path(member.name).name == "model_config.yaml":
                    file = tar.extractfile(member)
                    return file.read().decode("utf-8", "replace") if file else ""
    except (*_BAD_TAR, OSError) as err:
        raise _damaged(path, err) from err
    raise ModelError(f"{path}: no model_config.yaml inside, so not a NeMo model; {OWN_FILE}")


def target_class(config: str) -> tuple[str, str]:
    """Module and name of the class that a model's configuration asks for."""
    found = re.search(r"^(?:  )?target: *['\"]?([\w.]+)", config, re.MULTILINE)
    module, _, name = (found.group(1) if found else "").rpartition(".")
    return module, name


def languages(path: Path) -> set[str]:
    """Two-letter languages that a model is known for; may be empty.

    By the catalogue, else by what its name and configuration tell.
    """
    if (model := find(path.stem)) and model.kind == NEMO:
        return set(model.languages)
    name = path.stem.lower()
    config = read_config(path)
    found = set(re.findall(r"^stt_([a-z]{2})_", name.replace("stt_kr_", "stt_ko_")))
    found |= set(re.split(r"[^a-z]+", name)) & {"en", "ko"}
    if re.search(r"[\uac00-\ud7a3]", config):  # Hangul in the vocabulary
        found.add("ko")
    # Multilingual models list their languages as keys: "ko-KR: 12" or "en:".
    found |= set(re.findall(r"^ +['\"]?(en|ko)(?:-[A-Z]{2})?['\"]?:", config, re.MULTILINE))
    if not found and name.startswith(("parakeet", "canary", "nemotron")):
        found.add("en")
    return found


def check_whole(path: Path) -> None:
    """Raise ModelError if a `.nemo` file was cut short or has no weights."""
    try:
        with tarfile.open(path) as tar:
            names = {Path(name).name for name in tar.getnames()}
    except (*_BAD_TAR, OSError) as err:
        raise _damaged(path, err) from err
    if "model_weights.ckpt" not in names:
        raise _damaged(path, EOFError("no weights inside"))


def _damaged(path: Path, err: Exception) -> ModelError:
    return ModelError(
        f"{path}: not a readable .nemo file ({err}); it may have been cut short: "
        "delete it and download it again"
    )
