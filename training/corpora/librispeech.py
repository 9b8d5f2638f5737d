"""People who read aloud, as most people before a microphone sound: nobody acts an emotion."""

import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip

READ_AS = "neutral"  # nobody acts, and neutral is no wrong word for it
EXAMPLE = "1272-128104-0000.flac"
NAME = re.compile(r"(\d+)-\d+-\d{4}")  # reader, chapter, utterance


def read_aloud(folder: Path) -> list[Clip]:
    """Recordings of LibriSpeech, sorted by path, each as a neutral clip.

    V. Panayotov et al., "LibriSpeech: an ASR corpus based on public domain audio books",
    ICASSP 2015. CC BY 4.0.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that LibriSpeech does not use
    """
    return layout.named(Path(folder), EXAMPLE, _clip)


def _clip(path: Path) -> Clip:
    name = NAME.fullmatch(path.stem)
    if name is None:
        raise ValueError(path.stem)
    return Clip(path, READ_AS, f"librispeech-{name[1]}", "librispeech", "en")
