"""A finished line in other languages."""

from typing import Protocol

from utils.tags.of_words import OfWords, Reads


class Translates(Reads, Protocol):
    """What translates: `utils.translation.desk.Desk`."""

    languages: tuple[str, ...]


class TranslationTag(OfWords):
    """Says a line in other languages: `{language: words}`; what cannot be said is left out.

    Parameters
    ----------
    desk : translates
    """

    name = "translation"
    missing = "translation.missing"

    def __init__(self, desk: Translates) -> None:
        super().__init__(desk)
        self.languages = desk.languages
