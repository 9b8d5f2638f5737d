"""Whether another voice goes on within a line, without a pause that would end it."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future

import numpy as np

from utils.audio import SAMPLE_RATE

WINDOW = int(1.3 * SAMPLE_RATE)  # samples whose voice is compared with that of the line before them
STEP = SAMPLE_RATE // 2  # from one window to the next,
AGAIN = SAMPLE_RATE // 4  # and after one that is unlike, to see whether that holds
# Of conversations of five readers, how long before the end of the first window that is unlike the
# other voice began, and how much sooner or later that was in nine of ten.
BEGAN, AROUND = int(1.25 * SAMPLE_RATE), int(0.5 * SAMPLE_RATE)


class Turns:
    """Compares windows of a line with what was said in it before them.

    Two windows in a row have to be unlike it, so that a laugh or a cough ends no line.

    Parameters
    ----------
    embed : begins to work out where the voice in float32 (n,) lies
    below : cosine under which a window is unlike the line before it
    """

    def __init__(self, embed: "Callable[[np.ndarray], Future[np.ndarray]]", below: float) -> None:
        self._embed, self._below = embed, below
        self.begin()

    def begin(self) -> None:
        """A line begins."""
        self._next = WINDOW  # samples of the line at which the next window ends
        self._asked: Future[np.ndarray] | None = None  # of the window that ends there
        self._heard: list[tuple[int, np.ndarray]] = []  # where windows end, and their embeddings
        self._unlike: int | None = None  # where the last window ends, if it was unlike
        self.began: int | None = None

    def hear(self, samples: np.ndarray, wait: bool) -> tuple[int, int] | None:
        """Between which samples of the line another voice began; None while there is none.

        Parameters
        ----------
        samples : all of the line so far, float32 (n,)
        wait : for what the model has not worked out; else it is asked for once it is there, and a
            model that is slower than speech hears fewer windows
        """
        while self.began is None:
            if self._asked is None:
                if len(samples) < self._next:
                    break
                if not wait and len(samples) >= self._next + STEP:
                    self._next = len(samples)
                self._asked = self._embed(samples[self._next - WINDOW : self._next])
            if not (wait or self._asked.done()):
                break
            asked, self._asked = self._asked, None
            self._weigh(self._next, unit(asked))
        if self.began is None:
            return None
        return max(WINDOW, self.began - AROUND), self.began + AROUND

    def _weigh(self, end: int, embedding: np.ndarray | None) -> None:
        """Take the window that ends there."""
        if embedding is not None and self._is_unlike(end, embedding):
            if self._unlike is not None:
                self.began = self._unlike - BEGAN
            self._unlike, self._next = end, end + AGAIN
        else:
            self._unlike, self._next = None, end + STEP

    def _is_unlike(self, end: int, embedding: np.ndarray) -> bool:
        before = [known for at, known in self._heard if at <= end - WINDOW]
        self._heard.append((end, embedding))
        line = np.sum(before, axis=0)
        return bool(before and line @ embedding < self._below * np.linalg.norm(line))


def unit(future: "Future[np.ndarray]") -> np.ndarray | None:
    """An embedding that is there, of length 1; None where it has none, or the program ends."""
    try:
        embedding = future.result().astype(np.float64)
    except CancelledError:
        return None
    length = np.linalg.norm(embedding)
    return embedding / length if np.isfinite(length) and length else None
