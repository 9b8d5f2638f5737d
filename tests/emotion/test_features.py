"""The features are the same at any level, and unusable audio is refused in words."""

from typing import Any

import librosa
import numpy as np
import pytest

from utils.audio import SAMPLE_RATE
from utils.emotion import features
from utils.errors import AudioError


def voice(duration_s: float = 1.5, pitch_hz: float = 140.0, seed: int = 0) -> np.ndarray:
    """Something like a vowel with pauses: harmonics under a slow envelope, and faint noise."""
    time_s = np.arange(int(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * pitch_hz * (time_s + 0.01 * np.sin(2 * np.pi * 3 * time_s))
    tone = sum(np.sin(k * phase) / k for k in range(1, 20))
    envelope = np.clip(np.sin(2 * np.pi * 2 * time_s), 0, 1)
    noise = np.random.default_rng(seed).standard_normal(len(time_s)) * 1e-3
    return (0.02 * (tone * envelope + noise)).astype(np.float32)


def test_shape_and_type() -> None:
    samples = voice(1.5)
    found = features.extract(samples)
    config = features.DEFAULT_CONFIG
    assert found.shape == (1 + len(samples) // config.hop_length, config.n_mfcc + 2)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("gain_db", [-30, -12, 6, 20])
def test_gain_changes_nothing(gain_db: float) -> None:
    samples = voice()
    changed = features.extract(samples * np.float32(10 ** (gain_db / 20)))
    np.testing.assert_allclose(changed, features.extract(samples), atol=2e-3)


@pytest.mark.parametrize("change", [{}, {"n_mfcc": 64}, {"n_fft": 513, "hop_length": 160}])
@pytest.mark.parametrize("duration_s", [0.1, 1.0, 3.0])
def test_values_are_those_of_librosa(change: dict, duration_s: float) -> None:
    config = features.FeatureConfig(**change)
    samples = voice(4.0)[1000 : 1000 + int(duration_s * SAMPLE_RATE)]
    found = features.extract(samples, config)

    centred = samples - samples.mean()
    framing: dict[str, Any] = {"hop_length": config.hop_length, "center": True}
    rms = librosa.feature.rms(y=centred, frame_length=config.n_fft, **framing)[0]
    level = np.percentile(rms, features.LEVEL_PERCENTILE)
    mel = librosa.feature.melspectrogram(
        y=centred / level,
        sr=SAMPLE_RATE,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.fmin_hz,
        fmax=config.fmax_hz,
        **framing,
    )
    floor = 10 ** (config.floor_db / 10)
    mfcc = librosa.feature.mfcc(S=10 * np.log10(mel + floor), n_mfcc=config.n_mfcc)
    zcr = librosa.feature.zero_crossing_rate(
        centred / level, frame_length=config.n_fft, threshold=features.ZCR_THRESHOLD, **framing
    )[0]
    np.testing.assert_allclose(found[:, :-2].T, mfcc, atol=2e-3)
    np.testing.assert_allclose(found[:, -2], zcr, atol=1e-6)
    np.testing.assert_allclose(found[:, -1], 10 * np.log10((rms / level) ** 2 + 1e-4), atol=1e-3)


def test_different_voices_differ() -> None:
    low, high = features.extract(voice(pitch_hz=110)), features.extract(voice(pitch_hz=220))
    assert np.abs(low - high).max() > 5


def test_an_offset_changes_nothing() -> None:
    samples = voice()
    np.testing.assert_allclose(
        features.extract(samples + np.float32(0.05)), features.extract(samples), atol=0.05
    )


def test_the_noise_of_a_pause_leaves_no_trace() -> None:
    """A hiss 55 dB under the speech turns neither zero crossings nor level."""
    samples = np.concatenate([np.zeros(8000, np.float32), voice(2.0)])
    hiss = np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32)
    quiet = features.extract(samples)
    hissing = features.extract(samples + 3e-5 * hiss)
    pause = slice(2, 25)
    np.testing.assert_allclose(hissing[pause, -2], quiet[pause, -2], atol=1e-6)
    np.testing.assert_allclose(hissing[pause, -1], quiet[pause, -1], atol=0.5)


def test_columns_are_mfcc_then_zero_crossings_then_level() -> None:
    """A tone of 1 kHz crosses zero 2,000 times a second; its level is the speech level."""
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    found = features.extract((0.1 * np.sin(2 * np.pi * 1000 * time_s + 0.1)).astype(np.float32))
    middle = found[10:-10]
    np.testing.assert_allclose(middle[:, -2], 2 * 1000 / SAMPLE_RATE, atol=0.002)
    np.testing.assert_allclose(middle[:, -1], 0.0, atol=0.1)


def test_rounding_a_quiet_recording_to_16_bits_hardly_shows() -> None:
    """Speech of -65 dBFS, as a distant microphone leaves it."""
    quiet = voice(2.0) / np.float32(10)
    rounded = np.round(quiet * 32_768).astype(np.int16)
    n = features.DEFAULT_CONFIG.n_mfcc
    difference = (features.extract(rounded) - features.extract(quiet))[:, :n]
    assert np.abs(difference).mean() < 0.1


def test_int16_is_taken_for_the_same_sound() -> None:
    samples = (voice() * 32_768).astype(np.int16)
    np.testing.assert_allclose(
        features.extract(samples), features.extract(samples.astype(np.float32) / 32_768), atol=1e-4
    )


def test_shortest_speech_that_is_described() -> None:
    n = int(features.MIN_S * SAMPLE_RATE)
    assert len(features.extract(voice(1.0)[1000 : 1000 + n])) > 0
    with pytest.raises(AudioError, match="expected at least 0.1 s"):
        features.extract(voice(1.0)[1000 : 1000 + n - 1])


@pytest.mark.parametrize(
    "samples, message",
    [
        (np.zeros(16_000, np.float32), "silent"),
        (np.full(16_000, 0.3, np.float32), "silent"),
        (np.array([], np.float32), "expected at least"),
        (np.full(16_000, np.nan, np.float32), "NaN"),
        (np.where(np.arange(16_000) == 5, np.inf, 0.1).astype(np.float32), "NaN or infinite"),
        (np.zeros((2, 16_000), np.float32), "one channel"),
        (np.zeros(16_000, np.int32), "int32"),
    ],
    ids=["zeros", "constant", "empty", "nan", "inf", "stereo", "int32"],
)
def test_unusable_audio_is_refused(samples: np.ndarray, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        features.extract(samples)


@pytest.mark.parametrize(
    "change",
    [
        {"n_fft": 0},
        {"n_fft": 10**9},
        {"n_fft": 512.0},
        {"hop_length": 0},
        {"hop_length": 2048},
        {"n_mfcc": 97},
        {"n_mfcc": 0},
        {"n_mels": 600},
        {"fmax_hz": 9000.0},
        {"fmin_hz": -1.0},
        {"fmin_hz": float("nan")},
        {"floor_db": 5.0},
    ],
)
def test_settings_that_give_no_features_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        features.FeatureConfig(**change)
