"""Whether another voice than before is speaking, by a model that tells voices apart.

Voices have no names and no numbers here: a line only says that it is another voice's than
the line before. A wrong mark is worse than a missing one, so in doubt the voice is the same.
"""

from collections import deque
from concurrent.futures import CancelledError, Future
from typing import Protocol

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.tags import Tag

# Cosine of two embeddings. From SAME on they are one voice: where NeMo's verify_speakers()
# draws the line, 0.7 on its scale from 0 to 1. Between OTHER and SAME it is left open.
SAME = 0.4
MARGIN = 0.2  # by which a voice heard before must be nearer than the present one
MOST = 8  # voices that are remembered; the one not heard for longest is forgotten
HEAVIEST = 20.0  # segments that a voice's mean stands for, so that it can follow the speaker
# Samples of a segment after which its voice is judged, and OTHER: below it a voice is none of
# those before. Less speech says less, so it has to say it more clearly. A segment begins with
# 0.3 s from before the speech.
PLACES = ((int(1.5 * SAMPLE_RATE), 0.1), (int(3.3 * SAMPLE_RATE), 0.2))


class VoiceModel(Protocol):
    """What the pipeline needs of a model that tells voices apart."""

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        """Begin to work out where the voice in float32 (n,) at 16 kHz lies; returns at once.

        Returns
        -------
        to be an embedding (n_dimensions,), near to those of the same voice in angle
        """
        ...

    def close(self) -> None:
        """Let the model go; what has not been worked out is cancelled."""
        ...


class _Voice:
    """A voice by the weighted sum of its embeddings."""

    def __init__(self, embedding: np.ndarray) -> None:
        self._sum, self._weight = embedding.copy(), 1.0

    def likeness(self, embedding: np.ndarray) -> float:
        """Cosine between the voice and an embedding of length 1."""
        length = float(np.linalg.norm(self._sum))
        return float(self._sum @ embedding) / length if length else 0.0

    def add(self, embedding: np.ndarray) -> None:
        if self._weight >= HEAVIEST:
            self._sum *= (HEAVIEST - 1) / HEAVIEST
        else:
            self._weight += 1
        self._sum += embedding


class VoicesTag(Tag):
    """Whether a line is another voice's than the one before it.

    Parameters
    ----------
    model : tells them apart
    """

    name, missing = "new_voice", "voices.missing"

    def __init__(self, model: VoiceModel) -> None:
        super().__init__()
        self.model = model
        self._voices: deque[_Voice] = deque(maxlen=MOST)  # the last is the present one
        self._last: Future[np.ndarray] | None = None  # the newest embedding of any line
        self.begin(live=True)

    def begin(self, live: bool) -> None:
        """A line begins. Where nobody reads along, every embedding is waited for; otherwise one
        that is late is done without, and none is begun while another is under way."""
        self._wait = not live
        self._places = list(PLACES)
        self._asked: list[tuple[int, float, Future[np.ndarray]]] = []  # the newest last

    def grow(self, samples: np.ndarray) -> bool | None:
        """Whether float32 (n,) is another voice's, as far as is known."""
        while self._places and len(samples) >= self._places[0][0]:
            n_samples, other = self._places.pop(0)
            if (future := self._embed(samples[:n_samples])) is not None:
                self._asked.append((n_samples, other, future))
        known = self._newest(len(samples), wait=False)
        return (known is not None and self._is_other(*known)) or None

    def after_text(self, text: str, samples: np.ndarray) -> bool | None:
        """Whether the whole line was another voice's, which is then the present one."""
        known = self._newest(len(samples), self._wait)
        if known is None:
            return None
        is_other = self._is_other(*known)
        self._heard(*known)
        return is_other or None

    def close(self) -> None:
        """Let the model go."""
        self.model.close()

    def _embed(self, samples: np.ndarray) -> "Future[np.ndarray] | None":
        """Begin to work out an embedding, unless the model is busy and is not to be waited for."""
        if self._last and not self._last.done() and not self._wait:
            return None
        self._last = self.model.embed(samples)
        return self._last

    def forget(self) -> None:
        """Forget every voice: the next one is the first."""
        self._voices.clear()

    def _is_other(self, embedding: np.ndarray, other: float) -> bool:
        """Whether an embedding of length 1 is another voice's than the present one's.

        Parameters
        ----------
        other : cosine below which a voice is none of those before
        """
        voice = self._find(embedding, other)
        return bool(self._voices) and voice is not None and voice is not self._voices[-1]

    def _heard(self, embedding: np.ndarray, other: float) -> None:
        """The voice of an embedding of length 1 has spoken, as `_is_other` judges it."""
        voice = self._find(embedding, other)
        if voice is None:
            return
        if voice in self._voices:
            voice.add(embedding)
            self._voices.remove(voice)
        self._voices.append(voice)

    def _find(self, embedding: np.ndarray, other: float) -> _Voice | None:
        """The voice that it is, a new one, or None where that is left open."""
        if not self._voices:
            return _Voice(embedding)
        present = self._voices[-1]
        here = present.likeness(embedding)
        nearest = max(self._voices, key=lambda voice: voice.likeness(embedding))
        best = nearest.likeness(embedding)
        if best >= SAME and best - here >= MARGIN:
            return nearest
        if here >= SAME:
            return present
        return _Voice(embedding) if best < other else None

    def _newest(self, n_samples: int, wait: bool) -> tuple[np.ndarray, float] | None:
        """The embedding of most of the first `n_samples` that is there, of length 1."""
        for n_needed, other, future in reversed(self._asked):
            if n_needed <= n_samples and (wait or future.done()):
                embedding = _unit(future)
                if embedding is not None:
                    return embedding, other
        return None


def _unit(future: "Future[np.ndarray]") -> np.ndarray | None:
    """An embedding that is there, of length 1; None where it has none, or the program ends."""
    try:
        embedding = future.result().astype(np.float64)
    except CancelledError:
        return None
    length = np.linalg.norm(embedding)
    return embedding / length if np.isfinite(length) and length else None
