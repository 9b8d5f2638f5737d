"""How clips of one kind scatter: the space in which voices differ alike in all directions."""

from collections.abc import Sequence

import numpy as np

from training.corpora import Clip
from utils.emotion.network import scale

SHRINKAGE = 0.3  # of the within-class covariance towards a ball: few voices tell of it


def whitening(
    found: np.ndarray, clips: Sequence[Clip], n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What scales functionals and turns them to the `n` widest directions of their scatter.

    Scatter is that within corpus and label, of which each direction is scaled to width 1:
    within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006).

    Parameters
    ----------
    found : functionals (n_clips, n_functionals)
    clips : theirs

    Returns
    -------
    mean, std : (n_functionals,) for `utils.emotion.network.scale`
    directions : (n_functionals, n), to be applied to what that gives
    """
    mean, std = found.mean(axis=0), found.std(axis=0) + 1e-6
    centred = scale(found, mean, std)
    group = np.unique([f"{c.corpus} {c.label}" for c in clips], return_inverse=True)[1]
    for k in np.unique(group):
        centred[group == k] -= centred[group == k].mean(axis=0)
    variances, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    widest = (1 - SHRINKAGE) * variances[::-1][:n] + SHRINKAGE * variances.mean()
    return mean, std, np.ascontiguousarray(vectors[:, ::-1][:, :n] / np.sqrt(widest))
