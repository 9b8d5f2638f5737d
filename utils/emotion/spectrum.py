"""Pitch and spectral shape, read back from cepstral coefficients: 96 bands keep both."""

from functools import lru_cache

import numpy as np
import torch

from utils import audio
from utils.emotion import features, mel

N_COLUMNS = 11
BANDS = features.DEFAULT_CONFIG  # whose mel bands the coefficients are of
F0_MIN_HZ, F0_MAX_HZ, N_F0 = 80.0, 500.0, 48
COMB_TOP_HZ, COMB_EDGE_HZ = 2000.0, 200.0  # above it, mel bands are too wide for harmonics
N_SMOOTH = 8  # coefficients of the spectrum's envelope, which says nothing of its harmonics
SHARPNESS = 0.25  # a dB of the comb: how much the best pitch is preferred to the others
ROLLOFFS = (0.25, 0.5, 0.75, 0.9)
RANGE_DB = 100.0  # of a band: speech has -10 to 50, and padding may hold anything
SPLIT_HZ, TOP_HZ = 1000.0, 5000.0  # of the alpha ratio


def describe(mfcc: torch.Tensor) -> torch.Tensor:
    """Pitch and shape of each frame's spectrum.

    Parameters
    ----------
    mfcc : (batch, n_frames, n_mfcc), as `utils.emotion.features.extract` gives them

    Returns
    -------
    (batch, n_frames, 11): pitch in octaves over 100 Hz and how clear it is in dB, from
    combs of harmonics laid on the log-mel spectrum; centroid, spread and roll-offs in
    octaves over 1 kHz, flatness (log), flux, and alpha ratio in dB (Eyben et al., "The
    Geneva minimalistic acoustic parameter set", IEEE TAC 7(2), 2016).
    """
    combs, to_bands, pitch, octaves = (x.to(mfcc) for x in _bases(mfcc.shape[-1]))
    fit = mfcc @ combs  # (batch, n_frames, N_F0)
    log_f0 = (SHARPNESS * fit).softmax(dim=-1) @ pitch
    power = 10 ** ((mfcc @ to_bands).clamp(-RANGE_DB, RANGE_DB) / 10)  # (batch, n_frames, n_mels)
    total = power.sum(dim=-1)
    centroid = power @ octaves / total
    spread = (power @ octaves.square() / total - centroid.square()).clamp(min=0).sqrt()
    share = power.cumsum(dim=-1) / total[..., None]
    last = len(octaves) - 1
    rolloffs = [octaves[(share < part).sum(dim=-1).clamp(max=last)] for part in ROLLOFFS]
    flatness = power.log().mean(dim=-1) - power.mean(dim=-1).log()
    unit = (power / total[..., None]).sqrt()
    flux = torch.nn.functional.pad(unit.diff(dim=1).square().sum(dim=-1), (1, 0))
    low = octaves < np.log2(SPLIT_HZ / 1000)
    high = ~low & (octaves < np.log2(TOP_HZ / 1000))
    alpha = 10 * (power[..., low].sum(dim=-1) / power[..., high].sum(dim=-1)).log10()
    return torch.stack(
        [log_f0, fit.amax(dim=-1), centroid, spread, *rolloffs, flatness, flux, alpha], dim=-1
    )


@lru_cache(maxsize=4)
def _bases(n_mfcc: int) -> tuple[torch.Tensor, ...]:
    """Combs (n_mfcc, N_F0), coefficients to bands (n_mfcc, n_mels), and what both stand for.

    That is octaves over 100 Hz (N_F0,) of the combs and over 1 kHz (n_mels,) of the bands.
    """
    window, filters, dct = features.bases(BANDS)
    f_hz = mel.frequencies(BANDS.n_mels + 2, BANDS.fmin_hz, BANDS.fmax_hz)[1:-1]
    f0_hz = np.geomspace(F0_MIN_HZ, F0_MAX_HZ, N_F0)
    voices = np.stack([_voice(f0, window) for f0 in f0_hz]) @ filters
    cepstra = 10 * np.log10(voices + 0.01) @ dct
    cepstra[:, :N_SMOOTH] = 0
    heard = 1 / (1 + np.exp((f_hz - COMB_TOP_HZ) / COMB_EDGE_HZ))
    combs = cepstra @ dct.T * heard
    combs -= combs.sum(axis=1, keepdims=True) / heard.sum() * heard  # blind to the level
    combs /= np.linalg.norm(combs, axis=1, keepdims=True)
    found = (combs @ dct).T[:n_mfcc], dct.T[:n_mfcc], np.log2(f0_hz / 100), np.log2(f_hz / 1000)
    return tuple(torch.from_numpy(np.ascontiguousarray(x, np.float32)) for x in found)


def _voice(f0_hz: float, window: np.ndarray) -> np.ndarray:
    """Power spectrum (1 + n_fft // 2,) of a steady voice, mean over phases of its harmonics."""
    rng = np.random.default_rng(0)
    time_s = np.arange(len(window)) / audio.SAMPLE_RATE
    orders = np.arange(1, int(4000 / f0_hz) + 1)[:, None]
    power = np.zeros(1 + len(window) // 2)
    for _ in range(4):
        phases = 2 * np.pi * (f0_hz * orders * time_s + rng.random(orders.shape))
        wave = (orders**-0.7 * np.cos(phases)).sum(axis=0)
        power += np.square(np.abs(np.fft.rfft(wave * window)))
    return power
