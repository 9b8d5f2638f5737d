"""Pictures of speech that image networks hear: log-spectrogram, mel, MFCC and chroma.

The workshop and the live program call the same `extract`. As in `utils.emotion.features`, all is
relative to the speech's own level.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soxr

from utils import audio
from utils.emotion import features
from utils.emotion.features import FeatureConfig

KINDS = ("logspec", "mel", "mfcc", "chroma", "mfcc+chroma+mel")
RATES = (8_000, 16_000)
WINDOW_S, N_FFT_S = 0.04, 0.05  # a Hamming window in a transform with bins 20 Hz apart
N_CHROMA = 12
# Power added to each bin, relative to white noise at the speech level: pauses differ from speech,
# not in depth.
FLOOR_DB = -40.0


@dataclass(frozen=True)
class SpectraConfig:
    """How samples become the rows of a picture; a checkpoint carries the one it was trained with.

    Parameters
    ----------
    kind : one of `KINDS`; "mfcc+chroma+mel" has the rows of the three one after the other
    rate : at which speech is heard, 8,000 or 16,000 Hz
    hop_s : from one frame to the next
    n_freq : bins of 20 Hz that a log-spectrogram keeps, from 0 Hz on. 200 reach 4 kHz, which is
        usual (Satt et al., "Efficient emotion recognition from speech using deep learning on
        spectrograms", Interspeech 2017)
    n_mels, n_mfcc : mel bands, and cepstral coefficients kept of them

    Raises
    ------
    ValueError : an unknown kind or rate, or sizes that give no features
    """

    kind: str = "mel"
    rate: int = 16_000
    hop_s: float = 0.01
    n_freq: int = 200
    n_mels: int = 128
    n_mfcc: int = 40

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"features {self.kind!r}, expected one of {', '.join(KINDS)}")
        if self.rate not in RATES:
            raise ValueError(f"a rate of {self.rate!r} Hz, expected {RATES[0]} or {RATES[1]}")
        for name in ("n_freq", "n_mels", "n_mfcc"):
            if not isinstance(getattr(self, name), int):
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected a whole number")
        if not 1 <= self.n_freq <= 1 + self.n_fft // 2:
            raise ValueError(
                f"{self.n_freq} bins of a log-spectrogram at {self.rate} Hz, expected 1 to "
                f"{1 + self.n_fft // 2}: they are 20 Hz apart"
            )
        hears_mel = self.kind not in ("logspec", "chroma")
        if hears_mel and not 1 <= self.n_mfcc <= self.n_mels <= self.n_fft // 4:
            raise ValueError(
                f"{self.n_mfcc} MFCC of {self.n_mels} mel bands, expected 1 <= MFCC <= bands <= "
                f"{self.n_fft // 4} at {self.rate} Hz"
            )
        if not 0.001 <= self.hop_s <= WINDOW_S:
            raise ValueError(f"frames {self.hop_s} s apart, expected 0.001 to {WINDOW_S}")

    @property
    def n_fft(self) -> int:
        """Samples of the transform."""
        return round(N_FFT_S * self.rate)

    @property
    def hop_length(self) -> int:
        """Samples from one frame to the next, at `rate`."""
        return round(self.hop_s * self.rate)

    @property
    def columns(self) -> tuple[str, ...]:
        """What each value of a frame is: "mfcc_1", "chroma_1", "mel_1" …"""
        sizes = {
            "logspec": self.n_freq,
            "mfcc": self.n_mfcc,
            "chroma": N_CHROMA,
            "mel": self.n_mels,
        }
        return tuple(f"{k}_{n + 1}" for k in self.kind.split("+") for n in range(sizes[k]))

    @property
    def n_features(self) -> int:
        """Values of a frame."""
        return len(self.columns)

    @property
    def per_s(self) -> float:
        """Frames in a second."""
        return self.rate / self.hop_length


Config = FeatureConfig | SpectraConfig
"""What an emotion network can hear: our own frames, or a picture."""


def extract(samples: np.ndarray, config: SpectraConfig) -> np.ndarray:
    """Frames of a picture of speech, whatever its level.

    Parameters
    ----------
    samples : (n,) float in [-1, 1] or int16, mono, 16 kHz, at least `features.MIN_S` long

    Returns
    -------
    float32 (n_frames, n_features), n_frames = 1 + n // hop_length at the config's rate. In dB but
    for chroma, in [0, 1], and MFCC

    Raises
    ------
    AudioError : as `features.extract`
    """
    samples, _ = features.at_speech_level(samples)
    if config.rate != audio.SAMPLE_RATE:
        samples = soxr.resample(samples, audio.SAMPLE_RATE, config.rate)
    power = _power(samples, config)
    parts = [_rows(kind, power, config) for kind in config.kind.split("+")]
    return np.ascontiguousarray(np.concatenate(parts).T, np.float32)


def _power(samples: np.ndarray, config: SpectraConfig) -> np.ndarray:
    """Power (1 + n_fft // 2, n_frames), the same at both rates.

    White noise of RMS 1 at 16 kHz has 1 in each bin on average.
    """
    import librosa  # brings numba: a second and 200 MB, only where such a network is used

    window = np.hamming(round(WINDOW_S * config.rate))
    spectrum = librosa.stft(
        samples,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=len(window),
        window=window,
    )
    scale = audio.SAMPLE_RATE / config.rate / np.square(window).sum()
    return scale * np.square(np.abs(spectrum))


def _rows(kind: str, power: np.ndarray, config: SpectraConfig) -> np.ndarray:
    """Rows (n, n_frames) of one kind of picture, of the `_power` of speech."""
    import librosa

    if kind == "logspec":
        return _in_db(power[: config.n_freq])
    if kind == "chroma":
        pitches = _chroma_filters(config) @ power
        return pitches / np.maximum(pitches.max(axis=0), 10 ** (FLOOR_DB / 10))
    mel = _in_db(_mel_filters(config) @ power)
    return mel if kind == "mel" else librosa.feature.mfcc(S=mel, n_mfcc=config.n_mfcc)


@lru_cache(maxsize=4)
def _mel_filters(config: SpectraConfig) -> np.ndarray:
    """(n_mels, 1 + n_fft // 2), each of which sums to 1: a mean over its band."""
    import librosa

    filters = librosa.filters.mel(sr=config.rate, n_fft=config.n_fft, n_mels=config.n_mels)
    return filters / np.maximum(filters.sum(axis=1, keepdims=True), 1e-9)


@lru_cache(maxsize=4)
def _chroma_filters(config: SpectraConfig) -> np.ndarray:
    """(12, 1 + n_fft // 2), as `librosa.feature.chroma_stft` has them."""
    import librosa

    return librosa.filters.chroma(sr=config.rate, n_fft=config.n_fft, n_chroma=N_CHROMA)


def _in_db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power + 10 ** (FLOOR_DB / 10))
