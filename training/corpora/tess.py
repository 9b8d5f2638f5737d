"""TESS: Toronto emotional speech set, English."""

from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import label_of

EXAMPLE = "OAF_angry/OAF_back_angry.wav"
# The older and the younger actress; one published file is called OA_bite_neutral.wav.
SPEAKERS = {"OAF": "OAF", "OA": "OAF", "YAF": "YAF"}


def read(folder: Path) -> list[Clip]:
    """Clips of TESS, whose names are actress_word_emotion.

    Pichora-Fuller and Dupuis, "Toronto emotional speech set (TESS)", 2020. CC BY-NC-ND 4.0.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that TESS does not use
    """
    return layout.named(folder, EXAMPLE, parse)


def parse(path: Path) -> Clip:
    """The clip that a name stands for. ValueError, KeyError: it is none of this corpus."""
    speaker, _, emotion = path.stem.split("_")
    return Clip(
        path=path,
        label=label_of("tess", emotion),
        speaker=f"tess-{SPEAKERS[speaker]}",
        corpus="tess",
        language="en",
        gender="female",
    )
