"""Who translates: one thread behind the captions, which gives way to them, and its models."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from utils.models.translation.package import Package
from utils.translation.behind import Behind
from utils.translation.translator import Translator, check_usable


class Desk:
    """Translates lines one after the other, from one language to some others.

    Parameters
    ----------
    routes : language -> the models by which it is reached, as `files.route` gives them

    Raises
    ------
    ModelError : a model cannot be used
    """

    def __init__(self, routes: Mapping[str, Sequence[Package]]) -> None:
        packages = {p.path: p for way in routes.values() for p in way}
        check_usable(list(packages.values()))
        self.languages = tuple(routes)
        self._behind = Behind("translate", "translation is late: a line has none")
        # CTranslate2's own thread takes its rank from the one that loads.
        loading = self._behind.thread.submit(
            lambda: {at: Translator(p) for at, p in packages.items()}
        )
        try:
            loaded = loading.result()
        except BaseException:
            self.close()
            raise
        self.translators: Mapping[Path, Translator] = loaded  # others may ask them, too
        self._routes = {to: [loaded[p.path] for p in way] for to, way in routes.items()}

    def read(self, text: str) -> "Future[object]":
        """The words in each language, later, or None; cancelled where too many lines wait."""
        return self._behind.submit(self._translate, text)

    def close(self) -> None:
        """Finish the line that is translated, and no other."""
        self._behind.close()

    def _translate(self, text: str) -> object:
        found = {to: words for to, way in self._routes.items() if (words := along(way, text))}
        return found or None


def along(way: Sequence[Translator], text: str) -> str:
    """Words as they are at the end of a way, which may be empty."""
    for translator in way:
        text = translator.translate(text)
    return text
