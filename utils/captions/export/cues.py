"""Subtitle cues: a line in parts that fit, cut where a reader would pause.

Rules of DCMP and BBC: a cue ends with a sentence or a phrase, not behind an article, a preposition
or a title, and no word stands alone in a cue of its own.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

LINE_CHARS = 42  # BBC and Netflix guidelines: what a line of subtitles may hold; wide ones are two
CUE_LINES = 2
# As `static/js/rows.js` has them: they belong to what follows.
LEADING = frozenset(
    (
        "and but or so because that which who when where while if than as of in on at to for from "
        "with by about after before into over under between through during without within against "
        "until since near behind beside across along among around beyond except upon via whether "
        "the a an this these those my your his her its our their no every each some "
        "mr mrs ms mx dr prof st mt rev gen col capt sgt lt hon fig"
    ).split()
)
SHORT = frozenset("mr mrs ms mx dr prof st mt rev gen col capt sgt lt hon fig jr sr vs etc".split())
# What it costs to cut behind a word, by how it ends; and what a bad cue costs.
SENTENCE, PHRASE, NOWHERE, WITHIN = 0.0, 3.0, 8.0, 20.0
ANOTHER_CUE, ALONE, HASTY = 30.0, 40.0, 15.0
# A cue stands long enough to be read where the next one leaves time: BBC and Netflix guidelines.
SHORTEST_S, LETTERS_A_SECOND = 1.0, 17

Timed = tuple[str, float, float]  # a word, from when to when, in seconds


@dataclass(frozen=True)
class Cue:
    """Up to two rows of text, from when to when."""

    start_s: float
    end_s: float
    text: str


def width(text: str) -> int:
    """Characters of a line that text takes; Korean, Chinese and Japanese ones take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def cues(words: Sequence[Timed], start_s: float, end_s: float) -> Iterator[Cue]:
    """Cut timed words into cues that fit.

    Parameters
    ----------
    words : of a line, in their order; one that is wider than a row stands in a row of its own
    start_s, end_s : of the line, when its first cue begins and its last one ends
    """
    widths = [width(word) for word, _, _ in words]
    costs = [_cost(word) for word, _, _ in words]
    next_s = [*(begin_s for _, begin_s, _ in words), end_s]  # when what follows begins
    best = [0.0] + [float("inf")] * len(words)  # of the words before, cut as well as they can be
    cut: list[tuple[int, int]] = [(0, 0)] * (
        len(words) + 1
    )  # where the last cue begins, and its row
    for end in range(1, len(words) + 1):
        for start in range(end - 1, -1, -1):
            row, cost = _rows(widths, costs, start, end)
            if row is None:
                break
            alone = ALONE if end - start == 1 and len(words) > 1 else 0.0
            last = 0.0 if end == len(words) else costs[end - 1]
            stands_s = next_s[end] - (words[start][1] if start else start_s)
            hasty = HASTY if stands_s < SHORTEST_S else 0.0
            total = best[start] + ANOTHER_CUE + alone + hasty + cost + last
            if total < best[end]:
                best[end], cut[end] = total, (start, row)
    parts, end = [], len(words)
    while end:
        start, row = cut[end]
        parts.append((start, row, end))
        end = start
    for start, row, end in reversed(parts):
        rows = [" ".join(word for word, _, _ in words[a:b]) for a, b in ((start, row), (row, end))]
        text = "\n".join(filter(None, rows))
        begin_s = words[start][1] if start else start_s
        read_s = begin_s + max(SHORTEST_S, len(text) / LETTERS_A_SECOND)
        said_s = end_s if end == len(words) else words[end - 1][2]
        yield Cue(begin_s, min(max(said_s, read_s), max(said_s, next_s[end])), text)


def _rows(
    widths: Sequence[int], costs: Sequence[float], start: int, end: int
) -> tuple[int | None, float]:
    """Where the second row of a cue of these words begins, and what that costs; None: no room."""
    wide = sum(widths[start:end]) + end - start - 1
    if wide <= LINE_CHARS or end - start == 1:
        return end, 0.0
    best, found = float("inf"), None
    first = 0
    for row in range(start + 1, end):
        first += widths[row - 1] + (row - 1 > start)
        second = wide - first - 1
        if first > LINE_CHARS and row > start + 1:
            break
        if second > LINE_CHARS and row < end - 1:
            continue
        # the cut, and how much longer one row is than the other
        cost = costs[row - 1] + abs(first - second) / 10
        if cost < best:
            best, found = cost, row
    return found, best


@cache
def _cost(word: str) -> float:
    """What it costs to cut behind a word."""
    bare = "".join(c for c in word.casefold() if c.isalnum())
    end = word.rstrip("\"'”’)]")
    initials = len(bare) <= 2 and end.endswith(".") and "." in word and word[0].isalpha()
    if bare in SHORT or initials:
        return WITHIN
    if end.endswith((".", "!", "?", "…", "。", "？", "！")):
        return SENTENCE
    if end.endswith((",", ";", ":", "、", "，", "–")):
        return PHRASE
    return WITHIN if bare in LEADING else NOWHERE
