"""What every source gives, and how sound of any rate and channels becomes that."""

from collections.abc import Iterator
from typing import Protocol, Self

import numpy as np
import soxr

from utils.audio import SAMPLE_RATE
from utils.events import AudioFrame

FRAME_SAMPLES = 512  # 32 ms: small against a caption's delay, 31 calls a second


class Source(Protocol):
    """A stream of sound: entered, iterated once, and closed from any thread.

    Attributes
    ----------
    name : what people call it
    dropped : frames lost because nobody took them in time
    queue_depth : frames captured and not yet taken
    """

    name: str
    dropped: int

    @property
    def queue_depth(self) -> int: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator[AudioFrame]: ...

    def close(self) -> None: ...


class Framer:
    """Turn blocks of any length, rate and channels into frames of `FRAME_SAMPLES`.

    Parameters
    ----------
    rate : of the blocks, Hz
    start : index of the first sample that comes out
    """

    def __init__(self, rate: float, start: int = 0) -> None:
        self._resampler = None
        if rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        self._start = start
        self._rest = np.zeros(0, np.float32)

    def push(self, block: np.ndarray, last: bool = False) -> list[AudioFrame]:
        """Take float32 (n,) or (n, n_channels); return the frames that are full.

        Channels are averaged. With `last` the remainder comes too, as a short frame.
        """
        mono = block if block.ndim == 1 else block.mean(axis=1)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono, last=last)
        samples = np.concatenate([self._rest, mono])
        end = len(samples) if last else len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[end:]
        frames = [
            AudioFrame(self._start + at, samples[at : min(at + FRAME_SAMPLES, end)])
            for at in range(0, end, FRAME_SAMPLES)
        ]
        self._start += end
        return frames
