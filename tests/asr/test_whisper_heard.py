"""What is said again and again is written as often as it is said, and no loop is taken for speech."""

import csv

import numpy as np
import pytest

from tests.feeding import Fed
from tests.scoring import normalised
from tests.whisper_speech import SAID, at_once, hear, speech, without_pauses, wrong
from utils import audio
from utils.asr.whisper.heard import (
    NOTHING,
    Heard,
    before_loop,
    is_loop,
    joined,
    quietest,
    repeats,
)
from utils.asr.whisper.model import WhisperModel
from utils.asr.whisper.stream import WhisperStream
from utils.audio import SAMPLE_RATE
from utils.events import Word

AGAIN_S = 0.5
TIMES = 6


@pytest.fixture(scope="module")
def model(whisper) -> WhisperModel:
    return WhisperModel(whisper, "en", threads=1)


@pytest.fixture(scope="module")
def short(shared) -> list[np.ndarray]:
    """Short sentences of readers."""
    folder = shared / "speech" / "librispeech-dev-clean"
    with open(folder / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))[13::20]
    clips = [audio.load(folder / row["path"]) for row in rows]
    return [clip for clip in clips if 2 * SAMPLE_RATE < len(clip) < 3 * SAMPLE_RATE]


def said(durations_s: list[float]) -> tuple[Word, ...]:
    """Words that last so long, one after another."""
    ends = np.cumsum(durations_s)
    return tuple(
        Word("no", end - lasts, end, 0.9) for lasts, end in zip(durations_s, ends, strict=True)
    )


@pytest.mark.parametrize(
    "durations_s, n_said",
    [
        ([], 0),
        ([0.3] * 40, 40),
        ([0.3, 0.02, 0.3, 0.3] * 9, 36),
        ([0.3, 0.06, 0.3] * 2, 6),
        ([0.3] * 5 + [0.0] * 20, 5),
        ([0.3] * 5 + [0.0, 0.2, 0.0, 0.0] * 4, 5),
        ([0.3] * 7 + [0.0, 0.0], 7),
        ([0.3] * 7 + [0.0], 8),
        ([0.0] * 9, 0),
    ],
)
def test_a_loop_begins_where_words_take_no_time(durations_s, n_said):
    words = said(durations_s)
    assert before_loop(words) == n_said
    assert is_loop(words) == (n_said < len(words))


def test_a_word_that_lasts_for_ever_hides_others():
    assert is_loop(said([0.3, 0.3, 2.8])) and not is_loop(said([0.3, 0.3, 1.2]))


def test_halves_are_joined_with_their_times():
    first = Heard(said([0.3, 0.3]), -0.2, 0.1, True)
    second = Heard(said([0.3] * 4), -0.5, 0.3, True)
    both = joined(first, second, 1.5)
    assert [word.start_s for word in both.words] == pytest.approx([0, 0.3, 1.5, 1.8, 2.1, 2.4])
    assert both.log_probability == pytest.approx(-0.4) and both.no_speech == 0.1 and both.whole
    assert joined(first, NOTHING, 1.5) == first
    assert joined(NOTHING, second, 1.5).words == both.words[2:]
    assert joined(NOTHING, NOTHING, 1.5).words == ()


def test_the_cut_lies_where_it_is_quiet_and_never_at_an_edge():
    features = np.ones((4, 90), np.float32)
    features[:, 5:10] = features[:, 50:62] = 0
    assert 53 <= quietest(features) <= 59
    assert 30 <= quietest(np.zeros((4, 90), np.float32)) < 60


def test_a_sentence_that_is_said_again_and_again_is_written_as_often(model, short):
    assert len(short) >= 3
    for samples in short[:3]:
        once = normalised(hear(model, samples).text)
        again = hear(model, np.tile(samples, TIMES))
        assert repeats(again.text) and again.whole
        assert wrong(once * TIMES, again.text) <= TIMES, again.text  # a word of each time


def test_a_word_that_is_said_many_times_is_written_about_as_often(model):
    word = speech()[int(2.25 * SAMPLE_RATE) : int(2.75 * SAMPLE_RATE)]  # "face"
    for times in (3, 6, 12, 24):
        heard = hear(model, np.tile(word, times))
        # Processors round weights of 8 bits in their own ways: one writes 18 of 24.
        assert 0.7 * times - 1 <= len(heard.words) <= 1.2 * times + 1, heard.text
        assert before_loop(heard.words) == len(heard.words)


@pytest.mark.parametrize("again_s", [AGAIN_S, None])
def test_text_grows_and_ends_well_where_a_sentence_is_said_again(model, short, again_s):
    samples = np.tile(short[0], TIMES)
    stream = Fed(WhisperStream(model, at_once, again_s))
    texts = [stream.accept(samples[i : i + 1600]) for i in range(0, len(samples), 1600)]
    result = stream.finish(len(samples))
    once = len(normalised(hear(model, short[0]).text))
    assert abs(len(normalised(result.text)) - TIMES * once) <= TIMES
    if again_s:
        half, last = (len(normalised(texts[i])) for i in (len(texts) // 2, -1))
        assert half >= (TIMES // 2 - 1) * once and last >= (TIMES - 1) * once, (half, last)
        assert all(b.startswith(a) for a, b in zip(texts, texts[1:], strict=False))


def test_a_part_of_a_recording_that_is_stuck_takes_nothing_of_what_was_said_before(model):
    whole = without_pauses(speech())
    stuck = np.concatenate([whole, np.tile(whole[-int(0.3 * SAMPLE_RATE) :], 20)])
    heard = hear(model, stuck)
    assert wrong(SAID[:-2], " ".join(heard.text.split()[: len(SAID) - 2])) <= 2, heard.text
    assert len(heard.words) <= len(SAID) + 22
    assert before_loop(heard.words) == len(heard.words) or not repeats(heard.text)
