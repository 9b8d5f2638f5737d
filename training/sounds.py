"""Clips as the live program would hear them, clean and in other voices and rooms."""

import numpy as np
import soxr
from scipy.signal import fftconvolve, lfilter

from utils import audio

TRIM_DB = -35.0  # relative to the speech level: quieter than this, a clip has not begun
PRE_S, POST_S = 0.3, 0.2  # what the live segmenter leaves around speech
HISS_DB = -50.0  # under the speech level: fills the margin that a tightly cut clip lacks


def as_live(samples: np.ndarray) -> np.ndarray:
    """Cut (n,) samples the way the live segmenter does: 0.3 s before, 0.2 s after."""
    return _cut(samples, PRE_S, POST_S, np.random.default_rng(0))


def vary(samples: np.ndarray, noises: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """The same words cut, spoken, echoed and disturbed a little otherwise.

    Speed and pitch change together, as from one speaker to another (Ko et al., "Audio
    augmentation for speech recognition", Interspeech 2015).
    """
    samples = _cut(samples, rng.uniform(0.0, 0.5), rng.uniform(0.0, 0.4), rng)
    if rng.random() < 0.8:
        samples = soxr.resample(samples, 1.0, rng.uniform(0.88, 1.14))
    if rng.random() < 0.5:
        samples = _tilt(samples, rng)
    if rng.random() < 0.35:
        samples = _echo(samples, rng)
    if rng.random() < 0.5:
        samples = _mix(samples, _stretch(noises[rng.integers(len(noises))], len(samples), rng), rng)
    return samples.astype(np.float32)


def meaningless(noises: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A second or more of sound without a voice, of which no emotion should be read."""
    n = int(rng.uniform(0.6, 4.0) * audio.SAMPLE_RATE)
    kind = rng.integers(4)
    if kind < 2:
        return _stretch(noises[rng.integers(len(noises))], n, rng)
    white = rng.standard_normal(n).astype(np.float32) * 0.05
    if kind == 2:  # hiss to rumble
        return lfilter([1.0], [1.0, -rng.uniform(-0.5, 0.98)], white).astype(np.float32)
    clicks = np.zeros(n, np.float32)  # knocks of some milliseconds over a faint hiss
    for start in rng.integers(0, n, rng.integers(1, 12)):
        decay = np.exp(-np.arange(800) / rng.uniform(5, 300)).astype(np.float32)
        knock = rng.standard_normal(800).astype(np.float32) * decay
        clicks[start : start + 800] += knock[: n - start]
    return clicks * 0.3 + white * 10 ** rng.uniform(-3, -1)


def _cut(samples: np.ndarray, pre_s: float, post_s: float, rng: np.random.Generator) -> np.ndarray:
    """Speech with the margins asked for, of the clip's own sound as far as it reaches."""
    step = audio.SAMPLE_RATE // 100
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    levels = np.sqrt(np.square(frames).mean(axis=1))
    level = np.percentile(levels, 95)
    loud = np.flatnonzero(levels > level * 10 ** (TRIM_DB / 20))
    if len(loud) == 0:
        return samples
    start = loud[0] * step - int(pre_s * audio.SAMPLE_RATE)
    end = (loud[-1] + 1) * step + int(post_s * audio.SAMPLE_RATE)
    missing = max(0, -start), max(0, end - len(samples))
    hiss = level * 10 ** (HISS_DB / 20)
    before, after = (hiss * rng.standard_normal(n).astype(np.float32) for n in missing)
    return np.concatenate([before, samples[max(0, start) : end], after], dtype=np.float32)


def _tilt(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another microphone: more or less treble, by a first-order filter."""
    return lfilter([1.0, rng.uniform(-0.5, 0.5)], [1.0], samples)


def _echo(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A small room: exponentially decaying noise, RT60 of 0.15 to 0.6 s, under the voice."""
    rt60_s = rng.uniform(0.15, 0.6)
    time_s = np.arange(int(rt60_s * audio.SAMPLE_RATE)) / audio.SAMPLE_RATE
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / rt60_s)
    tail *= 10 ** (rng.uniform(-10, 3) / 20) / np.linalg.norm(tail)
    tail[0] += 1.0
    return fftconvolve(samples, tail)[: len(samples)]


def _mix(samples: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add noise at a signal-to-noise ratio between 5 and 30 dB."""
    gain_db = audio.level_db(samples) - audio.level_db(noise) - rng.uniform(5, 30)
    return samples + noise * 10 ** (gain_db / 20)


def _stretch(noise: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` samples of a noise from a random point on, repeated as often as needed."""
    start = rng.integers(len(noise))
    return np.resize(np.roll(noise, -start), n)
