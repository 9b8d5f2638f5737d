"""What is known of a stretch of sound: what the speech encoder's layers make of it, over time."""

import numpy as np

from utils.emotion.encoder import Encoder
from utils.emotion.features import at_speech_level
from utils.threads import one_thread


@one_thread()
def describe(samples: np.ndarray, encoder: Encoder) -> np.ndarray:
    """Mean and deviation over time of the encoder's layers, whatever the level.

    Parameters
    ----------
    samples : float32 (n,) at 16 kHz, at least `utils.emotion.features.MIN_S`

    Returns
    -------
    float32 (2 * encoder.width,)

    Raises
    ------
    AudioError : too short, or silent
    """
    heard = encoder.hear(at_speech_level(samples)[0])
    return np.concatenate([heard.mean(axis=0), heard.std(axis=0)])
