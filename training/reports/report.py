"""A report on predictions: figures as JSON, the same to read as Markdown, and four pictures."""

import json
import math
from collections import Counter
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from training.emotion import evaluate
from training.emotion.predictions import CLEAN, Predictions
from training.reports import breakdown, plots
from training.reports.breakdown import GAIN, GROUPS, Spread
from training.reports.markdown import to_markdown
from utils.errors import DataError

COVERAGES = (1.0, 0.9, 0.75, 0.5, 0.25)
THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
EVERY_GAIN = "every gain"


def write_report(
    predictions: Predictions, folder: Path, title: str, temperature: float | None = None
) -> dict:
    """Write report.json, report.md, and confusion, reliability, coverage and groups as PNG.

    Parameters
    ----------
    title : what was tested, in a few words
    temperature : that of the model that answered; by default each fold is calibrated by the
        voices of the others, and a single fold not at all

    Returns
    -------
    report : what report.json holds

    Raises
    ------
    DataError : no answer to a clip as recorded, or a folder that cannot be written
    """
    predictions = predictions.acted()
    clean = predictions.only(predictions.condition == CLEAN)
    if not len(clean):
        raise DataError(
            f"{len(predictions)} answers and none in condition {CLEAN!r}: test the clips as "
            "recorded too"
        )
    how, temperatures, thresholds = _calibrate(clean, temperature)
    calibrated = replace(clean, logits=clean.logits / temperatures[:, None])
    calibration = {"how": how, "least": temperatures.min(), "most": temperatures.max()}
    groups = _groups(predictions, clean)
    report = {
        name: _plain(part)
        for name, part in {
            "title": title,
            "tested": _tested(predictions, clean),
            "overall": _overall(clean),
            "classes": _classes(clean),
            "confusion": _counts(clean),
            "calibration": calibration | _calibration(clean, calibrated),
            "accuracy_at_coverage": _coverage(calibrated),
            "shown": _shown(calibrated, thresholds),
            "groups": groups,
            "women_less_men": breakdown.gender_gap(clean),
            "conditions": _conditions(predictions),
        }.items()
    }
    _write(report, folder)
    _draw(clean, calibrated, groups, folder)
    return report


def _calibrate(
    clean: Predictions, temperature: float | None
) -> tuple[str, np.ndarray, np.ndarray | None]:
    """How the answers are calibrated, with each one's temperature and, if fitted, threshold."""
    if temperature is not None:
        return "given", np.full(len(clean), temperature), None
    if len(np.unique(clean.fold)) == 1:
        return "none", np.ones(len(clean)), None
    return "other folds", *breakdown.crossfit(clean)


def _tested(predictions: Predictions, clean: Predictions) -> dict:
    """Who and what the figures are about."""
    speakers, corpora = clean.column("speaker"), {c.path: c.corpus for c in clean.clips}
    return {
        "clips": len(corpora),
        "answers": len(clean),
        "corpora": dict(Counter(corpora.values())),
        "speakers": len(set(speakers.tolist())),
        "labels": list(clean.labels),
        "seeds": np.unique(clean.seed).tolist(),
        "folds": {
            str(fold): sorted(set(speakers[clean.fold == fold].tolist()))
            for fold in np.unique(clean.fold)
        },
        "conditions": breakdown.in_order(predictions.condition),
    }


def _overall(clean: Predictions) -> dict:
    """UAR and accuracy over seeds, and the UAR of each fold."""
    folds = {str(fold): clean.only(clean.fold == fold) for fold in np.unique(clean.fold)}
    return {
        "uar": breakdown.over_seeds(clean, evaluate.uar),
        "accuracy": breakdown.over_seeds(clean, evaluate.accuracy),
        "uar_by_fold": {k: breakdown.over_seeds(fold, evaluate.uar) for k, fold in folds.items()},
    }


def _classes(clean: Predictions) -> dict:
    """Answers, recall, precision and F1 of each class, all seeds together."""
    counts = _counts(clean)
    figures = {
        "answers": counts.sum(axis=1),
        "recall": evaluate.recall(counts),
        "precision": evaluate.precision(counts),
        "f1": evaluate.f1(counts),
    }
    return {
        label: {name: values[i] for name, values in figures.items()}
        for i, label in enumerate(clean.labels)
    }


