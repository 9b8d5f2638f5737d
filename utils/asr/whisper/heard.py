"""What a pass of Whisper over a segment made of it, and whether it went round in a loop.

Whisper's decoder can repeat the words before it for ever; and people do say the same again: "no,
no, no", a count, a name called three times. Where it loops, it looks at no new sound: by the times
of its words many of them take none.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from utils.events import Word

REPEATS = 2.4  # compression ratio from which text repeats itself, as in whisper/transcribe.py
SHORT_S = 0.08  # no longer than this is no word; some of plain speech are told to be
SHORT, OF = 3, 5  # so many short words of so many after one another are in no plain speech
LONG_S = 2.0  # in text that repeats itself, a word that seems to last so long hides others
_SMOOTH = 10  # frames: 0.1 s


@dataclass(frozen=True)
class Heard:
    """What one pass over a segment made of it.

    Parameters
    ----------
    words : with times from the segment's start and probabilities
    log_probability : mean of the tokens
    no_speech : probability, in [0, 1], that there is no speech at all
    whole : it ended by itself, and repeats nothing but what was said again
    cost_s : how long it took
    """

    words: tuple[Word, ...]
    log_probability: float
    no_speech: float
    whole: bool
    cost_s: float = 0.0

    @property
    def text(self) -> str:
        """The words, with spaces between."""
        return " ".join(word.text for word in self.words)


NOTHING = Heard((), 0.0, 1.0, True)


def repeats(text: str) -> bool:
    """Whether text says the same again and again, be it said or made up."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) > REPEATS if data else False


def before_loop(words: Sequence[Word]) -> int:
    """How many words of a text that repeats itself come before the decoder goes in a loop."""
    short = [word.end_s - word.start_s <= SHORT_S for word in words]
    for at in range(len(short)):
        at_end = len(short) - at >= 2 and all(short[at:])
        if short[at] and (at_end or sum(short[at : at + OF]) >= SHORT):
            return at
    return len(words)


def is_loop(words: Sequence[Word]) -> bool:
    """Whether a text that repeats itself is not what was said."""
    skips = any(word.end_s - word.start_s > LONG_S for word in words)
    return skips or before_loop(words) < len(words)


def quietest(features: np.ndarray) -> int:
    """The quietest of the middle third of some frames, (n_mels, n_frames)."""
    n = features.shape[1]
    level = np.convolve(features.mean(axis=0), np.ones(_SMOOTH) / _SMOOTH, "same")
    return n // 3 + int(level[n // 3 : 2 * n // 3].argmin())


def joined(first: Heard, second: Heard, at_s: float) -> Heard:
    """Both halves of a segment, of which the second begins at a time."""
    later = (word.later(at_s) for word in second.words)
    if not (first.words and second.words):
        said = second if second.words else first
        return replace(said, words=(*first.words, *later))
    share = len(first.words) / (len(first.words) + len(second.words))
    return Heard(
        (*first.words, *later),
        share * first.log_probability + (1 - share) * second.log_probability,
        min(first.no_speech, second.no_speech),
        first.whole and second.whole,
    )
