"""Finding and opening input devices through PyAudio, without hanging or shouting.

Every function that calls PortAudio may hang for ever (a suspended sound server), crash the
process (an index out of range) or print dozens of lines of ALSA and JACK noise. So all of it
happens in daemon threads that can be abandoned, one at a time, behind `Setup`.
"""

import os
import re
import tempfile
import threading
import unicodedata
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from types import ModuleType
from typing import IO, Any, Self

from utils.audio import SAMPLE_RATE
from utils.errors import CaptureError
from utils.faults import cause
from utils.sources.frames import FRAME_SAMPLES
from utils.sources.probe import start

OPEN_TIMEOUT_S = 5.0  # opening takes 0.5 s; a Bluetooth headset that changes profile 2 s
TURN_TIMEOUT_S = 2.0  # for whoever is opening now: less, since a retry may wait here each time
# PulseAudio offers 32 whatever the microphone has, and gives numbered channels (AUX) only to who
# takes them all: with 2 or 8 of them there is silence. PipeWire offers 64 and more.
MOST_CHANNELS = 32
MOST_DIGITS = 9  # of an index; what is longer is a name that nothing has
NOISE = re.compile(
    rb"ALSA lib |Expression '|Cannot connect to server|jack server|JackShm|connect\(2\) call"
    rb"|attempt to connect to server|Could not connect to JACK|\s*$"
)

# PortAudio is not safe to initialise from two threads: whoever opens or lists holds this,
# and one that hangs keeps it, until the sound server comes back or dies.
_portaudio = threading.Lock()


@dataclass(frozen=True)
class Microphone:
    """An input device.

    Parameters
    ----------
    index : PortAudio's number; it changes when devices come and go
    name : as PortAudio knows it
    channels : most that it records
    rate : its own, in Hz
    default : used when no device is asked for
    """

    index: int
    name: str
    channels: int
    rate: int
    default: bool


class Setup:
    """Sole and quiet use of PortAudio, begun by one thread and carried out by another.

    The thread that waits makes it, which takes the lock; the thread that works enters it and
    frees the lock when it leaves. When the wait is over first, `abandon` gives back stderr.

    Raises
    ------
    CaptureError : an earlier attempt still hangs
    """

    def __init__(self) -> None:
        if not _portaudio.acquire(timeout=TURN_TIMEOUT_S):
            raise hanging()
        self._guard = threading.Lock()
        self._stderr: int | None = None
        self._caught: IO[bytes] | None = None
        self._abandoned = False

    def __enter__(self) -> Self:
        try:
            with self._guard:
                if not self._abandoned:
                    self._redirect()
        except BaseException:
            self.free()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.free()

    def free(self) -> None:
        """Let others use PortAudio; also by who made it, where no thread can be had to work."""
        self.abandon()
        _portaudio.release()

    def abandon(self) -> None:
        """Give stderr back, with what others wrote meanwhile; more than once does no harm."""
        with self._guard:
            self._abandoned = True
            if self._stderr is None or self._caught is None:
                return
            os.dup2(self._stderr, 2)
            os.close(self._stderr)
            self._stderr = None
            with self._caught as caught:
                caught.seek(0)
                lines = [line for line in caught if not NOISE.match(line)]
            if lines:  # another thread's log: it must not be lost with the noise
                os.write(2, b"".join(lines))

    def _redirect(self) -> None:
        try:
            self._stderr = os.dup(2)
        except OSError:  # a service without stderr
            return
        try:
            self._caught = tempfile.TemporaryFile()  # noqa: SIM115  open until it is left
        except OSError:  # no place for it; noise is no reason not to listen
            os.close(self._stderr)
            self._stderr = None
            return
        os.dup2(self._caught.fileno(), 2)


def hanging() -> CaptureError:
    """The error for a sound server that does not answer."""
    return CaptureError(
        "the sound system does not answer; "
        "restart the sound server (PulseAudio or PipeWire) or replug the microphone"
    )


def microphones() -> list[Microphone]:
    """The input devices of this computer, none if there is none.

    Raises
    ------
    CaptureError : PyAudio is missing, or the sound system does not answer, or fails
    """
    pyaudio = load_pyaudio()
    found: Future[list[Microphone]] = Future()
    setup = Setup()

    def look() -> None:
        try:
            with setup:
                found.set_result(_inputs_now(pyaudio))
        except Exception as err:  # who waits for the result gets it
            found.set_exception(err)

    try:
        threading.Thread(target=look, name="microphones", daemon=True).start()
    except RuntimeError as err:
        setup.free()
        raise CaptureError(f"the microphones cannot be listed: {cause(err)}") from err
    late = wait([found], OPEN_TIMEOUT_S).not_done
    setup.abandon()  # what is said of it now must not be lost with the noise
    if late:
        raise hanging()
    try:
        return found.result()
    except Exception as err:  # of PyAudio's own kinds too
        raise CaptureError(
            f"the microphones cannot be listed ({cause(err)}); check that the sound server runs"
        ) from err


