"""Where speech starts and ends: `AudioFrame`s in, `SpeechChunk`s out.

Frames of any size are cut into the detector's windows of 32 ms, so the segments do not
depend on how the sound arrived. A stretch counts as speech only after a sequential
probability ratio test (Wald 1945) over the windows' log-odds, which lets a short word
through and keeps out barks, clicks and drones that look like speech for a moment.
"""

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.captions.ear import OFF, Ear
from utils.captions.hum import Hum
from utils.captions.segment import Segment
from utils.captions.vad import WINDOW_SAMPLES, VoiceActivity
from utils.events import AudioFrame, SpeechChunk


def _windows(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / WINDOW_SAMPLES)


PRE_ROLL = _windows(0.3)  # kept from before the first speech-like window
PAUSE = _windows(0.16)  # silence after which the segment may be over; kept at its end
# Silence after which it is over. Recognisers hear a whole sentence better than its parts: with
# 0.4 s Whisper has 6.6 % of the words wrong, with 0.64 s 5.6, with 0.8 s 5.2, and the last words
# are on the page before it, as growing text.
HANG_OVER = _windows(0.7)
LONG = _windows(10.0)  # from here on a shorter silence ends it, so that lines stay readable
LONG_HANG_OVER = _windows(0.5)
LONGEST = _windows(15.0)  # here it is split, between two words of its last part
SPLIT_WITHIN = _windows(5.0)
# Between words it is quiet, for longer than in a stop, and least like speech to the detector. Of
# 55 splits of readers without pauses, 20 were 60 ms or more within a word by energy alone, and 10
# with both.
GAP = np.array([1, 2, 3, 2, 1]) / 9
ODDS_DB = 6.0  # of energy, that one of log-odds counts as
DEEPEST_DB = -45.0  # below the loud ones: quieter windows are no better
DOUBT = 0.3  # probability from which a window may be a voice, though too faint to be taken
DOUBTFUL = _windows(0.5)  # such windows of late, of which that is said
DOUBT_KEPT = 1 - 1 / _windows(10.0)  # of their number, a window later
LAG = 4  # windows for which the detector still hears speech that has ended


def _within_scale(samples: np.ndarray) -> np.ndarray:
    """Samples as an `AudioFrame` promises them, in [-1, 1]; what is no number is silence.

    One NaN, or one sample of 1e9 as damaged files have it, would make nonsense of a whole line.
    """
    if np.max(np.abs(samples), initial=0.0) <= 1:  # False for NaN
        return samples
    return np.clip(np.nan_to_num(samples), -1, 1)


def _between_words(windows: list[np.ndarray], odds: np.ndarray) -> int:
    """The window at whose start these are best split.

    Parameters
    ----------
    windows : float32 (512,) each, more than `GAP` has
    odds : log-odds of speech, (n_windows,)
    """
    level_db = 10 * np.log10([float(np.mean(np.square(w))) + 1e-10 for w in windows])
    level_db = np.maximum(level_db - np.percentile(level_db, 90), DEEPEST_DB)
    voice = np.convolve(level_db, GAP, "valid")
    voice += ODDS_DB * np.convolve(odds, np.ones(len(GAP)) / len(GAP), "valid")
    return len(GAP) // 2 + int(np.argmin(voice))


