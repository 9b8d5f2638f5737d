"""Captions read back from disk: what `utils.live.saving` wrote, or `app.py caption`."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from utils.errors import DataError
from utils.events import CaptionEvent, Emotion, Word
from utils.untrusted import opened

LONGEST_LINE = 1_000_000  # bytes; one with every word of 15 s has some thousands
LONGEST_S = 1e8  # three years
MOST_BAD = 100  # lines that are none, after which a file without others holds none
DAMAGED = (ValueError, TypeError, KeyError, RecursionError, OverflowError)
HEAD = re.compile(
    rb'\{"segment": (\d{1,15}), "start_s": ([\d.e+-]{1,25}), "end_s": ([\d.e+-]{1,25}), '
    rb'"text": ("[^"\\]+(?:\\.[^"\\]*)*"), "final": true, '
)

Record = TypeVar("Record")
Place = tuple[int, float, float, str]  # of a line: segment, start_s, end_s, text


def read_saved(path: Path) -> tuple[list[CaptionEvent], int]:
    """Read the finished lines of a saved session, or of `app.py caption`.

    Returns
    -------
    the lines, and how many could not be read (a cut at the end leaves one)

    Raises
    ------
    DataError : the file cannot be read, or holds no line of captions at all
    """
    lines: _Lines[CaptionEvent] = _Lines()
    any_line, bad = False, 0  # whether there is any, also one that is not finished
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE):
                try:
                    if line.strip():
                        found = json.loads(line)
                        event = event_of(found)
                        any_line = True
                        if _is_line(event):
                            lines.add(_place(event), _corrects(found), event)
                except DAMAGED:
                    bad += 1
                    if not any_line and bad >= MOST_BAD:
                        break
    except (OSError, ValueError) as err:  # ValueError: no path can be that
        raise DataError(f"{path}: cannot be read ({getattr(err, 'strerror', err)})") from err
    if bad and not any_line:
        raise DataError(f"{path}: holds no captions; expected one JSON object a line, as saved")
    return [records[-1] for records in lines.whole], bad


class SavedFile:
    """A saved session, gone through without reading each of its lines whole.

    Parameters
    ----------
    path : a regular file

    Attributes
    ----------
    span_s : from the first to the last word

    Raises
    ------
    OSError : it cannot be read
    """

    def __init__(self, path: Path) -> None:
        self._file = opened(path)
        try:
            self._look_through()
        except BaseException:
            self.close()
            raise

    def _look_through(self) -> None:
        self._lines: _Lines[int] = _Lines()  # where their records begin
        starts_s, ends_s = [0.0], [0.0]
        for place, corrects, at in self._records():
            self._lines.add(place, corrects, at)
            starts_s.append(place[1])
            ends_s.append(place[2])
        self.span_s = max(ends_s) - min(starts_s[1:], default=0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __len__(self) -> int:
        """How many lines it has."""
        return len(self._lines.whole)

    def __iter__(self) -> Iterator[CaptionEvent]:
        """The lines, read one by one; of one that was written again the last that is whole."""
        for records in self._lines.whole:
            for at in reversed(records):
                self._file.seek(at)
                with suppress(*DAMAGED):
                    yield event_of(json.loads(self._file.readline(LONGEST_LINE)))
                    break

    def _records(self) -> Iterator[tuple[Place, str | None, int]]:
        """What each record of a finished line tells of its place, and where it begins."""
        at = bad = n_good = 0
        while line := self._file.readline(LONGEST_LINE):
            try:
                if record := _glance(line):
                    yield *record, at
                    n_good += 1
            except DAMAGED:
                bad += 1
                if not n_good and bad >= MOST_BAD:
                    return
            at += len(line)


def _glance(line: bytes) -> tuple[Place, str | None] | None:
    """What a record tells of its line's place, and which words it corrects; None: of no line.

    Of one as `utils.live.saving` writes it that is told by its beginning.
    """
    if (head := HEAD.match(line)) and b'"corrects"' not in line:
        span_s = _span_s(float(head[2]), float(head[3]))
        return (int(head[1]), *span_s, json.loads(head[4])), None
    if not line.strip():
        return None
    event = event_of(found := json.loads(line))
    return (_place(event), _corrects(found)) if _is_line(event) else None


class _Lines(Generic[Record]):
    """Finished lines, in the order in which they were said, and the records of each.

    A line that was sent again, with a tag that came late, has two: the later one holds.
    It keeps its words and times: other lines of that number are another session's. A record that
    `corrects` words is of the line that has them.
    """

    def __init__(self) -> None:
        self.whole: list[list[Record]] = []
        self._places: dict[Place, int] = {}

    def add(self, place: Place, corrects: str | None, record: Record) -> None:
        before = place if corrects is None else (*place[:3], corrects)
        number = self._places.get(before)
        if number is None:
            number = len(self.whole)
            self.whole.append([])
        self.whole[number].append(record)
        if corrects is not None:
            self._places.pop(before, None)
        self._places[place] = number


def _is_line(event: CaptionEvent) -> bool:
    return event.final and bool(event.text or event.sound)


def _place(event: CaptionEvent) -> Place:
    return event.segment, event.start_s, event.end_s, event.text


def _corrects(found: object) -> str | None:
    return _of(_object(found), "corrects", str, None)


def event_of(found: object) -> CaptionEvent:
    """The event of a line, as `CaptionEvent.to_dict` has put it.

    Raises
    ------
    ValueError, TypeError, KeyError : it is none; also where only some field of it is damaged
    """
    entry = _object(found)
    words = _of(entry, "words", list, None)
    start_s, end_s = _span_s(entry["start_s"], entry["end_s"])
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
    # Halves of characters, and what is no number, would break who reads on.
    json.dumps([tags, entry.get("emotion")], ensure_ascii=False, allow_nan=False).encode()
    found = {**entry, **tags}
    if (emotion := _of(found, "emotion", dict, None)) is not None:
        tags["emotion"] = Emotion(
            _of(emotion, "label", str),
            _number(emotion["confidence"]),
            {str(label): _number(p) for label, p in _of(emotion, "scores", dict).items()},
            "likely" if emotion.get("grade") == "likely" else "sure",  # older files name no other
        )
    if loudness := _of(found, "loudness", str, None):
        tags["loudness"] = loudness
    if _of(found, "new_voice", bool, False):
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


def _span_s(start: object, end: object) -> tuple[float, float]:
    start_s, end_s = _seconds(start), _seconds(end)
    if end_s < start_s:
        raise ValueError("ends before it begins")
    return start_s, end_s
