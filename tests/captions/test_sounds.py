"""Lines for sounds: one for each stretch, none while somebody speaks."""

from collections.abc import Mapping
from itertools import count

import numpy as np
import pytest

from utils.audio import SAMPLE_RATE
from utils.captions.sounds import APART, MOST_WORDS, Sounds
from utils.errors import AudioError
from utils.events import CaptionEvent, SpeechChunk
from utils.sounds.gate import BLOCK

LOUD, QUIET = 0.1, 1e-4


class ByPitch:
    """Names a tone by how often it crosses zero; what it names has to be sure of."""

    def __init__(self) -> None:
        self.looks = 0
        self.fails: Exception | None = None

    def scores(self, samples: np.ndarray) -> Mapping[str, float]:
        self.looks += 1
        if self.fails:
            raise self.fails
        loud = samples[np.abs(samples) > 10 * QUIET]
        high = np.mean(np.diff(np.sign(loud)) != 0) > 0.2
        return {"bird": 0.9 if high else 0.0, "cow": 0.0 if high else 0.9}

    def threshold(self, label: str, as_speech: bool) -> float:
        return 0.8


def tone(hz: float, seconds: float) -> np.ndarray:
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (LOUD * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)


def room(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, QUIET, int(seconds * SAMPLE_RATE)).astype(np.float32)


class Heard:
    """Sounds that are told of what it hears, block by block."""

    def __init__(self) -> None:
        self.sounds, self.model = Sounds(), ByPitch()
        self.sounds.model = self.model
        self.at, self.numbers = 0, count()

    def hear(self, *parts: np.ndarray) -> list[CaptionEvent]:
        sound = np.concatenate(parts)
        events: list[CaptionEvent] = []
        for at in range(0, len(sound) // BLOCK * BLOCK, BLOCK):
            block = sound[at : at + BLOCK]
            events += self.sounds.hear(self.at, block, lambda: next(self.numbers))
            self.at += BLOCK
        return events

    def speech(self, samples: np.ndarray, words_after_s: float = 0.0) -> list[CaptionEvent]:
        """Have something taken for speech, without words until then; not its end."""
        segment = next(self.numbers)
        self.chunk = SpeechChunk(segment, self.at, samples)
        events = list(self.sounds.begin_speech())
        for end in range(BLOCK, int(words_after_s * SAMPLE_RATE), BLOCK):
            events += self.sounds.grow_speech(SpeechChunk(segment, self.at, samples[:end]))
        self.at += len(samples)
        return events


@pytest.fixture
def heard() -> Heard:
    return Heard()


def told(events: list[CaptionEvent]) -> list[tuple[int, str | None, bool]]:
    return [(event.segment, event.sound, event.final) for event in events]


def test_a_sound_is_told_within_a_second_and_a_half_with_its_start_and_length(heard):
    events = heard.hear(room(3), tone(1000, 1.5))
    assert told(events) == [(0, "cow", False)]
    assert events[0].start_s == pytest.approx(3.0, abs=0.1) and events[0].text == ""
    assert events[0].end_s - events[0].start_s <= 1.5
    events = heard.hear(tone(1000, 2.5), room(12))
    assert told(events) == [(0, "cow", True)]
    assert events[0].end_s == pytest.approx(7.0, abs=0.3)


def test_a_sound_that_comes_again_soon_is_told_once(heard):
    barks = [part for _ in range(5) for part in (tone(1000, 0.4), room(3))]
    events = heard.hear(room(3), *barks)
    assert told(events) == [(0, "cow", False)]


def test_a_sound_that_comes_again_late_is_told_again(heard):
    late = room(1 + APART / SAMPLE_RATE)
    events = heard.hear(room(3), tone(1000, 1), late, room(3), tone(1000, 1), late, room(3))
    assert told(events) == [
        (0, "cow", False),
        (0, "cow", True),
        (1, "cow", False),
        (1, "cow", True),
    ]


def test_another_sound_ends_the_line_of_the_first_and_neither_is_told_again(heard):
    events = heard.hear(room(3), tone(1000, 1), room(2), tone(4000, 1), room(2), tone(1000, 1))
    assert told(events) == [(0, "cow", False), (0, "cow", True), (1, "bird", False)]


def test_speech_ends_the_line_and_the_sound_that_goes_on_after_it_is_not_told_again(heard):
    first = heard.hear(room(3), tone(1000, 3))
    assert told(first) == [(0, "cow", False)]
    assert told(heard.speech(tone(200, 30))) == [(0, "cow", True)]
    assert heard.sounds.end_speech(heard.chunk, n_words=60) is None
    assert heard.hear(tone(1000, 3)) == []


def test_nothing_is_judged_while_words_come(heard):
    heard.hear(room(3))
    heard.speech(tone(200, 10))
    assert heard.sounds.end_speech(heard.chunk, n_words=MOST_WORDS + 1) is None
    assert heard.model.looks == 0


def test_a_cry_that_is_taken_for_speech_is_told_in_the_line_of_its_segment(heard):
    heard.hear(room(3))
    events = heard.speech(tone(1000, 4), words_after_s=4)
    assert told(events) == [(0, "cow", False)]
    last = heard.sounds.end_speech(heard.chunk, n_words=0)
    assert last is not None and told([last]) == [(0, "cow", True)]
    assert last.end_s == pytest.approx(7.0, abs=0.1)


def test_words_that_a_sneeze_brings_are_not_written(heard):
    heard.hear(room(3))
    heard.speech(tone(1000, 0.8))
    last = heard.sounds.end_speech(heard.chunk, n_words=2)
    assert last is not None and told([last]) == [(0, "cow", True)]


def test_a_sound_that_goes_on_as_speech_brings_no_second_line(heard):
    heard.hear(room(3), tone(1000, 2))
    heard.speech(tone(1000, 2))
    last = heard.sounds.end_speech(heard.chunk, n_words=1)
    assert last is not None and (last.text, last.sound, last.final) == ("", None, True)


def test_words_of_a_line_that_was_a_sound_count(heard):
    heard.hear(room(3))
    heard.speech(tone(1000, 4), words_after_s=4)
    assert heard.sounds.end_speech(heard.chunk, n_words=20) is None
    assert told(heard.hear(room(2), tone(1000, 1.5))) == [(1, "cow", False)]


def test_turned_off_the_line_ends_and_nothing_is_told(heard):
    heard.hear(room(3), tone(1000, 1.5))
    heard.sounds.on = False
    assert told(heard.hear(room(1), tone(4000, 3))) == [(0, "cow", True)]


def test_the_end_ends_every_line(heard):
    heard.hear(room(3), tone(1000, 1.5))
    assert told(list(heard.sounds.flush())) == [(0, "cow", True)]


def test_a_model_that_fails_is_given_up_and_told_once(heard, caplog):
    told_missing = []
    heard.sounds.missing = lambda code, reason: told_missing.append(code)
    heard.model.fails = AudioError("too short")
    assert heard.hear(room(3), tone(1000, 1.5)) == [] and heard.sounds.model is not None
    heard.model.fails = RuntimeError("no such thing")
    assert heard.hear(room(12), tone(1000, 1.5), tone(4000, 2)) == []
    assert told_missing == ["sounds.missing"] and heard.sounds.model is None
    assert "no sounds from here on" in caplog.text
