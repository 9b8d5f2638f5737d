"""CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset, English."""

from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import label_of

EXAMPLE = "AudioWAV/1001_DFA_ANG_XX.wav"
# XX: not told; one published file is called 1040_ITH_SAD_X.wav.
INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": None, "X": None}
ACTORS = range(1001, 1092)
# Sex in the corpus's VideoDemographics.csv; the other 48 actors are men.
WOMEN = frozenset(
    {
        1002,
        1003,
        1004,
        1006,
        1007,
        1008,
        1009,
        1010,
        1012,
        1013,
        1018,
        1020,
        1021,
        1024,
        1025,
        1028,
        1029,
        1030,
        1037,
        1043,
        1046,
        1047,
        1049,
        1052,
        1053,
        1054,
        1055,
        1056,
        1058,
        1060,
        1061,
        1063,
        1072,
        1073,
        1074,
        1075,
        1076,
        1078,
        1079,
        1082,
        1084,
        1089,
        1091,
    }
)


def read(folder: Path) -> list[Clip]:
    """Clips of CREMA-D, whose names are actor_sentence_emotion_level.

    The label is the emotion that the actor was asked for, not what raters heard. Cao and
    others, "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset", IEEE Transactions
    on Affective Computing 5(4), 2014. ODbL 1.0.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that CREMA-D does not use
    """
    return layout.named(folder, EXAMPLE, parse)


def parse(path: Path) -> Clip:
    """The clip that a name stands for. ValueError, KeyError: it is none of this corpus."""
    actor, _, emotion, level = path.stem.split("_")
    if int(actor) not in ACTORS:
        raise ValueError(actor)
    return Clip(
        path=path,
        label=label_of("crema-d", emotion),
        speaker=f"crema-d-{actor}",
        corpus="crema-d",
        language="en",
        gender="female" if int(actor) in WOMEN else "male",
        intensity=INTENSITIES[level],
    )
