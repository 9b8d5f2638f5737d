"""Steady noise, hum, offsets and echo are taken away, voices stay; how it comes is no matter."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.enhance import VOICE_HZ, SpeechEnhancer, _HighPass
from utils.captions.vad import WINDOW_SAMPLES

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
LATE = 256  # samples


def enhanced(samples: np.ndarray) -> np.ndarray:
    enhancer, whole = SpeechEnhancer(), len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES
    windows = samples[:whole].reshape(-1, WINDOW_SAMPLES)
    return np.concatenate([enhancer.apply(window) for window in windows])


def level_db(samples: np.ndarray) -> float:
    return audio.level_db(samples[SAMPLE_RATE:])


def test_steady_noise_loses_20_db():
    noise = np.random.default_rng(0).normal(0, 0.01, 4 * SAMPLE_RATE).astype(np.float32)
    assert level_db(enhanced(noise)) < level_db(noise) - 12


def test_an_offset_and_mains_hum_lose_more_than_a_voice():
    time_s = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    hum = sum(0.1 / k * np.sin(2 * np.pi * 50 * k * time_s) for k in (1, 2, 3, 5))
    for sound in (np.full(len(time_s), 0.2), hum):
        assert level_db(enhanced(sound.astype(np.float32))) < level_db(sound) - 15


def test_a_voice_keeps_its_level():
    speech = audio.load(SPEECH)
    quiet = np.random.default_rng(1).normal(0, 1e-4, SAMPLE_RATE).astype(np.float32)
    sound = np.concatenate([quiet, speech])
    assert level_db(enhanced(sound)) > level_db(sound) - 3


def test_silence_stays_silence():
    assert not enhanced(np.zeros(SAMPLE_RATE, np.float32)).any()


def test_noise_begins_after_silence_and_soon_sinks():
    noise = np.random.default_rng(0).normal(0, 1e-4, 20 * SAMPLE_RATE).astype(np.float32)
    sound = np.concatenate([np.zeros(2 * SAMPLE_RATE, np.float32), noise])
    after = enhanced(sound)[-SAMPLE_RATE:]
    assert audio.level_db(after) < audio.level_db(noise) - 10


def test_the_high_pass_is_scipys():
    samples = np.random.default_rng(0).normal(0, 1, 8 * WINDOW_SAMPLES)
    high_pass = _HighPass()
    found = [high_pass.apply(window) for window in samples.reshape(-1, WINDOW_SAMPLES)]
    sections = butter(2, VOICE_HZ, "highpass", fs=SAMPLE_RATE, output="sos")
    np.testing.assert_allclose(np.concatenate(found), sosfilt(sections, samples), atol=1e-10)


def test_an_echo_dies_away_sooner():
    rng, n = np.random.default_rng(0), 2 * SAMPLE_RATE
    time_s = np.arange(n) / SAMPLE_RATE
    burst = rng.normal(0, 0.1, n) * np.where(time_s < 0.1, 1, 10 ** (-3 * (time_s - 0.1)))
    sound = np.concatenate([rng.normal(0, 1e-5, n), burst]).astype(np.float32)
    late = slice(n + SAMPLE_RATE // 3, n + SAMPLE_RATE // 2)  # 0.23 to 0.4 s after its end
    delayed = enhanced(sound)[LATE:]
    assert audio.level_db(delayed[late]) < audio.level_db(sound[late]) - 3


@pytest.mark.parametrize("gain_db", [-40, 0])
def test_any_level_is_treated_alike(gain_db):
    speech, gain = audio.load(SPEECH), np.float32(10 ** (gain_db / 20))
    gained = enhanced(speech * gain) / gain
    assert abs(audio.level_db(gained) - audio.level_db(enhanced(speech))) < 1
