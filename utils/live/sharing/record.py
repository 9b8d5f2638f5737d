"""What a room keeps in Redis, read back."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from utils.events import CaptionEvent
from utils.live.saved import event_of
from utils.live.session import Earlier


@dataclass(frozen=True)
class Record:
    """A room as Redis has it.

    Parameters
    ----------
    at : number of the last event that is in it
    status, room : the last of these events
    answer : on the screen that faces whoever speaks; None where nothing was told of it
    clears : how often the session was cleared
    lines : in the order in which they began to be said
    """

    at: str
    status: dict
    room: dict
    answer: dict | None
    clears: int
    lines: tuple[CaptionEvent, ...]


def in_order(place: int, text: str) -> str:
    """A line's event with its place among the lines.

    >>> in_order(3, "{}")
    '3 {}'
    """
    return f"{place} {text}"


def record(state: Mapping[str, str], lines: Mapping[str, str]) -> Record | None:
    """A room's record of its hashes; None where there is none.

    Raises
    ------
    ValueError, TypeError, KeyError : it is damaged, or of another version of the program
    """
    if "status" not in state or "room" not in state:
        return None
    return Record(
        state["at"],
        json.loads(state["status"]),
        json.loads(state["room"]),
        json.loads(state["answer"]) if "answer" in state else None,
        int(state["clears"]),
        _lines(lines),
    )


def earlier(state: Mapping[str, str], lines: Mapping[str, str]) -> Earlier | None:
    """Where the session of a record had come to; None where there is no record.

    A line that was growing ends as it stands.

    Raises
    ------
    ValueError, TypeError, KeyError : as in `record`
    """
    found = record(state, lines)
    if found is None:
        return None
    ended_s = max((line.end_s for line in found.lines), default=0.0)
    since_s = max(0.0, time.time() - float(state["said"])) if "said" in state else 0.0
    finished = tuple(replace(line, final=True) for line in found.lines)
    return Earlier(
        session=found.status["session"],
        clears=found.clears,
        lines=finished,
        elapsed_s=ended_s + since_s,
        next_segment=int(state["next"]),
        blank=found.room["blank"],
    )


def _lines(lines: Mapping[str, str]) -> tuple[CaptionEvent, ...]:
    placed = []
    for text in lines.values():
        place, _, event = text.partition(" ")
        placed.append((int(place), event_of(json.loads(event))))
    return tuple(event for _, event in sorted(placed, key=lambda one: one[0]))


def taken_back(line: CaptionEvent) -> CaptionEvent:
    """What takes a line away from pages."""
    return replace(line, text="", sound=None, final=True, words=())


def follows(at: str, before: str) -> bool:
    """Whether an event is the next one, by their numbers.

    >>> follows("7-3", "7-2"), follows("7-4", "7-2"), follows("8-1", "7-2")
    (True, False, False)
    """
    (began, number), (began_before, number_before) = at.split("-"), before.split("-")
    return began == began_before and int(number) == int(number_before) + 1
