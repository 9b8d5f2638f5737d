"""One array of all that the emotion network hears: a row for each step of 80 ms.

A row holds four frames of MFCC, zero-crossing rate and RMS, one after the other, and then what
Whisper's encoder heard meanwhile, where there is one.
"""

import numpy as np

from utils import audio
from utils.emotion import features, spectra
from utils.emotion.encoder import STEP, Encoder
from utils.emotion.features import DEFAULT_CONFIG
from utils.emotion.spectra import Config, SpectraConfig


def extract(
    samples: np.ndarray, config: Config = DEFAULT_CONFIG, encoder: Encoder | None = None
) -> np.ndarray:
    """Steps float32 (n_steps, 4 n_features, and the encoder's width more) of speech.

    Of a picture (`utils.emotion.spectra`) a step is one frame, float32 (n_frames, n_features).

    Parameters
    ----------
    samples : as `features.extract`
    config : of the frames
    encoder : None where it is not here; the rows then end with the frames

    Raises
    ------
    AudioError : as `features.extract`
    """
    if isinstance(config, SpectraConfig):
        return spectra.extract(samples, config)
    samples, rms = features.at_speech_level(samples, config)
    frames = features.describe(samples, rms, config)
    n_steps = -(-len(frames) // STEP)
    rows = frames[np.minimum(np.arange(n_steps * STEP), len(frames) - 1)].reshape(n_steps, -1)
    if encoder is None:
        return rows
    heard = encoder.hear(samples)
    heard = heard[np.minimum(np.arange(n_steps), len(heard) - 1)]
    return np.concatenate([rows, heard], axis=1)


def width(config: Config, encoder: Encoder | None) -> int:
    """Columns of what `extract` gives."""
    if isinstance(config, SpectraConfig):
        return config.n_features
    return STEP * config.n_features + (encoder.width if encoder else 0)


def per_s(config: Config) -> float:
    """Steps in a second."""
    if isinstance(config, SpectraConfig):
        return config.per_s
    return audio.SAMPLE_RATE / (STEP * config.hop_length)
