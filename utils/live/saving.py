"""Captions on disk, where the operator has turned that on: whole lines only."""

import errno
import json
import logging
import math
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from utils.errors import DataError
from utils.events import CaptionEvent, Emotion, Word
from utils.faults import cause, of_machine

LONGEST_LINE = 1_000_000  # bytes; one with every word of 15 s has some thousands
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
MOST_WAITING = 10_000  # lines that wait for room, about a day's; the oldest go first
HANGS_S = 10.0  # without an answer of the disk, after which that is told; and waited for at the end
LONGEST_S = 1e8  # three years
MOST_BAD = 100  # lines that are none, after which a file without others holds none

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

    def add(self, event: CaptionEvent) -> None:
        """Write a finished line, soon."""
        if event.final and (event.text or event.sound):
            self._thread.submit(self._write, event)

    def look(self) -> None:
        """See, soon, whether the file is still there, and room; nothing once it is closed."""
        if self._looked.done():  # a disk may take its time
            with suppress(RuntimeError):
                self._looked_s = time.monotonic()
                self._looked = self._thread.submit(self._write_waiting)
        elif time.monotonic() - self._looked_s > HANGS_S:
            self._tell(f"the disk of {self.path} does not answer")

    def close(self) -> None:
        """Write what is left, and close the file; an empty one is taken away."""
        self._thread.submit(self._write_waiting)
        ended = self._thread.submit(self._end)
        self._thread.shutdown(wait=False)
        if not wait([ended], HANGS_S).done:
            log.error("%s: the disk does not answer; the last lines may be missing", self.path)

    # The thread beside

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
        os.close(self._file)
        self.path, self._file, self._whole = path, file, 0
        self._moved()
        return True

    def _write(self, event: CaptionEvent) -> None:
        if not self._ended:
            self._waiting.append((json.dumps(event.to_dict(), ensure_ascii=False) + "\n").encode())
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

    def _give_up(self, err: OSError) -> None:
        log.error("%s: captions are saved no more: %s", self.path, err)
        self._end()
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
            return path, os.open(path, flags, 0o600)
        except FileExistsError:
            continue
    raise FileExistsError(17, "a thousand files of this second are there")


def read_saved(path: Path) -> tuple[list[CaptionEvent], int]:
    """Read the finished lines of a saved session, or of `app.py caption`.

    Returns
    -------
    the lines, and how many could not be read (a cut at the end leaves one)

    Raises
    ------
    DataError : the file cannot be read, or holds no line of captions at all
    """
    events, bad = [], 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE):
                try:
                    if line.strip():
                        events.append(_event(json.loads(line)))
                except (ValueError, TypeError, KeyError, RecursionError):
                    bad += 1
                    if not events and bad >= MOST_BAD:
                        break
    except (OSError, ValueError) as err:  # ValueError: no path can be that
        raise DataError(f"{path}: cannot be read ({getattr(err, 'strerror', err)})") from err
    if bad and not events:
        raise DataError(f"{path}: holds no captions; expected one JSON object a line, as saved")
    lines = [event for event in events if event.final and (event.text or event.sound)]
    # A line that was sent again, with a tag that came late, stands twice: the later one holds.
    return list({(line.segment, line.start_s): line for line in lines}.values()), bad


def _event(found: object) -> CaptionEvent:
    """The event of a line.

    Raises
    ------
    ValueError, TypeError, KeyError : it is none; also where only some field of it is damaged
    """
    entry = _object(found)
    words = _of(entry, "words", list, None)
    start_s, end_s = _seconds(entry["start_s"]), _seconds(entry["end_s"])
    if end_s < start_s:
        raise ValueError("ends before it begins")
    return CaptionEvent(
        segment=_of(entry, "segment", int),
        start_s=start_s,
        end_s=end_s,
        text=_of(entry, "text", str),
        final=_of(entry, "final", bool),
        tags=_tags(entry),
        words=tuple(map(_word, words or ())),
        sound=_of(entry, "sound", str, None),
    )


def _tags(entry: dict[str, object]) -> dict[str, Any]:
    """The tags of a line; those of older files stand beside its text."""
    tags = dict(_of(entry, "tags", dict, {}))
    if (emotion := _of({**entry, **tags}, "emotion", dict, None)) is not None:
        tags["emotion"] = Emotion(
            _of(emotion, "label", str),
            _number(emotion["confidence"]),
            {str(label): _number(p) for label, p in _of(emotion, "scores", dict).items()},
        )
    if loudness := _of({**entry, **tags}, "loudness", str, None):
        tags["loudness"] = loudness
    if _of({**entry, **tags}, "new_voice", bool, False):
        tags["new_voice"] = True
    return tags


def _word(found: object) -> Word:
    entry = _object(found)
    text = _of(entry, "text", str)
    confidence = entry.get("confidence")
    sure = None if confidence is None else _number(confidence)
    return Word(text, _seconds(entry["start_s"]), _seconds(entry["end_s"]), sure)


_NEEDED = object()


def _object(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise TypeError(f"expected an object, not {type(found).__name__}")
    return found


def _of(entry: dict[str, object], name: str, kind: type, default: object = _NEEDED) -> Any:
    """A field of its kind; where it may be left out, also its default."""
    found = entry[name] if default is _NEEDED else entry.get(name, default)
    if found is default and default is not _NEEDED:
        return default
    if type(found) is not kind:
        raise TypeError(f"{name} is {type(found).__name__}, expected {kind.__name__}")
    if isinstance(found, str):
        found.encode()  # halves of characters, which nobody can print, are no text
    return found


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise TypeError(f"expected a number, not {value!r:.40}")
    return float(value)


def _seconds(value: object) -> float:
    if not 0 <= (seconds := _number(value)) <= LONGEST_S:
        raise ValueError(f"{seconds} s, expected 0 to {LONGEST_S:.0f}")
    return seconds
