"""The emotion of a line, steady enough to be shown while it grows."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.emotion.place import Place
from utils.events import SILENT, Emotion, Grade
from utils.tags import Tag
from utils.tags.voices import MOST, VoicesTag

FIRST = SAMPLE_RATE  # samples of speech before the first estimate; less of it says little
STEP = SAMPLE_RATE // 2  # samples from one estimate to the next, at first
SLOWER = 4  # then as many times fewer than what was heard: more speech changes less
HORIZON = 6 * SAMPLE_RATE  # an estimate hears no more than this, so that it stays cheap
NAMED_TO_SHOW = 2  # estimates in a row that name a label before it is shown
MAX_CHANGES = 1  # of what a growing line shows: a tag that flaps is worse than a late one
UNNAMED_TO_HIDE = 3  # estimates in a row that do not name it before it goes

# What the page has a colour and a word for.
SHOWN = ("neutral", "happy", "sad", "angry", "fear", "disgust")


class EmotionPredictor(Protocol):
    """What the pipeline needs of an emotion model."""

    def predict(
        self, samples: np.ndarray, place: Place | None = None, learn: Sequence[Place] = ()
    ) -> Emotion | None:
        """Estimate the emotion in float32 (n,) at 16 kHz; None when not sure enough.

        Parameters
        ----------
        place : where it was said; None where nothing is known of that
        learn : places that are to know this remark from now on
        """
        ...


class EmotionTag(Tag):
    """Estimates the emotion of a line, again and again while it grows.

    A label is shown once two estimates in a row name it, and stays until two in a row name
    another or three in a row do not name it. That may happen once: after it, what is shown
    stays to the end of the line. "Neutral" shows nothing while a line grows. Estimates are
    made at fixed places, counted in samples, so that they do not depend on how the speech was
    cut into chunks; the more was heard, the fewer. A line is heard against how the lines before
    it sounded, each of them as a whole: those of its voice, once there are enough of them, else
    those of all.

    Parameters
    ----------
    predictor : estimates the emotion
    voices : tells voices apart, and is asked before this one; None where nothing does
    """

    name, missing = "emotion", "emotion.missing"

    def __init__(self, predictor: EmotionPredictor, voices: VoicesTag | None = None) -> None:
        super().__init__()
        self._predictor, self._voices = predictor, voices
        self._place = Place()
        self._places: dict[int, Place] = {}  # of voices, the last heard at the end
        self.begin(live=True)

    def begin(self, live: bool) -> None:
        """A line begins; where nobody reads along, it is heard once, at its end."""
        self._live = live
        self._next = FIRST
        self._shown: Emotion | None = None
        self._named: str | None = None  # by the last estimate
        self._n_named = 0  # estimates in a row that named it
        self._n_unnamed = 0  # estimates in a row that did not name what is shown
        self._n_changes = 0  # of the label that was shown first

    def grow(self, samples: np.ndarray) -> Emotion | None:
        """What is to be shown of float32 (n,) so far."""
        while self._live and self._next <= len(samples):
            end = self._next
            self._next += max(STEP, end // SLOWER // STEP * STEP)
            heard = samples[max(0, end - HORIZON) : end]
            self._weigh(self._predictor.predict(heard, self._best(self._of_voice())))
        return self._shown

    def finish(self, samples: np.ndarray) -> Emotion | None:
        """The emotion of the whole line."""
        own = self._of_voice()
        learn = [self._place, own] if own else [self._place]
        return self._predictor.predict(samples, self._best(own), learn)

    def _of_voice(self) -> Place | None:
        """The place of the line's voice; None where that is not known."""
        voices = self._voices
        if voices is None or not voices.on or voices.voice is None:
            return None
        place = self._places[voices.voice] = self._places.pop(voices.voice, Place())
        if len(self._places) > MOST:
            del self._places[next(iter(self._places))]
        return place

    def _best(self, own: Place | None) -> Place:
        """What a line is heard against."""
        return own if own and own.familiar else self._place

    def forget(self) -> None:
        """Whoever speaks next, it is as if nobody had spoken there yet."""
        self._place.forget()
        self._places.clear()

    def seen(self, value: object) -> tuple[str, Grade] | None:
        """Its label, and how sure it is."""
        return (value.label, value.grade) if isinstance(value, Emotion) else None

    def _weigh(self, estimate: Emotion | None) -> None:
        """Let an estimate change what is shown, if it does not stand alone."""
        if estimate is not None and estimate.label == SILENT:
            estimate = None
        named = estimate.label if estimate else None
        self._n_named = self._n_named + 1 if named == self._named else 1
        self._named = named
        still_named = self._shown is not None and named == self._shown.label
        self._n_unnamed = 0 if still_named else self._n_unnamed + 1
        if still_named:
            self._shown = estimate  # as sure as it is by now
        elif named and self._n_named >= NAMED_TO_SHOW:
            self._change(estimate)
        elif self._n_unnamed >= UNNAMED_TO_HIDE:
            self._change(None)

    def _change(self, to: Emotion | None) -> None:
        """Show another label, or none: once, after the first."""
        if self._shown is not None:
            if self._n_changes == MAX_CHANGES:
                return
            self._n_changes += 1
        elif self._n_changes or to is None:
            return
        self._shown, self._n_unnamed = to, 0
