"""Who reads what words say: one thread behind the captions, which gives way to them."""

from collections.abc import Sequence
from concurrent.futures import Future

from utils.models.text_emotion import Package, check_whole
from utils.models.translation.package import Package as Translating
from utils.text_emotion.classifier import Classifier
from utils.translation.behind import Behind
from utils.translation.desk import along
from utils.translation.translator import Translator, check_usable

# The network's own probability from which a line is told. Chosen to be cautious, and measured on
# nothing: there are no labelled texts here.
LEAST = 0.8


class TextEmotionDesk:
    """Reads the emotion of lines one after the other; those in other languages by English.

    The models are loaded on its own thread, as that takes as long as some lines.

    Parameters
    ----------
    package : the model that tells the emotion of English words
    way : the models by which the spoken language becomes English; none where it is English

    Raises
    ------
    ModelError : a file is damaged, or a model that translates cannot be used
    """

    def __init__(self, package: Package, way: Sequence[Translating] = ()) -> None:
        self._package, self._packages = check_whole(package.path), way
        if way:
            check_usable(way)
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

            classifier = Classifier(self._package)
            self._loaded = classifier, [Translator(each) for each in self._packages]
            give_back()
        return self._loaded

    def _read(self, text: str) -> object:
        classifier, way = self._models()
        english = along(way, text)
        return told(classifier.scores(english)) if english.strip() else None


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
