"""The running transcript, and its exports: JSON lines, text, SRT and WebVTT."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from utils.events import CaptionEvent

LINE_CHARS = 42  # BBC and Netflix guidelines: what a line of subtitles may hold; wide ones are two
CUE_LINES = 2


class Transcript:
    """What has been said, in memory only: one event a segment, growing ones included."""

    def __init__(self) -> None:
        self._events: dict[int, CaptionEvent] = {}

    def add(self, event: CaptionEvent) -> None:
        """Take an event; it replaces the last one of its segment."""
        if event.final and not (event.text or event.sound):
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
        yield f"{minutes:02d}:{seconds:02d}  {' '.join(_tagged(event))}\n"


def to_json(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """Final lines with everything that is known of them, as one JSON object."""
    lines = [json.dumps(event.to_dict(), ensure_ascii=False) for event in _final(events)]
    yield '{"lines": [\n' + ",\n".join(lines) + "\n]}\n"


def to_srt(events: Iterable[CaptionEvent]) -> Iterator[str]:
    """SubRip: numbered cues of at most two lines."""
    number = 0
    for event in _final(events):
        for cue in _cues(event):
            number += 1
            times = f"{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}"
            text = cue.text.replace("-->", "→")  # only the line of times may hold that
            yield f"{number}\n{times}\n{text}\n\n"


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
    "json": to_json,
}


def _final(events: Iterable[CaptionEvent]) -> Iterator[CaptionEvent]:
    return (event for event in events if event.final and (event.text or event.sound))


def _tagged(event: CaptionEvent) -> list[str]:
    """The words of a line, with what is known of its sound before them."""
    words = plain(event.text).split()
    if event.sound:
        words.insert(0, f"[{plain(event.sound)}]")
    if event.emotion:
        words.insert(0, f"[{plain(event.emotion.label)}]")
    return ["-", *words] if event.new_voice else words


def plain(text: str) -> str:
    """Text on one line, without characters that steer a terminal or turn others around."""
    steering = {"Cc", "Cs", "Co", "Zl", "Zp"}
    turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    kept = (" " if unicodedata.category(c) in steering else c for c in text if c not in turning)
    return " ".join("".join(kept).split())


def _clock(seconds: float, mark: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{mark}{ms % 1000:03d}"


def _width(text: str) -> int:
    """Characters of a line that text takes; Korean, Chinese and Japanese ones take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _broken(word: str) -> Iterator[str]:
    """A word in parts that fit a line; scripts without spaces make long ones."""
    part = ""
    for c in word:
        if part and _width(part + c) > LINE_CHARS:
            yield part
            part = ""
        part += c
    yield part


def _cues(event: CaptionEvent) -> Iterator[_Cue]:
    """Cut a line into cues that fit, at the times of its words."""
    lines, start_s, end_s = [""], event.start_s, event.start_s
    for word, word_start_s, word_end_s in _timed(event):
        if lines == [""]:
            lines = [word]
        elif _width(lines[-1]) + 1 + _width(word) <= LINE_CHARS:
            lines[-1] += " " + word
        elif len(lines) < CUE_LINES:
            lines.append(word)
        else:
            yield _Cue(start_s, end_s, "\n".join(lines))
            lines, start_s = [word], word_start_s
        end_s = word_end_s
    yield _Cue(start_s, event.end_s, "\n".join(lines))


def _timed(event: CaptionEvent) -> list[tuple[str, float, float]]:
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
        times = (event.start_s + span_s * n / letters for n in (begin, at))
        timed.append((part, *times))
    return timed
