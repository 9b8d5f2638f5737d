"""Saved sessions: which there are, their lines, and how they are deleted."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from utils.errors import DataError
from utils.events import CaptionEvent
from utils.live.saved import read_saved

NAME = re.compile(r"captions-(\d{4}-\d\d-\d\d-\d{6})(?:-(\d{1,3}))?\.jsonl", re.ASCII)
MOST = 200  # sessions that are listed, the newest
FIRST_WORDS = 80  # letters of a session that the list shows
LARGEST = 50_000_000  # bytes of a session that is read for a page

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

    def sessions(self) -> list[dict]:
        """The sessions, the newest first; those without a line are left out."""
        with self._lock:
            names = sorted(self._names(), key=_order, reverse=True)[:MOST]
            found = [self._summary(name) for name in names]
            self._known = {name: self._known[name] for name in names if name in self._known}
        return [asdict(saved) for saved in found if saved]

    def lines(self, name: str) -> list[CaptionEvent]:
        """The lines of a session.

        Raises
        ------
        DataError : there is no such session, or it cannot be read
        """
        path = self._path(name)
        if path.stat().st_size > LARGEST:
            raise DataError(f"{name} is too large for a page; use: app.py export")
        return read_saved(path)[0]

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
            yield from (path.name for path in self._folder.iterdir() if NAME.fullmatch(path.name))
        except OSError:
            return  # nothing was ever saved there

    def _path(self, name: str) -> Path:
        path = self._folder / name
        if not NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
            raise DataError(f"there is no saved session {name!r:.60}")
        return path

    def _summary(self, name: str) -> Saved | None:
        """What the list shows of a session, read anew only when its file has changed."""
        try:
            path = self._path(name)
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            known = self._known.get(name)
            if known is None or known[0] != stamp:
                known = self._known[name] = stamp, _summary(name, self.lines(name))
        except (DataError, OSError) as err:
            log.warning("%s is not listed: %s", name, err)
            return None
        return known[1]


def _order(name: str) -> tuple[str, int]:
    """When a session began; of those of one second, which was first."""
    found = NAME.fullmatch(name)
    return (found[1], int(found[2] or 1)) if found else ("", 0)


def _summary(name: str, lines: list[CaptionEvent]) -> Saved | None:
    if not lines:
        return None
    stamp = NAME.fullmatch(name)
    began = datetime.strptime(stamp[1], "%Y-%m-%d-%H%M%S") if stamp else datetime.min
    first = " ".join(" ".join(line.text for line in lines[:10]).split())
    length_s = max(line.end_s for line in lines) - min(line.start_s for line in lines)
    return Saved(name, began.isoformat(), round(length_s, 1), len(lines), first[:FIRST_WORDS])
