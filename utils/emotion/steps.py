"""One array of all that the emotion network hears: a row for each step of 80 ms.

A row holds four frames of MFCC, zero-crossing rate and RMS, one after the other, and then what
Whisper's encoder heard meanwhile, where there is one.
"""

import numpy as np

from utils.emotion import features
from utils.emotion.encoder import STEP, Encoder
from utils.emotion.features import DEFAULT_CONFIG, FeatureConfig


def extract(
    samples: np.ndarray, config: FeatureConfig = DEFAULT_CONFIG, encoder: Encoder | None = None
) -> np.ndarray:
    """Steps float32 (n_steps, 4 n_features, and the encoder's width more) of speech.

    Parameters
    ----------
    samples : as `features.extract`
    config : of the frames
    encoder : None where it is not here; the rows then end with the frames

    Raises
    ------
    AudioError : as `features.extract`
    """
    samples, rms = features.at_speech_level(samples, config)
    frames = features.describe(samples, rms, config)
    n_steps = -(-len(frames) // STEP)
    rows = frames[np.minimum(np.arange(n_steps * STEP), len(frames) - 1)].reshape(n_steps, -1)
    if encoder is None:
        return rows
    heard = encoder.hear(samples)
    heard = heard[np.minimum(np.arange(n_steps), len(heard) - 1)]
    return np.concatenate([rows, heard], axis=1)
