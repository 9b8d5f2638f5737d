"""One `.nemo` file: what is inside, read without NeMo.

A program can so look before it loads.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.errors import ModelError
from utils.faults import model_error
from utils.models.catalogue import CATALOGUE, NEMO, VOICES, find
from utils.models.hub import OWN_FILE
from utils.models.nemo.sizes import check_sizes
from utils.models.nemo.tar import BAD_TAR, parts
from utils.untrusted import parse_yaml
from utils.untrusted_torch import check_torch

CONFIG, WEIGHTS = "model_config.yaml", "model_weights.ckpt"
# The configuration lies before the weights: of a packed file no more than this is unpacked only
# to look at it.
LOOK_BYTES = 64_000_000


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


def read_config(path: Path) -> str:
    """The text of the `model_config.yaml` inside a `.nemo` file.

    Raises
    ------
    ModelError : the file cannot be read or is not a NeMo model
    """
    try:
        with parts(path, LOOK_BYTES) as found:
            for part in found:
                if part.name == CONFIG:
                    return found.text(part)
    except BAD_TAR as err:
        raise _damaged(path, err) from err
    raise ModelError(f"{path}: no {CONFIG} inside, so not a NeMo model; choose another, {OWN_FILE}")


def parsed_config(path: Path) -> dict[str, Any]:
    """The same, parsed.

    Raises
    ------
    ModelError : as `read_config`, or it would come to far too much
    """
    text = read_config(path)
    try:
        found = parse_yaml(text)
    except ValueError as err:
        raise _damaged(path, ValueError(f"{CONFIG}: {err}")) from err
    if not isinstance(found, dict):
        raise _damaged(path, ValueError(f"{CONFIG} says nothing"))
    return found


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
    """Raise ModelError if a `.nemo` file was cut short, has no weights, or holds what is odd."""
    try:
        with parts(path) as found:
            _check_there({part.name for part in found})
    except BAD_TAR as err:
        raise _damaged(path, err) from err


def _check_there(names: set[str]) -> None:
    if missing := sorted({CONFIG, WEIGHTS} - names):
        raise EOFError(f"no {missing[0]} inside")


def check_loadable(path: Path) -> int:
    """Refuse a `.nemo` file whose parts would take more to load than their size tells.

    Returns
    -------
    its bytes when it is unpacked

    Raises
    ------
    ModelError : as `check_whole`, or a part is malicious or damaged
    """
    n_bytes, names = 0, set()
    config: dict[str, Any] = {}
    weights = (0, 0)  # arrays, bytes
    try:
        with parts(path) as found:
            for part in found:
                names.add(part.name)
                n_bytes += part.size
                if part.name.endswith(".ckpt"):
                    with found.part_file(part) as file, _named(part.name):
                        weights = max(weights, (check_torch(file), part.size))
                elif part.name.endswith((".yaml", ".yml")):
                    text = found.text(part)
                    with _named(part.name):
                        said = parse_yaml(text)
                    if part.name == CONFIG and isinstance(said, dict):
                        config = said
                        _check_class(text, said)
        _check_there(names)
        check_sizes(config, *weights)
    except BAD_TAR as err:
        raise _damaged(path, err) from err
    return n_bytes


def _check_class(text: str, said: dict[str, Any]) -> None:
    """Refuse a configuration whose class NeMo would read otherwise than `target_class`."""
    inner = said.get("model")
    target = (inner if isinstance(inner, dict) else said).get("target")
    if target != ".".join(target_class(text)):
        raise ValueError(f"{CONFIG} names its class in an odd way")


@contextmanager
def _named(part: str) -> Iterator[None]:
    """Say in which part of the archive something is wrong."""
    try:
        yield
    except ValueError as err:
        raise ValueError(f"{part}: {err}") from err


def _damaged(path: Path, err: Exception) -> ModelError:
    return model_error(
        err,
        str(path),
        f"{path}: not a readable .nemo file ({err}); it may have been cut short: "
        "delete it and download it again",
    )
