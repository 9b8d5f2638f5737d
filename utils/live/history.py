"""Saved sessions: which there are, their lines, and how they are deleted."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from utils.errors import DataError
from utils.live.saved import SavedFile

NAME = re.compile(r"captions-(\d{4}-\d\d-\d\d-\d{6})(?:-(\d{1,3}))?\.jsonl", re.ASCII)
TIME = "%Y-%m-%d-%H%M%S"
MOST = 200  # sessions that are listed, the newest
FIRST_WORDS = 80  # letters of a session that the list shows
LARGEST = 50_000_000  # bytes of a session that is read for a page: 60 hours of speech

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Saved:
    """A saved session, as the list shows it.

    Parameters
    ----------
    name : of its file
    began : when, as ISO 8601 without a zone: the time of the place where it was saved
    length_s : from the first to the last word
    lines : how many
    first : its first words
    """

    name: str
    began: str
    length_s: float
    lines: int
    first: str


class History:
    """The sessions that are saved in a folder; nothing else of it is told, read or deleted.

    Parameters
    ----------
    folder : where `utils.live.saving` writes
    writing : the name of the file that is being written; "" where none is

    Attributes
    ----------
    open : whether readers may see and download them, as the presenter wishes
    """

    def __init__(self, folder: Path, writing: Callable[[], str]) -> None:
        self._folder = folder
        self._writing = writing
        self.open = False  # to readers too
        self._known: dict[str, tuple[tuple[int, int], Saved | None]] = {}
        self._lock = threading.Lock()  # one at a time reads the folder

    def sessions(self) -> Iterator[dict]:
        """The sessions, the newest first, as far as they are wanted; without a line they are none.

        The first time each is gone through, which takes its time.
        """
        names = sorted(self._names(), key=_order, reverse=True)[:MOST]
        with self._lock:
            self._known = {name: self._known[name] for name in names if name in self._known}
        for name in names:
            if saved := self._summary(name):
                yield asdict(saved)

    def lines(self, name: str) -> SavedFile:
        """The lines of a session, to be read one by one; whoever asked closes it.

        Raises
        ------
        DataError : there is no such session, it is too large or cannot be read; where it lies is
            not told
        """
        path = self._path(name)
        try:
            if (size := path.stat().st_size) > LARGEST:
                raise DataError(
                    f"this session has {size // 1_000_000} MB, and no more than "
                    f"{LARGEST // 1_000_000} MB are read here; on the computer that saved it: "
                    f".venv/bin/python app.py export {name}"
                )
            lines = SavedFile(path)
        except OSError as err:
            raise DataError(f"{name} cannot be read ({err.strerror})") from err
        if not lines:
            lines.close()
            raise DataError(f"{name} holds no captions")
        return lines

    def delete(self, name: str) -> None:
        """Delete a session; the one that is being written stays.

        Raises
        ------
        DataError : there is no such session, it is being written, or cannot be deleted
        """
        path = self._path(name)
        if name == self._writing():
            raise DataError("it is being written; turn saving off first")
        try:
            path.unlink()
        except OSError as err:
            raise DataError(f"{name} cannot be deleted ({err.strerror})") from err
        log.info("%s was deleted", name)

    def _names(self) -> Iterator[str]:
        try:
            yield from (path.name for path in self._folder.iterdir() if _began(path.name))
        except OSError:
            return  # nothing was ever saved there

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if not _began(name) or path.is_symlink() or not path.is_file():
            raise DataError(f"there is no saved session {name!r:.60}")
        return path

    def _summary(self, name: str) -> Saved | None:
        """What the list shows of a session, read anew only when its file has changed."""
        try:
            path = self._path(name)
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            with self._lock:
                known = self._known.get(name)
                if known is None or known[0] != stamp:
                    known = self._known[name] = stamp, _summary(path)
        except (DataError, OSError) as err:
            log.warning("%s is not listed: %s", name, getattr(err, "strerror", None) or err)
            return None
        return known[1]


def _began(name: str) -> datetime | None:
    """When a session began, by the name of its file; None where that is no name of a session."""
    with suppress(ValueError):  # the 99th of a month
        if found := NAME.fullmatch(name):
            return datetime.strptime(found[1], TIME)
    return None


def _order(name: str) -> tuple[str, int]:
    """When a session began; of those of one second, which was first."""
    found = NAME.fullmatch(name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def _summary(path: Path) -> Saved | None:
    began = _began(path.name)
    with SavedFile(path) as lines:
        if not lines or began is None:
            return None
        first = " ".join(" ".join(line.text for line in islice(lines, 10)).split())
        length_s = round(lines.span_s, 1)
        return Saved(path.name, began.isoformat(), length_s, len(lines), first[:FIRST_WORDS])
