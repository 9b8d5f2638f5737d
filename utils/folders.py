"""Where the program keeps what is its own, by the XDG base directory specification."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "recognition_helpers"
NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)  # the last on Windows


def _folder(variable: str, default: str) -> Path:
    base = os.environ.get(variable, "")
    # The specification: a path that is not absolute is to be ignored.
    return (Path(base) if os.path.isabs(base) else Path.home() / default) / NAME


def state_folder() -> Path:
    """For what outlives a run and is of this machine: the presenter's token."""
    return _folder("XDG_STATE_HOME", ".local/state")


def config_folder() -> Path:
    """For what the operator has set: the quick phrases."""
    return _folder("XDG_CONFIG_HOME", ".config")


def data_folder() -> Path:
    """For what people keep: saved captions."""
    return _folder("XDG_DATA_HOME", ".local/share")


def cache_folder() -> Path:
    """For what can be fetched again: models."""
    return _folder("XDG_CACHE_HOME", ".cache")


def free_space(folder: Path) -> tuple[Path, int]:
    """What is there of a folder's path, and the bytes that are free on its disk.

    Raises
    ------
    OSError : nothing of it is there, or it cannot be used
    """
    for place in (folder, *folder.parents):
        try:
            return place, shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
    raise FileNotFoundError(f"nothing of {folder} is there")


def check_writable(folder: Path) -> None:
    """See that files can be made in a folder.

    Raises
    ------
    OSError : they cannot, or there is no such folder
    """
    with tempfile.TemporaryFile(dir=folder):
        pass


def nearest(path: Path) -> Path:
    """The folder that is there already, above a name whose folders may still have to be made."""
    return next(folder for folder in path.absolute().parents if folder.exists())


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Have a file written under another name, which becomes `path` when all of it is there.

    Whatever ends the writing, Ctrl-C too, leaves an older file as it was and nothing beside it.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Write a file, for its owner alone, so that it is there whole or not at all.

    Parameters
    ----------
    mode : who may do what with it, of which the user's umask takes away

    Raises
    ------
    OSError : it cannot be written; an older file of the name is as it was
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(name, NEW, mode)
    try:
        with open(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
