"""SAVEE: Surrey Audio-Visual Expressed Emotion, English."""

import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import label_of

EXAMPLE = "AudioData/DC/sa01.wav"
# Speaker, emotion and sentence; the speaker is a folder, or part of the name in some copies.
NAME = re.compile(r"(DC|JE|JK|KL)_(a|d|f|h|n|sa|su)(\d\d)")


def read(folder: Path) -> list[Clip]:
    """Clips of SAVEE, four men, in folders DC, JE, JK and KL or named like DC_sa01.wav.

    Haq and Jackson, "Multimodal emotion recognition", in Machine Audition, IGI Global, 2010.
    For research only.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that SAVEE does not use
    """
    return layout.named(folder, EXAMPLE, parse)


def parse(path: Path) -> Clip:
    """The clip that a name stands for. ValueError, KeyError: it is none of this corpus."""
    full = path.stem if "_" in path.stem else f"{path.parent.name}_{path.stem}"
    if (match := NAME.fullmatch(full)) is None:
        raise ValueError(full)
    speaker, emotion, _ = match.groups()
    return Clip(
        path=path,
        label=label_of("savee", emotion),
        speaker=f"savee-{speaker}",
        corpus="savee",
        language="en",
        gender="male",
    )
