"""The spectrogram of a growing segment is the one that Whisper was trained on."""

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from tests.whisper_speech import speech
from utils.asr.whisper.mel import HOP_LENGTH, N_FFT, GrowingMel
from utils.captions.segment import Segment

FRAMES = 1500
CLOSE = 1e-5  # float32, in features that reach from -1.5 to 1.5
EXTRACTOR = FeatureExtractor()


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return speech()


def growing(*chunks: np.ndarray) -> GrowingMel:
    mel, segment = GrowingMel(EXTRACTOR.mel_filters), Segment(0, 0)
    for chunk in chunks:
        segment.add(chunk)
        mel.grow(segment.samples)
    return mel


def expected(samples: np.ndarray, n_frames: int = FRAMES) -> np.ndarray:
    """What faster-whisper makes of the samples with silence after them."""
    silence = np.zeros(n_frames * HOP_LENGTH - len(samples), np.float32)
    return EXTRACTOR(np.concatenate([samples, silence]))[:, :n_frames]


LENGTHS = (
    0,
    1,
    2,
    HOP_LENGTH,
    N_FFT // 2 - 1,
    N_FFT // 2,
    N_FFT // 2 + 1,
    N_FFT - 1,
    N_FFT,
    N_FFT + 1,
    10 * HOP_LENGTH - 1,
    10 * HOP_LENGTH,
    16_000,
    50_001,
)


@pytest.mark.parametrize("n_samples", LENGTHS)
def test_it_is_that_of_the_sound_with_silence_after_it(samples, n_samples):
    loud = samples[8_000:][:n_samples]  # from within the speech
    found = growing(loud).features(n_samples, FRAMES)
    assert found.shape == (80, FRAMES) and found.dtype == np.float32
    assert found.flags.c_contiguous  # as CTranslate2 takes it
    np.testing.assert_allclose(found, expected(loud), atol=CLOSE)


@pytest.mark.parametrize("n_frames", [600, 1500, 3000])
def test_the_silence_may_be_of_any_length(samples, n_frames):
    found = growing(samples).features(len(samples), n_frames)
    np.testing.assert_allclose(found, expected(samples, n_frames), atol=CLOSE)


@pytest.mark.parametrize("size", [1, 7, HOP_LENGTH, 333, 512, 16_000])
def test_chunks_change_nothing(samples, size):
    part = samples[: 4_000 * size]  # as many chunks of the smallest
    mel = growing(*(part[i : i + size] for i in range(0, len(part), size)))
    assert mel.n_samples == len(part)
    np.testing.assert_allclose(mel.features(len(part), FRAMES), expected(part), atol=CLOSE)


@pytest.mark.parametrize("size", [333, 4096])
def test_looking_while_it_grows_changes_nothing(samples, size):
    mel = growing()
    for start in range(0, len(samples), size):
        mel.grow(samples[: start + size])
        so_far = samples[: start + size]
        if start // size % 5 == 0:
            found = mel.features(len(so_far), FRAMES)
            np.testing.assert_allclose(found, expected(so_far), atol=CLOSE)
    np.testing.assert_allclose(mel.features(len(samples), FRAMES), expected(samples), atol=CLOSE)


def test_the_first_samples_of_a_longer_segment_give_what_they_give_alone(samples):
    mel = growing(samples)
    mel.features(len(samples), FRAMES)  # what comes later is known already
    for n_samples in LENGTHS:
        found = mel.features(n_samples, FRAMES)
        np.testing.assert_allclose(found, expected(samples[:n_samples]), atol=CLOSE)


def test_features_are_the_callers_own(samples):
    mel = growing(samples)
    mel.features(len(samples), FRAMES)[:] = 0
    np.testing.assert_allclose(mel.features(len(samples), FRAMES), expected(samples), atol=CLOSE)


def test_samples_may_be_changed_by_whoever_gave_them(samples):
    given = samples.copy()
    mel = growing(given)
    given[:] = 0
    np.testing.assert_allclose(mel.features(len(samples), FRAMES), expected(samples), atol=CLOSE)


def test_sound_longer_than_whisper_hears_is_cut(samples):
    long = np.tile(samples, 7)  # 39 s
    found = growing(long).features(len(long), 3000)
    np.testing.assert_allclose(found, EXTRACTOR(long)[:, :3000], atol=CLOSE)


def test_full_scale_and_silence_stay_finite():
    for level in (0.0, 1.0, 1e-20):
        sound = np.full(16_000, level, np.float32)
        found = growing(sound).features(len(sound), FRAMES)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected(sound), atol=CLOSE)
