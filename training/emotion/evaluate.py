"""How well a model does on voices it has not heard, and how far its word can be trusted.

Plain functions on arrays: `truth` is int (n,), `logits` are (n, n_classes). To judge a
calibrated model, divide its logits by the temperature first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from utils.emotion.judgement import NEVER

N_BINS = 15  # of the expected calibration error, as in Guo et al., 2017
TARGETS = {"sure": 0.9, "likely": 0.7}  # right, of what is named so on corpora left out whole
MAX_NAMED = {"sure": 0.01, "likely": 0.05}  # of people who read aloud and act nothing
MOST_UNDER = 0.15  # by which one corpus alone may fall short of the target
MIN_NAMED = 20  # fewer answers than this prove no precision
TEMPERATURES = (0.05, 20.0)  # a fit stays inside, also where every answer is right or none


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers by how sure they are, in `N_BINS` bins of equal width over [0, 1]; (N_BINS,) each.

    Parameters
    ----------
    count : answers in the bin
    confidence : their mean probability; NaN in an empty bin
    accuracy : the share of them that is right; NaN in an empty bin
    """

    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (n, n_classes) of logits, float64."""
    return np.exp(_log_softmax(logits))


def confusion(truth: np.ndarray, answer: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts (n_classes, n_classes): row the truth, column the answer."""
    counts = np.bincount(truth * n_classes + answer, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def recall(counts: np.ndarray) -> np.ndarray:
    """(n_classes,) share of each class that was recognised; NaN where it has no clip.

    Parameters
    ----------
    counts : what `confusion` returns
    """
    return _share(np.diag(counts), counts.sum(axis=1))


def precision(counts: np.ndarray) -> np.ndarray:
    """(n_classes,) share of each class's answers that is right; NaN where there is none."""
    return _share(np.diag(counts), counts.sum(axis=0))


def f1(counts: np.ndarray) -> np.ndarray:
    """(n_classes,) harmonic mean of precision and recall; NaN where a class never occurs."""
    return _share(2 * np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1))


def uar(truth: np.ndarray, logits: np.ndarray) -> float:
    """Unweighted average recall over the classes that have clips; NaN where there is no clip."""
    by_class = recall(confusion(truth, logits.argmax(axis=1), logits.shape[1]))
    return _mean(by_class[~np.isnan(by_class)])


def accuracy(truth: np.ndarray, logits: np.ndarray) -> float:
    """Share of clips that were recognised; NaN where there is no clip."""
    return _mean(logits.argmax(axis=1) == truth)


def fit_temperature(truth: np.ndarray, logits: np.ndarray) -> float:
    """The divisor of the logits that makes the truth likeliest (Guo et al., 2017).

    The likelihood has one peak in the divisor, so that a bounded search finds it.
    """
    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        return -float(_log_softmax(logits / np.exp(log_temperature))[rows, truth].mean())

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(found.x))


def reliability(truth: np.ndarray, logits: np.ndarray) -> Reliability:
    """How often answers are right, by how sure they are: the reliability diagram's bars."""
    confidence, right = _confidence(truth, logits)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    count = np.bincount(bins, minlength=N_BINS)
    sums = (np.bincount(bins, weights=values, minlength=N_BINS) for values in (confidence, right))
    return Reliability(count, *(_share(total, count) for total in sums))


def calibration_error(truth: np.ndarray, logits: np.ndarray) -> float:
    """Expected calibration error (ECE): mean gap between confidence and accuracy, by bin.

    Bins weigh what they hold (Guo et al., 2017). Chance gaps do not cancel: few clips raise it.
    """
    bins = reliability(truth, logits)
    held = bins.count > 0
    gaps = np.abs(bins.confidence - bins.accuracy)[held]
    return float(np.average(gaps, weights=bins.count[held])) if held.any() else float("nan")


