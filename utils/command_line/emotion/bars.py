"""Probabilities as bars, in a terminal of any width."""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence

FULL, PARTS, PLAIN = "█", " ▏▎▍▌▋▊▉", "#"
WIDE = 30  # characters of a bar that stands alone
NARROWEST, WIDEST = 3, 12  # of one beside others


def bar(share: float, width: int) -> str:
    """So much of `width` characters, by eighths of one where the terminal knows such signs."""
    share = min(max(share, 0.0), 1.0)
    if not _knows(FULL + PARTS):
        return (PLAIN * round(share * width)).ljust(width)
    whole, part = divmod(round(8 * share * width), 8)
    return (FULL * whole + PARTS[part].strip()).ljust(width)


def bars(scores: Mapping[str, float]) -> str:
    """A line for each class: its name, its bar, and its percentage."""
    longest = max(map(len, scores))
    lines = (
        f"  {label:<{longest}}  {bar(share, WIDE)}  {100 * share:3.0f} %\n"
        for label, share in scores.items()
    )
    return "".join(lines)


def clock(time_s: float) -> str:
    """A place in a recording: 0:03, 12:40 or 1:02:03; with tenths where it has any."""
    tenths = round(10 * time_s)
    minutes, rest = divmod(tenths, 600)
    text = f"{rest // 10:02}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{minutes // 60}:{minutes % 60:02}:{text}" if minutes >= 60 else f"{minutes}:{text}"


class Table:
    """A column for each class, and a row for each chunk, with a bar in each column.

    Parameters
    ----------
    labels : the classes
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._named = max(len("no speech"), *(len(f"{label}, likely") for label in labels))
        left = shutil.get_terminal_size().columns - self._named - 10
        self._cell = min(max(left // len(labels) - 1, NARROWEST), WIDEST)

    def head(self) -> str:
        """What the columns are."""
        cells = (label[: self._cell].ljust(self._cell) for label in self._labels)
        return self._row("from", "", cells)

    def row(self, start_s: float, named: str, scores: Mapping[str, float] | None) -> str:
        """A chunk, with what is told of it; no bars where it has no scores."""
        shares = scores or {}
        cells = (bar(shares.get(label, 0.0), self._cell) for label in self._labels)
        return self._row(clock(start_s), named, cells)

    def _row(self, time: str, named: str, cells: Iterable[str]) -> str:
        return f"{time:>7}  {named:<{self._named}} {' '.join(cells)}".rstrip() + "\n"


def _knows(signs: str) -> bool:
    """Whether standard output can say them."""
    try:
        signs.encode((sys.stdout and sys.stdout.encoding) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
