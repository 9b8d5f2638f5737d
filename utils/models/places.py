"""Where models lie on this machine: looked through for those that are here, and added to."""

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from utils.errors import DataError, ModelError
from utils.models.catalogue import find, models_folder
from utils.models.download import check_space
from utils.models.hub import hub_folder

log = logging.getLogger(__name__)

_ADDED = ".new"  # how a folder's name ends while a model is copied into it
_OTHERS = {".nemo", ".argosmodel", ".part"}  # how files of models end, and what is not whole


def given(model: str) -> Path:
    """The path that somebody wrote, with `~` for a home; that of an unknown user stays as it is.

    What lies there is asked by `os.path.isdir` and its like: a `Path` raises OSError where nothing
    can be, as of a name that is too long, or where nobody may look.
    """
    return Path(os.path.expanduser(model))


def check_name(path: Path, name: str, kind: str) -> None:
    """Refuse a name by which a model would not be found, or would stand in another one's way.

    Parameters
    ----------
    path : what somebody has, for the message
    name : of its folder in `models_folder()`
    kind : of the model

    Raises
    ------
    ModelError
    """
    other = (known := find(name)) and known.kind != kind
    if (
        other
        or name[:1] in {"", ".", "-"}
        or Path(name).suffix in _OTHERS
        or not name.isprintable()
    ):
        raise ModelError(
            f"{path} cannot be kept as {name!r}: by that name it is not found, or another model "
            "is meant; rename the folder, such as to my-model, and add it again"
        )


def sorted_paths(place: Iterable[Path]) -> list[Path]:
    """What is found in a place; nothing where it cannot be looked into."""
    try:
        return sorted(place)
    except OSError as err:
        log.debug("left out: %s", err)
        return []


def folders_here() -> list[Path]:
    """What lies in `models_folder()`, then the repositories in Hugging Face's cache."""
    return [
        *sorted_paths(models_folder().glob("[!.]*")),
        *sorted_paths(hub_folder().glob("models--*/snapshots/*")),
    ]


def take(original: Path, name: str, n_bytes: int, put: Callable[[Path], None]) -> Path:
    """Take a model that somebody has downloaded into `models_folder()`; return where it lies.

    Parameters
    ----------
    original : what they have, for messages
    name : of its folder there
    n_bytes : that it takes
    put : called with a folder to be made and filled, all of it or none is kept

    Raises
    ------
    ModelError : one of that name is there already, or is just being added
    DataError : it cannot be written
    """
    wanted = models_folder() / name
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        with alone(name):
            return _take_alone(original, wanted, n_bytes, put)
    except OSError as err:
        raise DataError(f"{wanted} cannot be written ({err.strerror or err})") from err


@contextmanager
def alone(name: str) -> Iterator[None]:
    """While what lies in `models_folder()` under a name is changed; `Download` has the same lock.

    Raises
    ------
    ModelError : it is being added or fetched just now
    OSError : the folder cannot be written to
    """
    from filelock import FileLock, Timeout

    wanted = models_folder() / name
    lock = FileLock(wanted.with_name(f".{name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as err:
        raise ModelError(
            f"{wanted} is being added or fetched just now; try again once that is done"
        ) from err
    try:
        yield
    finally:
        lock.release()


def left_over(name: str) -> Path:
    """Where a model lies while it is being added; what was killed stays there."""
    return models_folder() / f".{name}{_ADDED}"


def tidy() -> None:
    """Delete what is left of models whose adding was killed."""
    for part in sorted_paths(models_folder().glob(f".*{_ADDED}")):
        with suppress(ModelError, OSError), alone(part.name[1 : -len(_ADDED)]):
            shutil.rmtree(part, ignore_errors=True)


def _take_alone(original: Path, wanted: Path, n_bytes: int, put: Callable[[Path], None]) -> Path:
    name = wanted.name
    if wanted.exists():
        raise ModelError(f"{wanted} is there already; delete it first, with: models remove {name}")
    check_space(name, n_bytes, wanted)
    part = left_over(name)
    shutil.rmtree(part, ignore_errors=True)  # of one that was killed
    try:
        put(part)
        part.rename(wanted)
    except OSError as err:
        raise DataError(f"{original} cannot be copied to {wanted} ({err.strerror or err})") from err
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return wanted


def damaged(path: Path, why: str) -> ModelError:
    """What is said of a model that is not as it should be."""
    return ModelError(f"{path} is damaged: {why}; delete it and get it again")
