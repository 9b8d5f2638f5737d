"""People who read aloud, as most people before a microphone sound: nobody acts an emotion."""

import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from utils.errors import DataError

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
    folder = Path(folder)
    paths = layout.recordings(folder, EXAMPLE)
    found = {path: NAME.fullmatch(path.stem) for path in paths}
    if foreign := [path.relative_to(folder) for path in paths if found[path] is None]:
        raise DataError(
            f"{folder}: {len(foreign)} of {len(paths)} recordings have an unexpected file name, "
            f"expected names like {EXAMPLE}; found {layout.listed(foreign)}"
        )
    return [
        Clip(path, READ_AS, f"librispeech-{name[1]}", "librispeech", "en")
        for path, name in sorted(found.items())
    ]
