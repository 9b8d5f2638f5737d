"""The support vector machine that networks are compared with."""

from pathlib import Path

import numpy as np

from training.corpora import LABELS, Clip
from training.emotion.baseline import NEVER, Baseline
from training.emotion.dataset import Dataset

N_MFCC, N_FEATURES = 4, 6


class Toy:
    """Frames in which one column tells the class, and another the speaker."""

    identity = "toy"

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        rng = np.random.default_rng([int(clip.path.stem), variant])
        frames = rng.standard_normal((40, N_FEATURES)).astype(np.float32)
        frames[:, 0] += 3 * LABELS.index(clip.label)
        frames[:, 1] += 5 * int(clip.speaker[-1])
        return frames


def clips_of(speakers: str, labels: tuple[str, ...]) -> list[Clip]:
    return [
        Clip(Path(f"{100 * int(s) + 10 * k + n}.wav"), label, f"toy-{s}", "ravdess", "en")
        for s in speakers
        for k, label in enumerate(labels)
        for n in range(4)
    ]


def test_it_learns_from_some_voices_and_knows_others() -> None:
    labels = ("neutral", "happy", "angry")
    heard, unheard = clips_of("12356", labels), clips_of("4", labels)
    counts = {"ravdess": 1}
    examples = Dataset(heard, Toy(), counts, [], LABELS, N_MFCC)
    found = Baseline(examples, heard, N_MFCC).logits([Toy().get(c, 0) for c in unheard])
    assert found.shape == (len(unheard), len(LABELS)) and found.dtype == np.float32
    assert [LABELS[k] for k in found.argmax(axis=1)] == [clip.label for clip in unheard]
    assert (found[:, LABELS.index("calm")] == NEVER).all()  # it was not in training
