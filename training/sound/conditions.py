"""Clips as the live program would hear them: cut as it cuts, and in what tests call conditions."""

from collections.abc import Sequence

import numpy as np
from scipy.signal import fftconvolve

from training.sound.augmentation import cut, excerpt, mix, pink_noise, record
from training.sound.impulse_response import room_response
from utils.errors import DataError

PRE_S, POST_S = 0.3, 0.2  # what the live segmenter leaves around speech
GAINS_DB = {f"gain {gain_db:+d} dB": gain_db for gain_db in (-30, -20, -10, 10, 20)}
CONDITIONS = ("clean", *GAINS_DB, "noise 10 dB", "room")
TEST_RT60_S, TEST_DISTANCE_M = 0.5, 2.0  # of the condition "room"


def as_live(samples: np.ndarray) -> np.ndarray:
    """Cut (n,) samples the way the live segmenter does: 0.3 s before, 0.2 s after."""
    return cut(samples, PRE_S, POST_S, np.random.default_rng(0))


def condition(
    name: str, samples: np.ndarray, noises: Sequence[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """A clip as the live program would hear it in one of `CONDITIONS`, float32 (n,).

    A gain is that of a 16-bit recorder with headroom: values are rounded, none is clipped.
    The room is of image sources, not the decaying noise that training echoes with.

    Parameters
    ----------
    name : one of `CONDITIONS`
    samples : (n,) float32, 16 kHz
    noises : sounds that training did not hear; pink noise takes their turn at times

    Raises
    ------
    DataError : an unknown condition
    """
    if name not in CONDITIONS:
        raise DataError(f"unknown condition {name!r}, expected one of {', '.join(CONDITIONS)}")
    if name == "room":
        samples = fftconvolve(samples, room_response(TEST_RT60_S, TEST_DISTANCE_M, rng))
    samples = as_live(samples)
    if name in GAINS_DB:
        samples = record(samples, GAINS_DB[name])
    elif name == "noise 10 dB":
        made = not noises or rng.random() < 0.25
        noise = pink_noise(len(samples), rng) if made else excerpt(noises, len(samples), rng)
        samples = mix(samples, noise, 10)
    return samples.astype(np.float32)
