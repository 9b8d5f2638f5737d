"""Long speech in windows, each of which the emotion network hears by itself."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from utils import audio
from utils.errors import AudioError

MIN_S = 0.5  # shorter speech was not in training
WINDOW_S = 10.0  # longer speech is heard in parts, whose probabilities are averaged


def split(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Sound in parts of `WINDOW_S`, the last two alike, or in one where it is no longer.

    Raises
    ------
    AudioError : too short to say anything about
    """
    size = int(WINDOW_S * audio.SAMPLE_RATE)
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        while len(rest) > 2 * size:
            yield rest[:size]
            rest = rest[size:]
    if len(rest) < MIN_S * audio.SAMPLE_RATE:  # and then nothing came before it
        duration_s = len(rest) / audio.SAMPLE_RATE
        raise AudioError(f"{duration_s:.3f} s of audio, expected at least {MIN_S} s")
    yield from np.array_split(rest, math.ceil(len(rest) / size))
