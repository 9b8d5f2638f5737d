"""A finished line in other languages: it comes after the line, and never holds it up."""

from concurrent.futures import Future
from typing import Protocol

import numpy as np

from utils.tags import Tag


class Translates(Protocol):
    """What translates: `utils.translation.desk.Desk`."""

    languages: tuple[str, ...]

    def translate(self, text: str) -> "Future[object]":
        """The words in each language, by its code; what cannot be said is left out."""

    def close(self) -> None:
        """Let go of threads and memory."""


class TranslationTag(Tag):
    """Says a line in other languages: `{language: words}`.

    Parameters
    ----------
    desk : translates, on a thread of its own
    """

    name = "translation"
    missing = "translation.missing"

    def __init__(self, desk: Translates) -> None:
        super().__init__()
        self._desk = desk
        self.languages = desk.languages

    def after_text(self, text: str, samples: np.ndarray) -> "Future[object]":
        """The words in each language, later; None where they can be said in none."""
        return self.of(text)

    def of(self, text: str) -> "Future[object]":
        """The same of words that were not heard, such as those of a mended line."""
        return self._desk.translate(text)

    def close(self) -> None:
        """Let go of the models."""
        self._desk.close()
