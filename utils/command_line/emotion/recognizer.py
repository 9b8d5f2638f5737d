"""What the commands need of an emotion recogniser."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from utils.emotion.place import Place
from utils.events import Emotion


class Recognizer(Protocol):
    """An emotion recogniser, as `emotion_model.EmotionRecognizer` is one."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its classes."""
        ...

    def predict_file(
        self, path: str, place: Place | None
    ) -> tuple[Emotion | None, dict[str, float], float]:
        """Emotion, scores and duration in s of a recording."""
        ...

    def describe_file(self, path: str) -> Iterable[tuple[np.ndarray, int]]:
        """What `Place.add` takes of it."""
        ...

    def estimate(
        self, samples: np.ndarray, place: Place | None = None, learn: Sequence[Place] = ()
    ) -> tuple[Emotion | None, dict[str, float]]:
        """Emotion and scores of speech, float32 (n,) at 16 kHz."""
        ...


Load = Callable[[Path | None], Recognizer]  # reads a checkpoint; the one that ships where None


def answer(emotion: Emotion | None, scores: dict[str, float] | None) -> dict[str, Any]:
    """What is told of a sound, as JSON lines have it.

    Parameters
    ----------
    emotion : None where nothing is clear enough to be told
    scores : None where there is no speech
    """
    return {
        "label": emotion.label if emotion else "unsure",
        "grade": emotion.grade if emotion else None,
        "confidence": max(scores.values()) if scores else None,
        "scores": scores,
    }
