"""The pipeline with speech that is split, and with pauses: no word is lost, doubled or made up."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.scoring import normalised
from tests.whisper_speech import SAID, at_once, hear, speech, without_pauses, wrong
from utils import audio
from utils.asr import Transcriber
from utils.asr.whisper.model import WhisperModel
from utils.asr.whisper.stream import WhisperStream
from utils.audio import SAMPLE_RATE
from utils.captions import segmenter
from utils.captions.pipeline import Captioner
from utils.captions.vad import WINDOW_SAMPLES
from utils.events import AudioFrame, CaptionEvent, Transcription
from utils.words import changed


def caption(captioner: Captioner, samples: np.ndarray, size: int) -> list[CaptionEvent]:
    """Caption samples, as fast as possible."""
    events: list[CaptionEvent] = []
    for start in range(0, len(samples), size):
        events += captioner.push(AudioFrame(start, samples[start : start + size]))
    return events + list(captioner.flush())


@pytest.fixture(scope="module")
def sentence() -> np.ndarray:
    return speech()


class AtOnce(Transcriber):
    """Whisper whose passes take no time, so that growing text is the same on every machine."""

    name, settle_s = "Whisper at once", 0.0

    def __init__(self, folder: Path, again_s: float | None) -> None:
        self.model, self._again_s = WhisperModel(folder, "en", threads=2), again_s

    def close(self) -> None:
        pass

    def stream(self, growing: bool = True) -> WhisperStream:
        return WhisperStream(self.model, at_once, self._again_s)


@pytest.fixture(scope="module")
def steady_whisper(whisper) -> Transcriber:
    return AtOnce(whisper, again_s=1.8)


@pytest.fixture(scope="module")
def long_speech(sentence) -> np.ndarray:
    """The sentence again and again without a pause, 19 s, and a second of faint noise around."""
    room = np.random.default_rng(0).normal(0, 1e-4, SAMPLE_RATE).astype(np.float32)
    return np.concatenate([room, *[without_pauses(sentence)] * 5, room])


@pytest.fixture(scope="module")
def long_events(steady_whisper, long_speech) -> list[CaptionEvent]:
    return caption(Captioner(steady_whisper), long_speech, 512)


def parts(events: list[CaptionEvent], sound: np.ndarray) -> list[np.ndarray]:
    """What the finished lines were heard in."""
    times = [(e.start_s, e.end_s) for e in events if e.final]
    return [sound[round(a * SAMPLE_RATE) : round(b * SAMPLE_RATE)] for a, b in times]


def around_split(before: str, after: str) -> str:
    """The last words of a line and the first ones of the next."""
    return " ".join(before.split()[-6:] + after.split()[:6])


def test_at_a_split_no_word_is_lost_and_none_stands_twice(long_events, long_speech, steady_whisper):
    finals = [e for e in long_events if e.final]
    assert len(finals) > 1 and finals[1].start_s == finals[0].end_s  # it was split
    heard = [hear(steady_whisper.model, part).text for part in parts(long_events, long_speech)]
    # "need" for "meet" may stay as it was shown, and what a growing pass has missed elsewhere
    assert wrong(normalised(" ".join(heard)), " ".join(e.text for e in finals)) <= 4
    shown, right = (around_split(*texts) for texts in ([e.text for e in finals[:2]], heard[:2]))
    assert wrong(normalised(right), shown) <= 1  # one lost or doubled counts as two


def test_where_nobody_reads_along_long_speech_is_what_its_parts_are_alone(whisper, long_speech):
    engine = AtOnce(whisper, again_s=None)
    captioner = Captioner(engine)
    captioner.live = False
    events = caption(captioner, long_speech, 4096)
    texts = [e.text for e in events if e.final]
    assert len(texts) > 1
    assert texts == [hear(engine.model, part).text for part in parts(events, long_speech)]


def test_long_speech_is_never_taken_back_while_it_grows(long_events):
    for segment in {e.segment for e in long_events}:
        texts = [e.text for e in long_events if e.segment == segment and not e.final]
        assert len(texts) >= 3
        assert all(b.startswith(a) for a, b in zip(texts, texts[1:]))


def test_words_that_stood_when_it_was_split_stay_on_the_page(long_events):
    """What stood there goes into the finished line or to the start of the next one."""
    place = next(i for i, e in enumerate(long_events) if e.final)
    stood = normalised(long_events[place - 1].text)
    after = normalised(f"{long_events[place].text} {long_events[place + 1].text}")
    assert changed(stood, after) <= 2


def test_words_of_long_speech_are_timed_in_order(long_events):
    words = [word for e in long_events if e.final for word in e.words]
    assert len(words) == sum(len(e.text.split()) for e in long_events if e.final)
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)


def test_sentences_of_a_reader_are_not_lost_at_a_split(steady_whisper, shared):
    folder = shared / "speech" / "librispeech-dev-clean"
    with open(folder / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    said, spoken = [], []
    for row in rows[:3]:
        said += normalised(row["text"].lower())
        spoken.append(without_pauses(audio.load(folder / row["path"])))
    sound = np.concatenate([*spoken, np.zeros(SAMPLE_RATE, np.float32)])
    assert len(sound) > segmenter.LONGEST * WINDOW_SAMPLES
    finals = [e for e in caption(Captioner(steady_whisper), sound, 512) if e.final]
    assert len(finals) > 1
    assert wrong(said, " ".join(e.text for e in finals)) <= 0.2 * len(said)


@pytest.fixture(scope="module", params=[4, 12])
def pausing(request, sentence) -> np.ndarray:
    """Speech that pauses, for good, just before it would be split: the rest holds no speech."""
    stretch = np.tile(without_pauses(sentence)[: 3 * SAMPLE_RATE], 6)
    quiet = np.random.default_rng(0).normal(0, 1e-4, 3 * SAMPLE_RATE).astype(np.float32)
    n_speech = (segmenter.LONGEST - request.param) * WINDOW_SAMPLES
    return np.concatenate([stretch[:n_speech], quiet])


def test_a_rest_without_speech_gives_no_line(whisper, pausing):
    lines = [e for e in caption(Captioner(AtOnce(whisper, None)), pausing, 512) if e.final]
    loud_s = np.flatnonzero(np.abs(pausing) > 0.05)[-1] / SAMPLE_RATE
    assert lines and all(e.start_s < loud_s for e in lines if e.text)


class Counting(Transcriber):
    """Hears a word each half second; in the end, one less than it has shown."""

    name, settle_s = "counting", 0.0

    def stream(self, growing: bool = True) -> "Counting":
        return self

    def grow(self, samples: np.ndarray) -> str:
        return self._words(len(samples))

    def work_ahead(self) -> None:
        pass

    def finish(self, samples: np.ndarray) -> Transcription:
        return Transcription(self._words(len(samples) - SAMPLE_RATE // 2))

    @staticmethod
    def _words(n_samples: int) -> str:
        return " ".join(f"word{i}" for i in range(2 * n_samples // SAMPLE_RATE))


def test_words_that_stand_beyond_a_split_begin_the_next_line(long_speech):
    events = caption(Captioner(Counting()), long_speech, 512)
    place = next(i for i, e in enumerate(events) if e.final)
    stood, line, begun = (e.text.split() for e in events[place - 1 : place + 2])
    assert len(line) < len(stood) and not events[place + 1].final
    assert line + begun == stood


def test_words_beyond_a_split_do_not_turn_up_in_what_is_said_much_later(sentence, pausing):
    later = np.concatenate([pausing, np.zeros(20 * SAMPLE_RATE, np.float32), sentence])
    events = caption(Captioner(Counting()), later, 512)
    new = next(e for e in events if e.start_s > len(pausing) / SAMPLE_RATE + 15)
    assert new.text == "word0", [e.text for e in events if e.final]


def test_nothing_of_a_line_that_was_given_up_turns_up_in_the_next(sentence):
    captioner = Captioner(Counting())
    for start in range(0, 3 * SAMPLE_RATE, 512):
        list(captioner.push(AudioFrame(start, sentence[start : start + 512])))
    assert captioner.hearing
    captioner.abandon()
    events = caption(captioner, np.concatenate([np.zeros(SAMPLE_RATE, np.float32), sentence]), 512)
    assert events[0].text == "word0"


class Deaf(Transcriber):
    """Hears no word in anything."""

    name = "deaf"

    def stream(self, growing: bool = True) -> "Deaf":
        return self

    def grow(self, samples: np.ndarray) -> str:
        return ""

    def work_ahead(self) -> None:
        pass

    def finish(self, samples: np.ndarray) -> Transcription:
        return Transcription("")


@pytest.mark.parametrize(("engine", "unheard"), [(Deaf, True), (Counting, False)])
def test_that_speech_brings_no_words_is_known_for_a_while(sentence, engine, unheard):
    captioner, quiet = Captioner(engine()), np.zeros(2 * SAMPLE_RATE, np.float32)
    sound = np.concatenate([sentence, quiet, sentence, quiet])
    for start in range(0, len(sound), 512):
        list(captioner.push(AudioFrame(start, sound[start : start + 512])))
    assert captioner.unheard == unheard
    list(captioner.push(AudioFrame(len(sound), np.zeros(12 * SAMPLE_RATE, np.float32))))
    list(captioner.push(AudioFrame(len(sound) + 12 * SAMPLE_RATE, quiet)))
    assert not captioner.unheard


def test_speech_that_goes_on_after_a_pause_is_one_line(steady_whisper, sentence):
    """A pass that began at the pause is thrown away, and no word is lost for it."""
    middle = int(2.8 * SAMPLE_RATE)
    pause = np.zeros(int(0.3 * segmenter.HANG_OVER) * WINDOW_SAMPLES, np.float32)
    halves = [without_pauses(half) for half in (sentence[:middle], sentence[middle:])]
    sound = np.concatenate([halves[0], pause, halves[1]])
    finals = [e for e in caption(Captioner(steady_whisper), sound, 512) if e.final]
    assert len(finals) == 1
    assert wrong(SAID[:-1], " ".join(finals[0].text.split()[:-1])) <= 1