def coverage_curve(truth: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy when only the surest answers count, with the surest first.

    Returns
    -------
    coverage : (n,) share of clips that are answered, rising to 1
    accuracy : (n,) share of right ones among them; answers equally sure count alike
    """
    confidence, right = _confidence(truth, logits)
    _, tie = np.unique(confidence, return_inverse=True)
    right = (np.bincount(tie, weights=right) / np.bincount(tie))[tie]
    answered = np.arange(1, len(truth) + 1)
    return answered / len(truth), np.cumsum(right[np.argsort(-confidence)]) / answered


def accuracy_at_coverage(truth: np.ndarray, logits: np.ndarray, coverage: float = 0.5) -> float:
    """Accuracy on the surest clips, a share `coverage` of all."""
    _, curve = coverage_curve(truth, logits)
    return float(curve[max(1, round(coverage * len(curve))) - 1])


def choose_thresholds(groups: Sequence[tuple[np.ndarray, np.ndarray]], target: float) -> np.ndarray:
    """Of each class, the least confidence from which what is named so is right often enough.

    Parameters
    ----------
    groups : truth and logits of each group of answers, such as those to one corpus. Each counts
        the same, whatever its size, and none may fall short by more than `MOST_UNDER`: the next
        corpus may be like any of them
    target : the share of answers that should be right

    Returns
    -------
    (n_classes,) from 0.30 to 0.99. `NEVER` where there is none, or where fewer than `MIN_NAMED`
    answers would show it
    """
    answers = [(logits.argmax(axis=1), *_confidence(truth, logits)) for truth, logits in groups]

    def holds(label: int, threshold: float) -> bool:
        named = [right[(answer == label) & (p >= threshold)] for answer, p, right in answers]
        shares = [
            (len(right) / len(answer), right.sum() / len(answer))
            for right, (answer, _, _) in zip(named, answers)
        ]
        n, n_right = np.sum(shares, axis=0)
        if sum(map(len, named)) < MIN_NAMED or n_right < target * n:
            return False
        return all(
            right.mean() >= target - MOST_UNDER for right in named if len(right) >= MIN_NAMED
        )

    return np.array(
        [
            next((t for t in np.arange(30, 100) / 100 if holds(label, t)), NEVER)
            for label in range(groups[0][1].shape[1])
        ]
    )


def quiet_thresholds(
    logits: np.ndarray, thresholds: np.ndarray, neutral: int, most: float
) -> np.ndarray:
    """Thresholds, raised until at most a share `most` of read speech is named an emotion.

    Parameters
    ----------
    logits : answers (n, n_classes) to people who read aloud
    thresholds : (n_classes,)
    neutral : the class that is no mistake there, whose threshold stays
    """
    if not len(logits):
        return thresholds
    answer, confidence = logits.argmax(axis=1), softmax(logits).max(axis=1)
    named = (answer != neutral) & (confidence >= thresholds[answer])
    if named.sum() <= most * len(named):
        return thresholds
    highest = np.quantile(np.where(named, confidence, 0), 1 - most, method="inverted_cdf")
    floor = min(1.0, np.floor(100 * highest + 1) / 100)
    emotions = np.arange(len(thresholds)) != neutral
    return np.where(emotions, np.maximum(thresholds, floor), thresholds)


def precision_coverage(
    truth: np.ndarray, logits: np.ndarray, threshold: float | np.ndarray
) -> tuple[float, float]:
    """Share of right ones among the sure answers (NaN: none), and of sure ones among all.

    Parameters
    ----------
    threshold : the least confidence of a sure answer, one for all or one for each row, (n,)
    """
    confidence, right = _confidence(truth, logits)
    sure = confidence >= threshold
    return _mean(right[sure]), _mean(sure)


def _confidence(truth: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability (n,) of each answer, and whether it is right, bool (n,)."""
    return softmax(logits).max(axis=1), logits.argmax(axis=1) == truth


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float64)
    return logits - logsumexp(logits, axis=1, keepdims=True)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
