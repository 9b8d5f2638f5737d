"""What the words of a finished line say, whatever the voice: it comes after the line."""

from concurrent.futures import Future
from typing import Protocol

import numpy as np

from utils.tags import Tag


class ReadsEmotion(Protocol):
    """What reads words: `utils.text_emotion.desk.TextEmotionDesk`."""

    def read(self, text: str) -> "Future[object]":
        """Label, confidence and scores, later; None where nothing is likely enough."""

    def close(self) -> None:
        """Let go of threads and memory."""


class TextEmotionTag(Tag):
    """Says what the words of a line say: `{"label": …, "confidence": …, "scores": {…}}`.

    Parameters
    ----------
    desk : reads them, on a thread of its own
    """

    name = "text_emotion"
    missing = "text_emotion.missing"

    def __init__(self, desk: ReadsEmotion) -> None:
        super().__init__()
        self._desk = desk

    def after_text(self, text: str, samples: np.ndarray) -> "Future[object]":
        """What the words say, later; None where that is not clear."""
        return self.of(text)

    def of(self, text: str) -> "Future[object]":
        """The same of words that were not heard, such as those of a mended line."""
        return self._desk.read(text)

    def close(self) -> None:
        """Let go of the models."""
        self._desk.close()
