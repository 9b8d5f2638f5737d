"""The baseline that a network has to beat: a support vector machine on means and deviations."""

from collections.abc import Sequence

import numpy as np
from sklearn.svm import SVC

from training.corpora import Clip
from training.emotion.dataset import Dataset

C = 1.0  # of the machine
NEVER = -10.0  # the logit of a class that was not in training


class Baseline:
    """A support vector machine with a Gaussian kernel, trained in a minute.

    Parameters
    ----------
    examples : hold all of `clips`
    clips : the voices to train on, each as it was recorded
    """

    def __init__(self, examples: Dataset, clips: Sequence[Clip]) -> None:
        found = summaries([examples.steps(clip) for clip in clips])
        self._n_classes = len(examples.labels)
        self._mean, self._std = found.mean(axis=0), found.std(axis=0) + 1e-6
        self._machine = SVC(C=C, gamma=1 / found.shape[1], class_weight="balanced")
        truth = [examples.labels.index(clip.label) for clip in clips]
        self._machine.fit(self._scale(found), truth)

    def logits(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Decision values float32 (n, n_classes) of arrays of steps; they rank as logits do.

        Where nothing was heard through the encoder, it is as if that had heard what it hears on
        average.
        """
        found = self._scale(summaries(arrays))
        logits = np.full((len(arrays), self._n_classes), NEVER, np.float32)
        logits[:, self._machine.classes_] = self._machine.decision_function(found)
        return logits

    def _scale(self, found: np.ndarray) -> np.ndarray:
        """Summaries to the training's mean and deviation; 0 in columns that are not there."""
        mean, std = (x.reshape(2, -1) for x in (self._mean, self._std))
        found = found.reshape(len(found), 2, -1)
        width = found.shape[2]
        scaled = np.zeros((len(found), *mean.shape), np.float32)
        scaled[..., :width] = (found - mean[:, :width]) / std[:, :width]
        return scaled.reshape(len(found), -1)


def summaries(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Mean and deviation over time of each array (n_steps, width), float32 (n, 2 width)."""
    return np.stack([np.concatenate([x.mean(axis=0), x.std(axis=0)]) for x in arrays])
