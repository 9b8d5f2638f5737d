"""Who reads what words say: one thread behind the captions, which gives way to them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from utils.errors import ModelError, NoMemoryError
from utils.models.text_emotion import Package, check_whole
from utils.models.translation.package import Package as Translating
from utils.text_emotion.classifier import Classifier, load
from utils.translation.behind import Behind
from utils.translation.desk import along
from utils.translation.translator import Translator, check_usable

log = logging.getLogger(__name__)

Used = TypeVar("Used")
# The network's own probability from which a line is told. Chosen to be cautious, and measured on
# nothing: there are no labelled texts here.
LEAST = 0.8


class TextEmotionDesk:
    """Reads the emotion of lines one after the other; those in other languages by English.

    The models are loaded on its own thread, as that takes as long as some lines.

    Parameters
    ----------
    packages : models that tell the emotion of English words; the first that can be used does
    way : the models by which the spoken language becomes English; none where it is English
    loaded : translators that others have loaded, by the paths of their models

    Raises
    ------
    ModelError : no package is whole, or a model that translates cannot be used
    """

    def __init__(
        self,
        packages: Sequence[Package],
        way: Sequence[Translating] = (),
        loaded: Mapping[Path, Translator] = MappingProxyType({}),
    ) -> None:
        _first(packages, check_whole)
        self._packages, self._way, self._translators = packages, way, loaded
        if new := [each for each in way if each.path not in loaded]:
            check_usable(new)
        self._loaded: tuple[Classifier, list[Translator]] | None = None
        self._behind = Behind("text emotion", "the emotion of words is late: a line has none")
        self._behind.thread.submit(self._models)  # whoever reads first is told what was wrong

    def read(self, text: str) -> "Future[object]":
        """What the words say, later, as `told` has it; cancelled where too many lines wait.

        The `Future` may raise a ModelError: the model cannot be loaded.
        """
        return self._behind.submit(self._read, text)

    def close(self) -> None:
        """Finish the line that is read, and no other."""
        self._behind.close()

    def _models(self) -> tuple[Classifier, list[Translator]]:
        if self._loaded is None:
            from utils.models.memory import give_back

            classifier = _first(self._packages, load)
            way = [self._translators.get(each.path) or Translator(each) for each in self._way]
            self._loaded = classifier, way
            give_back()
        return self._loaded

    def _read(self, text: str) -> object:
        classifier, way = self._models()
        english = along(way, text)
        return told(classifier.scores(english)) if english.strip() else None


def _first(packages: Sequence[Package], use: Callable[[Path], Used]) -> Used:
    """What is made of the first package of which it can be."""
    *others, last = packages
    for package in others:
        try:
            return use(package.path)
        except NoMemoryError:
            raise
        except ModelError as err:
            log.warning("%s", err)
    return use(last.path)


def told(scores: dict[str, float]) -> dict[str, object] | None:
    """What is told of a line's words: label, confidence and scores; None where none is likely.

    >>> told({"sad": 0.9, "neutral": 0.1})["label"]
    'sad'
    >>> told({"sad": 0.6, "neutral": 0.4})
    """
    label = max(scores, key=scores.__getitem__)
    if scores[label] < LEAST:
        return None
    return {"label": label, "confidence": scores[label], "scores": scores}
