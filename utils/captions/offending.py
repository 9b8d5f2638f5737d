"""Words that offend, and which a recogniser may also have misheard: shown, shortened or hidden.

The lists are plain text, one entry a line: those of `offending_words/`, and the operator's own,
which adds to them, and takes away what it names behind a minus sign.
"""

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from utils.captions.export.marks import translations
from utils.events import CaptionEvent, Word
from utils.folders import config_folder
from utils.untrusted import read_text

LISTS = Path(__file__).parent / "offending_words"

STARS = "***"
MOST, LONGEST = 1000, 60  # entries of a list, letters of an entry
LONGEST_FILE = 200_000  # characters
# A letter or digit, as Python's and as JavaScript's expressions write it.
LETTER, SCRIPT_LETTER = r"\w", r"[\p{L}\p{N}_]"
HANGUL = re.compile(r"[가-힣ㄱ-ㅣ]$")
# What stands behind a Korean noun without a space: particles, the copula, and a plural.
PARTICLES = (
    "들 이 가 은 는 을 를 의 에 도 만 아 야 이야 이네 이다 같은 같이 들이 들은 들을 들아".split()
)

log = logging.getLogger(__name__)


def own_list() -> Path:
    """Where the operator's list is looked for."""
    return config_folder() / "offending.txt"


def masking(how: str) -> Callable[[CaptionEvent], CaptionEvent]:
    """What makes a line so that words that offend are read as one of `config.OFFENDING`."""
    words = OffendingWords(own_list())
    return lambda line: words.mask(line, how)


class OffendingWords:
    """Finds words that offend in captions.

    Parameters
    ----------
    own : the operator's list, which need not exist

    Attributes
    ----------
    problem : why the operator's list is not used, if so
    """

    def __init__(self, own: Path) -> None:
        self.problem: str | None = None
        entries = [
            entry
            for path in sorted(LISTS.glob("*.txt"))
            for entry in _entries(read_text(path, LONGEST_FILE))
        ]
        try:
            entries = _changed(entries, _entries(read_text(own, LONGEST_FILE)))
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, ValueError) as err:
            self.problem = f"{own}: {getattr(err, 'strerror', None) or err}"
            log.warning("the list of words that offend is not used: %s", self.problem)
        self._entries = tuple(dict.fromkeys(entries))

    def script_pattern(self) -> str:
        """What finds the words in JavaScript, with the flags g, i and u."""
        return _pattern(self._entries, SCRIPT_LETTER)

    def masked(self, text: str, how: str) -> str:
        """Text as it is to be read.

        Parameters
        ----------
        how : off: as it is; first: a first letter stands for a word; hidden: nothing does
        """
        if how == "off" or not self._entries:
            return text
        found, text = _compiled(self._entries), unicodedata.normalize("NFC", text)
        return found.sub(lambda match: re.sub(r"\S+", lambda w: _short(w[0], how), match[0]), text)

    def mask(self, event: CaptionEvent, how: str) -> CaptionEvent:
        """A line as it is to be read, its words with their times too."""
        if how == "off":
            return event
        text = self.masked(event.text, how)
        words = tuple(self._masked_words(event.words, how))
        masked = replace(event, text=text, words=words)
        if said := dict(translations(event)):
            said = {to: self.masked(each, how) for to, each in said.items()}
            masked = masked.tagged("translation", said)
        return event if masked == event else masked

    def _masked_words(self, words: Sequence[Word], how: str) -> Iterator[Word]:
        """Words with times; an entry may be of several, and one that offends may be in parts."""
        parts = iter(self.masked(" ".join(word.text for word in words), how).split())
        for word in words:
            yield replace(word, text=" ".join(next(parts) for _ in word.text.split()))


def _short(word: str, how: str) -> str:
    return word[0] + STARS if how == "first" else STARS


def _entries(text: str) -> list[str]:
    """The entries of a list, without remarks and blank lines.

    Raises
    ------
    ValueError : too many, or one that is too long or has no letter
    """
    # "é" in one piece, as recognisers write it; macOS may write it in two.
    text = unicodedata.normalize("NFC", text)
    lines = (" ".join(line.partition("#")[0].split()) for line in text.splitlines())
    entries = [line for line in lines if line]
    if len(entries) > MOST:
        raise ValueError(f"{len(entries)} entries; expected {MOST} at most")
    for entry in entries:
        if len(entry) > LONGEST or not re.search(r"\w", entry):
            raise ValueError(
                f"“{entry[:30]}”: expected a word of {LONGEST} letters at most, with * where any "
                "letters may stand before or after it"
            )
    return entries


def _changed(entries: Iterable[str], own: Iterable[str]) -> list[str]:
    """Entries with those of the operator's, and without those that these take away."""
    own = list(own)
    away = {entry[1:].strip().casefold() for entry in own if entry.startswith("-")}
    added = [entry for entry in own if not entry.startswith("-")]
    return [entry for entry in entries if entry.casefold() not in away] + added


@lru_cache(maxsize=8)
def _compiled(entries: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(_pattern(entries, LETTER), re.IGNORECASE)


def _pattern(entries: Iterable[str], letter: str) -> str:
    """One expression for all entries, which are whole words but for their stars."""
    either = "|".join(_expression(entry, letter) for entry in entries) or "(?!)"
    return f"(?<!{letter})(?:{either})(?!{letter})"


def _expression(entry: str, letter: str) -> str:
    """An entry: a star stands for any letters, and a Korean noun may bear particles."""
    stem = entry.strip("*")
    # Signs alone are escaped: JavaScript takes no other backslash.
    words = r"\s+".join(re.sub(r"([\^$\\.*+?()\[\]{}|/])", r"\\\1", part) for part in stem.split())
    before = f"{letter}*" if entry.startswith("*") else ""
    after = f"{letter}*" if entry.endswith("*") else ""
    if not after and HANGUL.search(stem):
        after = f"(?:{'|'.join(sorted(PARTICLES, key=len, reverse=True))})?"
    return before + words + after
