"""Readers of the acted-emotion corpora and of the noise that training mixes in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from utils.errors import DataError

LABELS = ("neutral", "happy", "sad", "angry", "fear", "disgust")
AUDIO_SUFFIXES = {".flac", ".ogg", ".wav"}

# The third number of a RAVDESS file name; calm and surprised have no class here.
RAVDESS_LABELS = {
    "01": "neutral",
    "02": None,
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": None,
}
# The last part of a TESS file name; pleasant surprise has no class here.
TESS_LABELS = {**{label: label for label in LABELS}, "ps": None}
TESS_SPEAKERS = ("OAF", "YAF")  # the older and the younger actress


@dataclass(frozen=True)
class Clip:
    """One recording of a corpus; `speaker` is unique across corpora."""

    path: Path
    label: str
    speaker: str
    corpus: str


def read_ravdess(folder: Path) -> list[Clip]:
    """Clips of RAVDESS speech audio with the six classes, by name.

    Livingstone and Russo, "The Ryerson Audio-Visual Database of Emotional Speech and
    Song", PLoS ONE 13(5), 2018. CC BY-NC-SA 4.0.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that RAVDESS does not use
    """
    return _read(folder, _parse_ravdess, "Actor_01/03-01-05-01-02-01-01.flac")


def read_tess(folder: Path) -> list[Clip]:
    """Clips of the Toronto emotional speech set with the six classes, by name.

    Pichora-Fuller and Dupuis, "Toronto emotional speech set (TESS)", 2020. CC BY-NC-ND 4.0.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that TESS does not use
    """
    return _read(folder, _parse_tess, "OAF_angry/OAF_back_angry.ogg")


def read_noise(folder: Path) -> list[Path]:
    """Recordings of everyday sounds, in ESC-10's layout: class/fold-clip-take.ogg.

    K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", 2015. CC BY 3.0.

    Raises
    ------
    DataError : no such folder, or no recordings
    """
    return _recordings(folder, "rain/1-17367-A.ogg")


def _read(folder: Path, parse: Callable[[Path], Clip | None], example: str) -> list[Clip]:
    """Parse every recording under `folder`, leaving out those without a class."""
    parsed = []
    for path in _recordings(folder, example):
        try:
            parsed.append(parse(path))
        except (ValueError, KeyError) as err:
            raise DataError(f"{path}: unexpected file name, expected one like {example}") from err
    clips = [clip for clip in parsed if clip is not None]
    if not clips:
        raise DataError(f"{folder}: none of its recordings is of {', '.join(LABELS)}")
    return clips


def _recordings(folder: Path, example: str) -> list[Path]:
    """Audio files under `folder`, in the order of their names on every machine."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder, expected recordings like {example} in it")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
    if not paths:
        raise DataError(f"{folder}: no recordings in it, expected some like {example}")
    return paths


def _parse_ravdess(path: Path) -> Clip | None:
    _, _, emotion, _, _, _, actor = path.stem.split("-")
    label = RAVDESS_LABELS[emotion]
    if not 1 <= int(actor) <= 24:
        raise ValueError(actor)
    return label and Clip(path, label, f"ravdess-{int(actor):02d}", "ravdess")


def _parse_tess(path: Path) -> Clip | None:
    speaker, _, emotion = path.stem.split("_")
    label = TESS_LABELS[emotion]
    if speaker not in TESS_SPEAKERS:
        raise ValueError(speaker)
    return label and Clip(path, label, f"tess-{speaker}", "tess")
