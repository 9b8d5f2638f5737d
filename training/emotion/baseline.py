"""The baseline that a network has to beat: a support vector machine on functionals alone."""

from collections.abc import Sequence

import numpy as np
from sklearn.svm import SVC

from training.corpora import Clip
from training.emotion.dataset import Dataset, all_functionals
from training.emotion.whitening import whitening
from utils.emotion.network import scale

C, GAMMA = 0.7, 0.3  # of the machine; gamma is divided by the number of functionals
NEVER = -10.0  # the logit of a class that was not in training


class Baseline:
    """A support vector machine with a Gaussian kernel, trained in seconds.

    Parameters
    ----------
    examples : hold all of `clips`
    clips : the voices to train on, each as it was recorded
    n_mfcc : see `utils.emotion.functionals.functionals`
    """

    def __init__(self, examples: Dataset, clips: Sequence[Clip], n_mfcc: int) -> None:
        found = np.stack([examples.statistics[clip, 0] for clip in clips])
        self._n_mfcc, self._n_classes = n_mfcc, len(examples.labels)
        self._mean, self._std, self._directions = whitening(found, clips, found.shape[1])
        self._machine = SVC(C=C, gamma=GAMMA / found.shape[1], class_weight="balanced")
        truth = [examples.labels.index(clip.label) for clip in clips]
        self._machine.fit(self._turn(found), truth)

    def logits(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Decision values float32 (n, n_classes) of feature arrays; they rank as logits do."""
        found = np.stack(all_functionals(arrays, self._n_mfcc))
        logits = np.full((len(arrays), self._n_classes), NEVER, np.float32)
        logits[:, self._machine.classes_] = self._machine.decision_function(self._turn(found))
        return logits

    def _turn(self, found: np.ndarray) -> np.ndarray:
        return scale(found, self._mean, self._std) @ self._directions
