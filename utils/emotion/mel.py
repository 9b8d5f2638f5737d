"""The mel scale of Slaney's Auditory Toolbox (1998), and filters on it, as librosa has them.

Written out here because librosa brings numba: 200 MB and a second of the program's start.
"""

import numpy as np

LINEAR_HZ = 200 / 3  # of a mel, below the corner
CORNER_HZ = 1000.0
CORNER = CORNER_HZ / LINEAR_HZ  # in mel
STEP = np.log(6.4) / 27  # of the logarithm of the frequency for a mel, above it


def frequencies(n: int, fmin_hz: float, fmax_hz: float) -> np.ndarray:
    """`n` frequencies in Hz, evenly spaced in mel, both ends included; as `mel_frequencies`."""
    return _hz(np.linspace(_mel(fmin_hz), _mel(fmax_hz), n))


def filters(
    sample_rate: int, n_fft: int, n_mels: int, fmin_hz: float, fmax_hz: float
) -> np.ndarray:
    """Triangles float64 (n_mels, 1 + n_fft // 2) of equal area, as `librosa.filters.mel`."""
    edges = frequencies(n_mels + 2, fmin_hz, fmax_hz)[:, None]
    f_hz = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    low, mid, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (f_hz - low) / (mid - low), (high - f_hz) / (high - mid)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)


def _mel(f_hz: float) -> float:
    if f_hz < CORNER_HZ:
        return f_hz / LINEAR_HZ
    return CORNER + np.log(f_hz / CORNER_HZ) / STEP


def _hz(mel: np.ndarray) -> np.ndarray:
    above = np.maximum(mel - CORNER, 0.0)
    return np.where(mel < CORNER, mel * LINEAR_HZ, CORNER_HZ * np.exp(STEP * above))