def _calibration(clean: Predictions, calibrated: Predictions) -> dict:
    """ECE over seeds, before and after, and the reliability bins of all seeds together."""
    return {
        "ece": breakdown.over_seeds(calibrated, evaluate.calibration_error),
        "ece_uncalibrated": breakdown.over_seeds(clean, evaluate.calibration_error),
        "bins": vars(evaluate.reliability(calibrated.truth, calibrated.logits)),
    }


def _coverage(calibrated: Predictions) -> dict:
    """Accuracy on the surest clips, over seeds, by the share of clips that are answered."""
    return {
        str(share): breakdown.over_seeds(
            calibrated, partial(evaluate.accuracy_at_coverage, coverage=share)
        )
        for share in COVERAGES
    }


def _shown(calibrated: Predictions, thresholds: np.ndarray | None) -> dict:
    """Precision and coverage of the answers that are sure enough to be shown."""

    def at(least: float | np.ndarray) -> dict:
        figures = evaluate.precision_coverage(calibrated.truth, calibrated.logits, least)
        return dict(zip(("precision", "coverage"), figures))

    shown = {"by_threshold": {str(least): at(least) for least in THRESHOLDS}}
    if thresholds is not None:
        shown["chosen"] = at(thresholds) | {
            "target": evaluate.TARGETS["sure"],
            "least": thresholds.min(),
            "most": thresholds.max(),
        }
    return shown


def _groups(predictions: Predictions, clean: Predictions) -> dict[str, dict[str, Spread]]:
    """UAR of each speaker, and by every other kind of group that there are two or more of."""
    found = {
        kind: breakdown.by_group(predictions if kind == "condition" else clean, kind)
        for kind in GROUPS
    }
    return {kind: groups for kind, groups in found.items() if kind == "speaker" or len(groups) > 1}


def _conditions(predictions: Predictions) -> dict:
    """UAR lost in each condition, and how many labels a change of level leaves alone."""
    changed = [c for c in breakdown.in_order(predictions.condition) if c != CLEAN]
    gains = [c for c in changed if c.startswith(GAIN)]
    unchanged = {gain: breakdown.unchanged(predictions, [gain]) for gain in gains}
    if gains:
        unchanged[EVERY_GAIN] = breakdown.unchanged(predictions, gains)
    return {
        "uar_lost": {c: breakdown.uar_lost(predictions, c) for c in changed},
        "label_unchanged": unchanged,
    }


def _write(report: dict, folder: Path) -> None:
    """The report to read, for programs and for people."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        (folder / "report.md").write_text(to_markdown(report), encoding="utf-8")
    except OSError as err:
        raise DataError(f"{folder}: cannot write a report there ({err.strerror})") from err


def _draw(
    clean: Predictions,
    calibrated: Predictions,
    groups: dict[str, dict[str, Spread]],
    folder: Path,
) -> None:
    plots.plot_confusion(_counts(clean), clean.labels, folder / "confusion.png")
    stages = {"as trained": clean, "calibrated": calibrated}
    if np.array_equal(clean.logits, calibrated.logits):
        del stages["calibrated"]
    bins = {name: evaluate.reliability(p.truth, p.logits) for name, p in stages.items()}
    plots.plot_reliability(bins, folder / "reliability.png")
    seeds = breakdown.by_seed(calibrated)
    curves = [evaluate.coverage_curve(p.truth, p.logits) for p in seeds]
    plots.plot_coverage(curves, folder / "coverage.png")
    plots.plot_groups(groups, breakdown.over_seeds(clean, evaluate.uar), folder / "groups.png")


def _counts(clean: Predictions) -> np.ndarray:
    return evaluate.confusion(clean.truth, clean.answer, len(clean.labels))


def _plain(value: object) -> object:
    """What JSON can hold: numbers to four places, None for those that do not exist."""
    if isinstance(value, Spread):
        value = asdict(value)
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value
