"""How listening goes: nothing heard, no sound at all, or late; and what was lost.

A state stands as long as it lasts, the worst one first. What is over, such as sound that was
lost, is no state: it is told beside it for a while.
"""

import math
import time
from collections.abc import Callable

import numpy as np

from utils.audio import SAMPLE_RATE, level_db
from utils.events import AudioFrame
from utils.lasting import Lasting, Shown
from utils.messages import TO_READERS, Message, say
from utils.sources import FRAME_SAMPLES, FileSource, Source

QUIET_S = 10.0  # without speech, after which the page says that nothing is heard
ZEROS_S = 5.0  # of digital silence, which a working microphone does not give
FAINT_S = 1.0  # of voices without words, after which the page says that they are too faint
# Of speech that is cut off, and then of speech that is not, after which the page says so.
CLIPPED_S = 3.0
# Of a voice as it is at most 0.8 % of the samples of two seconds lie so near the loudest, of one
# of which a tenth is cut off 5 to 23 %; that costs Whisper two words of every three that it had
# wrong without.
NEAR, CLIPPED, CLIPPED_MEAN_S = 0.8, 0.06, 2.0
PEAK_FALL_DB = 1.0  # a second
SOUND_S = 0.5  # of sound, after which it is no longer called silent
LATE_S = 3.0  # of sound waiting, after which the page says that captions are late,
IN_TIME_S, IN_TIME_LASTS_S = 1.0, 5.0  # and below which, for so long, it says so no longer
TOLD_S = 1.5  # less is not told anew while it still says so: "0 seconds late" says nothing
HUM_ENDS_S = 2.0  # without hum, after which the page says so no longer
LOSS_S = 20.0  # without a loss, after which lost sound is counted anew
SHOWN_S = 3.0  # that each state is shown at least, so that it can be read
LEVEL_FRAMES = 3  # frames to a level: about ten a second
DAY_S = 24 * 3600.0  # without speech, after which the microphone is opened anew


class Signs:
    """When the worker last did anything, was given a frame, and heard speech.

    Parameters
    ----------
    clock : seconds that pass
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Listening begins."""
        self._stirred = self._framed = self._spoken = self._opened = self._clock()

    def attempt(self) -> None:
        """The source is about to be opened."""
        self._stirred = self._clock()

    def frame(self, hearing: bool) -> None:
        """A frame was heard, and whether speech is under way, or not to be looked for."""
        self._stirred = self._framed = self._clock()
        if hearing:
            self._spoken = self._framed

    @property
    def stands_s(self) -> float:
        """Seconds since the worker did anything."""
        return self._clock() - self._stirred

    @property
    def lost_s(self) -> float:
        """Seconds since the last frame."""
        return self._clock() - self._framed

    @property
    def quiet_s(self) -> float:
        """Seconds since the last speech."""
        return self._clock() - self._spoken

    @property
    def unheard(self) -> bool:
        """Whether a day has passed without speech."""
        return self.quiet_s > DAY_S

    def renew(self) -> bool:
        """Whether the source is to be opened anew, which it then is for another day."""
        wanted = self.unheard and self._clock() - self._opened > DAY_S
        if wanted:
            self._opened = self._clock()
        return wanted


class Moves:
    """Tells when another microphone is heard, also by who opened it anew."""

    def __init__(self) -> None:
        self._heard = ""

    def judge(self, heard: str) -> Message | None:
        """Take the name of the device, "" while it is not known; return what is to be said."""
        before, self._heard = self._heard, heard or self._heard
        return say("microphone.changed") if before and before != self._heard else None


class Clipping:
    """Tells how much of what is loud is cut off, as by a microphone that is turned up too high."""

    def __init__(self) -> None:
        self._peak = self._share = 0.0

    def judge(self, samples: np.ndarray) -> bool:
        """Take the next speech, float32 (n,); return whether a lot of late was cut off."""
        seconds = len(samples) / SAMPLE_RATE
        level = np.abs(samples)
        loudest = float(level.max(initial=0.0))
        self._peak = max(loudest, self._peak * 10 ** (-PEAK_FALL_DB * seconds / 20))
        if loudest > 0.1 * self._peak:  # else it is a pause
            near = float(np.mean(level > NEAR * self._peak))
            self._share += (near - self._share) * min(1.0, seconds / CLIPPED_MEAN_S)
        return self._share > CLIPPED


