"""All runs in one table: what is finished, and what is still running."""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.emotion import evaluate
from training.emotion.crossval import FACTS, PREDICTIONS, RUN, read_run
from training.emotion.predictions import CLEAN, Predictions, join
from training.reports.markdown import rate_text, spread_text, table_of
from training.reports.plots import plot_confusion
from training.run import STATE, state_of
from utils.command_line.output import counted
from utils.errors import DataError

logger = logging.getLogger(__name__)

HEAD = (
    "corpus",
    "network",
    "features",
    "settings",
    "protocol",
    "folds",
    "parameters",
    "first weights",
    "WA",
    "UA",
    "accuracy of a fold",
    "training of a fold, processor time",
    "running",
)


NUMBERS = {"parameters": int, "threads": int, "train_s": int | float}  # in a fold's facts
KINDS = {**NUMBERS, "weights": str, "device": str}


@dataclass(frozen=True, eq=False)
class Result:
    """What one run found on one corpus so far.

    Parameters
    ----------
    about : of `crossval`: protocol, network, features, settings
    run : name of its folder
    corpus : that was tested
    done, folds : how many folds are finished, and how many there are
    facts : of the finished ones
    found : their answers to clips as recorded, of the classes that the corpus has
    running : of each fold that has begun, how far it is
    """

    about: Mapping[str, str]
    run: str
    corpus: str
    done: int
    folds: int
    facts: tuple[dict, ...]
    found: Predictions
    running: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of its picture."""
        return f"{self.run}-{self.corpus}"

    @property
    def counts(self) -> np.ndarray:
        """Confusion (n_classes, n_classes): row the truth, column the answer."""
        return evaluate.confusion(self.found.truth, self.found.answer, len(self.found.labels))

    @property
    def figures(self) -> dict:
        """Of JSON: WA is the share of clips that were recognised, UA the mean over classes."""
        found, counts = self.found, self.counts
        folds = [found.only(found.fold == fold) for fold in np.unique(found.fold)]
        by_fold = [evaluate.accuracy(fold.truth, fold.logits) for fold in folds]
        columns = (counts.sum(axis=1), evaluate.precision(counts), evaluate.recall(counts))
        rows = zip(found.labels, *columns, evaluate.f1(counts))
        return {
            **self.about,
            "corpus": self.corpus,
            "folds": [self.done, self.folds],
            "parameters": max(facts["parameters"] for facts in self.facts),
            "weights": sorted({facts["weights"] for facts in self.facts}),
            "wa": evaluate.accuracy(found.truth, found.logits),
            "ua": evaluate.uar(found.truth, found.logits),
            "accuracy": {
                "mean": float(np.mean(by_fold)),
                "sd": float(np.std(by_fold)) if len(by_fold) > 1 else None,
            },
            "train_s": float(np.mean([facts["train_s"] for facts in self.facts])),
            "device": sorted({_device(facts) for facts in self.facts}),
            "classes": {
                label: {
                    "support": int(support),
                    "precision": _number(precision),
                    "recall": _number(recall),
                    "f1": _number(f1),
                }
                for label, support, precision, recall, f1 in rows
            },
            "confusion": counts.tolist(),
            "running": list(self.running),
        }


def collect(runs: Path) -> list[Result]:
    """All that `crossval` has finished under a folder, and how far the rest is; best first.

    Raises
    ------
    DataError : no run in the folder
    """
    found = [result for path in sorted(runs.rglob(RUN)) for result in _results(runs, path)]
    if not found:
        raise DataError(
            "\n".join(
                [
                    f"{runs}: no finished fold of any run in it; `python -m training crossval` "
                    "makes some",
                    *begun(runs),
                ]
            )
        )
    return sorted(found, key=lambda r: (r.corpus, -evaluate.uar(r.found.truth, r.found.logits)))


def begun(runs: Path) -> list[str]:
    """Of each run under a folder that has no finished fold yet, a line on how far it is."""
    lines = []
    for path in sorted(runs.rglob(RUN)):
        try:
            about, folds = read_run(path)
        except DataError:  # `collect` tells of it
            continue
        if not any(map(_is_done, folds)) and (running := _running(folds)):
            lines.append(f"{', '.join(filter(None, about.values()))}: {', '.join(running)}")
    return lines


def write_results(results: Sequence[Result], folder: Path) -> str:
    """Write results.json, results.md and a confusion matrix of each as PNG; the table.

    Raises
    ------
    DataError : the folder cannot be written
    """
    figures = [result.figures for result in results]
    text = "\n".join([table(figures), "", *(_classes(f) for f in figures)])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        (folder / "results.md").write_text(text + "\n", encoding="utf-8")
        for result in results:
            plot_confusion(result.counts, result.found.labels, folder / f"{result.name}.png")
    except OSError as err:
        raise DataError(f"{folder}: cannot write results there ({err.strerror})") from err
    return table(figures)


def table(figures: Sequence[Mapping]) -> str:
    """The runs in Markdown, a line each; rates in percent."""
    rows = [
        (
            *(f["corpus"], f["network"], f["features"], f["settings"], f["protocol"]),
            "{} of {}".format(*f["folds"]),
            f"{f['parameters']:,}",
            ", ".join(f["weights"]),
            f"{100 * f['wa']:.1f}",
            f"{100 * f['ua']:.1f}",
            spread_text(f["accuracy"]),
            f"{f['train_s']:.1f} s ({'; '.join(f['device'])})",
            ", ".join(f["running"]),
        )
        for f in figures
    ]
    return table_of(HEAD, rows)


def _classes(figures: Mapping) -> str:
    """Each class of one run, and what is taken for what, in Markdown."""
    labels = list(figures["classes"])
    heard = " with ".join(filter(None, (figures["features"], figures["settings"])))
    title = f"## {figures['network']} on {heard}, {figures['corpus']}"
    head = ("class", "support", "precision", "recall", "F1", *(f"taken for {x}" for x in labels))
    rows = []
    for (label, f), row in zip(figures["classes"].items(), figures["confusion"]):
        rates = (rate_text(f[name]) for name in ("precision", "recall", "f1"))
        rows.append((label, str(f["support"]), *rates, *map(str, row)))
    return "\n".join([title, "", table_of(head, rows), ""])


def _is_done(fold: Path) -> bool:
    return (fold / PREDICTIONS).is_file() and (fold / FACTS).is_file()


def _running(folds: Sequence[Path]) -> list[str]:
    """How far each fold is that has begun and is not done."""
    states = {fold: sorted(fold.rglob(STATE)) for fold in folds if not _is_done(fold)}
    return [
        f"{fold.name.rpartition('-')[2]}: {state_of(found[-1])}"
        for fold, found in states.items()
        if found
    ]


def _facts(path: Path) -> dict:
    """What `crossval` noted of one network.

    Raises
    ------
    DataError : it is damaged
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        wrong = [name for name, kind in KINDS.items() if not isinstance(facts[name], kind)]
        wrong += [name for name in NUMBERS if name not in wrong and not 0 <= facts[name] < math.inf]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise DataError(f"{path}: not readable ({err})") from err
    if wrong:
        raise DataError(f"{path}: {', '.join(wrong)} not as crossval writes it")
    return facts


