"""Pitch, harmonicity and spectral shape: the columns that the larger feature set adds."""

from functools import lru_cache

import numpy as np
import scipy.fft

from utils import audio

NAMES = (
    "log_f0",
    "harmonicity",
    "hnr_db",
    "centroid",
    "spread",
    "rolloff_25",
    "rolloff_50",
    "rolloff_75",
    "rolloff_90",
    "flatness",
    "flux",
    "alpha_ratio_db",
)
F0_MIN_HZ, F0_MAX_HZ = 70.0, 500.0
F0_BAND_HZ = 2000.0  # above it, breath and fricatives hide the harmonics
VOICED = 0.6  # autocorrelation at the pitch period, of 1: less is no voice
JUMP_OCTAVES = 0.8  # further than this from a recording's median pitch: an octave error
SHORT_LAG_BONUS = 0.0008  # a lag: of two periods that fit alike, the shorter is the pitch
SPLIT_HZ = 1000.0  # of the alpha ratio: energy below it over energy from it to 5 kHz
EPSILON = 1e-3  # power, relative to speech: keeps ratios of silence finite


def describe(frames: np.ndarray) -> np.ndarray:
    """Voice and spectral shape of each frame.

    Parameters
    ----------
    frames : (n_frames, n_fft) windowed with a Hann window, 16 kHz, speech level 1

    Returns
    -------
    float32 (n_frames, 12), columns as in `NAMES`: log F0 in octaves over 100 Hz, carried on
    where there is no voice; harmonicity in [0, 1] and harmonics-to-noise ratio in dB, from
    the autocorrelation divided by that of the window [1]_; centroid, spread and roll-offs in
    octaves over 1 kHz; flatness (log); flux; alpha ratio in dB, as in eGeMAPS [2]_.

    Notes
    -----
    .. [1] P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
       harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993.
    .. [2] F. Eyben et al., "The Geneva minimalistic acoustic parameter set", IEEE
       Transactions on Affective Computing 7(2), 2016.
    """
    n_fft = frames.shape[1]
    n_padded = 2 * n_fft  # so that the autocorrelation does not wrap
    power = np.square(np.abs(scipy.fft.rfft(frames, n_padded)))
    log_f0, harmonicity, hnr_db = _pitch(power, n_fft)
    return np.column_stack([log_f0, harmonicity, hnr_db, _shape(power[:, ::2], n_fft)]).astype(
        np.float32
    )


def _pitch(power: np.ndarray, n_fft: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log F0, harmonicity and harmonics-to-noise ratio (n_frames,) each."""
    shortest, longest = (int(audio.SAMPLE_RATE / f) for f in (F0_MAX_HZ, F0_MIN_HZ))
    low = power.copy()
    low[:, int(F0_BAND_HZ * 2 * n_fft / audio.SAMPLE_RATE) :] = 0
    correlation = _autocorrelation(low, n_fft, longest + 2)
    lags = np.arange(shortest, longest + 1)
    at_lags = correlation[:, lags]
    # Only what rises above both neighbours: the shoulder of lag 0 is no period.
    peaks = (at_lags >= correlation[:, lags - 1]) & (at_lags >= correlation[:, lags + 1])
    preferred = np.where(peaks, at_lags * (1 - SHORT_LAG_BONUS * lags), -np.inf)
    lag = lags[preferred.argmax(axis=1)]
    rows = np.arange(len(lag))
    before, peak, after = (correlation[rows, lag + k] for k in (-1, 0, 1))
    bend = before - 2 * peak + after  # the vertex of the parabola through three points
    shift = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    log_f0 = np.log2(audio.SAMPLE_RATE / (lag + shift.clip(-0.5, 0.5)) / 100)
    harmonicity = np.where(peaks.any(axis=1), peak, 0).clip(0, 1)
    whole = _autocorrelation(power, n_fft, longest + 2)[rows, lag].clip(1e-3, 0.999)
    return _carry_on(log_f0, harmonicity), harmonicity, 10 * np.log10(whole / (1 - whole))


def _autocorrelation(power: np.ndarray, n_fft: int, n_lags: int) -> np.ndarray:
    """Normalised autocorrelation (n_frames, n_lags), without the fall that the window brings."""
    correlation = scipy.fft.irfft(power)[:, :n_lags]
    return correlation / np.maximum(correlation[:, :1], 1e-9) / _window(n_fft)[:n_lags]


@lru_cache(maxsize=4)
def _window(n_fft: int) -> np.ndarray:
    """Normalised autocorrelation (n_fft,) of the Hann window."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    correlation = np.fft.irfft(np.square(np.abs(np.fft.rfft(window, 2 * n_fft))))[:n_fft]
    return correlation / correlation[0]


def _carry_on(log_f0: np.ndarray, harmonicity: np.ndarray) -> np.ndarray:
    """Log F0 with what is not voiced, or an octave off, drawn through from its neighbours."""
    voiced = harmonicity > VOICED
    if not voiced.any():
        return np.zeros_like(log_f0)
    voiced &= np.abs(log_f0 - np.median(log_f0[voiced])) < JUMP_OCTAVES
    frames = np.arange(len(log_f0))
    return np.interp(frames, frames[voiced], log_f0[voiced])


def _shape(power: np.ndarray, n_fft: int) -> np.ndarray:
    """Centroid, spread, roll-offs, flatness, flux and alpha ratio (n_frames, 9)."""
    f_hz = np.fft.rfftfreq(n_fft, 1 / audio.SAMPLE_RATE).astype(np.float32)
    total = power.sum(axis=1) + EPSILON
    centroid = power @ f_hz / total
    variance = power @ np.square(f_hz) / total - np.square(centroid)
    cumulated = np.cumsum(power, axis=1)
    rolloffs = [
        f_hz[(cumulated >= share * cumulated[:, -1:]).argmax(axis=1)]
        for share in (0.25, 0.5, 0.75, 0.9)
    ]
    tones = np.column_stack([centroid, np.sqrt(np.maximum(variance, 0)), *rolloffs])
    audible = power[:, 4:] + EPSILON / 10
    flatness = np.log(audible).mean(axis=1) - np.log(audible.mean(axis=1))
    unit = np.sqrt(power / total[:, None])
    flux = np.append(0, np.square(np.diff(unit, axis=0)).sum(axis=1))
    low = power[:, (f_hz > 50) & (f_hz < SPLIT_HZ)].sum(axis=1)
    high = power[:, (f_hz > SPLIT_HZ) & (f_hz < 5000)].sum(axis=1)
    alpha_ratio_db = 10 * np.log10((low + EPSILON) / (high + EPSILON))
    return np.column_stack([np.log2(np.maximum(tones, 30) / 1000), flatness, flux, alpha_ratio_db])
