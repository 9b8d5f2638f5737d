"""Growing text that stays as it was read.

A recogniser that guesses along with the speech changes its mind about the last words many
times, and its second pass over a finished line changes more. Text that is rewritten under
the reader's eye is tiring (Liu et al., "Modeling and improving text stability in live
captions", CHI 2023). So a word is shown once it has stood for a while, is not changed while
the line grows, and the finished line corrects only so many of the words that were shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from utils.audio import SAMPLE_RATE
from utils.events import Transcription, Word
from utils.words import align, covered

RATE = 0.035  # corrections for each word of finished lines
SURE = 0.6  # probability of the words that a correction puts in, under which it is not worth one
MOST_AT_ONCE = 3.0  # corrections that a quiet while can save up


@dataclass
class Corrections:
    """How many words that were shown may still be changed, over a whole session."""

    left: float = 0.0

    def earn(self, n_words: int) -> None:
        """Take account of a finished line of so many words."""
        self.left = min(self.left + RATE * n_words, MOST_AT_ONCE)

    def spend(self, n_words: int) -> bool:
        """Whether so many words may be changed; if so, they are counted."""
        if n_words > self.left:
            return False
        self.left -= n_words
        return True


class SteadyText:
    """The text of one segment as it is shown.

    Parameters
    ----------
    settle_s : for how long a word, and all before it, must have stood unchanged to be shown;
        0 where only words come that stay
    corrections : what the finished line may still change, shared by all segments
    shown : words that stand on the page already, see `beyond`

    Attributes
    ----------
    beyond : after `finish`, words that were shown and belong to the next segment
    """

    def __init__(
        self, settle_s: float, corrections: Corrections, shown: Sequence[str] = ()
    ) -> None:
        self._settle = int(settle_s * SAMPLE_RATE)
        self._corrections = corrections
        self._shown = list(shown)
        self.beyond: list[str] = []
        self._waiting: list[tuple[str, int]] = []  # words not shown yet, and since when they stand

    def accept(self, text: str, n_samples: int) -> str:
        """Take what the recogniser makes of the first `n_samples`; return what to show."""
        words = text.split()
        if not self._settle:
            return self._grown(words)
        if words[: len(self._shown)] == self._shown:
            rest = words[len(self._shown) :]
        else:  # it has changed its mind about words that are shown, and they stay
            rest = words[covered(self._shown, words) :]
        same = 0
        while same < min(len(rest), len(self._waiting)) and rest[same] == self._waiting[same][0]:
            same += 1
        self._waiting[same:] = [(word, n_samples) for word in rest[same:]]
        # The last word is often the beginning of a longer one.
        while len(self._waiting) > 1 and n_samples - self._waiting[0][1] >= self._settle:
            self._shown.append(self._waiting.pop(0)[0])
        return " ".join(self._shown)

    def _grown(self, words: list[str]) -> str:
        """Take the words of an engine that takes none back, but may put a mark to the last."""
        n_before = max(0, len(self._shown) - 1)
        if words[:n_before] == self._shown[:-1] and "".join(words[n_before:]).startswith(
            "".join(self._shown[n_before:])
        ):
            self._shown = words
        else:  # some were shown with the segment before
            self._shown += words[covered(self._shown, words) :]
        return " ".join(self._shown)

    def finish(self, result: Transcription, split: bool = False) -> Transcription:
        """The finished line: what was heard in the end, with few of the shown words changed.

        A line of which nothing is left in the end was no speech, and goes.

        Parameters
        ----------
        split : the segment ends before what was shown of it; the rest is in `beyond`
        """
        final = result.text.split()
        if split:
            end = covered(final, self._shown)
            self._shown, self.beyond = self._shown[:end], self._shown[end:]
        self._corrections.earn(len(final))
        if not final or not self._shown:
            return result
        end = covered(self._shown, final)
        times = result.words if len(result.words) == len(final) else ()
        line = self._corrected(final[:end], times)
        line += [(word, end + i) for i, word in enumerate(final[end:])]
        return Transcription(" ".join(word for word, _ in line), tuple(_timed(line, times)))

    def _corrected(self, final: list[str], times: tuple[Word, ...]) -> list[tuple[str, int | None]]:
        """What was shown, with the corrections that are left; and each word's place in `final`.

        The last words are corrected first: they have hardly been read.
        """
        stretches = [list(steps) for _, steps in groupby(align(self._shown, final), lambda s: s[0])]
        kept: list[list[tuple[str, int | None]]] = []
        for stretch in reversed(stretches):
            heard = [there for _, _, there in stretch if there is not None]
            same_words = stretch[0][0]
            if same_words or (_sure(heard, times) and self._corrections.spend(len(stretch))):
                kept.append([(final[there], there) for there in heard])
            else:
                kept.append([(self._shown[i], there) for _, i, there in stretch if i is not None])
        return [word for stretch in reversed(kept) for word in stretch]


def _sure(places: list[int], times: tuple[Word, ...]) -> bool:
    """Whether the engine is sure of the words at these places, as far as it tells."""
    known = [c for i in places if times and (c := times[i].confidence) is not None]
    return not known or sum(known) / len(known) >= SURE


def _timed(line: list[tuple[str, int | None]], times: tuple[Word, ...]) -> Iterator[Word]:
    """The words of a line with times; one that has none of its own shares its neighbour's."""
    groups: list[list[str]] = []
    owners: list[Word] = []
    for text, there in line if times else ():
        if there is None and owners or len(groups) > len(owners):
            groups[-1].append(text)
        else:
            groups.append([text])
        if there is not None:
            owners.append(times[there])
    for texts, owner in zip(groups, owners, strict=False):
        part_s = (owner.end_s - owner.start_s) / len(texts)
        for i, text in enumerate(texts):
            start_s = owner.start_s + i * part_s
            yield Word(text, start_s, start_s + part_s, owner.confidence)
