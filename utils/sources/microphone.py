"""The microphone: captured in a thread of its own, because any call to it may hang."""

import logging
import subprocess
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Self

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.errors import CaptureError
from utils.events import AudioFrame
from utils.faults import cause
from utils.monitoring.of_room import same_room
from utils.sources.capture import Capture
from utils.sources.frames import FRAME_SAMPLES, Framer
from utils.sources.heard import Lead, SoundServer, is_routed, plain_name
from utils.sources.portaudio import OPEN_TIMEOUT_S, Setup, hanging, load_pyaudio
from utils.sources.renewal import FIRST_FRAME_S, Patience, Trial, Zeros

logger = logging.getLogger(__name__)

WATCHDOG_S = 2.0  # a frame comes every 32 ms; a server that died leaves the read hanging
# A recogniser that stalls (first inference, paging) recovers within seconds at the cost of
# late captions. Beyond 10 s nobody can relate the caption to the speaker any more.
QUEUE_S = 10.0
QUEUE_FRAMES = int(QUEUE_S * SAMPLE_RATE) // FRAME_SAMPLES
GOODBYE_S = 0.5  # for the reader to let go of the device: a read lasts 32 ms
BUFFERED_S = 0.3  # of sound that may be under way from a device to PortAudio's reader
LOOK_S = 3.0  # between questions which device is heard; one takes 3 ms
LOOK_ONLY_S = 0.5  # where no other may be heard

_first_frame: defaultdict[str | int | None, Patience] = defaultdict(Patience)  # of each device


