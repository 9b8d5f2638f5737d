"""Speech is told from other sounds at any level, and from nothing at all."""

from pathlib import Path

import numpy as np
import pytest

from tests.bad_sounds import music, telephone
from utils.audio import load
from utils.captions.vad import VoiceActivity

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def detector() -> VoiceActivity:
    return VoiceActivity()


@pytest.mark.parametrize("name", ["speech.flac", "angry.flac"])
@pytest.mark.parametrize("gain_db", [-60, 0, 20])
def test_speech_is_heard(name: str, gain_db: float, detector: VoiceActivity) -> None:
    samples = load(DATA / name) * np.float32(10 ** (gain_db / 20))
    assert detector.hears_speech(samples)
    assert detector.hears_speech(np.concatenate([np.zeros(32_000, np.float32), samples]))


@pytest.mark.parametrize("name", ["speech.flac", "angry.flac"])
def test_speech_is_heard_over_the_telephone(name: str, detector: VoiceActivity) -> None:
    assert detector.hears_speech(telephone(load(DATA / name)))


def test_other_sounds_are_not_taken_for_speech(detector: VoiceActivity) -> None:
    hiss = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    sounds = [hiss, np.zeros(16_000, np.float32), np.zeros(0, np.float32), hiss[:100], music(0)]
    assert not any(map(detector.hears_speech, sounds))
