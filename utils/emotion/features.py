"""What the emotion model hears: level-normalised MFCC, zero-crossing rate and RMS.

The live program and training call the same `extract`. Every value is relative to the
segment's own speech level, so that a loud voice is not taken for an angry one, nor a
distant microphone for sadness.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from utils import audio
from utils.emotion import mel
from utils.errors import AudioError

MIN_S = 0.1  # shorter than this there is no syllable to describe
SILENT_DB = -90.0  # dBFS; below it only the rounding noise of 16-bit audio remains
LEVEL_PERCENTILE = 95  # of frame RMS: blind to the pauses, and to a click of a frame or two
RMS_FLOOR_DB = -40.0  # relative to the speech level: pauses differ from speech, not in depth
ZCR_THRESHOLD = 0.01  # -40 dB under the speech level: the noise of a pause does not count


@dataclass(frozen=True)
class FeatureConfig:
    """How samples become frames; a checkpoint carries the one it was trained with.

    Parameters
    ----------
    n_fft, hop_length : window and step in samples at 16 kHz. 64 ms resolves the
        harmonics of a voice, which carry its pitch into the higher coefficients; a step of
        20 ms is that of the encoder (`utils.emotion.encoder`)
    n_mels, n_mfcc : mel bands, and cepstral coefficients kept of them. 96 bands lie close
        enough to keep the harmonics of a voice of 110 Hz apart; of 64 only high voices had a
        pitch
    fmin_hz, fmax_hz : edge of the lowest and the highest mel band
    floor_db : power added to each mel band before the logarithm, in dB. Even speech at its
        level has 14 dB in each band, so that what rounding to 16 bits leaves of a quiet
        recording, and noise some 30 dB under the speech, leave hardly a trace

    Raises
    ------
    ValueError : sizes or frequencies that give no features
    """

    n_fft: int = 1024
    hop_length: int = 320
    n_mels: int = 96
    n_mfcc: int = 96
    fmin_hz: float = 50.0
    fmax_hz: float = 7600.0
    floor_db: float = -10.0

    def __post_init__(self) -> None:
        for name in ("n_fft", "hop_length", "n_mels", "n_mfcc"):
            if not isinstance(getattr(self, name), int):
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected a whole number")
        if not 0 < self.hop_length <= self.n_fft <= audio.SAMPLE_RATE:
            raise ValueError(
                f"n_fft {self.n_fft} and hop_length {self.hop_length}, expected "
                f"0 < hop_length <= n_fft <= {audio.SAMPLE_RATE}"
            )
        if not 0 < self.n_mfcc <= self.n_mels <= self.n_fft // 2:
            raise ValueError(
                f"n_mfcc {self.n_mfcc} and n_mels {self.n_mels}, expected "
                "0 < n_mfcc <= n_mels <= n_fft / 2"
            )
        if not 0 <= self.fmin_hz < self.fmax_hz <= audio.SAMPLE_RATE / 2:
            raise ValueError(
                f"mel bands from {self.fmin_hz} to {self.fmax_hz} Hz, expected a rising range "
                f"within 0 to {audio.SAMPLE_RATE // 2}"
            )
        if not -100 <= self.floor_db <= 0:
            raise ValueError(f"floor_db is {self.floor_db}, expected -100 to 0")

    @property
    def n_features(self) -> int:
        """Columns of a feature array: MFCC, zero-crossing rate, RMS."""
        return self.n_mfcc + 2

    @property
    def columns(self) -> tuple[str, ...]:
        """What each value of a frame is."""
        return (*(f"mfcc_{n + 1}" for n in range(self.n_mfcc)), "zcr", "rms")


DEFAULT_CONFIG = FeatureConfig()


def extract(samples: np.ndarray, config: FeatureConfig = DEFAULT_CONFIG) -> np.ndarray:
    """Describe a stretch of speech, whatever its level.

    Parameters
    ----------
    samples : (n,) float in [-1, 1] or int16, mono, 16 kHz, at least `MIN_S` long
    config : window, step and number of coefficients

    Returns
    -------
    float32 (n_frames, n_features), n_frames = 1 + n // hop_length. The columns are
    `n_mfcc` mel-frequency cepstral coefficients of the log-mel spectrogram in dB [1]_,
    the zero-crossing rate in [0, 1], and the RMS in dB relative to the speech level.

    Raises
    ------
    AudioError : not mono, not finite, shorter than `MIN_S`, or silent

    Notes
    -----
    The speech level is a high percentile of the frames' RMS. Multiplying the samples by a
    gain multiplies it too, and so cancels.

    .. [1] S. Davis and P. Mermelstein, "Comparison of parametric representations for
       monosyllabic word recognition", IEEE TASSP 28(4), 1980; as in `librosa.feature.mfcc`.
    """
    return describe(*at_speech_level(samples, config), config)


def describe(
    samples: np.ndarray, rms: np.ndarray, config: FeatureConfig = DEFAULT_CONFIG
) -> np.ndarray:
    """What `extract` gives, of what `at_speech_level` gives."""
    window, mel_basis, dct_basis = bases(config)
    padded = np.pad(samples, config.n_fft // 2)
    frames = sliding_window_view(padded, config.n_fft)[:: config.hop_length]
    frames = frames * window
    spectrum = scipy.fft.rfft(frames)  # (n_frames, 1 + n_fft // 2)
    power = (np.square(spectrum.real) + np.square(spectrum.imag)) @ mel_basis
    floor = 10 ** (config.floor_db / 10)
    mfcc = 10 * np.log10(power + np.float32(floor)) @ dct_basis
    below = samples < -ZCR_THRESHOLD
    crossings = np.append(below[1:] != below[:-1], False)
    zcr = _moving_sum(crossings, config, overlap=1) / config.n_fft
    rms_db = 10 * np.log10(np.square(rms) + 10 ** (RMS_FLOOR_DB / 10))
    return np.column_stack([mfcc, zcr, rms_db]).astype(np.float32)


def at_speech_level(
    samples: np.ndarray, config: FeatureConfig = DEFAULT_CONFIG
) -> tuple[np.ndarray, np.ndarray]:
    """Samples without offset, divided by their speech level, whatever it was.

    Returns
    -------
    samples : float32 (n,)
    rms : (n_frames,) of their frames, 1 at the speech level

    Raises
    ------
    AudioError : as `extract`
    """
    samples = audio.check(samples)
    if len(samples) < MIN_S * audio.SAMPLE_RATE:
        raise AudioError(
            f"{len(samples) / audio.SAMPLE_RATE:.3f} s of audio, expected at least {MIN_S} s"
        )
    samples = samples - samples.mean(dtype=np.float64).astype(np.float32)  # a sound card's offset
    rms = np.sqrt(_moving_sum(np.square(samples, dtype=np.float64), config) / config.n_fft)
    level = float(np.percentile(rms, LEVEL_PERCENTILE))
    if level < 10 ** (SILENT_DB / 20):
        raise AudioError("the audio is silent; give a recording with sound in it")
    return samples / np.float32(level), rms / level


def _moving_sum(values: np.ndarray, config: FeatureConfig, overlap: int = 0) -> np.ndarray:
    """Sums (n_frames,) of what lies in each frame, less its last `overlap` values."""
    half = config.n_fft // 2
    sums = np.concatenate([[0], np.cumsum(values)])
    starts = np.arange(0, len(values) + 2 * half - config.n_fft + 1, config.hop_length) - half
    stops = np.minimum(starts + config.n_fft - overlap, len(values))
    return sums[stops] - sums[np.maximum(starts, 0)]


@lru_cache(maxsize=4)
def bases(config: FeatureConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a config fixes: float32 (n_fft,), (1 + n_fft // 2, n_mels), (n_mels, n_mfcc).

    The Hann window, the mel filters, and the orthonormal cosine transform (DCT-II).
    """
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(config.n_fft) / config.n_fft)
    filters = mel.filters(
        audio.SAMPLE_RATE, config.n_fft, config.n_mels, config.fmin_hz, config.fmax_hz
    )
    order, band = np.arange(config.n_mfcc), np.arange(config.n_mels)
    dct = np.cos(np.pi * np.outer(band + 0.5, order) / config.n_mels)
    dct *= np.sqrt(np.where(order == 0, 1, 2) / config.n_mels)
    return window.astype(np.float32), filters.T.astype(np.float32), dct.astype(np.float32)
