"""One stream of an input device: opened, read and closed by a thread of its own.

Any call to a device may hang, so that nobody else waits for it; a thread that hangs is left
behind.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from utils.audio.convert import Converter
from utils.errors import CaptureError
from utils.faults import cause
from utils.monitoring.of_room import same_room
from utils.sources.heard import NewStream, heard_from_the_start
from utils.sources.portaudio import (
    Setup,
    block_samples,
    choose,
    inputs,
    load_pyaudio,
    open_stream,
)
from utils.sources.probe import start

logger = logging.getLogger(__name__)


class Capture:
    """Reads a device until it is stopped, or until the stream breaks.

    Parameters
    ----------
    device : index, name or part of a name (see `microphones`); None for the default
    on_samples : is given each block, float32 (n,) at 16 kHz, and whether the device gave
        anything but zeros
    on_change : called when it was opened, and when it has ended
    source : of the sound server, that the default is to be; "" for its own choice
    channels : that are opened; 0 for all. A sound server offers 32 of a device that has one, and
        most of the work of a capture would be to mix them

    Attributes
    ----------
    name : of the device, once it is open
    stream : its number in the sound server; "" where that cannot tell
    opened, ended : whether it was, and whether it has let go of the device
    error : why it ended by itself, else None
    """

    def __init__(
        self,
        device: str | int | None,
        on_samples: Callable[["Capture", np.ndarray, bool], None],
        on_change: Callable[["Capture"], None],
        source: str = "",
        channels: int = 0,
    ) -> None:
        self.name = "default microphone" if device is None else str(device)
        self.stream = ""
        self.opened = False
        self.ended = threading.Event()
        self.error: CaptureError | None = None
        self._device, self._source, self._channels = device, source, channels
        self._on_samples = on_samples
        self._on_change = on_change
        self._setup: Setup | None = None
        self._stopped = False
        self._anew = False

    def start(self, setup: Setup | None = None) -> None:
        """Begin; who waits for it to open brings the `Setup`, and abandons it after that.

        Raises
        ------
        RuntimeError : no thread can be had
        """
        self._setup = setup
        try:
            threading.Thread(target=same_room(self._run), name="microphone", daemon=True).start()
        except RuntimeError:
            if setup:
                setup.free()
            raise

    def stop(self) -> None:
        """Read no more, after the block that is being read; from any thread."""
        self._stopped = True
        if setup := self._setup:
            setup.abandon()

    def begin_anew(self) -> None:
        """What comes next is another device's: nothing in it is to sound of what came before."""
        self._anew = True

    def _run(self) -> None:
        error: CaptureError | None = None
        pyaudio: Any = None
        system: Any = None
        stream: Any = None
        try:
            self._setup = self._setup or Setup()
            with self._setup, heard_from_the_start(self._source):
                pyaudio = load_pyaudio()
                system = start(pyaudio)
                mic = choose(self._device, inputs(system))
                if self._channels:
                    mic = replace(mic, channels=min(mic.channels, self._channels))
                with NewStream() as found:
                    stream, rate, channels = open_stream(pyaudio, system, mic)
            self.stream = found.number
            self.name, self.opened = mic.name, True
            logger.info("listening to %s", self.name)
            self._on_change(self)
            self._read(stream, rate, channels)
        except CaptureError as err:
            error = err
        except Exception as err:  # of PyAudio's own kinds, of the converter's, for want of memory
            error = self._failed(err)
        finally:
            # Before the news: who tries again at once should find PortAudio shut down, because
            # only then it looks for devices afresh.
            try:
                release(pyaudio, system, stream)
            finally:
                self.error = error
                self.ended.set()
                self._on_change(self)

    def _failed(self, err: Exception) -> CaptureError:
        """What to say of an error that no part of ours has raised."""
        event = "was lost" if self.opened else "cannot be opened"
        advice = "check that it is connected and that the sound server runs"
        if not isinstance(err, OSError):
            logger.error("reading %s failed", self.name, exc_info=err)
            advice = cause(err) or type(err).__name__
        error = CaptureError(f"microphone {self.name!r} {event}; {advice}")
        error.__cause__ = err
        return error

    def _read(self, stream: Any, rate: int, channels: int) -> None:
        converter = Converter(rate)
        block = block_samples(rate)
        while not self._stopped:
            # Without its exception, because PyAudio closes a stream that raises.
            data = stream.read(block, exception_on_overflow=False)
            if self._anew:
                converter, self._anew = Converter(rate), False
            raw = np.frombuffer(data, np.int16)
            samples = converter.push((raw.astype(np.float32) / 32_768).reshape(-1, channels))
            self._on_samples(self, samples, bool(raw.any()))


def release(pyaudio: ModuleType | None, system: Any, stream: Any) -> None:
    """Close a stream and shut PortAudio down, whatever state they are in."""
    if stream is not None:
        with suppress(OSError):  # a read that failed has closed it
            stream.close()
    if pyaudio is not None and system is not None:
        # Not `system.terminate()`: it closes the closed stream again and gives up at that, and
        # while one user is left PortAudio never looks for devices afresh.
        pyaudio.pa.terminate()
