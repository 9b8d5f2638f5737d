"""Answers of models that were never trained: so many right, so sure, in so many conditions."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.corpora import LABELS, SHIPPED, Clip
from training.emotion.predictions import (
    CLEAN,
    KNOWN_READ,
    PLACE_KNOWN,
    READ_ALOUD,
    UNAIDED,
    UNAIDED_READ,
    VOICE_KNOWN,
    Predictions,
    join,
)

EACH = 50  # answers that name each class, in a corpus


def answers(
    corpus: str, wrong: Mapping[str, int] | None = None, n_folds: int = 1, condition: str = CLEAN
) -> Predictions:
    """`EACH` answers a class, by three seeds. Those that are wrong are less sure than the others.

    Parameters
    ----------
    wrong : how many of the answers that name a class are wrong; two where it does not say
    """
    clips, logits = [], []
    for answer, label in enumerate(SHIPPED):
        for k in range(EACH):
            right = k >= (wrong or {}).get(label, 2)
            truth = label if right else SHIPPED[answer - 1]
            clips.append(Clip(Path(f"{label}-{k}"), truth, f"{corpus}-{k % 4}", corpus, "en"))
            logits.append((4 if right else 2) * np.eye(len(LABELS))[LABELS.index(label)])
    n = len(clips)
    return Predictions(
        LABELS,
        np.array(logits, np.float32),
        tuple(clips),
        np.arange(n) % n_folds,
        np.arange(n) % 3,
        np.ones(n),
        np.full(n, condition),
    )


def read_aloud(sure: float, n_named: int, n: int = 100, label: str = "sad") -> Predictions:
    """Answers to readers, all with a logit of `sure`; so many name an emotion, `label`."""
    clips = tuple(
        Clip(Path(f"read-{k}"), "neutral", f"librispeech-{k % 4}", "librispeech", "en")
        for k in range(n)
    )
    answer = np.where(np.arange(n) < n_named, LABELS.index(label), LABELS.index("neutral"))
    logits = sure * np.eye(len(LABELS), dtype=np.float32)[answer]
    return Predictions(
        LABELS,
        logits,
        clips,
        np.arange(n) % 4,
        np.zeros(n, int),
        np.ones(n),
        np.full(n, READ_ALOUD),
    )


def in_all_ways(*parts: Predictions) -> Predictions:
    """Answers, and the same where the place is known and without the encoder, as `crossval`."""
    found = join(parts)
    all_of_it = [found]
    for clean, read in (
        (VOICE_KNOWN, KNOWN_READ),
        (PLACE_KNOWN, KNOWN_READ),
        (UNAIDED, UNAIDED_READ),
    ):
        name = {CLEAN: clean, READ_ALOUD: read}
        condition = np.array([name[str(c)] for c in found.condition])
        all_of_it.append(replace(found, condition=condition))
    return join(all_of_it)
