"""What a terminal shows of a report: main figures, those of each class, what was named."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from training.emotion.predictions import Predictions
from training.reports.markdown import error_text, spread_text
from training.reports.report import write_report
from utils.events import Emotion

HEAD = ("class", "clips", "recall", "precision", "F1")
NAMED_HEAD = ("named", "sure", "likely", "of all", "how sure, mean")


def say_report(
    predictions: Predictions, folder: Path, title: str, temperature: float | None = None
) -> dict:
    """Write a report, print its main figures, and return all; as `write_report`."""
    figures = write_report(predictions, folder, title, temperature)
    uar, ece = figures["overall"]["uar"], figures["calibration"]["ece"]
    print(f"{title}\n  UAR {spread_text(uar)} %, ECE {error_text(ece)}, report in {folder}")
    return figures


def named_text(
    answers: Sequence[tuple[Emotion | None, Mapping[str, float]]], labels: Sequence[str]
) -> str:
    """How often each class was named in each grade, and how sure; whether right is not asked.

    Parameters
    ----------
    answers : what was named of each recording, None where nothing was, and its scores; some
    """
    found = [(e.label if e else None, e.grade if e else None, max(s.values())) for e, s in answers]
    rows = []
    for label in (*labels, None):
        own = [(grade, score) for name, grade, score in found if name == label]
        grades = [f"{sum(g == grade for g, _ in own)}" for grade in ("sure", "likely")]
        rows.append(
            (
                label or "nothing, unsure",
                *(grades if label else ("–", "–")),
                f"{len(own)} ({100 * len(own) / len(found):.0f} %)",
                _percent(float(np.mean([score for _, score in own])) if own else None),
            )
        )
    return "\n".join(_table(NAMED_HEAD, rows))


def classes_text(report: dict) -> str:
    """Two tables of what `write_report` returns; those that do not exist are a dash."""
    labels = list(report["classes"])
    figures = [
        (label, f"{c['answers']:,}", *(_percent(c[key]) for key in ("recall", "precision", "f1")))
        for label, c in report["classes"].items()
    ]
    taken = [(label, *map(str, row)) for label, row in zip(labels, report["confusion"])]
    return "\n".join(
        [*_table(HEAD, figures), "", *_table(("truth, and what it is taken for", *labels), taken)]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    return [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        )
        for row in (head, *rows)
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
