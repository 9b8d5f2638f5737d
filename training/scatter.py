"""How clips of one kind scatter: the space in which voices differ alike in all directions."""

from collections.abc import Sequence

import numpy as np

from training.corpora import Clip
from utils.network import CLAMP

SHRINKAGE = 0.3  # of the within-class covariance towards a ball: few voices tell of it


def scaling(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (n_functionals,) of functionals (n, n_functionals)."""
    return found.mean(axis=0), found.std(axis=0) + 1e-6


def directions(found: np.ndarray, clips: Sequence[Clip], n: int) -> np.ndarray:
    """The `n` widest directions of scatter within corpus and label, each scaled to width 1.

    Within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006).

    Parameters
    ----------
    found : functionals (n_clips, n_functionals)
    clips : theirs

    Returns
    -------
    (n_functionals, n), to be applied to functionals that are scaled and clipped
    """
    mean, std = scaling(found)
    centred = ((found - mean) / std).clip(-CLAMP, CLAMP)
    group = np.unique([f"{c.corpus} {c.label}" for c in clips], return_inverse=True)[1]
    for k in np.unique(group):
        centred[group == k] -= centred[group == k].mean(axis=0)
    variances, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    widest = (1 - SHRINKAGE) * variances[::-1][:n] + SHRINKAGE * variances.mean()
    return vectors[:, ::-1][:, :n] / np.sqrt(widest)
