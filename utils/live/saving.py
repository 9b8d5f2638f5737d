"""Captions on disk, where the operator has turned that on: whole lines only."""

import errno
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from utils.errors import DataError
from utils.events import CaptionEvent
from utils.faults import cause, of_machine

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
MOST_WAITING = 10_000  # lines that wait for room, about a day's; the oldest go first
HANGS_S = 10.0  # without an answer of the disk, after which that is told; and waited for at the end

log = logging.getLogger(__name__)


class SavedLines:
    """Writes each finished line to a file of its own session, one JSON object a line.

    A line is on the disk before the next is written, so that a kill of the program or a power
    cut costs the last line at most. Writing is done on a thread beside: a slow disk does not
    hold up the captions. Where the file is taken away, a new one is made in the same folder.
    Where the disk is full, lines wait until there is room.

    Parameters
    ----------
    folder : where the file is made, private to the user; a new file each time
    moved : told when the file was taken away, and `path` is another from now on
    failed : told why, when nothing can be written any more; the file is closed then
    waiting : told why lines have to wait, as the disk is full or hangs; "" when they are written

    Raises
    ------
    DataError : the file cannot be made
    """

    def __init__(
        self,
        folder: Path,
        moved: Callable[[], None],
        failed: Callable[[str], None],
        waiting: Callable[[str], None],
    ) -> None:
        self._moved, self._failed, self._tell_waiting = moved, failed, waiting
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._told = ""  # why lines wait
        self._looked_s = time.monotonic()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="saving")
        try:
            # tells now where no thread can be begun
            self._looked: Future[object] = self._thread.submit(bool)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path, self._file = _new_file(folder)
        except (OSError, RuntimeError, ValueError) as err:  # ValueError: no path can be that
            reason = of_machine(err, str(folder)) or getattr(err, "strerror", None) or str(err)
            raise DataError(
                f"{folder}: captions cannot be saved there ({reason}); "
                "name a folder that can be written to"
            ) from err
        self._whole = 0  # bytes of whole lines
        self._ended = False

    def add(self, event: CaptionEvent, corrects: str | None = None) -> None:
        """Write a finished line, soon.

        Parameters
        ----------
        corrects : the words that it was written with before, where the presenter has mended them
        """
        if event.final and (event.text or event.sound):
            entry = event.to_dict() | ({} if corrects is None else {"corrects": corrects})
            self._thread.submit(self._guard, partial(self._write, entry))

    def look(self) -> None:
        """See, soon, whether the file is still there, and room; nothing once it is closed."""
        if self._looked.done():  # a disk may take its time
            with suppress(RuntimeError):
                self._looked_s = time.monotonic()
                self._looked = self._thread.submit(self._guard, self._write_waiting)
        elif time.monotonic() - self._looked_s > HANGS_S:
            self._tell(f"the disk of {self.path} does not answer")

    def close(self) -> None:
        """Write what is left, and close the file; an empty one is taken away."""
        self._thread.submit(self._guard, self._write_waiting)
        ended = self._thread.submit(self._end)
        self._thread.shutdown(wait=False)
        if not wait([ended], HANGS_S).done:
            log.error("%s: the disk does not answer; the last lines may be missing", self.path)

    # The thread beside

    def _guard(self, work: Callable[[], None]) -> None:
        """Do a piece of work; an error that nobody has foreseen is told like one of the disk."""
        try:
            work()
        except Exception as err:
            log.exception("saving failed")
            self._give_up(err)

    def _see(self) -> bool:
        """Whether lines can be written, to this file or to one in place of it."""
        if self._ended:
            return False
        try:
            if not os.path.samestat(os.stat(self.path), os.fstat(self._file)):
                raise FileNotFoundError(errno.ENOENT, "another file has its name", str(self.path))
        except OSError as err:
            log.error("%s: the file of saved lines is gone (%s)", self.path, err.strerror)
            return self._begin_anew(err)
        return True

    def _begin_anew(self, gone: OSError) -> bool:
        """Make another file where the first one was, not its folder: it may have been a stick."""
        try:
            path, file = _new_file(self.path.parent)
        except OSError as err:
            self._give_up(err if err.errno != errno.ENOENT else gone)
            return False
        gone_file, self.path, self._file, self._whole = self._file, path, file, 0
        with suppress(OSError):  # what was written there is on the disk, or lost with it
            os.close(gone_file)
        self._moved()
        return True

    def _write(self, entry: dict) -> None:
        if not self._ended:
            self._waiting.append((json.dumps(entry, ensure_ascii=False) + "\n").encode())
            self._write_waiting()

    def _write_waiting(self) -> None:
        if not self._see():
            return
        try:
            while self._waiting:
                self._put(self._waiting[0])
                self._waiting.popleft()
        except OSError as err:
            self._cut()
            if err.errno in NO_ROOM:
                self._tell(cause(err, str(self.path)))
            else:
                self._give_up(err)
        else:
            self._tell("")

    def _put(self, line: bytes) -> None:
        written = 0
        while written < len(line):
            written += os.write(self._file, line[written:])
        os.fsync(self._file)
        self._whole += len(line)

    def _tell(self, reason: str) -> None:
        """Tell why lines wait, where that has changed."""
        if reason != self._told:
            self._told = reason
            log.warning("%s: %s", self.path, reason or "lines are saved again")
            self._tell_waiting(reason)

    def _give_up(self, err: Exception) -> None:
        if self._ended:
            return
        log.error("%s: captions are saved no more: %s", self.path, err)
        try:
            self._end()
        finally:
            self._failed(cause(err, str(self.path)))

    def _cut(self) -> None:
        """Take back the part of a line that was written."""
        try:
            os.ftruncate(self._file, self._whole)
        except OSError:
            log.exception("%s: the last line may be cut short", self.path)

    def _end(self) -> None:
        if self._ended:
            return
        if self._waiting:
            log.error("%s: %d lines could not be saved", self.path, len(self._waiting))
        self._ended = True
        try:
            if not self._whole and os.path.samestat(os.stat(self.path), os.fstat(self._file)):
                self.path.unlink()
        except OSError as err:
            log.warning("%s: %s", self.path, err.strerror)
        finally:
            os.close(self._file)


def _new_file(folder: Path) -> tuple[Path, int]:
    """A file that was not there, named by the time."""
    stem = datetime.now().strftime("captions-%Y-%m-%d-%H%M%S")
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
    for number in range(1, 1000):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}.jsonl"
        try:
            file = os.open(path, flags, 0o600)
        except FileExistsError:
            continue
        for each in (folder, folder.parent):  # the folder may be new
            _keep_names(each)
        return path, file
    raise FileExistsError(17, "a thousand files of this second are there")


def _keep_names(folder: Path) -> None:
    """Have the names in a folder outlive a power cut, which a file's own bytes on the disk do not.

    Not every system opens a folder, nor every disk of a network.
    """
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