def _inputs_now(pyaudio: ModuleType) -> list[Microphone]:
    system = start(pyaudio)
    try:
        return inputs(system)
    finally:
        system.terminate()


def load_pyaudio() -> ModuleType:
    """PyAudio, or how to install it."""
    try:
        import pyaudio
    except ImportError as err:
        raise CaptureError(
            "microphone capture needs PyAudio: apt-get install portaudio19-dev gcc python3-dev, "
            "then pip install pyaudio"
        ) from err
    return pyaudio


def inputs(system: Any) -> list[Microphone]:
    """The devices of a `pyaudio.PyAudio` that can record."""
    try:
        default = system.get_default_input_device_info()["index"]
    except OSError:  # there is none
        default = None
    every = [system.get_device_info_by_index(i) for i in range(system.get_device_count())]
    return [
        Microphone(
            index=int(info["index"]),
            name=str(info["name"]),
            channels=int(info["maxInputChannels"]),
            rate=round(info["defaultSampleRate"]),
            default=info["index"] == default,
        )
        for info in every
        if info["maxInputChannels"] > 0
    ]


def choose(device: str | int | None, found: Sequence[Microphone]) -> Microphone:
    """The microphone that is meant by an index, a name, a part of it, or None: the default.

    A string of digits is an index, as a command line or a settings file gives it.

    Raises
    ------
    CaptureError : there is none, or several fit; the message lists what to choose from
    """
    if not found:
        raise CaptureError(
            "no microphone found; connect one, or start the sound server (PulseAudio or PipeWire)"
        )
    if isinstance(device, str) and device.isdecimal() and len(device) <= MOST_DIGITS:
        device = int(device)
    if device is None:
        fitting = [mic for mic in found if mic.default]
    elif isinstance(device, int):
        fitting = [mic for mic in found if mic.index == device]
    else:
        name = _folded(device)
        fitting = [mic for mic in found if _folded(mic.name) == name]
        fitting = fitting or [mic for mic in found if name in _folded(mic.name)]
    if len(fitting) == 1:
        return fitting[0]
    asked = "no default microphone is set" if device is None else f"no microphone {device!r:.200}"
    if fitting:
        asked = f"{len(fitting)} microphones fit {device!r:.200}"
    listed = ", ".join(f"{mic.index} ({mic.name})" for mic in fitting or found)
    raise CaptureError(f"{asked}; choose one of: {listed}")


def _folded(name: str) -> str:
    """A name without what differs by keyboard and system: capitals, and how accents are put."""
    return unicodedata.normalize("NFC", name).casefold()


def open_stream(pyaudio: ModuleType, system: Any, mic: Microphone) -> tuple[Any, int, int]:
    """A started int16 stream with its rate and channels: all of them, at 16 kHz where it can.

    Left to the sound server, channels would be averaged, and those that run against each other
    cancel; `utils.audio.mixdown` does better.

    Raises
    ------
    CaptureError : in use, or not to be opened for another reason
    """
    most = mic.channels if mic.channels <= MOST_CHANNELS else 2
    counts = dict.fromkeys((most, min(2, mic.channels), 1, mic.channels))
    ways = [(rate, n) for n in counts for rate in dict.fromkeys((SAMPLE_RATE, mic.rate))]
    unfit = (pyaudio.paInvalidSampleRate, pyaudio.paInvalidChannelCount)
    for rate, channels in ways:
        try:
            stream = system.open(
                rate=rate,
                channels=channels,
                format=pyaudio.paInt16,
                input=True,
                input_device_index=mic.index,
                frames_per_buffer=block_samples(rate),
            )
            return stream, rate, channels
        except OSError as err:
            if err.errno == pyaudio.paDeviceUnavailable:
                raise CaptureError(
                    f"microphone {mic.name!r} is in use by another program; close that or "
                    "choose another microphone"
                ) from err
            if err.errno not in unfit or (rate, channels) == ways[-1]:
                raise CaptureError(
                    f"microphone {mic.name!r} cannot be opened ({err}); check that it is "
                    "connected and that the sound server runs"
                ) from err
    raise CaptureError(f"microphone {mic.name!r} cannot be opened")


def block_samples(rate: int) -> int:
    """Samples to read at a time, so that each read makes about one frame."""
    return round(FRAME_SAMPLES * rate / SAMPLE_RATE)
