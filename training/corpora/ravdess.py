"""RAVDESS: Ryerson Audio-Visual Database of Emotional Speech and Song, English."""

from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import label_of

EXAMPLE = "Actor_01/03-01-05-02-01-02-01.wav"
N_ACTORS = 24
SPEECH, SONG = "01", "02"
INTENSITIES = {"01": "normal", "02": "strong"}


def read(folder: Path) -> list[Clip]:
    """Spoken clips of RAVDESS; the sung ones are left out.

    Names are modality-channel-emotion-intensity-statement-repetition-actor; actors with an
    even number are women. Livingstone and Russo, "The Ryerson Audio-Visual Database of
    Emotional Speech and Song", PLoS ONE 13(5), 2018. CC BY-NC-SA 4.0.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that RAVDESS does not use
    """
    return layout.named(folder, EXAMPLE, parse)


def parse(path: Path) -> Clip | None:
    """The clip that a name stands for; None of a song. ValueError, KeyError: another name."""
    _, channel, emotion, intensity, _, _, actor = path.stem.split("-")
    label = label_of("ravdess", emotion)
    if channel not in (SPEECH, SONG) or not 1 <= int(actor) <= N_ACTORS:
        raise ValueError(path.name)
    if channel == SONG:
        return None
    return Clip(
        path=path,
        label=label,
        speaker=f"ravdess-{int(actor):02d}",
        corpus="ravdess",
        language="en",
        gender="female" if int(actor) % 2 == 0 else "male",
        intensity=INTENSITIES[intensity],
    )
