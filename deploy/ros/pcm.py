"""Bytes of 16-bit PCM, as messages bring them, as the stream of frames that the program hears.

`Audio` lasts as long as the node; each time that the session opens its source it gets an
`AudioSource` of it, which ends with an error when nothing comes, or nothing that can be read.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from utils.audio.convert import SAMPLE_RATE, Converter
from utils.errors import CaptureError, ConfigError
from utils.events import AudioFrame
from utils.sources.frames import FRAME_SAMPLES, Framer

SLOWEST, FASTEST = 8_000, 192_000  # samples a second
MOST_CHANNELS = 16
SILENT_S = 5.0  # without a message, after which it is said that none comes
QUEUE_FRAMES = 10 * SAMPLE_RATE // FRAME_SAMPLES  # as of a microphone
KEPT_FRAMES = 2 * SAMPLE_RATE // FRAME_SAMPLES  # while the source is being opened again
MP3_MESSAGES = 3  # one after the other that begin as MP3 does; of PCM one in 2,000 may
RATE_S = 5.0  # of sound without a gap, over which its rate is measured
WINDOWS = 2  # of that, one after the other: messages that had piled up make one wrong
GAP_S = 1.0  # between messages, after which the measurement begins anew
TOLERANCE = 0.15  # of the rate; clocks differ by far less, another usual rate by more
USUAL_RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Form:
    """How the sound lies in the bytes: little-endian int16, channels side by side.

    Parameters
    ----------
    rate : samples a second of each channel

    Raises
    ------
    ConfigError : they cannot be
    """

    rate: int = SAMPLE_RATE
    channels: int = 1

    def __post_init__(self) -> None:
        if not SLOWEST <= self.rate <= FASTEST:
            raise ConfigError(
                f"sample_rate {self.rate}: expected samples a second, {SLOWEST} to {FASTEST}"
            )
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise ConfigError(f"channels {self.channels}: expected 1 to {MOST_CHANNELS}")

    def __str__(self) -> str:
        return f"{self.rate} Hz, {self.channels} channel{'s' * (self.channels > 1)}"


class Audio:
    """The sound of a topic, taken from any thread.

    Parameters
    ----------
    topic : what it is called to people
    form : of the bytes, unless messages say another
    warn : is told, in plain words, what does not keep the sound from being heard
    silent_s : seconds without a message, after which a source ends
    clock : seconds that pass
    """

    def __init__(
        self,
        topic: str,
        form: Form,
        warn: Warn,
        silent_s: float = SILENT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topic = topic
        self.silent_s = silent_s
        self.dropped = 0  # frames for which the queue had no room
        self._warn = warn
        self._clock = clock
        self._described = (0, 0)  # rate and channels, as its node said
        self._refused = ""  # why what its node says of it cannot be read
        self._unreadable = ""  # why the last message cannot
        self._n_mp3 = 0
        self._changed = threading.Condition()  # guards all below and the queue
        self._frames: deque[AudioFrame] = deque()
        self._framer = Framer()
        self._zero_s = 0.0  # the sender's time of sample 0
        self._n_samples = 0  # index of the next
        self._open: AudioSource | None = None
        self._set_form(form)

    def put(self, data: bytes, stamp_s: float) -> None:
        """Take the next message.

        Parameters
        ----------
        stamp_s : the sender's time of its first sample
        """
        with self._changed:
            self._unreadable = self._refused or self._problem(data)
            if data and not self._unreadable:
                self._take(data, stamp_s)
            self._changed.notify_all()

    def describe(self, rate: int, channels: int, sample_format: str, coding: str) -> None:
        """Take what the sender says of its sound, which wins over what was set.

        Parameters
        ----------
        sample_format, coding : as GStreamer and `audio_common` name them: "S16LE", "wave"
        """
        with self._changed:
            self._refused = ""
            if coding.lower() not in {"", "wave", "wav", "pcm", "raw"}:
                self._refused = self._not_pcm(coding)
            elif sample_format.upper() not in {"", "S16LE"}:
                self._refused = self._not_pcm(f"samples as {sample_format}")
            else:
                self._change(rate, channels)

    def seconds(self, data: bytes) -> float:
        """How long the sound of a message is."""
        return len(data) / (2 * self.form.channels * self.form.rate)

    def source(self, start: int = 0) -> "AudioSource":
        """The stream from now on; `start` is the index of its first sample."""
        return AudioSource(self, start)

    def stamp_s(self, at_s: float) -> float:
        """The sender's time of a moment of the session, both in seconds."""
        return self._zero_s + at_s

    # For the source that is open

    def begin(self, source: "AudioSource", start: int) -> None:
        """A source is opened: what is kept comes first, counted from `start`."""
        with self._changed:
            kept = [frame.samples for frame in self._frames]
            later = start - (self._frames[0].start if kept else self._n_samples)
            self._zero_s -= later / SAMPLE_RATE
            self._frames.clear()
            self._framer, self._n_samples, self._open = Framer(start), start, source
            self._unreadable = ""
            for samples in kept:
                self._push(samples)

    def end(self) -> None:
        """No source is open any more."""
        with self._changed:
            self._open = None
            self._changed.notify_all()

    def next(self, source: "AudioSource") -> AudioFrame | None:
        """The oldest frame, waiting for it; None once the source is closed.

        Raises
        ------
        CaptureError : nothing comes, or nothing that can be read
        """
        with self._changed:
            until_s = self._clock() + self.silent_s
            while not self._frames:
                if self._open is not source:
                    return None
                if self._unreadable:
                    raise CaptureError(self._unreadable)
                left_s = until_s - self._clock()
                if left_s <= 0:
                    raise CaptureError(
                        f"nothing has come on {self.topic} for {self.silent_s:g} s; see that the "
                        "node that records is running and publishes there"
                    )
                self._changed.wait(left_s)
            return self._frames.popleft()

    @property
    def queue_depth(self) -> int:
        """Frames that wait."""
        return len(self._frames)

    # Below: what comes

    def _set_form(self, form: Form) -> None:
        self.form = form
        self._converter = Converter(form.rate)
        self._pace = Pace(form.rate)

    def _change(self, rate: int, channels: int) -> None:
        if (rate, channels) == self._described:
            return
        self._described = rate, channels
        try:
            form = Form(rate, channels)
        except ConfigError as err:
            self._warn(f"{self.topic} stays {self.form}, as what its node says cannot be: {err}")
            return
        if form != self.form:
            self._warn(f"{self.topic} is {form}, as its node says, and not {self.form}")
            self._set_form(form)

    def _problem(self, data: bytes) -> str:
        """Why a message cannot be read, or ""."""
        self._n_mp3 = self._n_mp3 + 1 if begins_as_mp3(data) else 0
        if self._n_mp3 >= MP3_MESSAGES:
            return self._not_pcm("MP3")
        if len(data) % (2 * self.form.channels):
            return (
                f"{self.topic} brings a message of {len(data)} bytes, which are no whole samples "
                f"of 16 bits and {self.form.channels} channels: it is another format "
                "(audio_capture sends PCM with format:=wave), or channels is to be set"
            )
        return ""

    def _not_pcm(self, coding: str) -> str:
        return (
            f"{self.topic} brings {coding}, and only 16-bit PCM can be heard; start audio_capture "
            "with format:=wave"
        )

    def _take(self, data: bytes, stamp_s: float) -> None:
        block = np.frombuffer(data, "<i2").reshape(-1, self.form.channels)
        if (measured := self._pace.judge(len(block), self._clock())) is not None:
            usual = min(USUAL_RATES, key=lambda rate: abs(np.log(rate / measured)))
            self._warn(
                f"{self.topic} brings {measured:.0f} samples a second, and {self.form} is set: "
                f"words come wrong; set sample_rate (such as to {usual}) or channels as its node "
                "has them"
            )
        self._zero_s = stamp_s - self._n_samples / SAMPLE_RATE
        self._push(self._converter.push(block.astype(np.float32) / 32_768))

    def _push(self, samples: np.ndarray) -> None:
        self._n_samples += len(samples)
        frames = self._framer.push(samples)
        if self._open:
            room = QUEUE_FRAMES - len(self._frames)
            self._frames.extend(frames[:room])
            self.dropped += len(frames[room:])
        else:
            self._frames.extend(frames)
            while len(self._frames) > KEPT_FRAMES:
                self._frames.popleft()


