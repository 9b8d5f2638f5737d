"""Loose recordings: what their own names tell of how they were spoken."""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from training.corpora import (
    crema_d,
    emo_db,
    korean_emotional,
    nemo_polish,
    ravdess,
    savee,
    tess,
)
from training.corpora.clip import Clip
from training.corpora.labels import WORDS
from utils.command_line.batch.plan import recordings_in

LOOSE = "loose"  # the corpus of what belongs to none
UNKNOWN = "unknown"  # its speaker and its language
# Corpora whose file names tell label and speaker; the others need a table beside the recordings.
PATTERNS: tuple[Callable[[Path], Clip | None], ...] = (
    ravdess.parse,
    tess.parse,
    crema_d.parse,
    savee.parse,
    emo_db.parse,
    nemo_polish.parse,
    korean_emotional.parse,
)
ABSENT, AMBIGUOUS = "no label in the name", "a name that can be read in two ways"
NO_CLASS = "a corpus's name for what has no class here"
WORD = re.compile(r"[^\W\d_]+")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")  # between the words of "angryMan"
DENIALS = frozenset({"not", "no", "non", "without"})


@dataclass(frozen=True)
class Loose:
    """A recording, and what its name tells.

    Attributes
    ----------
    path : the recording
    clip : with its label; None where that cannot be read
    reason : why it has no label, in a few words; empty where it has one
    """

    path: Path
    clip: Clip | None
    reason: str = ""


def read_loose(folder: Path) -> list[Loose]:
    """All recordings below a folder, in the order of their names.

    A label is read from a name in the manner of a corpus (`PATTERNS`); else from the one feeling
    (`WORDS`) that the file and the folders below `folder` name between them.

    Raises
    ------
    DataError : no such folder, or no recording in it
    """
    paths, _ = recordings_in(folder)
    return [_read(path, folder) for path in paths]


def _read(path: Path, folder: Path) -> Loose:
    found: list[Clip | None] = []
    for parse in PATTERNS:
        with suppress(ValueError, KeyError):
            found.append(parse(path))
    if len(found) == 1:
        return Loose(path, found[0], "" if found[0] else NO_CLASS)
    words = words_of(path.relative_to(folder).with_suffix(""))
    labels = sorted({WORDS[word] for word in words if word in WORDS})
    if found or len(labels) > 1 or (labels and words & DENIALS):
        return Loose(path, None, AMBIGUOUS)
    if not labels:
        return Loose(path, None, ABSENT)
    return Loose(path, Clip(path, labels[0], UNKNOWN, LOOSE, UNKNOWN))


def words_of(path: Path) -> set[str]:
    """The words of a path, in lower case.

    >>> sorted(words_of(Path("angryMan_01/not.sad")))
    ['angry', 'man', 'not', 'sad']
    """
    text = unicodedata.normalize("NFC", HUMP.sub(" ", str(path)))
    return {word.casefold() for word in WORD.findall(text)}
