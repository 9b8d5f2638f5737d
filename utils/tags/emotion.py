"""The emotion of a line, steady enough to be shown while it grows."""

import logging
from typing import Protocol

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.errors import AppError
from utils.events import Emotion
from utils.tags import Tag

FIRST = SAMPLE_RATE  # samples of speech before the first estimate; less of it says little
STEP = SAMPLE_RATE // 2  # samples from one estimate to the next
HORIZON = 10 * SAMPLE_RATE  # an estimate hears no more than this, so that it stays cheap
NAMED_TO_SHOW = 2  # estimates in a row that name a label before it is shown
UNNAMED_TO_HIDE = 3  # estimates in a row that do not name it before it goes

log = logging.getLogger(__name__)


class EmotionPredictor(Protocol):
    """What the pipeline needs of an emotion model."""

    def predict(self, samples: np.ndarray) -> Emotion | None:
        """Estimate the emotion in float32 (n,) at 16 kHz; None when not sure enough."""
        ...


class EmotionTag(Tag):
    """Estimates the emotion of a line, again and again while it grows.

    A label is shown once two estimates in a row name it, and stays until two in a row name
    another or three in a row do not name it. Estimates are made at fixed places, counted in
    samples, so that they do not depend on how the speech was cut into chunks.

    Parameters
    ----------
    predictor : estimates the emotion; where it fails, no emotion is shown
    """

    name, missing = "emotion", "emotion.missing"

    def __init__(self, predictor: EmotionPredictor) -> None:
        super().__init__()
        self._predictor: EmotionPredictor | None = predictor
        self.begin(live=True)

    def begin(self, live: bool) -> None:
        """A line begins."""
        self._next = FIRST
        self._shown: Emotion | None = None
        self._named: str | None = None  # by the last estimate
        self._n_named = 0  # estimates in a row that named it
        self._n_unnamed = 0  # estimates in a row that did not name what is shown

    def grow(self, samples: np.ndarray) -> Emotion | None:
        """What is to be shown of float32 (n,) so far."""
        while self._next <= len(samples):
            self._weigh(self._predict(samples[max(0, self._next - HORIZON) : self._next]))
            self._next += STEP
        return self._shown

    def finish(self, samples: np.ndarray) -> Emotion | None:
        """The emotion of the whole line."""
        return self._predict(samples)

    def seen(self, value: object) -> str | None:
        """Its label."""
        return value.label if isinstance(value, Emotion) else None

    def _weigh(self, estimate: Emotion | None) -> None:
        """Let an estimate change what is shown, if it does not stand alone."""
        named = estimate.label if estimate else None
        self._n_named = self._n_named + 1 if named == self._named else 1
        self._named = named
        if named and self._n_named >= NAMED_TO_SHOW:
            self._shown = estimate
        still_named = self._shown is not None and named == self._shown.label
        self._n_unnamed = 0 if still_named else self._n_unnamed + 1
        if self._n_unnamed >= UNNAMED_TO_HIDE:
            self._shown = None

    def _predict(self, samples: np.ndarray) -> Emotion | None:
        if self._predictor is None:
            return None
        try:
            return self._predictor.predict(samples)
        except AppError as err:  # words without emotion are better than none
            log.warning("no emotion: %s", err)
        except Exception as err:  # of the engine's own kinds, and for want of memory
            self._predictor = None
            log.error("no emotion from here on: %s", err)
            self.failed(err)
        return None
