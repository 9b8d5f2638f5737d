"""The baseline that a network has to beat: a support vector machine on means and deviations."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from training.corpora import Clip
from utils.emotion.networks.config import NetworkConfig
from utils.emotion.networks.svm import SupportVectors

if TYPE_CHECKING:
    from sklearn.svm import SVC


class Examples(Protocol):
    """What it learns from.

    Attributes
    ----------
    labels : the classes
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    def steps(self, clip: Clip) -> np.ndarray:
        """Steps float32 (n_steps, width) of a clip as recorded."""
        ...


def fit(
    examples: Examples,
    clips: Sequence[Clip],
    config: NetworkConfig,
    c: float = 1.0,
    gamma: float = 1.0,
) -> SupportVectors:
    """A machine with a Gaussian kernel, trained in a minute.

    Parameters
    ----------
    examples : hold all of `clips`
    clips : the voices to train on, of two classes or more
    config : of which the number of vectors and of classes is set
    c : what an example on the wrong side costs
    gamma : how narrow the kernel is, in times the usual 1 / (2 n_features)
    """
    from sklearn.svm import SVC  # takes longer than all else that most commands import

    found = summaries([examples.steps(clip) for clip in clips])
    centre, scale = found.mean(axis=0), (found.std(axis=0) + 1e-6) / np.sqrt(gamma)
    machine = SVC(C=c, gamma=1 / found.shape[1], class_weight="balanced")
    machine.fit((found - centre) / scale, [examples.labels.index(clip.label) for clip in clips])
    weights, bias = _of_pairs(machine)
    n_vectors, n_taught = len(machine.support_vectors_), len(machine.classes_)
    network = SupportVectors(replace(config, n_vectors=n_vectors, n_taught=n_taught))
    values = {
        "centre": centre,
        "scale": scale,
        "vectors": machine.support_vectors_,
        "weights": weights,
        "bias": bias,
        "taught": machine.classes_,
    }
    for name, value in values.items():
        network.get_buffer(name).copy_(torch.from_numpy(np.asarray(value)))
    return network.eval()


def _of_pairs(machine: "SVC") -> tuple[np.ndarray, np.ndarray]:
    """Weights (n_pairs, n_vectors) and bias (n_pairs,) of each pair; over 0 is the first class.

    scikit-learn keeps the weights of a vector against each other class, class by class.
    """
    n_support, dual = machine.n_support_, machine.dual_coef_
    bias = machine.intercept_
    if len(n_support) == 2:  # of two classes it turns the sign: over 0 is the second
        return -dual, -bias
    ends = np.concatenate([[0], np.cumsum(n_support)])
    pairs = list(combinations(range(len(n_support)), 2))
    weights = np.zeros((len(pairs), dual.shape[1]))
    for row, (i, j) in zip(weights, pairs):
        row[ends[i] : ends[i + 1]] = dual[j - 1, ends[i] : ends[i + 1]]
        row[ends[j] : ends[j + 1]] = dual[i, ends[j] : ends[j + 1]]
    return weights, bias


def summaries(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Mean and deviation over time of each array (n_steps, width), float32 (n, 2 width)."""
    return np.stack([np.concatenate([x.mean(axis=0), x.std(axis=0)]) for x in arrays])
