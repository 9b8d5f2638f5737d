"""Pitch and spectral shape are those of sounds whose pitch and shape are known."""

import numpy as np
import pytest
import torch

from tests.emotion.test_features import voice
from utils.audio import SAMPLE_RATE
from utils.emotion import features, spectrum

COLUMNS = (
    "log_f0",
    "clear_db",
    "centroid",
    "spread",
    "rolloff_25",
    "rolloff_50",
    "rolloff_75",
    "rolloff_90",
    "flatness",
    "flux",
    "alpha_db",
)


def described(samples: np.ndarray) -> dict[str, np.ndarray]:
    """Columns by name, each (n_frames,)."""
    mfcc = features.extract(samples)[:, : features.DEFAULT_CONFIG.n_mfcc]
    found = spectrum.describe(torch.from_numpy(mfcc)[None])[0]
    assert found.shape == (len(mfcc), spectrum.N_COLUMNS)
    return dict(zip(COLUMNS, found.T.numpy(), strict=True))


def loud_part(samples: np.ndarray) -> np.ndarray:
    """Samples of `voice` around the top of its envelope."""
    return samples[: int(0.25 * SAMPLE_RATE)]


@pytest.mark.parametrize("pitch_hz", [110, 120, 150, 200, 300, 400])
def test_pitch_is_about_that_of_the_voice(pitch_hz: float) -> None:
    found = described(loud_part(voice(pitch_hz=pitch_hz)))
    middle = np.median(found["log_f0"][4:-4])
    assert middle == pytest.approx(np.log2(pitch_hz / 100), abs=0.2)


def test_a_voice_has_a_clearer_pitch_than_noise() -> None:
    noise = np.random.default_rng(0).standard_normal(8000).astype(np.float32) / 50
    clear = np.median(described(loud_part(voice(pitch_hz=220)))["clear_db"])
    assert clear > 1.3 * np.median(described(noise)["clear_db"])


@pytest.mark.parametrize("f_hz", [400.0, 1000.0, 3000.0])
def test_shape_of_a_tone_lies_at_its_frequency(f_hz: float) -> None:
    time_s = np.arange(8000) / SAMPLE_RATE
    found = described((0.1 * np.sin(2 * np.pi * f_hz * time_s)).astype(np.float32))
    for name in ("centroid", "rolloff_50"):
        assert np.median(found[name]) == pytest.approx(np.log2(f_hz / 1000), abs=0.15), name
    assert np.median(found["flux"]) < 1e-3
    assert (np.median(found["alpha_db"]) > 10) == (f_hz < 800)


def test_noise_is_flatter_and_wider_than_a_voice() -> None:
    noise = described(np.random.default_rng(0).standard_normal(8000).astype(np.float32) / 50)
    spoken = described(loud_part(voice()))
    for name in ("flatness", "spread"):
        assert np.median(noise[name]) > np.median(spoken[name]), name


@pytest.mark.parametrize("n_mfcc", [1, 4, 13])
def test_few_coefficients_give_finite_numbers(n_mfcc: int) -> None:
    mfcc = 30 * torch.randn(2, 20, n_mfcc, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(spectrum.describe(mfcc)).all()
