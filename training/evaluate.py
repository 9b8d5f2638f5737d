"""How well a model does on voices it has not heard, and how far its word can be trusted."""

from dataclasses import dataclass

import numpy as np

N_BINS = 15  # of the expected calibration error, as in Guo et al., 2017
TARGET_PRECISION = 0.75  # of the emotions that are shown, this share should be right


@dataclass(frozen=True, eq=False)
class Report:
    """What came of testing: truth and logits, clip by clip.

    Parameters
    ----------
    truth : (n,) class numbers
    logits : (n, n_classes)
    """

    truth: np.ndarray
    logits: np.ndarray

    @property
    def confusion(self) -> np.ndarray:
        """Counts (n_classes, n_classes): row the truth, column the answer."""
        n_classes = self.logits.shape[1]
        pairs = self.truth * n_classes + self.logits.argmax(axis=1)
        return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)

    @property
    def recall(self) -> np.ndarray:
        """(n_classes,) share of each class that was recognised; NaN where it has no clip."""
        counts = self.confusion.sum(axis=1)
        return np.divide(
            np.diag(self.confusion), counts, out=np.full(len(counts), np.nan), where=counts > 0
        )

    @property
    def uar(self) -> float:
        """Unweighted average recall over the classes that have clips."""
        return float(np.nanmean(self.recall))

    @property
    def accuracy(self) -> float:
        """Share of clips that were recognised."""
        return float(np.mean(self.logits.argmax(axis=1) == self.truth))


def pool(reports: list[Report]) -> Report:
    """All clips of several reports as one."""
    return Report(
        np.concatenate([r.truth for r in reports]), np.concatenate([r.logits for r in reports])
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (n, n_classes) of logits."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


def fit_temperature(report: Report, weights: np.ndarray | None = None) -> float:
    """The divisor of the logits that makes the truth likeliest (Guo et al., 2017).

    Parameters
    ----------
    weights : (n,) how much each clip counts; all the same by default
    """
    grid = np.exp(np.linspace(np.log(0.2), np.log(5.0), 300))
    rows = np.arange(len(report.truth))
    losses = [
        np.average(-np.log(softmax(report.logits / t)[rows, report.truth] + 1e-12), weights=weights)
        for t in grid
    ]
    return float(grid[int(np.argmin(losses))])


def calibration_error(report: Report, temperature: float) -> float:
    """Expected calibration error: mean gap between confidence and accuracy, by bin."""
    confidence, right = _confidence(report, temperature)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(right))


def choose_threshold(report: Report, temperature: float) -> float:
    """The least confidence above which `TARGET_PRECISION` of the answers are right.

    Where even the surest answers fall short of it, 0.95: nearly always unsure.
    """
    for threshold in np.arange(30, 95) / 100:
        precision, coverage = precision_coverage(report, temperature, threshold)
        if coverage > 0 and precision >= TARGET_PRECISION:
            return float(threshold)
    return 0.95


def precision_coverage(
    report: Report, temperature: float, threshold: float
) -> tuple[float, float]:
    """Share of right ones among the sure answers, and share of sure ones among all."""
    confidence, right = _confidence(report, temperature)
    sure = confidence >= threshold
    return float(right[sure].mean()) if sure.any() else float("nan"), float(sure.mean())


def _confidence(report: Report, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each answer, and whether it is right."""
    probabilities = softmax(report.logits / temperature)
    return probabilities.max(axis=1), report.logits.argmax(axis=1) == report.truth
