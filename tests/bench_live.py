"""What a reader sees at the pace of speech, everything on: how soon, how right, how steady."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from tests.measuring import Take, frames, listening, paced, row, share, spread, table, takes
from tests.process_tree import cpu_s
from tests.scoring import (
    Event,
    appearance_delays,
    churn,
    final_text,
    growing_text,
    pages,
    word_errors,
)
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.captions.segmenter import HANG_OVER, Segmenter
from utils.captions.vad import WINDOW_SAMPLES, VoiceActivity
from utils.events import CaptionEvent

HANG_OVER_S = HANG_OVER * WINDOW_SAMPLES / SAMPLE_RATE


@dataclass
class Seen:
    """What was seen of all takes so far; delays in seconds."""

    n_words: int = 0
    wrong: int = 0
    growing_wrong: int = 0
    n_changed: int = 0
    n_shown: int = 0
    first_s: list[float] = field(default_factory=list)
    words_s: list[float] = field(default_factory=list)
    final_s: list[float] = field(default_factory=list)
    beyond_s: list[float] = field(default_factory=list)

    def add(self, take: Take, events: list[Event]) -> None:
        """Count what was shown of a take, and when, in seconds since it began."""
        shown = pages(events)
        wrong, n_words = word_errors(take.text, final_text(events))
        self.wrong, self.n_words = self.wrong + wrong, self.n_words + n_words
        self.growing_wrong += word_errors(take.text, growing_text(events))[0]
        n_changed, n_shown = churn(shown)
        self.n_changed, self.n_shown = self.n_changed + n_changed, self.n_shown + n_shown
        self.words_s += appearance_delays(shown, take.words)
        self.first_s += [t - take.begins_s for t, text, final in events if text and not final][:1]
        for t in [t for t, text, final in events if final and text][-1:]:
            self.final_s.append(t - take.ends_s)
            waited_s = min(HANG_OVER_S, segment_end_s(take.samples) - take.ends_s)
            self.beyond_s.append(t - take.ends_s - waited_s)

    def rows(self) -> Iterator[tuple[str, str]]:
        """What the table says of them."""
        yield "word error rate of the finished lines", share(self.wrong, self.n_words)
        yield (
            "word error rate of the growing lines, at their end",
            share(self.growing_wrong, self.n_words),
        )
        yield "first growing words after speech starts", spread(self.first_s)
        yield "a word on the page after it was said", spread(self.words_s)
        yield "final line after speech ends", spread(self.final_s)
        yield (
            f"… beyond the hang-over, {HANG_OVER_S:.2f} s or less in long lines",
            spread(self.beyond_s),
        )
        yield (
            "churn: words changed after being shown, over words shown",
            share(self.n_changed, self.n_shown),
        )


def bench_live(every: int, skip: int) -> None:
    """Every figure of the live captions; takes as long as the sound lasts."""
    heard = list(takes(every, skip))
    seen, start, backlog_s = Seen(), 0, 0.0
    table(f"Live: {len(heard)} utterances at the pace of speech, emotion on", [])
    with listening(live=True) as captioner:
        cpu = cpu_s(os.getpid())
        scored_s = 0.0  # of the processor, for what is no part of the program
        for take in heard:
            events, late_s = watched(captioner, take.samples, start)
            start += len(take.samples)
            backlog_s = max(backlog_s, late_s)
            before = time.process_time()
            seen.add(take, events)
            scored_s += time.process_time() - before
        cpu = cpu_s(os.getpid()) - cpu - scored_s
    for name, value in seen.rows():
        row(name, value)
    spoken_s = sum(take.ends_s - take.begins_s for take in heard)
    row("processor time per second of sound", f"{cpu * SAMPLE_RATE / start:.2f} s")
    row("… per second of speech, with what the quiet costs", f"{cpu / spoken_s:.2f} s")
    row("longest backlog of sound", f"{backlog_s:.2f} s")


def watched(captioner: Captioner, samples: np.ndarray, start: int) -> tuple[list[Event], float]:
    """What stood on the page when, and how far the pipeline fell behind, in seconds."""
    began = time.monotonic()
    events: list[Event] = []
    late_s = 0.0
    for frame in paced(samples, start):
        heard_s = (frame.start - start + len(frame.samples)) / SAMPLE_RATE
        late_s = max(late_s, time.monotonic() - began - heard_s)
        events += _timed(captioner.push(frame), began)
    events += _timed(captioner.flush(), began)
    return events, late_s


def _timed(shown: Iterable[CaptionEvent], began: float) -> Iterator[Event]:
    """What is shown, and how long after `began`."""
    for event in shown:
        yield time.monotonic() - began, event.text, event.final


def segment_end_s(samples: np.ndarray) -> float:
    """When the segmenter knows that the last segment is over, in seconds of sound."""
    segmenter, ended = Segmenter(VoiceActivity()), 0
    for frame in frames(samples):
        if any(chunk.last for chunk in segmenter.push(frame)):
            ended = frame.start + len(frame.samples)
    if any(True for _ in segmenter.flush()):
        ended = len(samples)
    return ended / SAMPLE_RATE
