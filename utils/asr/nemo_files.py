"""NeMo's model files: which are on this machine, what they are, how to fetch one.

Nothing here imports NeMo, so that a program can look before it loads.
"""

import gzip
import logging
import os
import re
import tarfile
import zlib
from pathlib import Path

from utils.errors import ModelError

log = logging.getLogger(__name__)

INSTALL = "install it with: .venv/bin/pip install -r requirements.txt"
OWN_FILE = "or give the path of a .nemo file that you have downloaded: --model FILE.nemo"

# Classes of nemo.collections.asr.models that turn one voice into text; the others tell
# speakers or sounds apart.
ASR_CLASS = re.compile(r"EncDec(CTC|RNNT|Hybrid|MultiTask|Transf)\w*")
_BAD_TAR = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _hub_folder() -> Path:
    """Where Hugging Face's client keeps its downloads."""
    home = os.environ.get("HF_HOME") or _cache_folder() / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def find_models() -> list[Path]:
    """The speech recognition models on this machine, as `.nemo` files.

    Looked for in `~/.cache/recognition_helpers/models` (under `XDG_CACHE_HOME` if set),
    then in NeMo's cache (`NEMO_CACHE_DIR`) and Hugging Face's (`HF_HOME`,
    `HF_HUB_CACHE`). Damaged files and other kinds of model are left out.
    """
    nemo = os.environ.get("NEMO_CACHE_DIR") or Path.home() / ".cache/torch/NeMo"
    places = (
        _cache_folder().glob("recognition_helpers/models/*.nemo"),
        Path(nemo).rglob("*.nemo"),
        _hub_folder().glob("models--*/snapshots/*/*.nemo"),
    )
    return [path for place in places for path in sorted(place) if _is_asr(path)]


def _is_asr(path: Path) -> bool:
    try:
        return ASR_CLASS.fullmatch(target_class(read_config(path))[1]) is not None
    except ModelError as err:
        log.debug("left out: %s", err)
        return False


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
    """Two-letter languages that a model's name and configuration tell of; may be empty."""
    name = path.stem.lower()
    config = read_config(path)
    found = set(re.findall(r"^stt_([a-z]{2})_", name))
    found |= set(re.split(r"[^a-z]+", name)) & {"en", "ko"}
    if re.search(r"[\uac00-\ud7a3]", config):  # Hangul in the vocabulary
        found.add("ko")
    # Multilingual models list their languages as keys: "ko-KR: 12" or "en:".
    found |= set(re.findall(r"^ +['\"]?(en|ko)(?:-[A-Z]{2})?['\"]?:", config, re.MULTILINE))
    if not found and name.startswith(("parakeet", "canary", "nemotron")):
        found.add("en")
    return found


def _damaged(path: Path, err: Exception) -> ModelError:
    return ModelError(
        f"{path}: not a readable .nemo file ({err}); it may have been cut short: "
        "delete it and download it again"
    )


def locate(model: str) -> Path:
    """The file of a model, fetched from Hugging Face if it is a name not yet here.

    Parameters
    ----------
    model : path of a `.nemo` file, or a name such as "stt_en_conformer_ctc_large" or
        "nvidia/parakeet-tdt-0.6b-v2"; a name without "/" is NVIDIA's

    Raises
    ------
    ModelError : no such file or name, or no network to fetch it
    """
    path = Path(model).expanduser()
    if path.suffix == ".nemo" or path.exists():
        if path.is_file():
            return path
        raise ModelError(f"{model}: no such file; check the path given to --model")
    repo = model if "/" in model else f"nvidia/{model}"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise ModelError(f"{model}: neither a .nemo file nor a model's name (org/name)")
    folder = "models--" + repo.replace("/", "--")
    for path in find_models():
        others = [part for part in path.parts if part.startswith("models--") and part != folder]
        if path.stem == repo.split("/")[1] and not others:
            return path
    return _fetch(repo)


def _fetch(repo: str) -> Path:
    """Download a model; Hugging Face's client resumes and checks what it fetches."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}:
        raise ModelError(
            f"{repo} is not on this machine and HF_HUB_OFFLINE forbids to fetch it; "
            f"unset it, {OWN_FILE}"
        )
    try:
        from huggingface_hub import errors, get_hf_file_metadata, hf_hub_download, hf_hub_url
    except ImportError as err:
        raise ModelError(f"NeMo is not installed ({err}); {INSTALL}") from err
    log.warning("%s is not on this machine: fetching it from Hugging Face", repo)
    name = repo.split("/")[1]
    try:
        # One question without retries first: the download itself asks for minutes when
        # there is no network.
        get_hf_file_metadata(hf_hub_url(repo, f"{name}.nemo"), timeout=5)
        return Path(hf_hub_download(repo, f"{name}.nemo", cache_dir=_hub_folder()))
    except errors.GatedRepoError as err:
        raise ModelError(f"{repo} needs a Hugging Face account: run hf auth login") from err
    except (errors.RepositoryNotFoundError, errors.RemoteEntryNotFoundError) as err:
        raise ModelError(
            f"{repo}: Hugging Face knows no {name}.nemo by that name; check the spelling at "
            f"https://huggingface.co/models?library=nemo {OWN_FILE}"
        ) from err
    except (errors.HTTPError, OSError, ValueError) as err:  # ValueError: not a valid name
        cause = (str(err).splitlines() or [type(err).__name__])[0]
        raise ModelError(
            f"{repo} is not on this machine and could not be fetched ({cause}); check the "
            f"network and the free space, {OWN_FILE}"
        ) from err


def check_whole(path: Path) -> None:
    """Raise ModelError if a `.nemo` file was cut short or has no weights."""
    try:
        with tarfile.open(path) as tar:
            names = {Path(name).name for name in tar.getnames()}
    except (*_BAD_TAR, OSError) as err:
        raise _damaged(path, err) from err
    if "model_weights.ckpt" not in names:
        raise _damaged(path, EOFError("no weights inside"))
