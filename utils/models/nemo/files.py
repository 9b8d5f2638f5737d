"""NeMo's model files: which are on this machine, and the file of a model's name.

Nothing here imports NeMo, so that a program can look before it loads.
"""

import logging
import os
import re
from pathlib import Path

from utils.errors import ModelError
from utils.models.catalogue import find, models_folder, stem
from utils.models.download import Progress
from utils.models.fetch import Fetch
from utils.models.hub import hub_folder
from utils.models.nemo.archive import ASR, VOICE, Kind, read_config, target_class
from utils.models.places import given, sorted_paths

log = logging.getLogger(__name__)


def find_models(kind: Kind = ASR) -> list[Path]:
    """The models of a kind on this machine, as `.nemo` files.

    Looked for in `models_folder()`, then in NeMo's cache (`NEMO_CACHE_DIR`) and Hugging
    Face's (`HF_HOME`, `HF_HUB_CACHE`). Damaged files and other kinds of model are left out.
    """
    nemo = os.environ.get("NEMO_CACHE_DIR") or Path.home() / ".cache/torch/NeMo"
    places = (
        models_folder().glob("*.nemo"),
        Path(nemo).rglob("*.nemo"),
        hub_folder().glob("models--*/snapshots/*/*.nemo"),
    )
    return [path for place in places for path in sorted_paths(place) if _is(kind, path)]


def find_voices() -> list[Path]:
    """The models that tell voices apart on this machine, the catalogue's first.

    NeMo's models that tell languages apart have the same class, and only their names tell.
    """
    found = [p for p in find_models(VOICE) if not re.search("langid|ambernet", p.stem, re.I)]
    return sorted(found, key=lambda path: find(path.stem) is None)


def _is(kind: Kind, path: Path) -> bool:
    try:
        return kind.classes.fullmatch(target_class(read_config(path))[1]) is not None
    except ModelError as err:
        log.debug("left out: %s", err)
        return False


def locate(model: str, on_progress: Progress | None = None) -> Path:
    """The file of a model, fetched from Hugging Face if it is a name not yet here.

    Parameters
    ----------
    model : path of a `.nemo` file, or a name such as "stt_en_conformer_ctc_large" or
        "nvidia/parakeet-tdt-0.6b-v2"; a name without "/" is the catalogue's or NVIDIA's
    on_progress : told (bytes done, bytes in all) while it is fetched

    Raises
    ------
    ModelError : no such file or name, or no network to fetch it
    """
    return on_this_machine(model) or Fetch(model, on_progress or _no_progress).run()


def on_this_machine(model: str) -> Path | None:
    """The file of a model, by path or name; None where a name is not here yet.

    Raises
    ------
    ModelError : no such file, or neither a path nor a name
    """
    path = given(model)
    if path.suffix == ".nemo" or os.path.exists(path):
        if os.path.isfile(path):
            return path
        found = "not a file" if os.path.exists(path) else "no such file"
        raise ModelError(f"{model}: {found}; check the path given to --model")
    return installed(Fetch(model, _no_progress).repo)


def installed(repo: str, models: list[Path] | None = None) -> Path | None:
    """The file of a repository's model among those on this machine, or None.

    Parameters
    ----------
    models : what `find_models()` and `find_voices()` found, if they have been asked already
    """
    folder = "models--" + repo.replace("/", "--")
    for path in find_models() + find_voices() if models is None else models:
        if path.parent == models_folder():
            if path.stem == stem(repo):
                return path
            continue
        others = [part for part in path.parts if part.startswith("models--") and part != folder]
        if path.stem == repo.split("/")[1] and not others:
            return path
    return None


def _no_progress(done_bytes: int, total_bytes: int) -> None:
    pass
