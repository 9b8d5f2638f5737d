"""A line that the presenter mends: other words in place of those that were heard."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from utils.captions.export.marks import plain
from utils.errors import RequestError
from utils.events import CaptionEvent, Word
from utils.messages import say

LONGEST = 1000  # characters of a line; one of 15 s has some three hundred
TAG = "mended"  # the mark of such a line
Tags = dict[str, object]
OF_WORDS = ("translation", "text_emotion")  # tags that are of the words, and go with them


def cleaned(text: str) -> str:
    """The words of a line as somebody has typed them, on one line, without control characters.

    Raises
    ------
    RequestError : there are none, or too many
    """
    words = plain(text)
    if not words or len(words) > LONGEST:
        reason = f"{len(words)} characters; expected 1 to {LONGEST}"
        raise RequestError(say("refused.value", reason=reason))
    return words


class Mended:
    """The lines that were mended, by their segments, and what was heard in them."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[str, tuple[Word, ...], str]] = {}
        self._heard: dict[int, Tags] = {}  # what was said of the words that were heard
        self._anew: dict[int, Tags] = {}  # and of those in their place

    def mend(self, line: CaptionEvent, text: str) -> CaptionEvent:
        """A finished line with other words; with those that were heard it is mended no more."""
        heard, words, _ = self._lines.get(line.segment, (line.text, line.words, ""))
        if text == heard:
            return self.restore(line)
        if line.segment not in self._lines:
            self._heard[line.segment] = _of_words(line)
        self._lines[line.segment] = heard, words, text
        self._anew.pop(line.segment, None)
        return self._mended(line)

    def tell(self, line: CaptionEvent, tag: str, value: object) -> CaptionEvent:
        """A mended line with what is said of its words, by a tag of `OF_WORDS`."""
        self._anew.setdefault(line.segment, {})[tag] = value
        return self._mended(line)

    def restore(self, line: CaptionEvent) -> CaptionEvent:
        """The line as it was heard."""
        if line.segment not in self._lines:
            return line.tagged(TAG, None)
        heard, words, _ = self._lines.pop(line.segment)
        self._anew.pop(line.segment, None)
        line = replace(line, text=heard, words=words).tagged(TAG, None)
        return _tagged(line, self._heard.pop(line.segment, {}))

    def apply(self, line: CaptionEvent) -> CaptionEvent:
        """A line that comes again, as with a late tag, keeps the words that it was mended with."""
        if line.segment not in self._lines or not line.final:
            return line
        if line.text == self._lines[line.segment][0]:
            self._heard[line.segment] = _of_words(line)
        return self._mended(line)

    def _mended(self, line: CaptionEvent) -> CaptionEvent:
        _, words, text = self._lines[line.segment]
        timed = tuple(_timed(words, text.split(), line.start_s, line.end_s)) if words else ()
        line = replace(line, text=text, words=timed).tagged(TAG, True)
        return _tagged(line, self._anew.get(line.segment, {}))

    def clear(self) -> None:
        """Forget every line."""
        self._lines.clear()
        self._heard.clear()
        self._anew.clear()

    def forget(self, tags: Iterable[str]) -> None:
        """Forget what these tags have said of any line."""
        for told in (*self._heard.values(), *self._anew.values()):
            for tag in tags:
                told.pop(tag, None)


def _of_words(line: CaptionEvent) -> Tags:
    return {name: line.tags[name] for name in OF_WORDS if name in line.tags}


def _tagged(line: CaptionEvent, told: Tags) -> CaptionEvent:
    """The line with these of `OF_WORDS`, and with no other."""
    for name in OF_WORDS:
        line = line.tagged(name, told.get(name))
    return line


def _timed(heard: Sequence[Word], words: list[str], start_s: float, end_s: float) -> Iterator[Word]:
    """The words of a line with times: those that were heard keep theirs, others share the gap."""
    matcher = SequenceMatcher(a=[word.text for word in heard], b=words, autojunk=False)
    for same, i, i_end, j, j_end in matcher.get_opcodes():
        if same == "equal":
            yield from heard[i:i_end]
            continue
        first_s = heard[i - 1].end_s if i else min(start_s, heard[0].start_s)
        last_s = heard[i_end].start_s if i_end < len(heard) else max(end_s, heard[-1].end_s)
        each_s = max(0.0, last_s - first_s) / max(1, j_end - j)
        for n, word in enumerate(words[j:j_end]):
            yield Word(word, round(first_s + n * each_s, 3), round(first_s + (n + 1) * each_s, 3))
