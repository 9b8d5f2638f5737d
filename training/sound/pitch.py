"""Pitch and brightness of a voice, to look at: no network hears them."""

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from utils.audio import SAMPLE_RATE
from utils.emotion.features import DEFAULT_CONFIG

F0_MIN_HZ, F0_MAX_HZ = 70.0, 500.0
F0_BAND_HZ = 2000.0  # above it, breath and fricatives hide the harmonics
VOICED = 0.6  # autocorrelation at the pitch period, of 1: less is no voice
JUMP_OCTAVES = 0.8  # further than this from a recording's median pitch: an octave error
SHORT_LAG_BONUS = 0.0008  # a lag: of two periods that fit alike, the shorter is the pitch
SPLIT_HZ = 1000.0  # of the brightness: energy from it to 5 kHz over energy below it


def pitch_hz(samples: np.ndarray) -> np.ndarray:
    """Pitch (n_frames,) in Hz, NaN where there is no voice, a frame for each of `features`.

    By the autocorrelation divided by that of the window (P. Boersma, "Accurate short-term
    analysis of the fundamental frequency", IFA Proceedings 17, 1993).

    Parameters
    ----------
    samples : (n,) float in [-1, 1], mono, 16 kHz
    """
    power = _power(samples)
    power[:, int(F0_BAND_HZ * 2 * DEFAULT_CONFIG.n_fft / SAMPLE_RATE) :] = 0
    shortest, longest = (int(SAMPLE_RATE / f_hz) for f_hz in (F0_MAX_HZ, F0_MIN_HZ))
    correlation = _autocorrelation(power)[:, : longest + 2]
    lags = np.arange(shortest, longest + 1)
    at_lags = correlation[:, lags]
    # Only what rises above both neighbours: the shoulder of lag 0 is no period.
    peaks = (at_lags >= correlation[:, lags - 1]) & (at_lags >= correlation[:, lags + 1])
    preferred = np.where(peaks, at_lags * (1 - SHORT_LAG_BONUS * lags), -np.inf)
    best = preferred.argmax(axis=1)
    found = SAMPLE_RATE / lags[best]
    rows = np.arange(len(best))
    voiced = (
        peaks.any(axis=1) & (at_lags[rows, best] > VOICED) & (power.sum(axis=1) > _quiet(power))
    )
    if voiced.any():
        voiced &= np.abs(np.log2(found / np.median(found[voiced]))) < JUMP_OCTAVES
    return np.where(voiced, found, np.nan)


def brightness_db(samples: np.ndarray) -> np.ndarray:
    """Energy from 1 to 5 kHz over that from 50 Hz to 1 kHz, in dB, (n_frames,)."""
    power = _power(samples)
    f_hz = np.linspace(0, SAMPLE_RATE / 2, power.shape[1])
    low = power[:, (f_hz > 50) & (f_hz < SPLIT_HZ)].sum(axis=1)
    high = power[:, (f_hz > SPLIT_HZ) & (f_hz < 5000)].sum(axis=1)
    return 10 * np.log10((high + 1e-9) / (low + 1e-9))


def _quiet(power: np.ndarray) -> float:
    """Power of a frame 25 dB under the louder ones."""
    return float(np.percentile(power.sum(axis=1), 95)) * 10**-2.5


def _power(samples: np.ndarray) -> np.ndarray:
    """Power spectra (n_frames, n_fft + 1) of padded frames, as `features.extract` cuts them."""
    n_fft = DEFAULT_CONFIG.n_fft
    padded = np.pad(samples, n_fft // 2)
    frames = sliding_window_view(padded, n_fft)[:: DEFAULT_CONFIG.hop_length]
    return np.square(np.abs(scipy.fft.rfft(frames * np.hanning(n_fft + 1)[:-1], 2 * n_fft)))


def _autocorrelation(power: np.ndarray) -> np.ndarray:
    """Normalised autocorrelation (n_frames, n_lags), without the fall that the window brings."""
    n_fft = DEFAULT_CONFIG.n_fft
    window = np.square(np.abs(np.fft.rfft(np.hanning(n_fft + 1)[:-1], 2 * n_fft)))
    correlation, of_window = (scipy.fft.irfft(x)[..., : n_fft // 2] for x in (power, window))
    correlation = correlation / np.maximum(correlation[:, :1], 1e-12)
    return correlation / (of_window / of_window[0])
