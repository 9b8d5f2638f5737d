"""Captions read back from disk: what `utils.live.saving` wrote, or `app.py caption`."""

import json
import math
from pathlib import Path
from typing import Any

from utils.errors import DataError
from utils.events import CaptionEvent, Emotion, Word

LONGEST_LINE = 1_000_000  # bytes; one with every word of 15 s has some thousands
LONGEST_S = 1e8  # three years
MOST_BAD = 100  # lines that are none, after which a file without others holds none


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
                except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
                    bad += 1
                    if not events and bad >= MOST_BAD:
                        break
    except (OSError, ValueError) as err:  # ValueError: no path can be that
        raise DataError(f"{path}: cannot be read ({getattr(err, 'strerror', err)})") from err
    if bad and not events:
        raise DataError(f"{path}: holds no captions; expected one JSON object a line, as saved")
    lines = [event for event in events if event.final and (event.text or event.sound)]
    # A line that was sent again, with a tag that came late, stands twice: the later one holds.
    # It keeps its words and times: other lines of that number are another session's.
    return list({(e.segment, e.start_s, e.end_s, e.text): e for e in lines}.values()), bad


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
