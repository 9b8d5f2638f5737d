"""Readers of the corpora of acted and spontaneous emotion, one module for each."""

from collections.abc import Callable
from pathlib import Path

from training.corpora import (
    aihub_korean,
    crema_d,
    emo_db,
    iemocap,
    kesdy18,
    korean_emotional,
    nemo_polish,
    ravdess,
    savee,
    tess,
    thai_ser,
)
from training.corpora.clip import Clip
from training.corpora.labels import LABELS, SHIPPED, TABLE
from training.corpora.librispeech import read_aloud
from training.corpora.noise import read_noise
from utils.errors import DataError

__all__ = [
    "LABELS",
    "READERS",
    "SHIPPED",
    "TABLE",
    "Clip",
    "Reader",
    "read",
    "read_aloud",
    "read_noise",
]

Reader = Callable[[Path], list[Clip]]

READERS: dict[str, Reader] = {
    "ravdess": ravdess.read,
    "tess": tess.read,
    "crema-d": crema_d.read,
    "savee": savee.read,
    "emodb": emo_db.read,
    "iemocap": iemocap.read,
    "thai-ser": thai_ser.read,
    "kesdy18": kesdy18.read,
    "aihub-korean": aihub_korean.read,
    "nemo-polish": nemo_polish.read,
    "korean-emotional": korean_emotional.read,
}


def read(name: str, folder: str | Path) -> list[Clip]:
    """Clips of a corpus, sorted by path.

    Only names and tables are read, no sound: what cannot be decoded shows in `overview` and
    where features are extracted.

    Parameters
    ----------
    name : one of `READERS`
    folder : where the corpus lies, laid out as its makers published it

    Raises
    ------
    DataError : an unknown name; no such folder; a folder that is not laid out as this corpus;
        a recording that stands twice; or no clip with one of our labels
    """
    if name not in READERS:
        raise DataError(f"unknown corpus {name!r}, expected one of {', '.join(READERS)}")
    clips = sorted(READERS[name](Path(folder)), key=lambda clip: clip.path)
    if not clips:
        raise DataError(f"{folder}: none of its recordings is of {', '.join(LABELS)}")
    seen: dict[tuple[str, str], Path] = {}
    for clip in clips:
        first = seen.setdefault((clip.speaker, clip.path.stem), clip.path)
        if first is not clip.path:
            raise DataError(
                f"{clip.path}: stands twice, also as {first}; give the folder of one copy"
            )
    return clips
