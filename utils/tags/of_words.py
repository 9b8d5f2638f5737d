"""Tags that read the words of a finished line: they come after it, and never hold it up."""

from concurrent.futures import Future
from typing import Protocol

import numpy as np

from utils.tags import Tag


class Reads(Protocol):
    """Who reads the words, on a thread beside."""

    def read(self, text: str) -> "Future[object]":
        """What is to be said of them, later; None where that is nothing."""

    def close(self) -> None:
        """Let go of threads and memory."""


class OfWords(Tag):
    """Says of a line what somebody makes of its words.

    Parameters
    ----------
    desk : reads them
    """

    def __init__(self, desk: Reads) -> None:
        super().__init__()
        self._desk = desk

    def after_text(self, text: str, samples: np.ndarray) -> "Future[object]":
        """What is said of the words, later; None where that is nothing."""
        return self.of(text)

    def of(self, text: str) -> "Future[object]":
        """The same of words that were not heard, such as those of a mended line."""
        return self._desk.read(text)

    def close(self) -> None:
        """Let go of the models."""
        self._desk.close()
