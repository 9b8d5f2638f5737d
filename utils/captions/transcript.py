"""The running transcript, and its exports: JSON lines, text, SRT and WebVTT."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from utils.captions.cues import LINE_CHARS, Timed, cues, width
from utils.events import SILENT, CaptionEvent

BLOCK_LINES, BLOCK_BYTES = 100, 65_536  # of a shared export: how it is cut


class Transcript:
    """What has been said, in memory only: one event a segment, growing ones included.

    Attributes
    ----------
    edition : changes whenever the final lines change otherwise than by one more at their end
    """

    def __init__(self) -> None:
        self._events: dict[int, CaptionEvent] = {}
        self._final: list[CaptionEvent] = []
        self.edition = 0

    def add(self, event: CaptionEvent) -> None:
        """Take an event; it replaces the last one of its segment."""
        last = self._events.get(event.segment)
        if event.final and not (event.text or event.sound):
            self._events.pop(event.segment, None)
        else:
            self._events[event.segment] = event
        if last is not None and last.final:
            self._gather()
        elif event.final and self._events.get(event.segment) is event:
            later = takewhile(lambda e: e is not event, reversed(self._events.values()))
            if any(e.final for e in later):
                self._gather()
            else:
                self._final.append(event)

    def latest(self, n_lines: int) -> list[CaptionEvent]:
        """The last `n_lines` lines, oldest first."""
        return list(islice(reversed(self._events.values()), n_lines))[::-1]

    def final(self, after: int = 0) -> list[CaptionEvent]:
        """The lines that will not change any more, oldest first, but the first `after`."""
        return self._final[after:]

    def growing(self) -> CaptionEvent | None:
        """The line that is being said, if any."""
        return next((e for e in reversed(self._events.values()) if not e.final), None)

    def forget_emotion(self) -> None:
        """Keep the words and times alone."""
        for segment, event in self._events.items():
            self._events[segment] = event.tagged("emotion", None)
        self._gather()

    def clear(self) -> None:
        """Forget every line."""
        self._events.clear()
        self._gather()

    def _gather(self) -> None:
        """Look for the final lines anew."""
        self._final = [event for event in self._events.values() if event.final]
        self.edition += 1


@dataclass(frozen=True)
class Form:
    """How final lines are exported: a head, the pieces of each line, and a tail.

    Parameters
    ----------
    pieces : of a line, without what stands between them
    head, between, tail : what stands before the first piece, between two, after the last
    numbered : each piece begins with its number, from 1
    """

    pieces: Callable[[CaptionEvent], Iterator[str]]
    head: str = ""
    between: str = ""
    tail: str = ""
    numbered: bool = False

    def piece(self, text: str, number: int) -> str:
        """A piece with what stands before it."""
        before = self.between if number > 1 else ""
        return f"{before}{number}\n{text}" if self.numbered else before + text


def _txt(event: CaptionEvent) -> Iterator[str]:
    minutes, seconds = divmod(int(event.start_s), 60)
    yield f"{minutes:02d}:{seconds:02d}  {' '.join(_tagged(event))}\n"


def _json(event: CaptionEvent) -> Iterator[str]:
    yield json.dumps(event.to_dict(), ensure_ascii=False)


def _srt(event: CaptionEvent) -> Iterator[str]:
    for cue in cues(_timed(event), event.start_s, event.end_s):
        times = f"{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}"
        text = cue.text.replace("-->", "→")  # only the line of times may hold that
        yield f"{times}\n{text}\n\n"


def _vtt(event: CaptionEvent) -> Iterator[str]:
    for cue in cues(_timed(event), event.start_s, event.end_s):
        times = f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}"
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield f"{times}\n{text}\n\n"


FORMS = {
    "txt": Form(_txt),
    "srt": Form(_srt, numbered=True),
    "vtt": Form(_vtt, head="WEBVTT\n\n"),
    "json": Form(_json, head='{"lines": [\n', between=",\n", tail="\n]}\n"),
}


def _whole(form: Form, events: Iterable[CaptionEvent]) -> Iterator[str]:
    if form.head:
        yield form.head
    number = 0
    for event in _final(events):
        for text in form.pieces(event):
            number += 1
            yield form.piece(text, number)
    if form.tail:
        yield form.tail


class SharedExport:
    """An export that grows with the lines: each is put into words once, for all who read it.

    Parameters
    ----------
    form : a key of `FORMS`
    mask : a line as it is to be read, where words are hidden
    """

    def __init__(
        self, form: str, mask: Callable[[CaptionEvent], CaptionEvent] | None = None
    ) -> None:
        self._form = FORMS[form]
        self._mask = mask
        self._blocks: list[bytes] = []
        self._number = 0  # of the last piece
        self.lines = 0  # that are in it

    def add(self, events: Sequence[CaptionEvent]) -> None:
        """Take the next final lines."""
        for at in range(0, len(events), BLOCK_LINES):
            texts = []
            for event in _final(events[at : at + BLOCK_LINES]):
                for text in self._form.pieces(self._mask(event) if self._mask else event):
                    self._number += 1
                    texts.append(self._form.piece(text, self._number))
            block = "".join(texts).encode()
            if self._blocks and len(self._blocks[-1]) + len(block) <= BLOCK_BYTES:
                block = self._blocks.pop() + block
            self._blocks.append(block)
        self.lines += len(events)

    def blocks(self) -> tuple[bytes, ...]:
        """The whole export in UTF-8; later ones are made of the same blocks, not of copies."""
        return self._form.head.encode(), *self._blocks, self._form.tail.encode()


def to_jsonl(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """Every event, growing ones too, one JSON object a line."""
    for event in events:
        yield json.dumps(event.to_dict(), ensure_ascii=False) + "\n"


def to_txt(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """Final lines: time, emotion in brackets where the model is sure, text."""
    return _whole(FORMS["txt"], events)


def to_json(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """Final lines with everything that is known of them, as one JSON object."""
    return _whole(FORMS["json"], events)


def to_srt(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """SubRip: numbered cues of at most two lines."""
    return _whole(FORMS["srt"], events)


def to_vtt(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """WebVTT: cues of at most two lines."""
    return _whole(FORMS["vtt"], events)


FORMATS: dict[str, Callable[[Iterable[CaptionEvent]], Iterator[str]]] = {
    "jsonl": to_jsonl,
    "txt": to_txt,
    "srt": to_srt,
    "vtt": to_vtt,
    "json": to_json,
}


def _final(events: Iterable[CaptionEvent]) -> Iterator[CaptionEvent]:
    return (event for event in events if event.final and (event.text or event.sound))


def _tagged(event: CaptionEvent) -> list[str]:
    """The words of a line, with what is known of its sound before them."""
    words = plain(event.text).split()
    if event.sound:
        words.insert(0, f"[{plain(event.sound)}]")
    if event.emotion and event.emotion.label != SILENT:
        likely = event.emotion.grade == "likely"
        words.insert(0, f"[{plain(event.emotion.label)}{'?' if likely else ''}]")
    return ["-", *words] if event.tags.get("new_voice") else words


def plain(text: str) -> str:
    """Text on one line, without characters that steer a terminal or turn others around.

    >>> plain("Well,\\n\\x1b[31m then\\u202e!")
    'Well, [31m then!'
    """
    steering = {"Cc", "Cs", "Co", "Zl", "Zp"}
    turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    kept = (" " if unicodedata.category(c) in steering else c for c in text if c not in turning)
    return " ".join("".join(kept).split())


def _clock(seconds: float, mark: str) -> str:
    ms = round(seconds * 1000)
    return (
        f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{mark}{ms % 1000:03d}"
    )


def _broken(word: str) -> Iterator[str]:
    """A word in parts that fit a line; scripts without spaces make long ones."""
    part = ""
    for c in word:
        if part and width(part + c) > LINE_CHARS:
            yield part
            part = ""
        part += c
    yield part


def _timed(event: CaptionEvent) -> list[Timed]:
    """The line's words with their times; where the engine gave none, in step with the letters."""
    tags = _tagged(event)
    words = plain(event.text).split()
    timed = [(tag, event.start_s, event.start_s) for tag in tags[: len(tags) - len(words)]]
    if len(event.words) == len(words):
        return timed + [(t, w.start_s, w.end_s) for t, w in zip(words, event.words, strict=True)]
    parts = [part for word in words for part in _broken(word)]
    letters = sum(len(part) + 1 for part in parts)
    span_s, at = event.end_s - event.start_s, 0
    for part in parts:
        begin, at = at, at + len(part) + 1
        start_s, end_s = (event.start_s + span_s * n / letters for n in (begin, at))
        timed.append((part, start_s, end_s))
    return timed
