"""Recordings come in as 16 kHz mono float32, or with a clear error."""

import numpy as np
import pytest
import soundfile

from utils import audio
from utils.errors import AudioError


def test_stereo_96_khz_becomes_mono_16_khz(tmp_path, sine):
    path = tmp_path / "sine.wav"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(96_000) / 96_000)
    soundfile.write(path, np.stack([tone, np.zeros_like(tone)], axis=1), 96_000)
    samples = audio.load(path)
    assert samples.dtype == np.float32 and samples.shape == (16_000,)
    np.testing.assert_allclose(samples[500:-500], sine[500:-500], atol=5e-3)


def test_a_recording_without_its_end_is_no_whole_one(tmp_path, sine):
    path = tmp_path / "sine.wav"
    soundfile.write(path, sine, 16_000)
    path.write_bytes(path.read_bytes()[:-8_000])
    with pytest.raises(AudioError, match=r"ends at 0\.8 s but promises 1\.0 s"):
        audio.load(path)


def test_int16_comes_back_as_it_was():
    whole = np.arange(-32_768, 32_768).astype(np.int16)
    np.testing.assert_array_equal(audio.pcm16(audio.check(whole)), whole)
    np.testing.assert_array_equal(audio.pcm16(np.array([-2.0, 1.0])), [-32_768, 32_767])


def test_int16_is_scaled():
    np.testing.assert_array_equal(audio.check(np.array([-32768, 16384], np.int16)), [-1, 0.5])


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.zeros((2, 2)), "one channel"),
        (np.zeros(3, np.int64), "expected float"),
        (np.array([0.0, np.nan, np.inf, 1e20]), "3 NaN or infinite"),
    ],
)
def test_unusable_samples_are_refused(samples, expected):
    with pytest.raises(AudioError, match=expected):
        audio.check(samples)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "no such file"), (b"", "not a readable recording"), (b"words", "not a readable")],
)
def test_unusable_files_are_named(tmp_path, content, expected):
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=expected) as caught:
        audio.load(path)
    assert str(path) in str(caught.value)


def test_empty_recording(tmp_path):
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0), 16_000)
    with pytest.raises(AudioError, match="empty"):
        audio.load(path)


def test_level(sine, silence):
    assert audio.level_db(sine) == pytest.approx(-9.03, abs=0.01)
    assert audio.level_db(silence) == audio.level_db(silence[:0]) == audio.SILENCE_DB
