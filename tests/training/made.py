"""Sounds that stand for speech and noise where training is tested."""

import numpy as np

from utils.audio import SAMPLE_RATE


def buzz(duration_s: float = 0.8, level: float = 0.1) -> np.ndarray:
    time_s = np.arange(int(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    return (level * np.sign(np.sin(2 * np.pi * 150 * time_s))).astype(np.float32)


def spoken() -> np.ndarray:
    """Two syllables of a buzz between stretches of near silence."""
    quiet = 1e-4 * np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    return np.concatenate([quiet, buzz(0.4), quiet[:3000], buzz(0.4), quiet])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)