class Watch:
    """Judges how listening goes, frame by frame.

    Parameters
    ----------
    source : whose frames they are, and whose queue tells how late it is
    just_woke : whether the program stood still until a moment ago, as a computer does that
        sleeps. What waits then, or was lost, is not for want of speed.

    Attributes
    ----------
    level_db : set on every `LEVEL_FRAMES`th frame, else None
    lost : what to say of sound that was lost, where there is something new to say; else None
    heard_s : of sound, since it was opened
    catching_up : after the program stood still, sound of that time is being heard
    """

    def __init__(self, source: Source, just_woke: Callable[[], bool] = lambda: False) -> None:
        self._source = source
        self._recorded = isinstance(source, FileSource)  # nobody can speak up in it
        self._just_woke = just_woke
        self._quiet = Lasting(QUIET_S, 0.0)
        self._silent = Lasting(ZEROS_S, SOUND_S)
        self._faint = Lasting(FAINT_S, FAINT_S)
        self._clipped = Lasting(CLIPPED_S, CLIPPED_S)
        self._clipping = Clipping()
        self._hum = Lasting(0.0, HUM_ENDS_S)
        self._late = Lasting(0.0, IN_TIME_LASTS_S)
        self._shown = Shown((say("listening"), False), SHOWN_S)
        self._dropped = 0  # frames, of those that the source counts, that were told of
        self._lost_s = 0.0  # in the losses that go together
        self._since_loss_s = LOSS_S
        self._recent: list[np.ndarray] = []
        self.heard_s = 0.0
        self.catching_up = False
        self._told_s = round(LATE_S)  # how late the page says that captions are
        self.level_db: float | None = None
        self.lost: Message | None = None

    def judge(
        self, frame: AudioFrame, hearing: bool, unheard: bool = False, humming: bool = False
    ) -> tuple[Message, bool]:
        """Return the message for the page, and whether nothing has been heard for long.

        Parameters
        ----------
        hearing : whether speech is under way
        unheard : whether something like speech is heard, without words in it
        humming : whether the mains hum as loud as a voice
        """
        frame_s = len(frame.samples) / SAMPLE_RATE
        self.heard_s += frame_s
        self._quiet.take(not hearing, frame_s)
        self._faint.take(unheard, frame_s)
        self._hum.take(humming, frame_s)
        if hearing and not humming:  # pauses tell nothing, and hum is always near its loudest
            self._clipped.take(self._clipping.judge(frame.samples), frame_s)
        self._silent.take(not frame.samples.any(), frame_s)
        self._late.take(self.late_s > (IN_TIME_S if self._late.on else LATE_S), frame_s)
        self.catching_up = self._just_woke() or (self.catching_up and self._late.on)
        self.lost = self._loss(frame_s)
        self._measure(frame)
        rank, message, quiet = self._state()
        if self._recorded and message.code in TO_READERS:
            message, quiet = say(TO_READERS[message.code]), False
        return self._shown.take((message, quiet), rank, frame_s)

    @property
    def late_s(self) -> float:
        """Sound that waits to be heard, in seconds."""
        return self._source.queue_depth * FRAME_SAMPLES / SAMPLE_RATE

    def _state(self) -> tuple[int, Message, bool]:
        """How bad the worst state that lasts is, what is told of it, and whether it is quiet."""
        if self._silent.on:
            return 6, say("listening.silent"), True
        if self._late.on:
            code = "listening.catching_up" if self.catching_up else "listening.late"
            if self.late_s >= TOLD_S:
                self._told_s = round(self.late_s)
            return 5, say(code, late_s=self._told_s), False
        if self._hum.on:
            return 4, say("listening.hum"), False
        if self._clipped.on:
            return 3, say("listening.clipped"), False
        if self._faint.on:
            return 2, say("listening.faint"), True
        if self._quiet.on:
            return 1, say("listening.quiet"), True
        return 0, say("listening"), False

    def _loss(self, frame_s: float) -> Message | None:
        self._since_loss_s += frame_s
        new, self._dropped = self._source.dropped - self._dropped, self._source.dropped
        if not new or self.catching_up:  # that it stood still is told already
            return None
        told = math.ceil(self._lost_s) if self._since_loss_s < LOSS_S else 0
        before_s = self._lost_s if told else 0.0
        self._lost_s = before_s + new * FRAME_SAMPLES / SAMPLE_RATE
        self._since_loss_s = 0.0
        lost_s = math.ceil(self._lost_s)
        return say("sound.lost", lost_s=lost_s) if lost_s != told else None

    def _measure(self, frame: AudioFrame) -> None:
        self._recent.append(frame.samples)
        self.level_db = None
        if len(self._recent) >= LEVEL_FRAMES:
            self.level_db = round(level_db(np.concatenate(self._recent)), 1)
            self._recent.clear()
