"""Captions on disk, where the operator has turned that on: whole lines only."""

import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from utils.errors import DataError
from utils.events import CaptionEvent, Emotion, Word

log = logging.getLogger(__name__)


class SavedLines:
    """Writes each finished line to a file of its own session, one JSON object a line.

    A line is on the disk before the next is written, so that a kill of the program or a power
    cut costs the last line at most. Writing is done on a thread beside: a slow disk does not
    hold up the captions.

    Parameters
    ----------
    folder : where the file is made, private to the user; a new file each time
    failed : told why, when the disk takes no more; nothing is written after that

    Raises
    ------
    DataError : the file cannot be made
    """

    def __init__(self, folder: Path, failed: Callable[[str], None]) -> None:
        self._failed = failed
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path, self._file = _new_file(folder)
        except OSError as err:
            raise DataError(
                f"{folder}: captions cannot be saved there ({err.strerror}); "
                "name a folder that can be written to"
            ) from err
        self._whole = 0  # bytes of whole lines
        self._broken = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="saving")

    def add(self, event: CaptionEvent) -> None:
        """Write a finished line, soon."""
        if event.final and event.text:
            self._thread.submit(self._write, event)

    def close(self) -> None:
        """Write what is left, and close the file; an empty one is taken away."""
        self._thread.submit(self._end)
        self._thread.shutdown(wait=True)

    def _write(self, event: CaptionEvent) -> None:
        if self._broken:
            return
        line = (json.dumps(event.to_dict(), ensure_ascii=False) + "\n").encode()
        try:
            written = 0
            while written < len(line):
                written += os.write(self._file, line[written:])
            os.fsync(self._file)
            self._whole += len(line)
        except OSError as err:
            self._broken = True
            log.error("%s: captions are saved no more: %s", self.path, err)
            self._cut()
            self._failed(err.strerror or str(err))

    def _cut(self) -> None:
        """Take back the part of a line that was written."""
        try:
            os.ftruncate(self._file, self._whole)
        except OSError:
            log.exception("%s: the last line may be cut short", self.path)

    def _end(self) -> None:
        os.close(self._file)
        if not self._whole:
            self.path.unlink(missing_ok=True)


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
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as err:
        raise DataError(f"{path}: cannot be read ({err.strerror})") from err
    events, bad = [], 0
    for line in lines:
        if line.strip():
            try:
                events.append(_event(json.loads(line)))
            except (ValueError, TypeError, KeyError):
                bad += 1
    if bad and not events:
        raise DataError(f"{path}: holds no captions; expected one JSON object a line, as saved")
    return [event for event in events if event.final and (event.text or event.sound)], bad


def _event(entry: dict) -> CaptionEvent:
    emotion = entry["emotion"]
    return CaptionEvent(
        segment=int(entry["segment"]),
        start_s=float(entry["start_s"]),
        end_s=float(entry["end_s"]),
        text=str(entry["text"]),
        final=bool(entry["final"]),
        emotion=emotion and Emotion(
            str(emotion["label"]), float(emotion["confidence"]), dict(emotion["scores"])
        ),
        words=tuple(
            Word(str(w["text"]), float(w["start_s"]), float(w["end_s"]), w.get("confidence"))
            for w in entry.get("words", ())
        ),
        loudness=entry.get("loudness"),
        new_voice=bool(entry.get("new_voice")),
        sound=entry.get("sound"),
    )  # fmt: skip
