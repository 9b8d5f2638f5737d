"""The microphone: captured in a thread of its own, because any call to it may hang."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Self

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.convert import Converter
from utils.errors import CaptureError
from utils.events import AudioFrame
from utils.sources.frames import FRAME_SAMPLES, Framer
from utils.sources.portaudio import (
    OPEN_TIMEOUT_S,
    Setup,
    block_samples,
    choose,
    hanging,
    inputs,
    load_pyaudio,
    open_stream,
)

logger = logging.getLogger(__name__)

WATCHDOG_S = 2.0  # a frame comes every 32 ms; a server that died leaves the read hanging
FIRST_FRAME_S = 5.0  # some sources take up to 2 s before the first (notably null sinks)
# A recogniser that stalls (first inference, paging) recovers within seconds at the cost of
# late captions. Beyond 10 s nobody can relate the caption to the speaker any more.
QUEUE_S = 10.0
QUEUE_FRAMES = int(QUEUE_S * SAMPLE_RATE) // FRAME_SAMPLES
GOODBYE_S = 0.5  # for the reader to let go of the device: a read lasts 32 ms


class MicrophoneSource:
    """Frames from a microphone, as they are spoken.

    A daemon thread opens, reads and closes the device and alone calls PyAudio for it. If it
    hangs it is left behind; another MicrophoneSource in the same process works as soon as the
    sound server is back.

    Parameters
    ----------
    device : index, name or part of a name (see `microphones`); None for the default
    start : index of the first sample, so that a session that lost its microphone and opens
        it again goes on with its clock

    Attributes
    ----------
    name : of the device, once it is open
    dropped : frames lost because the queue was full; `start` of later frames counts them

    Raises
    ------
    CaptureError : on entering: PyAudio missing, no such device, in use, or no answer. While
        iterating: the stream broke or went silent for `WATCHDOG_S`; first all that was
        captured before is delivered.
    """

    def __init__(self, device: str | int | None = None, start: int = 0) -> None:
        self.name = "default microphone" if device is None else str(device)
        self.dropped = 0
        self._device = device
        self._start = start
        self._frames: deque[AudioFrame] = deque()
        self._changed = threading.Condition()  # guards all below and the queue
        self._opened = False
        self._closed = False
        self._error: CaptureError | None = None
        self._ended = threading.Event()  # the reader has let go of the device
        self._patience_s = FIRST_FRAME_S
        self._last_s = time.monotonic()

    @property
    def queue_depth(self) -> int:
        """Frames captured and not yet taken."""
        return len(self._frames)

    @property
    def last_frame_age_s(self) -> float:
        """Seconds since the last frame arrived, or since opening before the first."""
        return time.monotonic() - self._last_s

    def __enter__(self) -> Self:
        load_pyaudio()  # in this thread: its absence needs no waiting
        setup = Setup()
        reader = threading.Thread(
            target=self._capture, args=(setup,), name="microphone", daemon=True
        )
        reader.start()
        with self._changed:
            self._changed.wait_for(
                lambda: self._opened or self._error or self._closed, OPEN_TIMEOUT_S
            )
            given_up = not (self._opened or self._closed)
            error = self._error or hanging()
        setup.abandon()
        if given_up:
            self.close()  # a reader that hangs in opening sees it when it comes back
            raise error
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        # So that the next one does not find the device in use. A hung reader is not waited for.
        self._ended.wait(GOODBYE_S)

    def close(self) -> None:
        """End the iteration after what was captured until now; from any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[AudioFrame]:
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> AudioFrame | None:
        """The oldest frame, waiting for it; None when closed and all are delivered."""
        with self._changed:
            while not self._frames:
                if self._closed:
                    return None
                if self._error is not None:
                    raise self._error
                left_s = self._patience_s - self.last_frame_age_s
                if left_s <= 0:
                    raise CaptureError(
                        f"microphone {self.name!r} sent nothing for {self._patience_s:.0f} s: "
                        "the sound server hangs or has died; restart it"
                    )
                self._changed.wait(left_s)
            return self._frames.popleft()

    # Below: the reader thread, the only one that touches PyAudio.

    def _capture(self, setup: Setup) -> None:
        error: CaptureError | None = None
        pyaudio = load_pyaudio()
        system: Any = None
        stream: Any = None
        try:
            with setup:
                system = pyaudio.PyAudio()
                mic = choose(self._device, inputs(system))
                stream, rate, channels = open_stream(pyaudio, system, mic)
            with self._changed:
                self.name = mic.name
                self._opened = True
                self._last_s = time.monotonic()
                self._changed.notify_all()
            logger.info("listening to %s", self.name)
            self._read(stream, rate, channels)
        except CaptureError as err:
            error = err
        except OSError as err:
            event = "was lost" if self._opened else "cannot be opened"
            error = CaptureError(
                f"microphone {self.name!r} {event}; check that it is connected and that the "
                "sound server runs"
            )
            error.__cause__ = err
        # Before the news: who tries again at once should find PortAudio shut down, because
        # only then it looks for devices afresh.
        release(pyaudio, system, stream)
        with self._changed:
            self._error = error
            self._changed.notify_all()
        self._ended.set()

    def _read(self, stream: Any, rate: int, channels: int) -> None:
        converter, framer = Converter(rate), Framer(self._start)
        block = block_samples(rate)
        while not self._closed:
            # Without its exception, because PyAudio closes a stream that raises.
            data = stream.read(block, exception_on_overflow=False)
            samples = np.frombuffer(data, np.int16).astype(np.float32) / 32_768
            self._put(framer.push(converter.push(samples.reshape(-1, channels))))

    def _put(self, frames: list[AudioFrame]) -> None:
        with self._changed:
            if self._closed or not frames:
                return
            self._last_s = time.monotonic()
            self._patience_s = WATCHDOG_S
            room = QUEUE_FRAMES - len(self._frames)
            self._frames.extend(frames[:room])
            self.dropped += len(frames[room:])
            self._changed.notify_all()


def release(pyaudio: ModuleType, system: Any, stream: Any) -> None:
    """Close a stream and shut PortAudio down, whatever state they are in."""
    if stream is not None:
        try:
            stream.close()
        except OSError:  # a read that failed has closed it
            pass
    if system is not None:
        # Not `system.terminate()`: it closes the closed stream again and gives up at that, and
        # while one user is left PortAudio never looks for devices afresh.
        pyaudio.pa.terminate()
