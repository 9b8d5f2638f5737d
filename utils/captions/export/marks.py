"""What stands in an export before the words of a line, and text that is safe to print."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from utils.events import SILENT, CaptionEvent


@dataclass(frozen=True)
class Wording:
    """In which words an export tells what is known of a line.

    Parameters
    ----------
    language : of these words, as an ISO 639-1 code
    words : the page's, by their keys; what is not among them is told in English
    """

    language: str = "en"
    words: Mapping[str, str] = field(default_factory=dict)

    def of(self, key: str, english: str, **values: object) -> str:
        """A word or a few, with what stands in braces put in."""
        found = self.words.get(key, english)
        for name, value in values.items():
            found = found.replace(f"{{{name}}}", str(value))
        return plain(found)


ENGLISH = Wording()


def marks(event: CaptionEvent, wording: Wording = ENGLISH) -> list[str]:
    """What is known of a line besides its words, in the order in which it is read."""
    known = ["-"] if event.tags.get("new_voice") else []
    if speaker := _speaker(event.tags.get("speaker"), wording):
        known.append(f"{speaker}:")
    if event.tags.get("mended"):
        known.append(f"[{wording.of('export.mended', 'mended')}]")
    if event.emotion and event.emotion.label != SILENT:
        feeling = wording.of(f"emotion.{event.emotion.label}", event.emotion.label)
        known.append(f"[{feeling}{'?' if event.emotion.grade == 'likely' else ''}]")
    if event.sound:
        known.append(f"[{wording.of(f'sound.{event.sound}', event.sound)}]")
    return known


def of_words(event: CaptionEvent, wording: Wording = ENGLISH) -> list[str]:
    """What the words themselves say, which is not how they were said; nothing where that is little.

    >>> of_words(CaptionEvent(0, 0, 1, "Oh no.", True, {"text_emotion": {"label": "sad"}}))
    ['[words: sad]']
    """
    found = event.tags.get("text_emotion")
    label = found.get("label") if isinstance(found, Mapping) else None
    if not isinstance(label, str) or label == SILENT or not plain(label):
        return []
    feeling = wording.of(f"emotion.{label}", label)
    return [f"[{wording.of('export.words', 'words: {feeling}', feeling=feeling)}]"]


def translations(event: CaptionEvent) -> Iterator[tuple[str, str]]:
    """The line in other languages: each by its code."""
    found = event.tags.get("translation")
    if isinstance(found, Mapping):
        for language, words in found.items():
            if isinstance(words, str) and plain(words):
                yield plain(str(language)), plain(words)


def _speaker(found: object, wording: Wording) -> str:
    """The name of who speaks, or the number of the voice; "" where neither is known."""
    if not isinstance(found, dict):
        return ""
    name, number = found.get("name"), found.get("number")
    if isinstance(name, str) and plain(name):
        return plain(name)
    if not isinstance(number, int):
        return ""
    return wording.of("captions.speaker", "Voice {number}", number=number)


def plain(text: str) -> str:
    """Text on one line, without characters that steer a terminal or turn others around.

    >>> plain("Well,\\n\\x1b[31m then\\u202e!")
    'Well, [31m then!'
    """
    steering = {"Cc", "Cs", "Co", "Zl", "Zp"}
    turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    kept = (" " if unicodedata.category(c) in steering else c for c in text if c not in turning)
    return " ".join("".join(kept).split())
