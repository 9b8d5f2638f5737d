"""Which words of a growing segment are sure enough to be shown; what was shown stays.

Two passes over a growing segment differ most at its end. A word is shown once two passes
agree on it (local agreement, Liu et al. 2020, arXiv 2005.11185), or at once where the model
is sure of it and has heard some sound beyond it: what comes later hardly changes words that
the decoder looks for well before the end of the sound (Papi et al. 2023, arXiv 2305.11408).
"""

from collections.abc import Sequence

from utils.events import Word
from utils.words import distances, same

# Chosen on 33 utterances at a simulated pace: words wait longer, and fewer are taken back.
LOOK_AHEAD_S = 0.6  # heard beyond a word, from which one pass is enough
SURE = 0.7  # probability of such a word
EDGE_S = 0.45  # heard beyond a word that two passes agree on; less may be a part of a word
LIKELY = 0.5  # probability of such a word, under which more has to be heard
DOUBT_S = 1.25
# The same of a segment's first word, which somebody waits for.
FIRST_EDGE_S, FIRST_LIKELY, FIRST_DOUBT_S = 0.1, 0.4, 1.0
# Another word that was said so long before the last one that is shown counts as one word more that
# is wrong, and none as more than so many.
EDIT_S, MOST_OFF = 0.6, 2.0
_MARKS = ".,!?;:…"


class Agreement:
    """The words of one segment that are shown. Its text only ever grows at its end."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._starts_s: list[float] = []  # of those, as they were heard when they were shown
        self._ends_s: list[float] = []
        self._last: list[str] = []  # what the pass before made of what is not shown

    @property
    def text(self) -> str:
        """What is shown."""
        return " ".join(self._shown)

    def before(self, time_s: float) -> tuple[int, float]:
        """How many of the words that are shown end by a time, and the last one's end in seconds."""
        n = len(self._ends_s)
        while n and self._ends_s[n - 1] > time_s:
            n -= 1
        return n, self._ends_s[n - 1] if n else 0.0

    def take(
        self, words: Sequence[Word], heard_s: float, paused: bool = False, n_before: int = 0
    ) -> None:
        """Take what a pass made of the segment's first `heard_s` seconds.

        Parameters
        ----------
        paused : they end in a pause, so that the last word is whole
        n_before : words shown that the pass did not hear, as it began behind them
        """
        texts = [word.text for word in words]
        begun = self._begun(words, n_before)
        rest = words[begun:]
        n_sure = 0
        while n_sure < len(rest) and (paused or self._is_sure(rest[n_sure], n_sure, heard_s)):
            n_sure += 1
        if n_sure:
            self._append_mark(texts[begun - 1] if begun else "")
            self._shown += texts[begun : begun + n_sure]
            self._starts_s += [word.start_s for word in rest[:n_sure]]
            self._ends_s += [word.end_s for word in rest[:n_sure]]
            if n_sure == len(rest):  # a mark at the end of the sound is a guess
                self._shown[-1] = self._shown[-1].rstrip(_MARKS) or self._shown[-1]
        self._last = texts[begun + n_sure :]

    def _begun(self, words: Sequence[Word], n_before: int) -> int:
        """How many words of a pass say what is shown: by their letters, and by when they were said.

        By letters alone "You heard" would be "You even" of "You even heard how", and "heard" would
        be shown again.
        """
        known = self._shown[n_before:]
        if not known:
            return 0
        edits = distances(known, [word.text for word in words])[-1]
        costs = [edits[0] + MOST_OFF]
        for edit, word in zip(edits[1:], words, strict=True):
            off_s = min(self._starts_s[-1] - word.start_s, self._ends_s[-1] - word.end_s)
            early = 0.0 if same(word.text, known[-1]) else max(0.0, off_s)
            costs.append(edit + min(early / EDIT_S, MOST_OFF))
        begun = min(range(len(costs)), key=lambda j: (costs[j], abs(j - len(known))))
        while begun < len(words) and words[begun].end_s <= self._starts_s[-1]:
            begun += 1  # a pass that has lost its way
        return begun

    def _is_sure(self, word: Word, place: int, heard_s: float) -> bool:
        beyond_s, confidence = heard_s - word.end_s, word.confidence or 0.0
        if place < len(self._last) and same(self._last[place], word.text):
            if self._shown or place:
                return beyond_s >= (EDGE_S if confidence >= LIKELY else DOUBT_S)
            return beyond_s >= (FIRST_EDGE_S if confidence >= FIRST_LIKELY else FIRST_DOUBT_S)
        return beyond_s >= LOOK_AHEAD_S and confidence >= SURE

    def _append_mark(self, text: str) -> None:
        """The mark behind the last word that is shown, now that another follows it."""
        if self._shown and text.startswith(self._shown[-1]):
            mark = text[len(self._shown[-1]) :]
            if mark and not mark.strip(_MARKS):
                self._shown[-1] = text
