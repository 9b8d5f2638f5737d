"""nEMO: emotional speech in Polish."""

import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import TABLE, label_of
from utils.errors import DataError

EXAMPLE = "samples/WR0_anger_64.wav"
# The table of the published corpus, and of the copy that names recordings by their path.
PUBLISHED, BY_PATH = "data.tsv", "manifest.csv"
COLUMNS = ("emotion", "speaker_id", "gender")
NAME = re.compile(r"([A-Z]{2}\d)_([a-z]+)_\d+")  # speaker, emotion, sentence


def read(folder: Path) -> list[Clip]:
    """Clips of nEMO, samples/speaker_emotion_sentence.wav, labelled by a table.

    The table is data.tsv, with a column file_id, as published at
    https://huggingface.co/datasets/amu-cai/nEMO, or manifest.csv, with a column path.
    I. Christop, "nEMO: Dataset of Emotional Speech in Polish", LREC-COLING 2024.
    CC BY-NC-SA 4.0.

    Raises
    ------
    DataError : no such folder or table, a table without the columns, or a row with an unknown
        label, a name that does not fit it, or no recording
    """
    layout.existing(folder, EXAMPLE)
    if (folder / BY_PATH).is_file():
        rows = layout.table(folder / BY_PATH, ("path", *COLUMNS))
        return [_clip(row, folder / row["path"]) for row in rows]
    rows = layout.table(folder / PUBLISHED, ("file_id", *COLUMNS), delimiter="\t")
    return [_clip(row, folder / "samples" / f"{Path(row['file_id']).stem}.wav") for row in rows]


def parse(path: Path) -> Clip:
    """The clip that a name alone stands for. ValueError, KeyError: it is none of this corpus."""
    if (match := NAME.fullmatch(path.stem)) is None:
        raise ValueError(path.name)
    speaker = f"nemo-polish-{match[1]}"
    return Clip(path, label_of("nemo-polish", match[2]), speaker, "nemo-polish", "pl")


def _clip(row: dict[str, str], path: Path) -> Clip:
    emotion, speaker, gender = (row[column] for column in COLUMNS)
    if emotion not in TABLE["nemo-polish"] or gender not in ("female", "male"):
        raise DataError(
            f"{path}: labelled {emotion}, {gender}; expected one of "
            f"{', '.join(TABLE['nemo-polish'])}, and female or male"
        )
    if not path.stem.startswith(f"{speaker}_{emotion}_"):
        raise DataError(f"{path}: named otherwise than its row, {speaker} {emotion}")
    if not path.is_file():
        raise DataError(f"{path}: no such file, though the table has it; fetch the corpus again")
    return Clip(
        path,
        label_of("nemo-polish", emotion),
        f"nemo-polish-{speaker}",
        "nemo-polish",
        "pl",
        gender,
    )