class AudioSource:
    """Frames of an `Audio` from when it is entered: a `utils.sources.Source`.

    Attributes
    ----------
    name, heard : the topic
    dropped : frames lost since it was entered, because nobody took them in time

    Raises
    ------
    CaptureError : while iterating: nothing comes, or nothing that can be read
    """

    def __init__(self, audio: Audio, start: int) -> None:
        self.name = self.heard = audio.topic
        self._audio, self._start, self._before = audio, start, 0

    @property
    def dropped(self) -> int:
        return self._audio.dropped - self._before

    @property
    def queue_depth(self) -> int:
        return self._audio.queue_depth

    def __enter__(self) -> Self:
        self._before = self._audio.dropped
        self._audio.begin(self, self._start)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration after what was taken until now; from any thread."""
        self._audio.end()

    def __iter__(self) -> Iterator[AudioFrame]:
        while (frame := self._audio.next(self)) is not None:
            yield frame


class Pace:
    """Measures how many samples a second come, and tells where it is another rate.

    Parameters
    ----------
    rate : that is expected
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._since_s = self._last_s = float("-inf")
        self._n = self._wrong = 0  # samples; windows

    def judge(self, n: int, now_s: float) -> float | None:
        """Take a message of `n` samples; return the measured rate where that is to be told."""
        if now_s - self._last_s > GAP_S:  # what came first had gathered before: it is not counted
            self._since_s, self._n = now_s, -n
        self._last_s = now_s
        self._n += n
        seconds = now_s - self._since_s
        if seconds < RATE_S:
            return None
        measured = self._n / seconds
        self._since_s, self._n = now_s, 0
        wrong = abs(measured / self._rate - 1) > TOLERANCE
        self._wrong = self._wrong + 1 if wrong else 0
        return measured if self._wrong == WINDOWS else None


def begins_as_mp3(data: bytes) -> bool:
    """Whether bytes begin as a frame of MPEG audio does, layer III (ISO 11172-3, 2.4.1.3).

    >>> begins_as_mp3(bytes([0xFF, 0xFB, 0x90, 0x64])), begins_as_mp3(bytes(4))
    (True, False)
    """
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    bitrate, rate = data[2] >> 4, data[2] >> 2 & 3
    return version != 1 and layer == 1 and bitrate not in (0, 15) and rate != 3
