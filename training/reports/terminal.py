"""The figures of each class as a terminal shows them, with the numbers of the confusion matrix."""

from collections.abc import Sequence

HEAD = ("class", "clips", "recall", "precision", "F1")


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