def _device(facts: Mapping) -> str:
    return f"{facts['device']}, {counted(facts['threads'], 'thread')}"


def _results(runs: Path, path: Path) -> list[Result]:
    """Of one run, a result for each corpus that it tests; none where nothing is finished."""
    try:
        about, folds = read_run(path)
    except DataError as err:
        logger.warning("%s; it is left out", err)
        return []
    finished: list[tuple[Predictions, dict]] = []
    for own in filter(_is_done, folds):
        try:
            noted = _facts(own / FACTS)
            finished.append((Predictions.load(own / PREDICTIONS), noted))
        except DataError as err:
            logger.warning("%s; left out: delete %s, and run its crossval again", err, own)
    if not finished:
        return []
    name = "-".join(path.parent.relative_to(runs).parts) or runs.resolve().name
    done, running = len(finished), tuple(_running(folds))
    facts = tuple(noted for _, noted in finished)
    every = join([predictions for predictions, _ in finished]).acted()
    every = every.only(every.condition == CLEAN)
    results = []
    for corpus in np.unique(every.column("corpus")).tolist():
        part = every.only(every.column("corpus") == corpus)
        there = {clip.label for clip in part.clips}
        part = part.restrict([label for label in part.labels if label in there])
        results.append(Result(about, name, corpus, done, len(folds), facts, part, running))
    return results


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
