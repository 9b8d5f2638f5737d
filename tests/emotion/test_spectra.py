"""Pictures of speech: as librosa has them, and of the same speech alike at every level."""

import librosa
import numpy as np
import pytest
import soxr

from tests.emotion.test_features import voice
from utils.audio import SAMPLE_RATE
from utils.emotion import features, spectra, steps
from utils.emotion.spectra import KINDS, RATES, SpectraConfig
from utils.errors import AudioError

SIZES = {"logspec": 200, "mel": 128, "mfcc": 40, "chroma": 12, "mfcc+chroma+mel": 180}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_has_its_size_and_names(kind: str, rate: int) -> None:
    config = SpectraConfig(kind, rate, n_mels=128 if rate == SAMPLE_RATE else 64)
    found = spectra.extract(voice(0.8), config)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    assert found.shape == (1 + int(0.8 / 0.01), config.n_features)
    assert len(set(config.columns)) == config.n_features == steps.width(config, None)
    if rate == SAMPLE_RATE:
        assert config.n_features == SIZES[kind]
    assert steps.per_s(config) == 100


def test_mel_and_mfcc_are_those_of_librosa() -> None:
    level, _ = features.at_speech_level(voice(0.8))
    window = np.hamming(640)
    power = librosa.feature.melspectrogram(
        y=level, sr=SAMPLE_RATE, n_fft=800, hop_length=160, win_length=640, window=window
    )
    power /= np.square(window).sum()
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=800).sum(axis=1, keepdims=True)
    mel = 10 * np.log10(power / filters + 10 ** (spectra.FLOOR_DB / 10))
    found = spectra.extract(voice(0.8), SpectraConfig("mel"))
    np.testing.assert_allclose(found.T, mel, atol=1e-3)
    expected = librosa.feature.mfcc(S=mel, n_mfcc=40)
    found = spectra.extract(voice(0.8), SpectraConfig("mfcc"))
    np.testing.assert_allclose(found.T, expected, atol=1e-2)


def test_a_tone_is_in_its_bin_and_its_pitch_class() -> None:
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = 0.2 * np.sin(2 * np.pi * 440 * time_s)
    spectrum = spectra.extract(tone, SpectraConfig("logspec"))[20:80]
    assert (spectrum.argmax(axis=1) == 440 / 20).all()
    chroma = spectra.extract(tone, SpectraConfig("chroma"))[20:80]
    assert (chroma.argmax(axis=1) == 9).all()  # A, counted from C
    assert chroma.min() >= 0 and chroma.max() <= 1


@pytest.mark.parametrize("gain_db", [-30, 15])
@pytest.mark.parametrize("kind", KINDS)
def test_the_level_changes_nothing(kind: str, gain_db: float) -> None:
    config, speech = SpectraConfig(kind), 0.1 * voice(0.8)
    louder = spectra.extract(10 ** (gain_db / 20) * speech, config)
    np.testing.assert_allclose(louder, spectra.extract(speech, config), atol=5e-2)


def test_half_the_rate_hears_the_same_below_its_edge() -> None:
    narrow = SpectraConfig("logspec", 8_000, n_freq=150)
    wide = SpectraConfig("logspec", 16_000, n_freq=150)
    there_and_back = soxr.resample(soxr.resample(voice(1.0), 16_000, 8_000), 8_000, 16_000)
    one, other = (spectra.extract(there_and_back, config)[10:-10] for config in (narrow, wide))
    assert np.abs(one - other).mean() < 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "cepstrum"}, "expected one of logspec, mel"),
        ({"rate": 44_100}, "expected 8000 or 16000"),
        ({"n_freq": 402}, "expected 1 to 401"),
        ({"n_freq": 202, "rate": 8_000}, "expected 1 to 201"),
        ({"n_mfcc": 129}, "MFCC <= bands"),
        ({"n_mels": 12.5}, "expected a whole number"),
        ({"hop_s": 0.0}, "expected 0.001"),
    ],
)
def test_settings_that_give_no_picture_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpectraConfig(**settings)


def test_silence_is_refused() -> None:
    with pytest.raises(AudioError, match="silent"):
        spectra.extract(np.zeros(SAMPLE_RATE, np.float32), SpectraConfig())
