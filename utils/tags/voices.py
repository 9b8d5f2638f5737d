"""Whether another voice than before is speaking, by a model that tells voices apart.

Voices have no names and no numbers here: a line only says that it is another voice's than
the line before. A wrong mark is worse than a missing one, so in doubt the voice is the same.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Protocol

import numpy as np

from utils.audio import SAMPLE_RATE

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

log = logging.getLogger(__name__)


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


class Voices:
    """The voices that have spoken lately.

    >>> voices = Voices(model)
    >>> segment = voices.begin(wait=False)
    >>> segment.accept(samples)       # again and again
    >>> new_voice = segment.finish(n_samples)  # after samples[:n_samples]

    Parameters
    ----------
    model : tells them apart; where it fails, no voice is marked any more
    told : of that failure, once
    """

    def __init__(self, model: VoiceModel, told: Callable[[Exception], None] | None = None) -> None:
        self.model = model
        self.failed = False
        self._told = told
        self._voices: deque[_Voice] = deque(maxlen=MOST)  # the last is the present one
        self._asked: Future[np.ndarray] | None = None  # the newest embedding

    def begin(self, wait: bool) -> "SegmentVoice":
        """Begin a segment.

        Parameters
        ----------
        wait : for every embedding, because nobody reads along. Otherwise one that is late is
            done without, and none is begun while another is under way.
        """
        return SegmentVoice(self, wait)

    def embed(self, samples: np.ndarray, wait: bool) -> "Future[np.ndarray] | None":
        """Begin to work out an embedding, unless the model is busy and is not to be waited for."""
        if self._asked and not self._asked.done() and not wait:
            return None
        self._asked = self.model.embed(samples)
        return self._asked

    def fail(self, err: Exception) -> None:
        """The model has failed: it is not asked again."""
        if self.failed:
            return
        self.failed = True
        log.error("voices are not told apart: %s", err)
        if self._told:
            self._told(err)

    def forget(self) -> None:
        """Forget every voice: the next one is the first."""
        self._voices.clear()

    def is_other(self, embedding: np.ndarray, other: float) -> bool:
        """Whether an embedding of length 1 is another voice's than the present one's.

        Parameters
        ----------
        other : cosine below which a voice is none of those before
        """
        voice = self._find(embedding, other)
        return bool(self._voices) and voice is not None and voice is not self._voices[-1]

    def heard(self, embedding: np.ndarray, other: float) -> None:
        """The voice of an embedding of length 1 has spoken, as `is_other` judges it."""
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


class SegmentVoice:
    """The voice of one segment while it grows.

    Parameters
    ----------
    voices : those before it
    wait : as in `Voices.begin`
    """

    def __init__(self, voices: Voices, wait: bool) -> None:
        self._voices, self._wait = voices, wait
        self._parts: list[np.ndarray] = []
        self._n_heard = 0
        self._places = list(PLACES)
        self._asked: list[tuple[int, float, Future[np.ndarray]]] = []  # the newest last

    def accept(self, samples: np.ndarray) -> bool:
        """Take the next speech, float32 (n,); whether it is another voice, as far as is known."""
        if self._places and not self._voices.failed:
            self._parts.append(samples)
            self._n_heard += len(samples)
            while self._places and self._n_heard >= self._places[0][0]:
                self._ask(*self._places.pop(0))
        known = self._newest(self._n_heard, wait=False)
        return known is not None and self._voices.is_other(*known)

    def finish(self, n_samples: int) -> bool:
        """End the segment after its first `n_samples`; whether it was another voice."""
        known = self._newest(n_samples, self._wait)
        if known is None:
            return False
        is_other = self._voices.is_other(*known)
        self._voices.heard(*known)
        return is_other

    def _ask(self, n_samples: int, other: float) -> None:
        future = self._voices.embed(np.concatenate(self._parts)[:n_samples], self._wait)
        if future is not None:
            self._asked.append((n_samples, other, future))

    def _newest(self, n_samples: int, wait: bool) -> tuple[np.ndarray, float] | None:
        """The embedding of most of the first `n_samples` that is there, of length 1."""
        for n_needed, other, future in reversed(self._asked):
            if n_needed <= n_samples and (wait or future.done()):
                embedding = self._result(future)
                if embedding is not None:
                    return embedding, other
        return None

    def _result(self, future: "Future[np.ndarray]") -> np.ndarray | None:
        try:
            embedding = future.result().astype(np.float64)
        except CancelledError:
            return None  # the program ends
        except Exception as err:  # of the engine's own kinds too: captions go on
            self._voices.fail(err)
            return None
        length = np.linalg.norm(embedding)
        return embedding / length if np.isfinite(length) and length else None
