"""The support vector machine that networks are compared with."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import SVC

from training.corpora import LABELS, Clip
from training.emotion.baseline import fit, summaries
from training.emotion.dataset import Dataset
from training.emotion.train import logits
from utils.emotion.networks.config import SVM, NetworkConfig
from utils.emotion.networks.svm import NEVER, SupportVectors

WIDTH = 6


class Toy:
    """Steps in which one column tells the class, and another the speaker."""

    identity = "toy"

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        rng = np.random.default_rng([int(clip.path.stem), variant])
        steps = rng.standard_normal((40, WIDTH)).astype(np.float32)
        steps[:, 0] += 3 * LABELS.index(clip.label)
        steps[:, 1] += 5 * int(clip.speaker[-1])
        return steps


def clips_of(speakers: str, labels: tuple[str, ...]) -> list[Clip]:
    return [
        Clip(Path(f"{1000 * int(s) + 100 * k + n}.wav"), label, f"toy-{s}", "ravdess", "en")
        for s in speakers
        for k, label in enumerate(labels)
        for n in range(12)
    ]


def taught(heard: list[Clip]) -> SupportVectors:
    examples = Dataset(Toy(), {"ravdess": 1}, [], LABELS, 1)
    return fit(examples, heard, NetworkConfig(SVM, WIDTH, len(LABELS), n_vectors=1, n_taught=2))


@pytest.mark.parametrize("labels", [("neutral", "happy", "angry"), ("happy", "fear")])
def test_it_learns_from_some_voices_and_knows_others(labels: tuple[str, ...]) -> None:
    heard, unheard = clips_of("12356", labels), clips_of("4", labels)
    found = logits(taught(heard), [Toy().get(c, 0) for c in unheard])
    assert found.shape == (len(unheard), len(LABELS)) and found.dtype == np.float32
    assert [LABELS[k] for k in found.argmax(axis=1)] == [clip.label for clip in unheard]
    assert (found[:, LABELS.index("calm")] == NEVER).all()  # it was not in training


def test_it_answers_as_the_machine_that_was_fitted() -> None:
    """Among four classes that it tells apart badly, so that votes are close."""
    heard = clips_of("1234", ("neutral", "happy", "angry", "sad"))
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((30, WIDTH)).astype(np.float32) + k % 4 / 5 for k in range(200)]
    found = logits(taught(heard), arrays)
    told = summaries([Toy().get(clip, 0) for clip in heard])
    centre, scale = told.mean(axis=0), told.std(axis=0) + 1e-6
    machine = SVC(C=1.0, gamma=1 / told.shape[1], class_weight="balanced")
    machine.fit((told - centre) / scale, [LABELS.index(clip.label) for clip in heard])
    expected = machine.decision_function((summaries(arrays) - centre) / scale)
    np.testing.assert_allclose(found[:, machine.classes_], expected, atol=1e-3)


def test_a_summary_is_mean_and_deviation_of_each_column() -> None:
    steps = np.array([[1.0, 5.0], [3.0, 5.0]], np.float32)
    np.testing.assert_allclose(summaries([steps, steps + 1]), [[2, 5, 1, 0], [3, 6, 1, 0]])


def test_columns_that_were_not_heard_are_as_on_average() -> None:
    """As where Whisper is not at hand: steps then end with the frames."""
    labels = ("neutral", "happy", "angry")
    heard, unheard = clips_of("12356", labels), clips_of("4", labels)
    baseline = taught(heard)
    found = logits(baseline, [Toy().get(clip, 0)[:, :1] for clip in unheard])
    assert [LABELS[k] for k in found.argmax(axis=1)] == [clip.label for clip in unheard]
    of_all = summaries([Toy().get(clip, 0) for clip in heard]).mean(axis=0)
    whole = []
    for clip in unheard:
        rest = np.zeros((40, WIDTH - 1))
        rest[::2] = 1
        rest[1::2] = -1
        rest = of_all[1:WIDTH] + rest * of_all[WIDTH + 1 :]  # the mean and deviation of all
        whole.append(np.column_stack([Toy().get(clip, 0)[:, 0], rest]))
    np.testing.assert_allclose(found, logits(baseline, whole), atol=1e-3)
