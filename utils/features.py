"""What the emotion model hears: level-normalised MFCC, zero-crossing rate and RMS.

The live program and training call the same `extract`. Every value is relative to the
segment's own speech level, so that a loud voice is not taken for an angry one, nor a
distant microphone for sadness.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from utils import audio
from utils.errors import AudioError

MIN_S = 0.1  # shorter than this there is no syllable to describe
SILENT_DB = -90.0  # dBFS; below it only the rounding noise of 16-bit audio remains
LEVEL_PERCENTILE = 95  # of frame RMS: blind to the pauses, and to a click of a frame or two
ZCR_THRESHOLD = 0.01  # -40 dB under the speech level: the noise of a pause does not count


@dataclass(frozen=True)
class FeatureConfig:
    """How samples become frames; a checkpoint carries the one it was trained with.

    Parameters
    ----------
    n_fft, hop_length : window and step in samples at 16 kHz. 64 ms resolves the
        harmonics of a voice, which carry its pitch into the higher coefficients.
    n_mels, n_mfcc : mel bands, and cepstral coefficients kept of them
    fmin_hz, fmax_hz : edge of the lowest and the highest mel band
    floor_db : power added before the logarithm, dB relative to the speech level, so that
        noise far under the speech leaves no trace

    Raises
    ------
    ValueError : sizes or frequencies that give no features
    """

    n_fft: int = 1024
    hop_length: int = 256
    n_mels: int = 64
    n_mfcc: int = 40
    fmin_hz: float = 50.0
    fmax_hz: float = 7600.0
    floor_db: float = -40.0

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
        """Columns of a feature array: MFCC, then zero-crossing rate, then RMS."""
        return self.n_mfcc + 2


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
    import librosa  # here, since it takes a while and the page must not wait for it

    samples = audio.check(samples)
    if len(samples) < MIN_S * audio.SAMPLE_RATE:
        raise AudioError(
            f"{len(samples) / audio.SAMPLE_RATE:.3f} s of audio, expected at least {MIN_S} s"
        )
    framing = {"hop_length": config.hop_length, "center": True}
    samples = samples - samples.mean(dtype=np.float64).astype(np.float32)  # a sound card's offset
    rms = librosa.feature.rms(y=samples, frame_length=config.n_fft, **framing)[0]
    level = float(np.percentile(rms, LEVEL_PERCENTILE))
    if level < 10 ** (SILENT_DB / 20):
        raise AudioError("the audio is silent; check that the microphone is on and not muted")

    samples = samples / np.float32(level)
    spectrum = librosa.stft(samples, n_fft=config.n_fft, pad_mode="constant", **framing)
    mel = _mel_basis(config) @ np.square(np.abs(spectrum))  # (n_mels, n_frames)
    floor = 10 ** (config.floor_db / 10)
    mfcc = librosa.feature.mfcc(S=10 * np.log10(mel + floor), n_mfcc=config.n_mfcc)
    zcr = librosa.feature.zero_crossing_rate(
        samples, frame_length=config.n_fft, threshold=ZCR_THRESHOLD, **framing
    )
    rms_db = 10 * np.log10(np.square(rms / level) + floor)
    return np.vstack([mfcc, zcr, rms_db]).T.astype(np.float32)


@lru_cache(maxsize=4)
def _mel_basis(config: FeatureConfig) -> np.ndarray:
    """Mel filters (n_mels, 1 + n_fft // 2), built once instead of for each segment."""
    import librosa

    return librosa.filters.mel(
        sr=audio.SAMPLE_RATE,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.fmin_hz,
        fmax=config.fmax_hz,
    )
