"""The emotion of a segment while it grows, steady enough to be shown."""

import logging
from collections.abc import Callable
from typing import Protocol

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.errors import AppError
from utils.events import Emotion

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


class RunningEmotion:
    """Estimates the emotion of one segment, again and again while it grows.

    A label is shown once two estimates in a row name it, and stays until two in a row name
    another or three in a row do not name it. Estimates are made at fixed places, counted in
    samples, so that they do not depend on how the speech was cut into chunks.

    Parameters
    ----------
    predictor : estimates the emotion; where it fails, no emotion is shown
    told : of a failure that is not the sound's, once; nothing is estimated after it
    """

    def __init__(
        self, predictor: EmotionPredictor, told: Callable[[Exception], None] | None = None
    ) -> None:
        self._predictor: EmotionPredictor | None = predictor
        self._told = told
        self._heard: list[np.ndarray] = []
        self._n_heard = 0
        self._next = FIRST
        self._shown: Emotion | None = None
        self._named: str | None = None  # by the last estimate
        self._n_named = 0  # estimates in a row that named it
        self._n_unnamed = 0  # estimates in a row that did not name what is shown

    def accept(self, samples: np.ndarray) -> Emotion | None:
        """Take the next speech, float32 (n,); return what is to be shown now."""
        self._heard.append(samples)
        self._n_heard += len(samples)
        while self._next <= self._n_heard:
            heard = np.concatenate(self._heard)
            self._heard = [heard]
            self._weigh(self._predict(heard[max(0, self._next - HORIZON) : self._next]))
            self._next += STEP
        return self._shown

    def finish(self, n_samples: int) -> Emotion | None:
        """The emotion of the whole segment, the first `n_samples` that were taken."""
        return self._predict(np.concatenate(self._heard)[:n_samples])

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
            if self._told:
                self._told(err)
        return None
