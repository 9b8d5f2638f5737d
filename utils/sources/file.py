"""A recording, played into the program as if it were heard."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import soundfile

from utils.audio import SAMPLE_RATE, open_file
from utils.errors import AudioError
from utils.events import AudioFrame
from utils.sources.frames import FRAME_SAMPLES, Framer

BLOCK_S = 0.25  # read at a time: bounds memory, and what is lost before a damaged place
# libsndfile shortens a WAV whose data chunk promises more than there is, and only its log says
# so. Sizes near these limits are what programs write that cannot know the length.
CUT_SHORT = re.compile(r"^\s*data : (\d+) \(should be (\d+)\)", re.MULTILINE)
UNKNOWN_BYTES = 2**31 - 2**16


class FileSource:
    """Frames of a recording in any format, rate and number of channels libsndfile reads.

    Parameters
    ----------
    path : the recording
    realtime : hand out each frame when it would have been heard; else as fast as taken

    Attributes
    ----------
    name : the file's name
    duration_s : its length
    dropped : always 0
    queue_depth : frames behind the pace of the sound; 0 where it is not kept

    Raises
    ------
    AudioError : missing, unreadable or empty (at once); damaged, shorter than its header says
        or with samples that are not finite (during iteration, after the frames before it)
    """

    dropped = 0

    def __init__(self, path: str | Path, realtime: bool) -> None:
        self._path = Path(path)
        self._realtime = realtime
        self._closed = threading.Event()
        self._late_s = 0.0
        self._file: soundfile.SoundFile | None = None
        self.name = self._path.name
        with open_file(path) as file:
            self.duration_s: float = file.frames / file.samplerate

    @property
    def queue_depth(self) -> int:
        return int(self._late_s * SAMPLE_RATE / FRAME_SAMPLES)

    def __enter__(self) -> Self:
        self._file = open_file(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._file is not None:
            self._file.close()

    def close(self) -> None:
        """End the iteration at the next frame, from any thread."""
        # The file itself stays open until __exit__: another thread may be reading it.
        self._closed.set()

    def __iter__(self) -> Iterator[AudioFrame]:
        if self._file is None:
            raise AudioError(f"{self._path}: not open; iterate inside `with FileSource(...)`")
        began_s = time.monotonic()
        for frame in self._frames(self._file):
            if self._realtime:
                # A deadline counted from the beginning, so that lateness never adds up.
                heard_s = began_s + (frame.start + len(frame.samples)) / SAMPLE_RATE
                wait_s = heard_s - time.monotonic()
                self._late_s = max(0.0, -wait_s)
                self._closed.wait(max(0.0, wait_s))
            if self._closed.is_set():
                return
            yield frame

    def _frames(self, file: soundfile.SoundFile) -> Iterator[AudioFrame]:
        framer = Framer(file.samplerate)
        done, last = 0, False
        while not last:
            block = self._read(file, done)
            done += len(block)
            last = done >= file.frames
            yield from framer.push(block, last)
        if (promised_s := header_s(file)) > self.duration_s:
            raise self._cut_short(self.duration_s, promised_s)

    def _read(self, file: soundfile.SoundFile, done: int) -> np.ndarray:
        """The next block as float32 (n, n_channels), n at least 1."""
        at_s = done / file.samplerate
        try:
            block = file.read(int(BLOCK_S * file.samplerate), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as err:
            raise AudioError(
                f"{self._path}: damaged after {at_s:.1f} s ({err.error_string}); "
                "get or convert it again"
            ) from err
        if len(block) == 0:
            raise self._cut_short(at_s, self.duration_s)
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            raise AudioError(
                f"{self._path}: NaN or infinite sample at "
                f"{at_s + bad[0] / file.samplerate:.3f} s; record or convert it again"
            )
        return block

    def _cut_short(self, end_s: float, promised_s: float) -> AudioError:
        return AudioError(
            f"{self._path}: ends at {end_s:.1f} s but promises {promised_s:.1f} s; "
            "get the whole file again"
        )


def header_s(file: soundfile.SoundFile) -> float:
    """The length that a WAV's header promises, where it is more than the file holds; else 0."""
    sizes = CUT_SHORT.search(file.extra_info)
    if sizes is None:
        return 0.0
    promised, held = int(sizes[1]), int(sizes[2])
    if not held < promised < UNKNOWN_BYTES:
        return 0.0
    return file.frames / file.samplerate * promised / held
