"""What FFmpeg hands out, as arrays."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from utils.audio.convert import to_float

MOST_PLANES = 7  # of a frame: where a channel more has one each, PyAV reads beyond the last (18.1)


def samples_of(frame: Any) -> np.ndarray:
    """A decoded frame as float32 (n, n_channels).

    Raises
    ------
    ValueError : it has a sample format that NumPy has no name for
    """
    n_channels = frame.layout.nb_channels
    if frame.format.is_planar and n_channels > MOST_PLANES:
        from av import AudioResampler

        [frame] = AudioResampler(frame.format.packed).resample(frame)
    samples = frame.to_ndarray()
    return to_float(samples.T if frame.format.is_planar else samples.reshape(-1, n_channels))


def silence(
    seconds: float, rate: int, n_channels: int, block_s: float
) -> Iterator[tuple[np.ndarray, int]]:
    """Silence of that length, float32 (n, n_channels), in pieces of `block_s`."""
    left, most = round(seconds * rate), math.ceil(block_s * rate)
    while left > 0:
        yield np.zeros((min(left, most), n_channels), np.float32), rate
        left -= most
