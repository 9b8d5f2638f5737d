"""The program's audio format, and what brings other audio into it."""

from pathlib import Path

import numpy as np

from utils.audio.convert import SAMPLE_RATE as SAMPLE_RATE
from utils.audio.recording import HIGHEST, Recording
from utils.errors import AudioError

SILENCE_DB = -120.0  # level that digital silence is given, dB relative to full scale


def check(samples: np.ndarray) -> np.ndarray:
    """Return `samples` as finite float32 mono, or say what is wrong with them.

    Parameters
    ----------
    samples : (n,) float in [-1, 1], or int16, which is scaled to it

    Raises
    ------
    AudioError : not one channel, neither float nor int16, not finite, or beyond all sound
    """
    samples = np.asarray(samples)
    if samples.ndim != 1:
        raise AudioError(f"audio has shape {samples.shape}, expected one channel, (n,)")
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / 32_768
    if not np.issubdtype(samples.dtype, np.floating):
        raise AudioError(f"audio has type {samples.dtype}, expected float in [-1, 1] or int16")
    good = np.abs(samples) <= HIGHEST  # False for NaN too
    if not good.all():
        bad = int(np.count_nonzero(~good))
        raise AudioError(f"audio has {bad} NaN or infinite samples; record or convert it again")
    return samples.astype(np.float32, copy=False)


def pcm16(samples: np.ndarray) -> np.ndarray:
    """Samples (n,) in [-1, 1] as little-endian int16, what is beyond clipped; `check` undoes it."""
    return np.clip(np.round(samples * 32_768), -32_768, 32_767).astype("<i2")


def level_db(samples: np.ndarray) -> float:
    """RMS level in dB relative to full scale, at least `SILENCE_DB`."""
    if len(samples) == 0:
        return SILENCE_DB
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return max(SILENCE_DB, 20 * np.log10(rms)) if rms > 0 else SILENCE_DB


def load(path: str | Path) -> np.ndarray:
    """Read a whole recording as float32 (n,), mono, 16 kHz.

    Channels become one as `utils.audio.mixdown.Mixdown` does it. For long recordings
    `utils.sources.FileSource` reads in steps.

    Raises
    ------
    AudioError : missing, unreadable, empty, damaged, without its end, or with samples that are
        not finite
    """
    with Recording(path) as recording:
        return np.concatenate(list(recording.voice()))
