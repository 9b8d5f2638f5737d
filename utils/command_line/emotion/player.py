"""Playing sound through PyAudio, in step with what is shown of it."""

import threading
from contextlib import suppress
from typing import Any, Self

import numpy as np

from utils.audio import SAMPLE_RATE, pcm16
from utils.errors import CaptureError
from utils.faults import cause
from utils.sources.capture import release
from utils.sources.portaudio import OPEN_TIMEOUT_S, Setup, hanging, load_pyaudio
from utils.sources.probe import start

BLOCK = 1_600  # samples to a write, 0.1 s: a stop comes soon
PATIENCE_S = 5.0  # that it may take longer than the sound lasts


class Player:
    """Plays stretches of sound on the default output, one behind the other without a gap.

    As any call to a device may hang, a thread of its own makes them all; one that hangs is left
    behind.

    Raises
    ------
    CaptureError : PyAudio is missing, or there is no output, or it does not answer
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards all below
        self._next: np.ndarray | None = None
        self._playing_s = 0.0  # length of what plays now
        self._opened = self._closed = self._stopped = self._ended = False
        self._error: CaptureError | None = None

    def __enter__(self) -> Self:
        load_pyaudio()
        setup = Setup()
        try:
            threading.Thread(target=self._run, args=(setup,), name="player", daemon=True).start()
        except RuntimeError as err:
            setup.free()
            raise CaptureError(f"the sound cannot be played: {cause(err)}") from err
        try:
            self._wait(lambda: self._opened, OPEN_TIMEOUT_S)
        finally:
            setup.abandon()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def play(self, samples: np.ndarray) -> None:
        """Return when float32 (n,) at 16 kHz begins to play: after all that came before it.

        Raises
        ------
        CaptureError : the output was lost, or does not answer
        """
        with self._changed:
            self._next = samples
            self._changed.notify_all()
        self._wait(lambda: self._next is None, self._playing_s + PATIENCE_S)
        self._playing_s = len(samples) / SAMPLE_RATE

    def finish(self) -> None:
        """Return when all was played.

        Raises
        ------
        CaptureError : as `play`
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._wait(lambda: self._ended, self._playing_s + PATIENCE_S)

    def _wait(self, there: Any, timeout_s: float) -> None:
        with self._changed:
            came = self._changed.wait_for(lambda: there() or self._error, timeout_s)
            if self._error:
                raise self._error
            if not came:
                raise hanging()

    def _run(self, setup: Setup) -> None:
        pyaudio: Any = None
        system: Any = None
        stream: Any = None
        error: CaptureError | None = None
        try:
            with setup:
                pyaudio = load_pyaudio()
                system = start(pyaudio)
                stream = system.open(
                    rate=SAMPLE_RATE,
                    channels=1,
                    format=pyaudio.paInt16,
                    output=True,
                    frames_per_buffer=BLOCK,
                )
            self._tell(opened=True)
            while (samples := self._taken()) is not None:
                self._write(stream, samples)
            if not self._stopped:
                stream.stop_stream()  # after what is in its buffers
        except CaptureError as err:
            error = err
        except Exception as err:  # of PyAudio's own kinds too
            error = CaptureError(
                f"the sound cannot be played ({cause(err)}); connect a loudspeaker, start the "
                "sound server (PulseAudio or PipeWire), or leave --play out"
            )
            error.__cause__ = err
        finally:
            with suppress(OSError):
                release(pyaudio, system, stream)
            self._tell(error=error, ended=True)

    def _tell(
        self, opened: bool = False, ended: bool = False, error: CaptureError | None = None
    ) -> None:
        with self._changed:
            self._opened |= opened
            self._ended |= ended
            self._error = self._error or error
            self._changed.notify_all()

    def _taken(self) -> np.ndarray | None:
        """What plays next; None where nothing does any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._next is not None or self._closed or self._stopped)
            samples, self._next = self._next, None
            self._changed.notify_all()
            return None if self._stopped else samples

    def _write(self, stream: Any, samples: np.ndarray) -> None:
        whole = pcm16(samples)
        for at in range(0, len(whole), BLOCK):
            if self._stopped:
                return
            stream.write(whole[at : at + BLOCK].tobytes())