class Segmenter:
    """Finds the segments of speech in a stream of sound.

    Parameters
    ----------
    detector : gives the probability that a window is speech
    beside : takes each window in which nobody speaks, with the index of its first sample
    first : number of the first segment
    """

    def __init__(
        self,
        detector: VoiceActivity,
        beside: Callable[[int, np.ndarray], None] = lambda start, window: None,
        first: int = 0,
    ) -> None:
        self._beside = beside
        self._clear = Ear(detector, clear=True)
        self._ears = (self._clear, Ear(detector.twin(), clear=False))
        self._hum = Hum()
        self._number = first  # of the next segment, or of the one that is open
        self._doubts = 0.0  # windows of late that may have been a voice, and were not taken
        self._rest = np.zeros(0, np.float32)  # samples that fill no window yet
        self._next = 0  # index of the first sample that is not in a window yet
        self._restart(0)

    @property
    def doubtful(self) -> bool:
        """Whether there have been voices of late, as it seems, too faint to be taken for speech."""
        return self._doubts >= DOUBTFUL

    @property
    def humming(self) -> bool:
        """Whether the mains hum as loud as a voice; what is handed out has less of it."""
        return self._hum.loud

    def push(self, frame: AudioFrame) -> Iterator[SpeechChunk]:
        """Take the next sound; yield the speech in it.

        A frame that does not continue the one before it (sound was lost) ends the segment.
        """
        if frame.start != self._next + len(self._rest):
            yield from self.flush()
            self._restart(frame.start)
        samples = np.concatenate([self._rest, self._hum.remove(_within_scale(frame.samples))])
        whole = len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES
        for i in range(0, whole, WINDOW_SAMPLES):
            yield from self._window(samples[i : i + WINDOW_SAMPLES])
        self._rest = samples[whole:]

    def flush(self) -> Iterator[SpeechChunk]:
        """Yield what is left: the stream has ended or was interrupted."""
        if len(self._rest):
            rest, self._rest = self._rest, np.zeros(0, np.float32)
            padded = np.zeros(WINDOW_SAMPLES, np.float32)
            padded[: len(rest)] = rest
            yield from self._window(padded, len(rest))
        if self._segment is not None:
            yield self._chunk(self._segment, last=True)
        self._restart(self._next)

    def _restart(self, start: int) -> None:
        for ear in self._ears:
            ear.reset()
        self._odds: deque[float] = deque(maxlen=SPLIT_WITHIN)  # log-odds of the last windows
        self._rest, self._next = self._rest[:0], start
        self._begin_idle(start)

    def _begin_idle(self, start: int) -> None:
        self._segment: Segment | None = None  # while somebody speaks
        for ear in self._ears:
            ear.forget()
        self._silent = 0  # windows since the last that looked like speech
        self._held: deque[np.ndarray] = deque()  # windows that may belong to speech
        self._held_from = start  # index of the first sample of `_held`

    def _window(self, window: np.ndarray, n_samples: int = WINDOW_SAMPLES) -> Iterator[SpeechChunk]:
        for ear in self._ears:
            ear.hear(window)
        self._odds.append(self._clear.odds)
        self._held.append(window[:n_samples])
        self._next += n_samples
        if (segment := self._segment) is not None:
            speech = any(ear.probability >= OFF for ear in self._ears)
            self._silent = 0 if speech else self._silent + 1
            yield from self._while_speaking(segment)
        elif self._is_speech():
            yield self._chunk(self._begin())
        else:
            self._doubts = self._doubts * DOUBT_KEPT + (self._clear.probability >= DOUBT)
            self._beside(self._next - n_samples, window[:n_samples])

    def take_number(self) -> int:
        """A number that no segment has or gets: of a line between those that were and will be."""
        self._number += 1
        return self._number - 1

    def _begin(self) -> Segment:
        segment = self._segment = Segment(self._number, self._held_from)
        self._doubts = 0.0
        self._number += 1
        return segment

    def _is_speech(self) -> bool:
        """Weigh a window of a stretch that is not known to be speech yet."""
        weighed = [ear.is_speech() for ear in self._ears]  # each has to weigh it
        if any(weighed):
            return True
        if len(self._held) >= LONGEST:
            for ear in self._ears:
                ear.forget()
        if not any(ear.weighing for ear in self._ears):
            while len(self._held) > PRE_ROLL:
                self._held_from += len(self._held.popleft())
        return False

    def _while_speaking(self, segment: Segment) -> Iterator[SpeechChunk]:
        length = len(segment) // WINDOW_SAMPLES + len(self._held)
        if self._silent < PAUSE:
            yield self._chunk(segment)
        elif self._silent == PAUSE:
            yield self._chunk(segment, pause=True)
        elif self._silent >= (HANG_OVER if length < LONG else LONG_HANG_OVER):
            yield from self._end(segment)
            return
        else:  # what was worked out meanwhile can be shown
            yield _known(segment)
        if length >= LONGEST:
            yield from self._split(segment)

    def _end(self, segment: Segment) -> Iterator[SpeechChunk]:
        """End the segment where its pause began; the silence since becomes pre-roll."""
        yield _known(segment, last=True)
        held, start = self._held, self._held_from
        self._begin_idle(start)
        self._held = held

    def _split(self, segment: Segment) -> Iterator[SpeechChunk]:
        """End the segment between two words of late, as it seems; go on with what follows."""
        if self._held:
            yield self._chunk(segment)
        samples, silent = segment.samples, self._silent
        windows = [samples[i : i + WINDOW_SAMPLES] for i in range(0, len(samples), WINDOW_SAMPLES)]
        late = windows[-SPLIT_WITHIN:]
        place = len(windows) - len(late) + _between_words(late, np.array(self._odds))
        segment.cut(place * WINDOW_SAMPLES)
        yield _known(segment, last=True)
        self._begin_idle(segment.start + len(segment))
        self._held.extend(windows[place:])
        if silent + LAG < len(windows) - place:  # else it had paused, and the rest is no speech yet
            following = self._begin()
            self._silent = silent
            yield self._chunk(following)

    def _chunk(self, segment: Segment, last: bool = False, pause: bool = False) -> SpeechChunk:
        """Add what is held to the segment."""
        for window in self._held:
            segment.add(window)
        self._held.clear()
        self._held_from = self._next
        return _known(segment, last, pause)


def _known(segment: Segment, last: bool = False, pause: bool = False) -> SpeechChunk:
    """The segment as far as it is known."""
    return SpeechChunk(segment.number, segment.start, segment.samples, last, pause)
