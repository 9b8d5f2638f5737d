"""The Free Spoken Digit Dataset: who says which digit in which recording, and who is heard."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.errors import DataError

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NAME = re.compile(r"([0-9])_([a-z]+)_([0-9]+)\.(?:ogg|wav)")
HELD_OUT = "george"  # the first by name, fixed before anything was trained
STOPPING_TAKES = 5  # first takes of each digit and voice, which only choose the weights


@dataclass(frozen=True)
class Digit:
    """A recording of one spoken digit."""

    path: Path
    word: str
    speaker: str
    take: int


@dataclass(frozen=True)
class Parts:
    """Recordings to train on, to choose weights by, and of the voice that is held out."""

    train: tuple[Digit, ...]
    stopping: tuple[Digit, ...]
    held_out: tuple[Digit, ...]


def read(folder: Path) -> tuple[Digit, ...]:
    """All recordings of the dataset, named DIGIT_SPEAKER_TAKE, in order of their names.

    Z. Jackson et al., "Free Spoken Digit Dataset", CC BY-SA 4.0.

    Raises
    ------
    DataError : no such folder, or no recording in it
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder, expected one of recordings like 7_george_12.ogg"
        )
    found = []
    for path in sorted(folder.iterdir()):
        if match := NAME.fullmatch(path.name):
            digit, speaker, take = match.groups()
            found.append(Digit(path, WORDS[int(digit)], speaker, int(take)))
    if not found:
        raise DataError(f"{folder}: holds no recording, expected names like 7_george_12.ogg")
    return tuple(found)


def split(digits: Sequence[Digit], held_out: str = HELD_OUT) -> Parts:
    """Keep one voice away from all training; some takes of the others choose the weights.

    Raises
    ------
    DataError : nobody of that name, or nobody else
    """
    speakers = sorted({digit.speaker for digit in digits})
    if held_out not in speakers or len(speakers) < 2:
        raise DataError(
            f"cannot hold out {held_out!r}: the recordings are of {', '.join(speakers)}; expected "
            "a name of these, and others beside it"
        )
    others = [d for d in digits if d.speaker != held_out]
    return Parts(
        tuple(d for d in others if d.take >= STOPPING_TAKES),
        tuple(d for d in others if d.take < STOPPING_TAKES),
        tuple(d for d in digits if d.speaker == held_out),
    )
