"""AI-Hub's Korean dialogue speech for emotion classification.

Its own name is 감정 분류를 위한 대화 음성 데이터셋.
"""

import logging
from collections import Counter
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import TABLE
from utils.errors import DataError

logger = logging.getLogger(__name__)

EXAMPLE = "4차년도/5e258fd1305bcf3ad153a6a4.wav"
RELEASES = ("4차년도.csv", "5차년도.csv", "5차년도_2차.csv")
VOTES = tuple(f"{rater}번 감정" for rater in range(1, 6))
GENDERS = {"female": "female", "male": "male", "여": "female", "남": "male"}


def read(folder: Path) -> list[Clip]:
    """Recordings that most of their five raters gave the same label; ties are left out.

    `folder` holds one or more of 4차년도.csv, 5차년도.csv and 5차년도_2차.csv with the unpacked
    recordings, {wav_id}.wav, in any folders beside them. The column 상황, the situation that
    a line was written for, is not used. Rows without a recording are left out with a warning.

    The corpus names no speaker, only gender and age, and ages change between its releases.
    So all women count as one speaker here and all men as another: in no split can a voice be
    on both sides. https://aihub.or.kr, data set 263. For research, on application.

    Raises
    ------
    DataError : no such folder, no recordings or table in it, a table that is not as
        published, or a label or gender that the corpus does not use
    """
    found = layout.by_stem(folder, EXAMPLE)
    tables = [folder / name for name in RELEASES if (folder / name).is_file()]
    if not tables:
        raise DataError(
            f"{folder}: none of {', '.join(RELEASES)} in it, which hold the labels; "
            f"found {layout.listed(sorted(p.name for p in folder.iterdir()))}"
        )
    clips, without = [], []
    for path in tables:
        for row in layout.table(path, ("wav_id", *VOTES, "성별"), encodings=("utf-8", "cp949")):
            label, gender = _label(row, path), _gender(row, path)
            if row["wav_id"] not in found:
                without.append(row["wav_id"])
            elif label is not None:
                speaker = f"aihub-korean-{gender}"
                recording = found[row["wav_id"]]
                clips.append(Clip(recording, label, speaker, "aihub-korean", "ko", gender))
    if without:
        logger.warning(
            "%s: no recording of %d rows: %s", folder, len(without), layout.listed(without)
        )
    return clips


def _label(row: dict[str, str], path: Path) -> str | None:
    """Our label for what more raters wrote than anything else."""
    votes = [row[column].lower() for column in VOTES if row[column]]
    if unknown := [vote for vote in votes if vote not in TABLE["aihub-korean"]]:
        raise DataError(
            f"{path}: {row['wav_id']} has the label {unknown[0]!r}, "
            f"expected one of {', '.join(TABLE['aihub-korean'])}"
        )
    counts = Counter(votes)
    winners = [vote for vote, n in counts.items() if n == max(counts.values())]
    return TABLE["aihub-korean"][winners[0]] if len(winners) == 1 else None


def _gender(row: dict[str, str], path: Path) -> str:
    try:
        return GENDERS[row["성별"].lower()]
    except KeyError as err:
        raise DataError(
            f"{path}: {row['wav_id']} has the gender {row['성별']!r}, "
            f"expected one of {', '.join(GENDERS)}"
        ) from err
