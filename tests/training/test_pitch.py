"""The pitch that notebooks show is that of the voice, and none where there is no voice."""

import numpy as np
import pytest

from tests.training.made import rng
from training.sound.pitch import brightness_db, pitch_hz
from utils.audio import SAMPLE_RATE
from utils.emotion import features


def sung(f0_hz: float, slope: float = 1.0, duration_s: float = 1.0) -> np.ndarray:
    """Harmonics that fall off as order ** -slope, float32 (n,)."""
    time_s = np.arange(int(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    orders = np.arange(1, int(6000 / f0_hz))[:, None]
    wave = (np.sin(2 * np.pi * orders * f0_hz * time_s) * orders**-slope).sum(axis=0)
    return (0.1 * wave / np.abs(wave).max()).astype(np.float32)


@pytest.mark.parametrize("f0_hz", [90, 140, 220, 400])
def test_the_pitch_is_that_of_the_voice(f0_hz: float) -> None:
    found = pitch_hz(sung(f0_hz))[3:-3]
    np.testing.assert_allclose(found, f0_hz, rtol=0.02)


def test_noise_and_pauses_have_no_pitch() -> None:
    assert np.isnan(pitch_hz(0.1 * rng().standard_normal(SAMPLE_RATE))).mean() > 0.9
    pause = 1e-4 * rng().standard_normal(SAMPLE_RATE)
    found = pitch_hz(np.concatenate([sung(200), pause]))
    assert np.isnan(found[55:]).all() and not np.isnan(found[3:45]).any()


def test_a_frame_stands_beside_each_of_the_features() -> None:
    samples = sung(200, duration_s=1.23)
    n = len(features.extract(samples))
    assert len(pitch_hz(samples)) == len(brightness_db(samples)) == n


def test_a_voice_with_more_treble_is_brighter() -> None:
    dull, bright = (np.median(brightness_db(sung(150, slope))) for slope in (2.0, 0.5))
    assert bright > dull + 10
