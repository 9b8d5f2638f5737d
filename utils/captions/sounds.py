"""Lines for what sounds and is no speech: one for each stretch, none while somebody speaks."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.errors import AppError, AudioError
from utils.events import CaptionEvent, SpeechChunk
from utils.faults import cause
from utils.sounds import LOOKS, SoundModel
from utils.sounds.gate import LONGEST, Gate

log = logging.getLogger(__name__)

# Samples, not of speech, after which the same sound is a new stretch: a dog that barks now and
# then is told once.
APART = 8 * SAMPLE_RATE
# Of what the detector takes for speech: samples after which it is judged while it has no words,
# and the most words that may be a sound's, since a recogniser invents some for a sneeze.
STEP = SAMPLE_RATE // 2
MOST_WORDS = 6


@dataclass
class _Stretch:
    """A sound that has a line.

    Parameters
    ----------
    number : of its line
    start, end : samples of the session
    heard : when it was heard last, in samples without speech
    told_end : where its line said that it ends
    """

    label: str
    number: int
    start: int
    end: int
    heard: int
    told_end: int = 0


class Sounds:
    """Names what sounds, where nobody speaks.

    Attributes
    ----------
    model : names sounds; None where nothing does
    on : whether sounds are told
    missing : told the code of a sentence and a reason, where the model is given up
    """

    def __init__(self) -> None:
        self.model: SoundModel | None = None
        self.on = True
        self.missing: Callable[[str, str], None] = lambda code, reason: None
        self._gate = Gate()
        self.forget()

    def forget(self) -> None:
        """Forget what was heard; nothing more comes of the lines that there were."""
        self._spoken = 0  # samples of speech until now
        self._known: dict[str, _Stretch] = {}  # that may go on
        self._growing: _Stretch | None = None
        self._scores: deque[dict[str, float]] = deque(maxlen=LOOKS)
        self._onset = -1  # of what the scores are of
        self._called: str | None = None  # what that was said to be
        self._next = 0  # samples of a segment after which it is judged

    def hear(
        self, start: int, block: np.ndarray, number: Callable[[], int]
    ) -> Iterator[CaptionEvent]:
        """Take a block, float32 (512,), in which nobody speaks; yield what it changes.

        Parameters
        ----------
        start : index of its first sample
        number : gives the line of a new stretch its number
        """
        if self.model is None or not self.on:
            yield from self.flush()
            return
        gate = self._gate
        if start != gate.now:
            self._spoken += max(0, start - gate.now)
            gate.skip(start)
        part = gate.hear(block)
        if self._growing and gate.sounding and gate.onset <= self._growing.end:
            self._growing.end = max(self._growing.end, gate.loud)
        if part is not None:
            if gate.onset != self._onset:
                self._onset, self._called = gate.onset, None
                self._scores.clear()
            label = self._named(part, as_speech=False)
            if label and self._called in (None, label):  # what begins once is one sound
                self._called = label
                yield from self._heard(label, gate.onset, gate.loud, number)
        yield from self._close()

    def begin_speech(self) -> Iterator[CaptionEvent]:
        """Somebody speaks, as it seems: the line of a sound ends."""
        if self._growing:
            yield self._final(self._growing)
        self._growing = None
        self._scores.clear()
        self._onset, self._next = -1, 2 * STEP

    def grow_speech(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        """Judge what is taken for speech, and has no words yet."""
        if not self.on or self._growing or len(chunk.samples) < self._next:
            return
        self._next = len(chunk.samples) + STEP
        if label := self._named(chunk.samples[-LONGEST:], as_speech=True):
            yield from self._heard(label, chunk.start, chunk.end, lambda: chunk.segment)

    def end_speech(self, chunk: SpeechChunk, n_words: int) -> CaptionEvent | None:
        """What was taken for speech has ended; its last event where it was a sound, else None.

        Parameters
        ----------
        n_words : that were recognised; they count unless they are few, and it is clearly a sound
        """
        told = self._growing is not None
        if n_words > MOST_WORDS or not self.on or not (told and not n_words or self._is(chunk)):
            self._withdraw(chunk.segment)
            return None
        stretch, self._growing = self._growing, None
        if stretch is None:  # it goes on from before, and has a line
            return CaptionEvent(chunk.segment, 0.0, 0.0, "", final=True)
        stretch.end = chunk.end
        return self._final(stretch)

    def _is(self, chunk: SpeechChunk) -> bool:
        """Whether a whole segment is clearly a sound."""
        self._scores.clear()
        label = self._named(chunk.samples[-LONGEST:], as_speech=True, looks=1)
        if label is None or self._growing and self._growing.label != label:
            return False
        for _ in self._heard(label, chunk.start, chunk.end, lambda: chunk.segment):
            pass  # it is told at once, by its last event
        return True

    def flush(self) -> Iterator[CaptionEvent]:
        """Finish all lines: no more sound comes."""
        yield from self._close(apart=-1)

    def _named(self, samples: np.ndarray, as_speech: bool, looks: int = LOOKS) -> str | None:
        """The sound that it is by this look and those before it; None where that is not clear."""
        if self.model is None:
            return None
        try:
            self._scores.append(dict(self.model.scores(samples)))
        except AudioError:  # too short, or silent
            return None
        except Exception as err:  # words without it are better than none
            trace = None if isinstance(err, AppError) else err
            log.error("no sounds from here on: %s", err, exc_info=trace)
            self.model = None
            self.missing("sounds.missing", cause(err))
            return None
        if len(self._scores) < looks:
            return None
        means = {
            label: sum(scores[label] for scores in self._scores) / len(self._scores)
            for label in self._scores[-1]
        }
        label = max(means, key=means.__getitem__)
        return label if means[label] >= self.model.threshold(label, as_speech) else None

    def _heard(
        self, label: str, start: int, end: int, number: Callable[[], int]
    ) -> Iterator[CaptionEvent]:
        """A sound goes on, or begins a stretch, which has a line."""
        stretch = self._known.get(label)
        if stretch is None:
            if self._growing:
                yield self._final(self._growing)
            stretch = self._known[label] = _Stretch(label, number(), start, end, 0)
            self._growing = stretch
            yield _event(stretch, final=False)
        stretch.end = max(stretch.end, end)
        stretch.heard = self._gate.now - self._spoken

    def _close(self, apart: int = APART) -> Iterator[CaptionEvent]:
        """End the stretches that were not heard for so long."""
        now = self._gate.now - self._spoken
        for stretch in list(self._known.values()):
            if now - stretch.heard > apart and (apart < 0 or not self._goes_on(stretch)):
                del self._known[stretch.label]
                if stretch.end > stretch.told_end:
                    yield self._final(stretch)
                if stretch is self._growing:
                    self._growing = None

    def _goes_on(self, stretch: _Stretch) -> bool:
        return stretch is self._growing and self._gate.sounding and stretch.end == self._gate.loud

    def _final(self, stretch: _Stretch) -> CaptionEvent:
        stretch.told_end = stretch.end
        return _event(stretch, final=True)

    def _withdraw(self, segment: int) -> None:
        """A segment has words, or is nothing: no sound has its line."""
        self._known = {k: v for k, v in self._known.items() if v.number != segment}
        if self._growing and self._growing.number == segment:
            self._growing = None


def _event(stretch: _Stretch, final: bool) -> CaptionEvent:
    start_s, end_s = (round(at / SAMPLE_RATE, 3) for at in (stretch.start, stretch.end))
    return CaptionEvent(stretch.number, start_s, end_s, "", final, sound=stretch.label)
