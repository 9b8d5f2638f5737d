"""The program's audio format, and what brings other audio into it."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from utils.errors import AudioError

SAMPLE_RATE = 16_000  # Hz, of every sample array in the program
SILENCE_DB = -120.0  # level that digital silence is given, dB relative to full scale


def check(samples: np.ndarray) -> np.ndarray:
    """Return `samples` as finite float32 mono, or say what is wrong with them.

    Parameters
    ----------
    samples : (n,) float in [-1, 1], or int16, which is scaled to it

    Raises
    ------
    AudioError : not one channel, neither float nor int16, or not finite
    """
    samples = np.asarray(samples)
    if samples.ndim != 1:
        raise AudioError(f"audio has shape {samples.shape}, expected one channel, (n,)")
    if samples.dtype == np.int16:
        return samples.astype(np.float32) / 32_768
    if not np.issubdtype(samples.dtype, np.floating):
        raise AudioError(f"audio has type {samples.dtype}, expected float in [-1, 1] or int16")
    if not np.isfinite(samples).all():
        bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise AudioError(f"audio has {bad} NaN or infinite samples; record or convert it again")
    return samples.astype(np.float32, copy=False)


def level_db(samples: np.ndarray) -> float:
    """RMS level in dB relative to full scale, at least `SILENCE_DB`."""
    if len(samples) == 0:
        return SILENCE_DB
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return max(SILENCE_DB, 20 * np.log10(rms)) if rms > 0 else SILENCE_DB


def open_file(path: str | Path) -> soundfile.SoundFile:
    """Open a recording in any format that libsndfile reads.

    Raises
    ------
    AudioError : missing, not audio, or empty
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path}: no such file")
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as err:
        raise AudioError(
            f"{path}: not a readable recording ({err.error_string.rstrip('.')}); "
            "give a WAV, FLAC, Ogg or MP3 file"
        ) from err
    if file.frames == 0:
        file.close()
        raise AudioError(f"{path}: the recording is empty")
    return file


def load(path: str | Path) -> np.ndarray:
    """Read a whole recording as float32 (n,), mono, 16 kHz.

    Channels are averaged. For long recordings `utils.sources.FileSource` reads in steps.

    Raises
    ------
    AudioError : missing, unreadable, empty, or with samples that are not finite
    """
    with open_file(path) as file:
        try:
            samples = file.read(dtype="float32", always_2d=True).mean(axis=1)
        except soundfile.LibsndfileError as err:
            raise AudioError(f"{path}: the recording is damaged ({err.error_string})") from err
        rate = file.samplerate
    try:
        samples = check(samples)
    except AudioError as err:
        raise AudioError(f"{path}: {err}") from err
    return samples if rate == SAMPLE_RATE else soxr.resample(samples, rate, SAMPLE_RATE)
