"""Tags that are made up, each of which speaks at another time, and one word for them to stand by."""

from concurrent.futures import Future

import numpy as np

from utils.asr import Transcriber
from utils.audio import SAMPLE_RATE
from utils.events import Transcription
from utils.tags import Tag


class OneWord(Transcriber):
    """A recogniser that hears the same word from start to end."""

    name = "one word"

    def stream(self, growing: bool = True) -> "OneWord":
        return self

    def grow(self, samples: np.ndarray) -> str:
        return "word"

    def work_ahead(self) -> None:
        pass

    def finish(self, samples: np.ndarray) -> Transcription:
        return Transcription("word")

    def close(self) -> None:
        pass


class Watched(Tag):
    """A tag that says nothing, and knows what it was asked."""

    name = "watched"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.heard: list[np.ndarray] = []  # of the line, while it grew and at its end

    def begin(self, live: bool) -> None:
        self.asked.append("begin")
        self.heard = []

    def grow(self, samples: np.ndarray) -> object:
        self.asked.append("grow")
        self.heard.append(samples)
        return None

    def finish(self, samples: np.ndarray) -> object:
        self.asked.append("finish")
        self.heard.append(samples)
        return None

    def after_text(self, text: str, samples: np.ndarray) -> object:
        self.asked.append(f"after {text}")
        self.heard.append(samples)
        return None

    def forget(self) -> None:
        self.asked.append("forget")

    def close(self) -> None:
        self.asked.append("close")


class Growing(Watched):
    """Says how many seconds there are, while the line grows."""

    name = "seconds"

    def grow(self, samples: np.ndarray) -> object:
        super().grow(samples)
        return len(samples) // SAMPLE_RATE or None


class Finishing(Watched):
    """Says how long the whole line is."""

    name = "length"

    def finish(self, samples: np.ndarray) -> object:
        super().finish(samples)
        return len(samples)


class Reading(Watched):
    """Says what it reads in the words."""

    name = "letters"

    def after_text(self, text: str, samples: np.ndarray) -> object:
        super().after_text(text, samples)
        return len(text)


class Slow(Watched):
    """Says something of each line later."""

    name = "slow"

    def __init__(self) -> None:
        super().__init__()
        self.later: list[Future[object]] = []

    def after_text(self, text: str, samples: np.ndarray) -> "Future[object]":
        super().after_text(text, samples)
        self.later.append(Future())
        return self.later[-1]


class Raising(Watched):
    """Fails when it is asked a certain thing."""

    name, missing = "raising", "raising.missing"

    def __init__(self, when: str) -> None:
        super().__init__()
        self._when = when

    def begin(self, live: bool) -> None:
        super().begin(live)
        self._fail("begin")

    def grow(self, samples: np.ndarray) -> object:
        self._fail("grow")
        super().grow(samples)
        return "so far"

    def finish(self, samples: np.ndarray) -> object:
        self._fail("finish")
        return super().finish(samples)

    def after_text(self, text: str, samples: np.ndarray) -> object:
        self._fail("after_text")
        return super().after_text(text, samples)

    def seen(self, value: object) -> object:
        self._fail("seen")
        return value

    def _fail(self, asked: str) -> None:
        if asked == self._when:
            raise ValueError(f"no {asked}")
