"""KESDy18: Korean emotional speech dataset of ETRI, 2018."""

import csv
import io
import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import TABLE
from utils.errors import DataError

EXAMPLE = "wav/F01/F01_001.wav"
ANNOTATIONS = "annotation/*.csv"
SEGMENT, EMOTION = "Segment ID", "Emotion"
SPEAKER = re.compile(r"([FM])\d+")
GENDERS = {"F": "female", "M": "male"}


def read(folder: Path) -> list[Clip]:
    """Utterances of KESDy18 that most of their raters gave one of our labels.

    30 voice actors, 15 of them women, 2,880 utterances. ETRI shows the layout to applicants
    only, so this one follows its later corpora KEMDy19 and KEMDy20, and a copy laid out
    otherwise is refused, not guessed at: recordings lie under wav/ in a folder for each
    speaker, F01 or M01; annotation/*.csv holds, below two lines of column names, the raters'
    majority in the first column Emotion. A tie is written "angry;sad" there and left out.
    https://nanum.etri.re.kr/share/kjnoh2/KESDy18. For research only.

    Raises
    ------
    DataError : no such folder, no recordings or annotation in it, an annotation without the
        two columns, an unknown label, an utterance without its recording, or a folder that
        names no speaker
    """
    found = layout.by_stem(folder, EXAMPLE)
    annotations = sorted(folder.glob(ANNOTATIONS))
    if not annotations:
        raise DataError(
            f"{folder}: no {ANNOTATIONS} in it, which holds the labels; "
            f"found {layout.listed(sorted(p.name for p in folder.iterdir()))}"
        )
    clips = []
    for annotation in annotations:
        for segment, emotion in _rows(annotation):
            label = _label(emotion, annotation)
            if label is None:
                continue
            if segment not in found:
                raise DataError(f"{annotation}: no recording of {segment} under {folder}")
            clips.append(_clip(found[segment], label))
    return clips


def _rows(annotation: Path) -> list[tuple[str, str]]:
    """Name and majority of each utterance."""
    content = layout.text(annotation, ("utf-8", "cp949"))
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(content))]
        upper, lower = rows[:2]
        segment = (upper if SEGMENT in upper else lower).index(SEGMENT)
        emotion = lower.index(EMOTION)
        return [(row[segment], row[emotion]) for row in rows[2:] if any(row)]
    except (ValueError, IndexError, csv.Error) as err:
        raise DataError(
            f"{annotation}: expected two lines of column names, with {SEGMENT} and {EMOTION}, "
            f"above rows as long; found {layout.listed(content.splitlines()[:2]) or 'nothing'}"
        ) from err


def _label(emotion: str, annotation: Path) -> str | None:
    votes = emotion.lower().split(";")
    if unknown := [vote for vote in votes if vote not in TABLE["kesdy18"]]:
        raise DataError(
            f"{annotation}: unknown label {unknown[0]!r}, "
            f"expected one of {', '.join(TABLE['kesdy18'])}"
        )
    return TABLE["kesdy18"][votes[0]] if len(votes) == 1 else None


def _clip(path: Path, label: str) -> Clip:
    speaker = path.parent.name
    if (match := SPEAKER.fullmatch(speaker)) is None:
        raise DataError(
            f"{path}: its folder names no speaker, expected one like {Path(EXAMPLE).parent}; "
            "without it, a voice could be in training and in test"
        )
    return Clip(path, label, f"kesdy18-{speaker}", "kesdy18", "ko", GENDERS[match[1]])
