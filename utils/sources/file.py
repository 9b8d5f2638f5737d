"""A recording, played into the program as if it were heard."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.audio.recording import Recording
from utils.errors import AudioError
from utils.events import AudioFrame
from utils.sources.frames import FRAME_SAMPLES, Framer

NOTHING = np.zeros(0, np.float32)


class FileSource:
    """Frames of a recording or video, in any format, rate and number of channels.

    Parameters
    ----------
    path : the recording; see `Recording`
    realtime : hand out each frame when it would have been heard; else as fast as taken
    start : index of the first sample, so that a session that plays it again goes on with its
        clock

    Attributes
    ----------
    name : the file's name
    heard : "", since no device is
    duration_s : its length as far as its header tells it; None where it does not
    dropped : always 0
    queue_depth : frames behind the pace of the sound; 0 where it is not kept

    Raises
    ------
    AudioError : missing, unreadable or empty (at once); damaged, shorter than it says or with
        samples that are not finite (in the end, after all frames that could be read)
    """

    dropped = 0
    heard = ""

    def __init__(self, path: str | Path, realtime: bool, start: int = 0) -> None:
        self._path = Path(path)
        self._realtime = realtime
        self._start = start
        self._closed = threading.Event()
        self._late_s = 0.0
        self._recording: Recording | None = None
        self.name = self._path.name
        with Recording(path) as recording:
            self.duration_s = recording.duration_s

    @property
    def queue_depth(self) -> int:
        return int(self._late_s * SAMPLE_RATE / FRAME_SAMPLES)

    def __enter__(self) -> Self:
        self._recording = Recording(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._recording is not None:
            self._recording.close()

    def close(self) -> None:
        """End the iteration at the next frame, from any thread."""
        # The file itself stays open until __exit__: another thread may be reading it.
        self._closed.set()

    def __iter__(self) -> Iterator[AudioFrame]:
        if self._recording is None:
            raise AudioError(f"{self._path}: not open; iterate inside `with FileSource(...)`")
        began_s = time.monotonic()
        for frame in self._frames(self._recording):
            if self._realtime:
                # A deadline counted from the beginning, so that lateness never adds up.
                end = frame.start - self._start + len(frame.samples)
                wait_s = began_s + end / SAMPLE_RATE - time.monotonic()
                self._late_s = max(0.0, -wait_s)
                self._closed.wait(max(0.0, wait_s))
            if self._closed.is_set():
                return
            yield frame

    def _frames(self, recording: Recording) -> Iterator[AudioFrame]:
        framer, error = Framer(self._start), None
        try:
            for block in recording.voice():
                yield from framer.push(block)
        except AudioError as err:  # what could be read counts
            error = err
        yield from framer.push(NOTHING, last=True)
        if error is not None:
            raise error
