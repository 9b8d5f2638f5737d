"""Loud and quiet are told beside the rest of the session, and only when they are clear."""

from pathlib import Path

import numpy as np
import pytest

from utils import audio
from utils.audio import SAMPLE_RATE
from utils.tags.loudness import LINES_NEEDED, LoudnessTag, spoken_level_db

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"


@pytest.fixture(scope="module")
def sentence() -> np.ndarray:
    return audio.load(SPEECH)


@pytest.mark.parametrize("gain", [0.001, 0.1, 1.0])
def test_a_raised_voice_is_loud_and_a_soft_one_quiet_at_any_gain(sentence, gain):
    loudness = LoudnessTag()
    for _ in range(LINES_NEEDED):
        assert loudness.after_text("words", gain * sentence) is None
    assert loudness.after_text("words", gain * sentence * 3) == "loud"
    assert loudness.after_text("words", gain * sentence / 3) == "quiet"
    assert loudness.after_text("words", gain * sentence * 1.5) is None


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
