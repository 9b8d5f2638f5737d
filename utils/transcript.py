"""The running transcript, and its exports: JSON lines, text, SRT and WebVTT."""

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from utils.events import CaptionEvent

LINE_CHARS = 42  # BBC and Netflix guidelines: what a line of subtitles may hold
CUE_LINES = 2


class Transcript:
    """What has been said, in memory only: one event a segment, growing ones included."""

    def __init__(self) -> None:
        self._events: dict[int, CaptionEvent] = {}

    def add(self, event: CaptionEvent) -> None:
        """Take an event; it replaces the last one of its segment."""
        if event.final and not event.text:
            self._events.pop(event.segment, None)
        else:
            self._events[event.segment] = event

    def latest(self, n_lines: int) -> list[CaptionEvent]:
        """The last `n_lines` lines, oldest first."""
        return list(self._events.values())[-n_lines:]

    def final(self) -> list[CaptionEvent]:
        """The lines that will not change any more, oldest first."""
        return [event for event in self._events.values() if event.final]

    def growing(self) -> CaptionEvent | None:
        """The line that is being said, if any."""
        return next((e for e in reversed(self._events.values()) if not e.final), None)

    def forget_emotion(self) -> None:
        """Keep the words and times alone."""
        for segment, event in self._events.items():
            self._events[segment] = replace(event, emotion=None)

    def clear(self) -> None:
        """Forget every line."""
        self._events.clear()


@dataclass(frozen=True)
class _Cue:
    start_s: float
    end_s: float
    text: str


def to_jsonl(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """Every event, growing ones too, one JSON object a line."""
    for event in events:
        yield json.dumps(event.to_dict(), ensure_ascii=False) + "\n"


def to_txt(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """Final lines: time, emotion in brackets where the model is sure, text."""
    for event in _final(events):
        minutes, seconds = divmod(int(event.start_s), 60)
        tag = f"[{event.emotion.label}] " if event.emotion else ""
        yield f"{minutes:02d}:{seconds:02d}  {tag}{event.text}\n"


def to_srt(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """SubRip: numbered cues of at most two lines."""
    number = 0
    for event in _final(events):
        for cue in _cues(event):
            number += 1
            times = f"{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}"
            yield f"{number}\n{times}\n{cue.text}\n\n"


def to_vtt(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """WebVTT: cues of at most two lines."""
    yield "WEBVTT\n\n"
    for event in _final(events):
        for cue in _cues(event):
            times = f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}"
            text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            yield f"{times}\n{text}\n\n"


FORMATS: dict[str, Callable[[Iterable[CaptionEvent]], Iterator[str]]] = {
    "jsonl": to_jsonl,
    "txt": to_txt,
    "srt": to_srt,
    "vtt": to_vtt,
}


def _final(events: Iterable[CaptionEvent]) -> Iterator[CaptionEvent]:
    return (event for event in events if event.final and event.text)


def _clock(seconds: float, mark: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{mark}{ms % 1000:03d}"


def _lines(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_CHARS, break_long_words=False)


def _cues(event: CaptionEvent) -> Iterator[_Cue]:
    """Cut a line into cues that fit, at the times of its words."""
    lines, start_s, end_s = [], event.start_s, event.start_s
    tag = f"[{event.emotion.label}] " if event.emotion else ""
    words = [(w.text, w.start_s, w.end_s) for w in event.words] or _spread(event)
    for word, word_start_s, word_end_s in words:
        longer = _lines(" ".join([*lines, word]) if lines else tag + word)
        if len(longer) > CUE_LINES:
            yield _Cue(start_s, end_s, "\n".join(lines))
            longer, start_s = [word], word_start_s
        lines, end_s = longer, word_end_s
    yield _Cue(start_s, event.end_s, "\n".join(lines))


def _spread(event: CaptionEvent) -> list[tuple[str, float, float]]:
    """Times for the words of an engine that gives none: in step with their letters."""
    words = event.text.split()
    letters = sum(len(word) + 1 for word in words)
    span_s, at, timed = event.end_s - event.start_s, 0, []
    for word in words:
        begin, at = at, at + len(word) + 1
        timed.append(
            (word, event.start_s + span_s * begin / letters, event.start_s + span_s * at / letters)
        )
    return timed
