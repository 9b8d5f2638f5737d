"""Predictions taken apart: by seed, group and condition, and calibrated by other folds' voices."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.emotion import evaluate
from training.emotion.predictions import CLEAN, Predictions
from utils.errors import DataError

GROUPS = ("gender", "language", "corpus", "condition", "intensity", "duration", "speaker")
DURATIONS_S = (1, 2, 3, 5)  # where the groups by length meet
GAIN = "gain "  # conditions that change nothing but the level

Figure = Callable[[np.ndarray, np.ndarray], float]  # of truth and logits


@dataclass(frozen=True)
class Spread:
    """A figure over seeds.

    Parameters
    ----------
    mean : over the seeds
    sd : standard deviation of one seed's figure (n - 1 in the divisor); NaN for a single seed
    by_seed : the figure of each seed, in the order of their numbers
    """

    mean: float
    sd: float
    by_seed: tuple[float, ...]


def spread(figures: Sequence[float]) -> Spread:
    """Mean and standard deviation of one figure a seed."""
    sd = float(np.std(figures, ddof=1)) if len(figures) > 1 else float("nan")
    return Spread(float(np.mean(figures)), sd, tuple(float(figure) for figure in figures))


def over_seeds(predictions: Predictions, figure: Figure) -> Spread:
    """A figure such as `evaluate.uar` for each seed, all of its folds together."""
    return spread([figure(p.truth, p.logits) for p in by_seed(predictions)])


def by_seed(predictions: Predictions) -> list[Predictions]:
    """The answers of each seed, in the order of their numbers."""
    return [predictions.only(predictions.seed == seed) for seed in np.unique(predictions.seed)]


def crossfit(predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """A temperature and a threshold for each answer, from folds without that answer's voices.

    Returns
    -------
    temperature : (n,) what calibrates the answers to all other voices
    threshold : (n,) from what confidence the class that was answered is right often enough
        on them

    Raises
    ------
    DataError : a fold beside which no other voice was tested
    """
    speaker, truth = predictions.column("speaker"), predictions.truth
    temperature, threshold = np.empty(len(truth)), np.empty(len(truth))
    for fold in np.unique(predictions.fold):
        mine = predictions.fold == fold
        others = ~np.isin(speaker, speaker[mine])
        if not others.any():
            raise DataError(
                f"fold {fold} tests every speaker, expected folds with speakers of their own: "
                "cross-validate, or give the temperature of the model that answered"
            )
        fitted = evaluate.fit_temperature(truth[others], predictions.logits[others])
        temperature[mine] = fitted
        chosen = evaluate.choose_thresholds(
            [(truth[others], predictions.logits[others] / fitted)], evaluate.TARGETS["sure"]
        )
        threshold[mine] = chosen[predictions.answer[mine]]
    return temperature, threshold


def groups(predictions: Predictions, name: str) -> np.ndarray:
    """The group of each answer, str (n,), by one of `GROUPS`."""
    if name == "condition":
        return predictions.condition
    if name != "duration":
        return predictions.column(name)
    edges = DURATIONS_S
    names = [f"{a} to {b} s" for a, b in zip((0, *edges), edges)] + [f"{edges[-1]} s or more"]
    return np.array(names)[np.digitize(predictions.duration_s, edges)]


def by_group(predictions: Predictions, name: str) -> dict[str, Spread]:
    """UAR of each group, in the order of their names; over the classes that a group has."""
    of = groups(predictions, name)
    return {
        group: over_seeds(predictions.only(of == group), evaluate.uar) for group in in_order(of)
    }


def in_order(names: np.ndarray) -> list[str]:
    """Each name once, sorted, and by size where a number stands apart: "gain -30 dB" first."""

    def key(name: str) -> list[str | int]:
        parts = re.split(r"(?<=\s)([-+]?\d+)", name)
        return [int(part) if i % 2 else part for i, part in enumerate(parts)]

    return sorted(set(names.tolist()), key=key)


def gender_gap(predictions: Predictions) -> Spread | None:
    """UAR of women less UAR of men, over seeds; None where one of them is not heard."""
    gender = predictions.column("gender")
    if not {"female", "male"} <= set(gender.tolist()):
        return None
    women, men = (
        over_seeds(predictions.only(gender == name), evaluate.uar) for name in ("female", "male")
    )
    return spread([f - m for f, m in zip(women.by_seed, men.by_seed, strict=True)])


def uar_lost(predictions: Predictions, condition: str) -> Spread:
    """UAR of clips as recorded, less that of the same clips under `condition`, over seeds."""
    return spread(
        [
            evaluate.uar(clean.truth, clean.logits) - evaluate.uar(other.truth, other.logits)
            for clean, other in (_paired(p, condition) for p in by_seed(predictions))
        ]
    )


def unchanged(predictions: Predictions, conditions: Sequence[str]) -> float:
    """Share of answers to clips as recorded that stay the same in every one of `conditions`."""
    same: dict[tuple, bool] = {}
    for condition in conditions:
        clean, other = _paired(predictions, condition)
        for key, kept in zip(_keys(clean), (clean.answer == other.answer).tolist()):
            same[key] = same.get(key, True) and kept
    return sum(same.values()) / len(same)


def _paired(predictions: Predictions, condition: str) -> tuple[Predictions, Predictions]:
    """Answers of the same models to the same clips as recorded, and under `condition`."""
    clean = predictions.only(predictions.condition == CLEAN)
    other = predictions.only(predictions.condition == condition)
    row = {key: i for i, key in enumerate(_keys(clean))}
    keys = _keys(other)
    rows = [row[key] for key in keys if key in row]
    if not rows or len(rows) < len(keys):
        raise DataError(
            f"{len(keys) - len(rows)} of {len(keys)} answers in condition {condition!r} have none "
            f"in {CLEAN!r} beside them: test the same clips in both"
        )
    return clean.take(rows), other


def _keys(predictions: Predictions) -> list[tuple]:
    """What model answered to which clip."""
    paths = [clip.path for clip in predictions.clips]
    return list(zip(paths, predictions.fold.tolist(), predictions.seed.tolist()))
