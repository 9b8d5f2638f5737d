"""The running transcript, and its exports: JSON lines, text, SRT and WebVTT."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Protocol

from utils.captions.export import document
from utils.captions.export.cues import LINE_CHARS, Timed, cues, width
from utils.captions.export.marks import ENGLISH, Wording, marks, of_words, plain, translations
from utils.events import CaptionEvent

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

    def find(self, segment: int) -> CaptionEvent | None:
        """The line of a segment, if there is one."""
        return self._events.get(segment)

    def growing(self) -> CaptionEvent | None:
        """The line that is being said, if any."""
        return next((e for e in reversed(self._events.values()) if not e.final), None)

    def change(self, how: Callable[[CaptionEvent], CaptionEvent]) -> list[CaptionEvent]:
        """Put what `how` makes of each line in its place; return those that are others now."""
        others = {}
        for segment, event in self._events.items():
            if (other := how(event)) != event:
                others[segment] = other
        self._events |= others
        self._gather()
        return list(others.values())

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

    pieces: Callable[[CaptionEvent, Wording], Iterator[str]]
    head: str = ""
    between: str = ""
    tail: str = ""
    numbered: bool = False

    def piece(self, text: str, number: int) -> str:
        """A piece with what stands before it."""
        before = self.between if number > 1 else ""
        return f"{before}{number}\n{text}" if self.numbered else before + text


def _txt(event: CaptionEvent, wording: Wording) -> Iterator[str]:
    words = [*marks(event, wording), *of_words(event, wording), *plain(event.text).split()]
    rows = [f"{_minutes(event)}  {' '.join(words)}\n"]
    rows += [f"       {language}: {said}\n" for language, said in translations(event)]
    yield "".join(rows)


def _docx(event: CaptionEvent, wording: Wording) -> Iterator[str]:
    known = [*marks(event, wording), *of_words(event, wording)]
    rows = [document.paragraph(_minutes(event), known, plain(event.text), wording.language)]
    rows += [document.translated(words, language) for language, words in translations(event)]
    yield "".join(rows)


def _json(event: CaptionEvent, wording: Wording) -> Iterator[str]:
    yield json.dumps(event.to_dict(), ensure_ascii=False)


def _srt(event: CaptionEvent, wording: Wording) -> Iterator[str]:
    for cue in cues(_timed(event, wording), event.start_s, event.end_s):
        times = f"{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}"
        text = cue.text.replace("-->", "→")  # only the line of times may hold that
        yield f"{times}\n{text}\n\n"


def _vtt(event: CaptionEvent, wording: Wording) -> Iterator[str]:
    for cue in cues(_timed(event, wording), event.start_s, event.end_s):
        times = f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}"
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield f"{times}\n{text}\n\n"


FORMS = {
    "txt": Form(_txt),
    "srt": Form(_srt, numbered=True),
    "vtt": Form(_vtt, head="WEBVTT\n\n"),
    "docx": Form(_docx),  # the paragraphs, of which `document` makes a document
    "json": Form(_json, head='{"lines": [\n', between=",\n", tail="\n]}\n"),
}


def _whole(form: Form, events: Iterable[CaptionEvent], wording: Wording) -> Iterator[str]:
    if form.head:
        yield form.head
    number = 0
    for event in _final(events):
        for text in form.pieces(event, wording):
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
    wording : of what is known of a line
    """

    def __init__(
        self,
        form: str,
        mask: Callable[[CaptionEvent], CaptionEvent] | None = None,
        wording: Wording = ENGLISH,
    ) -> None:
        self._form = FORMS[form]
        self._mask, self._wording = mask, wording
        self._blocks: list[bytes] = []
        self._number = 0  # of the last piece
        self.lines = 0  # that are in it

    def add(self, events: Sequence[CaptionEvent]) -> None:
        """Take the next final lines."""
        for at in range(0, len(events), BLOCK_LINES):
            texts = []
            for event in _final(events[at : at + BLOCK_LINES]):
                read = self._mask(event) if self._mask else event
                for text in self._form.pieces(read, self._wording):
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


def to_jsonl(events: Iterable[CaptionEvent], wording: Wording = ENGLISH) -> Iterator[str]:
    """Every event, growing ones too, one JSON object a line, whatever the wording."""
    for event in events:
        yield json.dumps(event.to_dict(), ensure_ascii=False) + "\n"


def to_txt(events: Iterable[CaptionEvent], wording: Wording = ENGLISH) -> Iterator[str]:
    """Final lines: time, emotion in brackets where the model is sure, text."""
    return _whole(FORMS["txt"], events, wording)


def to_json(events: Iterable[CaptionEvent], wording: Wording = ENGLISH) -> Iterator[str]:
    """Final lines with everything that is known of them, as one JSON object."""
    return _whole(FORMS["json"], events, wording)


def to_srt(events: Iterable[CaptionEvent], wording: Wording = ENGLISH) -> Iterator[str]:
    """SubRip: numbered cues of at most two lines."""
    return _whole(FORMS["srt"], events, wording)


def to_vtt(events: Iterable[CaptionEvent], wording: Wording = ENGLISH) -> Iterator[str]:
    """WebVTT: cues of at most two lines."""
    return _whole(FORMS["vtt"], events, wording)


def to_docx(events: Iterable[CaptionEvent], wording: Wording = ENGLISH) -> Iterator[str]:
    """The paragraphs of a document, for `export.document`."""
    return _whole(FORMS["docx"], events, wording)


class Export(Protocol):
    """Puts lines into a form."""

    def __call__(
        self, events: Iterable[CaptionEvent], wording: Wording = ENGLISH
    ) -> Iterator[str]: ...


FORMATS: dict[str, Export] = {
    "jsonl": to_jsonl,
    "txt": to_txt,
    "srt": to_srt,
    "vtt": to_vtt,
    "json": to_json,
}
# What pages offer: no growing lines, and a document besides.
DOWNLOADS = {form: make for form, make in FORMATS.items() if form != "jsonl"} | {"docx": to_docx}


def _final(events: Iterable[CaptionEvent]) -> Iterator[CaptionEvent]:
    return (event for event in events if event.final and (event.text or event.sound))


def _minutes(event: CaptionEvent) -> str:
    """When a line begins, as minutes and seconds."""
    minutes, seconds = divmod(int(event.start_s), 60)
    return f"{minutes:02d}:{seconds:02d}"


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


def _timed(event: CaptionEvent, wording: Wording) -> list[Timed]:
    """A line's marks and words with their times; where there are none, in step with the letters."""
    words = plain(event.text).split()
    timed = [(mark, event.start_s, event.start_s) for mark in marks(event, wording)]
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