class MicrophoneSource:
    """Frames from a microphone, as they are spoken.

    A daemon thread opens, reads and closes the device and alone calls PyAudio for it. If it
    hangs it is left behind; another MicrophoneSource in the same process works as soon as the
    sound server is back.

    When the device has been silent (zeros) for a while it is opened anew: behind a sound server
    by a second stream beside the first, so that no sound is lost; else after it was closed,
    because a bare device is one program's alone, and PortAudio looks for others only then.

    Parameters
    ----------
    device : name of `input_devices`; index, name or part of one of `microphones`; None: default
    start : index of the first sample, so that a session that lost its microphone and opens
        it again goes on with its clock
    only : hear no other device in its place, as a sound server would have it where that goes

    Attributes
    ----------
    name : of the device, once it is open
    heard : the device as the system calls it to people, also after the sound server has
        changed to another one; "" while it is not known
    dropped : frames lost because the queue was full; `start` of later frames counts them

    Raises
    ------
    CaptureError : on entering: PyAudio missing, no such device, in use, or no answer. While
        iterating: the stream broke or went silent for `WATCHDOG_S`; first all that was
        captured before is delivered.
    """

    def __init__(self, device: str | int | None = None, start: int = 0, only: bool = False) -> None:
        self.heard = ""
        self.dropped = 0
        self._device, self._only = device, only
        self._first_frame = _first_frame[device]
        self._lead = Lead(None)
        self._deaf_until_s = 0.0
        self._framer = Framer(start)
        self._frames: deque[AudioFrame] = deque()
        self._changed = threading.Condition()  # guards all below and the queue
        self._capture = self._new_capture()
        self._leaving: Capture | None = None  # lets go of a device, or hangs
        self._trial: Trial | None = None
        self._zeros = Zeros()
        self._routed = False  # the sound server knows our stream
        self._renewing = False  # closed, to be opened anew
        self._left_s = 0.0  # when it was
        self._closed = threading.Event()
        self._error: CaptureError | None = None
        self._patience_s = self._first_frame.seconds
        self._last_s = time.monotonic()

    @property
    def name(self) -> str:
        return self._capture.name

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
        self._lead = Lead(self._device, self._only)
        if self._lead.opens != self._device:
            self._device = self._lead.opens
            self._capture = self._new_capture()
        setup, capture = Setup(), self._capture
        try:
            capture.start(setup)
        except RuntimeError as err:  # at the limit of threads
            raise self._not_begun(err) from err
        with self._changed:
            self._changed.wait_for(
                lambda: capture.opened or self._error or self._closed.is_set(), OPEN_TIMEOUT_S
            )
            given_up = not (capture.opened or self._closed.is_set())
            error = self._error or hanging()
        setup.abandon()
        if given_up:
            self.close()  # a reader that hangs in opening sees it when it comes back
            raise error
        self.heard = plain_name(self.name)
        try:
            if self._lead.begin(capture.stream):
                with self._changed:  # what is of another device, also what is still on its way
                    self._deaf_until_s = time.monotonic() + BUFFERED_S
                    self._frames.clear()
        except CaptureError:
            self.close()
            raise
        try:
            threading.Thread(target=same_room(self._look), name="heard", daemon=True).start()
        except RuntimeError as err:  # at the limit of threads: listening goes on
            logger.warning("%s", err)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        # So that the next one does not find the device in use. A hung reader is not waited for.
        for capture in (self._capture, self._leaving):
            if capture:
                capture.ended.wait(GOODBYE_S)

    def close(self) -> None:
        """End the iteration after what was captured until now; from any thread."""
        with self._changed:
            self._closed.set()
            self._end_trial()
            self._capture.stop()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[AudioFrame]:
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> AudioFrame | None:
        """The oldest frame, waiting for it; None when closed and all are delivered."""
        with self._changed:
            while not self._frames:
                if self._closed.is_set():
                    return None
                if self._error is not None:
                    raise self._error
                left_s = self._patience_s - self.last_frame_age_s
                if left_s <= 0:
                    if self._patience_s != WATCHDOG_S:
                        self._first_frame.stalled()
                    raise CaptureError(
                        f"microphone {self.name!r} sends nothing: plug it in again, or restart "
                        "the sound server"
                    )
                self._changed.wait(left_s)
            return self._frames.popleft()

    # Below: the threads that read a device.

    def _new_capture(self) -> Capture:
        lead = self._lead
        return Capture(self._device, self._on_samples, self._on_change, lead.source, lead.channels)

    def _on_change(self, capture: Capture) -> None:
        """A device was opened, or let go of."""
        with self._changed:
            if capture is self._leaving and capture.ended.is_set():
                self._leaving = None
            if capture is self._capture:
                if not capture.ended.is_set():
                    self._last_s = time.monotonic()
                elif self._renewing and not (capture.error or self._closed.is_set()):
                    self._reopen()
                else:
                    self._error = self._error or capture.error
            self._changed.notify_all()

    def _on_samples(self, capture: Capture, samples: np.ndarray, sound: bool) -> None:
        with self._changed:
            if self._closed.is_set():
                return
            if capture is self._capture:
                self._take(samples, sound)
            elif (trial := self._trial) and capture is trial.capture:
                self._deliver(trial.take_new(samples, sound))
                self._settle(trial)

    def _take(self, samples: np.ndarray, sound: bool) -> None:
        """Samples of the device that is heard."""
        seconds = len(samples) / SAMPLE_RATE
        if self._renewing:  # the first since it was opened anew
            self._renewing = False
            gap_s = time.monotonic() - self._left_s - seconds
            self._put(self._framer.skip(max(0, round(gap_s * SAMPLE_RATE))))
        if trial := self._trial:
            self._deliver(trial.take_old(samples, sound))
            self._settle(trial)
        else:
            self._deliver([samples])
        if self._zeros.take(sound, seconds) and not (self._trial or self._leaving):
            self._renew()

    def _deliver(self, blocks: list[np.ndarray]) -> None:
        for block in blocks:
            self._put(self._framer.push(block))

    def _put(self, frames: list[AudioFrame]) -> None:
        with self._changed:
            if self._closed.is_set() or self._error or not frames:
                return
            self._last_s = time.monotonic()
            self._patience_s = WATCHDOG_S
            self._first_frame.came()
            if self._last_s < self._deaf_until_s:
                self._capture.begin_anew()
                return
            room = QUEUE_FRAMES - len(self._frames)
            self._frames.extend(frames[:room])
            self.dropped += len(frames[room:])
            self._changed.notify_all()

    # Opening a silent device anew

    def _renew(self) -> None:
        device = self._device
        if self._routed:
            self._zeros.renew()
            self._trial = Trial(self._new_capture())
            try:
                self._trial.capture.start()
            except RuntimeError as err:  # at the limit of threads: the silent one goes on
                logger.warning("%s", err)
                self._trial = None
        # Numbers change when devices come and go: it might be another device's now.
        elif device is None or (isinstance(device, str) and not device.isdecimal()):
            self._zeros.renew(closed=True)
            self._renewing, self._left_s = True, time.monotonic()
            self._patience_s = OPEN_TIMEOUT_S + FIRST_FRAME_S
            self._capture.stop()

    def _reopen(self) -> None:
        """The device was let go of: open it again."""
        name, self._capture = self.name, self._new_capture()
        self._capture.name = name  # until another one is open
        try:
            self._capture.start()
        except RuntimeError as err:
            self._error = self._not_begun(err)

    def _not_begun(self, err: RuntimeError) -> CaptureError:
        return CaptureError(f"microphone {self.name!r} cannot be opened: {cause(err)}")

    def _settle(self, trial: Trial) -> None:
        """End a trial that is decided."""
        if not trial.over:
            return
        if trial.won:
            logger.info("%s gave no sound and was opened anew", self.name)
            trial.capture, self._capture = self._capture, trial.capture
            self._zeros.helped()
        self._end_trial()

    def _end_trial(self) -> None:
        trial, self._trial = self._trial, None
        if trial and not trial.capture.ended.is_set():
            self._leaving = trial.capture
            trial.capture.stop()

    # Which device it is

    def _look(self) -> None:
        server = SoundServer()
        while not self._closed.is_set():
            if is_routed(self.name):
                self._ask(server)
            else:
                self.heard, self._routed = plain_name(self.name), False
            self._closed.wait(LOOK_ONLY_S if self._only else LOOK_S)

    def _ask(self, server: SoundServer) -> None:
        if self._trial or self._leaving:  # it might tell of the other stream
            return
        server.stream = self._capture.stream
        try:
            self._lead.keep(server)
            heard = server.heard()
        except CaptureError as err:
            with self._changed:  # what waits is another device's
                self._frames.clear()
                self._error = err
                self._capture.stop()
                self._changed.notify_all()
            return
        except subprocess.CalledProcessError:  # there is no server any more
            heard = None
        except (OSError, subprocess.SubprocessError) as err:  # what was known stays
            logger.debug("%s", err)
            return
        with self._changed:
            if self._trial or self._leaving:
                return
            if self._routed and heard is None and self.last_frame_age_s > WATCHDOG_S:
                self._patience_s = WATCHDOG_S  # the stream is gone: nothing comes from it again
                self._changed.notify_all()
            self._routed |= heard is not None
            if heard and heard != self.heard:
                self.heard = heard
                self._zeros = Zeros()
