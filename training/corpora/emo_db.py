"""EmoDB: Berlin database of emotional speech, German."""

import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import TABLE

EXAMPLE = "wav/03a01Wa.wav"
NAME = re.compile(r"(\d\d)([ab]\d\d)([A-Z])([a-z]?)")  # speaker, text, emotion, version
GENDERS = {
    "03": "male",
    "08": "female",
    "09": "female",
    "10": "male",
    "11": "male",
    "12": "male",
    "13": "female",
    "14": "female",
    "15": "male",
    "16": "female",
}


def read(folder: Path) -> list[Clip]:
    """Clips of EmoDB without the bored ones.

    Burkhardt and others, "A database of German emotional speech", Interspeech 2005.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that EmoDB does not use
    """
    return layout.named(folder, EXAMPLE, parse)


def parse(path: Path) -> Clip | None:
    """The clip that a name stands for; None of a bored one. ValueError, KeyError: another."""
    if (match := NAME.fullmatch(path.stem)) is None:
        raise ValueError(path.name)
    speaker, _, emotion, _ = match.groups()
    gender, label = GENDERS[speaker], TABLE["emodb"][emotion]
    if label is None:
        return None
    return Clip(path, label, f"emodb-{speaker}", "emodb", "de", gender)
