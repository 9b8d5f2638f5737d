"""Pitch and voice are found where they are known, and level changes nothing."""

import numpy as np
import pytest
from scipy.signal import lfilter

from utils.audio import SAMPLE_RATE
from utils.emotion import features, prosody

CONFIG = features.FeatureConfig(extended=True)


def vowel(pitch_hz: float, duration_s: float = 1.0, noise_db: float = -60.0) -> np.ndarray:
    """A steady /a/: pulses through three resonances, with noise under it, float32 (n,)."""
    rng = np.random.default_rng(0)
    n = int(duration_s * SAMPLE_RATE)
    phase = pitch_hz * np.arange(n) / SAMPLE_RATE
    orders = np.arange(1, int(7500 / pitch_hz) + 1)[:, None]
    sound = np.cos(2 * np.pi * orders * phase).sum(axis=0)
    for formant_hz, width_hz in ((730, 90), (1090, 110), (2440, 170)):
        radius = np.exp(-np.pi * width_hz / SAMPLE_RATE)
        turn = 2 * np.pi * formant_hz / SAMPLE_RATE
        sound = lfilter([1.0], [1.0, -2 * radius * np.cos(turn), radius**2], sound)
    sound /= sound.std()
    sound += 10 ** (noise_db / 20) * rng.standard_normal(n)
    return (0.05 * sound).astype(np.float32)


def columns(samples: np.ndarray) -> dict[str, np.ndarray]:
    """What prosody adds, by name, without the frames that reach over an end."""
    found = features.extract(samples, CONFIG)[3:-3, -len(prosody.NAMES) :]
    return dict(zip(prosody.NAMES, found.T))


def test_the_columns_follow_those_of_the_smaller_set() -> None:
    samples = vowel(140)
    found = features.extract(samples, CONFIG)
    smaller = features.extract(samples)
    assert found.shape[1] == CONFIG.n_features == smaller.shape[1] + len(prosody.NAMES)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, : smaller.shape[1]], smaller)


@pytest.mark.parametrize("noise_db", [-60.0, -15.0])
@pytest.mark.parametrize("pitch_hz", [90, 110, 133, 160, 200, 247, 300, 350, 400])
def test_pitch_of_a_vowel(pitch_hz: float, noise_db: float) -> None:
    log_f0 = columns(vowel(pitch_hz, noise_db=noise_db))["log_f0"]
    np.testing.assert_allclose(100 * 2**log_f0, pitch_hz, rtol=0.03)


def test_a_vowel_is_harmonic_and_noise_is_not(noise: np.ndarray) -> None:
    voiced, hiss = columns(vowel(140)), columns(noise)
    assert voiced["harmonicity"].min() > 0.9
    assert hiss["harmonicity"].max() < prosody.VOICED
    assert voiced["hnr_db"].min() > 15
    assert hiss["hnr_db"].max() < 0
    assert voiced["flatness"].max() < hiss["flatness"].min()


def test_harmonicity_falls_with_noise() -> None:
    means = [columns(vowel(140, noise_db=db))["hnr_db"].mean() for db in (-40, -20, -10, 0)]
    assert means == sorted(means, reverse=True)


def test_pitch_is_carried_on_where_there_is_no_voice() -> None:
    """Between two vowels an octave apart, pitch is drawn through the pause without a jump."""
    pause = 1e-3 * np.random.default_rng(0).standard_normal(SAMPLE_RATE // 2)
    samples = np.concatenate([vowel(150, 0.5), pause, vowel(220, 0.5)]).astype(np.float32)
    f0_hz = 100 * 2 ** columns(samples)["log_f0"]
    assert f0_hz[:20] == pytest.approx(150, rel=0.03)
    assert f0_hz[-20:] == pytest.approx(220, rel=0.03)
    assert np.abs(np.diff(np.log2(f0_hz))).max() < 0.1


def test_noise_alone_has_no_pitch(noise: np.ndarray) -> None:
    np.testing.assert_array_equal(columns(noise)["log_f0"], 0)


@pytest.mark.parametrize("pitch_hz", [250, 1000, 4000])
def test_shape_of_a_tone(pitch_hz: float) -> None:
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    found = columns((0.1 * np.sin(2 * np.pi * pitch_hz * time_s)).astype(np.float32))
    for name in ("centroid", "rolloff_25", "rolloff_50", "rolloff_75", "rolloff_90"):
        np.testing.assert_allclose(found[name], np.log2(pitch_hz / 1000), atol=0.1)
    assert found["flux"].max() < 0.01
    if pitch_hz != prosody.SPLIT_HZ:
        assert (found["alpha_ratio_db"] > 0).all() == (pitch_hz < prosody.SPLIT_HZ)


def test_rolloffs_rise_and_flux_shows_change(noise: np.ndarray) -> None:
    found = columns(np.concatenate([vowel(140), noise]))
    shares = [found[f"rolloff_{share}"] for share in (25, 50, 75, 90)]
    assert (np.diff(shares, axis=0) >= 0).all()
    onset = len(found["flux"]) // 2
    assert found["flux"][onset - 4 : onset + 4].max() > 5 * found["flux"][: onset - 6].max()


@pytest.mark.parametrize("gain_db", [-30, -12, 6, 20])
def test_gain_changes_nothing(gain_db: float) -> None:
    samples = np.concatenate([vowel(140, 0.5), 0.3 * vowel(210, 0.5, noise_db=-10)])
    changed = features.extract(samples * np.float32(10 ** (gain_db / 20)), CONFIG)
    np.testing.assert_allclose(changed, features.extract(samples, CONFIG), atol=5e-3)


def test_digital_silence_around_a_voice_gives_finite_numbers() -> None:
    quiet = np.zeros(SAMPLE_RATE // 2, np.float32)
    assert np.isfinite(features.extract(np.concatenate([quiet, vowel(140), quiet]), CONFIG)).all()
