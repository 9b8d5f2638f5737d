"""What every source gives, and how sound is cut into that."""

from collections.abc import Iterator
from typing import Protocol, Self

import numpy as np

from utils.events import AudioFrame

FRAME_SAMPLES = 512  # 32 ms: small against a caption's delay, 31 calls a second


class Source(Protocol):
    """A stream of sound: entered, iterated once, and closed from any thread.

    Attributes
    ----------
    name : what people call it
    heard : the device, as the system calls it to people; "" where that is not known
    dropped : frames lost because nobody took them in time
    queue_depth : frames captured and not yet taken
    """

    @property
    def name(self) -> str: ...

    @property
    def heard(self) -> str: ...

    @property
    def dropped(self) -> int: ...

    @property
    def queue_depth(self) -> int: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator[AudioFrame]: ...

    def close(self) -> None: ...


class Framer:
    """Cuts sound into frames of `FRAME_SAMPLES`, whatever the length of its blocks.

    Parameters
    ----------
    start : index of the first sample that comes out
    """

    def __init__(self, start: int = 0) -> None:
        self._start = start
        self._rest = np.zeros(0, np.float32)

    def push(self, samples: np.ndarray, last: bool = False) -> list[AudioFrame]:
        """Take float32 (n,) at 16 kHz; return the frames that are full.

        With `last` the remainder comes too, as a short frame.
        """
        samples = np.concatenate([self._rest, samples])
        end = len(samples) if last else len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[end:]
        frames = [
            AudioFrame(self._start + at, samples[at : min(at + FRAME_SAMPLES, end)])
            for at in range(0, end, FRAME_SAMPLES)
        ]
        self._start += end
        return frames

    def skip(self, n: int) -> list[AudioFrame]:
        """Leave `n` samples out, which were not heard; return what was left, as a short frame."""
        frames = self.push(np.zeros(0, np.float32), last=True)
        self._start += n
        return frames
