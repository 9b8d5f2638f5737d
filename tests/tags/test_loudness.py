"""Loud and quiet are told beside the rest of the session, and only when they are clear."""

from pathlib import Path

import numpy as np
import pytest

from utils import audio
from utils.audio import SAMPLE_RATE
from utils.tags.loudness import KEPT_LINES, LINES_NEEDED, ONE_IN, LoudnessTag, spoken_level_db

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"


@pytest.fixture(scope="module")
def sentence() -> np.ndarray:
    return audio.load(SPEECH)


@pytest.mark.parametrize("gain", [0.001, 0.1, 1.0])
@pytest.mark.parametrize(("change", "judged"), [(3, "loud"), (1 / 3, "quiet"), (1.5, None)])
def test_a_raised_voice_is_loud_and_a_soft_one_quiet_at_any_gain(sentence, gain, change, judged):
    loudness = LoudnessTag()
    for _ in range(LINES_NEEDED):
        assert loudness.after_text("words", gain * sentence) is None
    assert loudness.after_text("words", gain * sentence * change) == judged


def test_what_is_often_does_not_stand_out(sentence):
    """However loud: one line in eight at the most, of those that are remembered."""
    for pattern in ([1, 1, 1, 4], [1, 1, 1, 1, 1, 1, 0.2, 5], [1] * 20 + [5] * 20):
        loudness = LoudnessTag()
        told = [bool(loudness.after_text("words", 0.1 * g * sentence)) for g in pattern * 8]
        assert any(told)
        for end in range(ONE_IN, len(told) + 1):
            heard = told[max(0, end - KEPT_LINES) : end]
            assert sum(heard) * ONE_IN <= max(len(heard), ONE_IN)


def test_a_lively_voice_has_to_be_louder_than_an_even_one(sentence):
    even, lively = LoudnessTag(), LoudnessTag()
    for number in range(12):
        even.after_text("words", 0.1 * sentence)
        lively.after_text("words", 0.1 * (1.7, 1.0, 0.6)[number % 3] * sentence)
    assert even.after_text("words", 0.25 * sentence) == "loud"
    assert lively.after_text("words", 0.25 * sentence) is None


def test_parts_of_one_sentence_are_neither(sentence):
    loudness = LoudnessTag()
    parts = [sentence[i : i + 2 * SAMPLE_RATE] for i in range(0, len(sentence), SAMPLE_RATE)]
    assert [loudness.after_text("words", p) for p in parts if len(p) == 2 * SAMPLE_RATE].count(
        None
    ) >= 3


def test_a_room_that_turned_louder_for_good_becomes_the_usual(sentence):
    loudness = LoudnessTag()
    for gain in [0.1] * 10 + [1.0] * 30:
        judged = loudness.after_text("words", gain * sentence)
    assert judged is None


def test_silence_and_moments_are_nothing():
    assert spoken_level_db(np.zeros(100, np.float32)) is None
    loudness = LoudnessTag()
    for _ in range(10):
        assert loudness.after_text("words", np.zeros(SAMPLE_RATE, np.float32)) is None
