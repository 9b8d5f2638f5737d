"""The mel scale is librosa's, without librosa."""

import subprocess
import sys

import librosa
import numpy as np
import pytest

from utils.emotion import mel
from utils.emotion.features import DEFAULT_CONFIG, bases


@pytest.mark.parametrize("n", [3, 66, 98, 130])
@pytest.mark.parametrize("ends", [(0, 8000), (50, 7600), (60, 900), (1000, 4000)])
def test_frequencies_are_those_of_librosa(n, ends):
    expected = librosa.mel_frequencies(n, fmin=ends[0], fmax=ends[1])
    np.testing.assert_allclose(mel.frequencies(n, *ends), expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("n_mels", [1, 40, 64, 96, 128])
@pytest.mark.parametrize("n_fft", [512, 1024])
def test_filters_are_those_of_librosa(n_mels, n_fft):
    found = mel.filters(16000, n_fft, n_mels, 50.0, 7600.0)
    expected = librosa.filters.mel(
        sr=16000, n_fft=n_fft, n_mels=n_mels, fmin=50.0, fmax=7600.0, dtype=np.float64
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)


def test_the_window_is_the_hann_window_of_librosa():
    expected = librosa.filters.get_window("hann", DEFAULT_CONFIG.n_fft)
    np.testing.assert_allclose(bases(DEFAULT_CONFIG)[0], expected, atol=1e-7)


def test_an_emotion_is_estimated_without_librosa_which_takes_200_mb():
    code = (
        "import sys; import numpy as np; from emotion_model import EmotionRecognizer; "
        "x = np.random.default_rng(0).normal(0, 0.1, 16000); EmotionRecognizer.load().predict(x); "
        "print(sorted(m for m in ('librosa', 'numba') if m in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr
