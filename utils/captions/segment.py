"""The one copy of a stretch of speech."""

import numpy as np

from utils.audio import SAMPLE_RATE

CAPACITY = 16 * SAMPLE_RATE  # samples to begin with: what the longest segments hold


class Segment:
    """A stretch of speech that grows at its end.

    Whoever hears it gets views of its samples, which stay as they are while it grows.

    Parameters
    ----------
    number : from 0, never given twice in a session
    start : index of the first sample in the session
    """

    def __init__(self, number: int, start: int) -> None:
        self.number, self.start = number, start
        self._buffer = np.empty(CAPACITY, np.float32)
        self._n_samples = 0

    def __len__(self) -> int:
        return self._n_samples

    @property
    def samples(self) -> np.ndarray:
        """All of it so far, float32 (n,), not to be written to."""
        return self._buffer[: self._n_samples]

    def add(self, samples: np.ndarray) -> None:
        """Take what follows, float32 (n,)."""
        end = self._n_samples + len(samples)
        if end > len(self._buffer):
            longer = np.empty(2 * end, np.float32)
            longer[: self._n_samples] = self._buffer[: self._n_samples]
            self._buffer = longer
        self._buffer[self._n_samples : end] = samples
        self._n_samples = end

    def cut(self, n_samples: int) -> None:
        """End after so many samples: what came behind them is the next segment's."""
        self._n_samples = n_samples
