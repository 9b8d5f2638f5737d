"""Sounds that have no emotion, or none that can be told, made from a seed."""

from collections.abc import Iterator

import numpy as np
import soxr

from utils.audio import SAMPLE_RATE

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


def note(pitch_hz: float, duration_s: float, decay_s: float, tilt: float) -> np.ndarray:
    """A plucked or struck string: harmonics that fall off by `tilt`, dying away."""
    time_s = np.arange(int(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    orders = [k for k in range(1, 12) if k * pitch_hz < 7500]
    tone = sum(np.sin(2 * np.pi * k * pitch_hz * time_s + k) * k**-tilt for k in orders)
    return tone * np.minimum(time_s / 0.01, 1) * np.exp(-time_s / decay_s)


def drum(rng: np.random.Generator, low: bool) -> np.ndarray:
    time_s = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    if low:
        return np.sin(2 * np.pi * 55 * time_s) * np.exp(-15 * time_s)
    return 0.4 * rng.standard_normal(len(time_s)) * np.exp(-20 * time_s)


def notes(rng: np.random.Generator, parts: str, duration_s: float) -> Iterator[tuple]:
    """(time in s, sound) of some bars of what is named in `parts`."""
    root_hz = 110 * 2 ** (rng.integers(12) / 12)
    scale = (MAJOR, MINOR)[rng.integers(2)]
    beat_s = 60 / rng.uniform(80, 150)
    for beat in range(int(duration_s / beat_s)):
        at_s = beat * beat_s
        if "chords" in parts and beat % 4 == 0:
            degree = rng.choice([0, 3, 4, 5])
            for step in (degree, degree + 2, degree + 4):
                octave, tone = divmod(step, 7)
                pitch_hz = root_hz * 2 ** (octave + scale[tone] / 12)
                yield at_s, 0.25 * note(pitch_hz, 4 * beat_s, 2.0, 1.2)
        if "melody" in parts:
            for half in range(rng.integers(1, 3)):
                pitch_hz = 2 * root_hz * 2 ** (rng.choice(scale) / 12)
                sound = note(pitch_hz, 0.9 * beat_s, 0.4, rng.uniform(0.7, 1.5))
                yield at_s + half * beat_s / 2, 0.35 * sound
        if "drums" in parts:
            yield at_s, drum(rng, low=beat % 2 == 0)


def music(seed: int, parts: str = "chords melody drums", duration_s: float = 4.0) -> np.ndarray:
    """Chords, a melody over them and drums, float32 (n,)."""
    mixed = np.zeros(int(duration_s * SAMPLE_RATE))
    for at_s, sound in notes(np.random.default_rng(seed), parts, duration_s):
        at = int(at_s * SAMPLE_RATE)
        room = len(mixed) - at
        mixed[at : at + len(sound)] += sound[:room]
    return (0.3 * mixed / np.abs(mixed).max()).astype(np.float32)


def tones(seed: int, duration_s: float = 2.0) -> dict[str, np.ndarray]:
    """What machines give off: a whistle, a buzz, a siren and beeps, over a faint hiss."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    turns = rng.uniform(80, 3000) * time_s
    found = {
        "whistle": np.sin(2 * np.pi * turns),
        "buzz": np.sign(np.sin(2 * np.pi * turns / 4)),
        "siren": np.sin(2 * np.pi * (turns + 200 * time_s**2)),
        "beeps": np.sin(2 * np.pi * turns) * (time_s % 0.5 < 0.25),
    }
    hiss = 1e-4 * rng.standard_normal(len(time_s))
    return {name: (0.2 * sound + hiss).astype(np.float32) for name, sound in found.items()}


def telephone(samples: np.ndarray) -> np.ndarray:
    """As over a telephone line: 8 kHz, eight bits of mu-law (ITU-T G.711)."""
    narrow = np.clip(soxr.resample(samples, SAMPLE_RATE, 8_000), -1, 1)
    code = np.round(128 * np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)) / 128
    narrow = np.sign(code) * np.expm1(np.abs(code) * np.log(256)) / 255
    return soxr.resample(narrow.astype(np.float32), 8_000, SAMPLE_RATE)


def clipped(samples: np.ndarray, drop_db: float) -> np.ndarray:
    """Cut off so far under the peak, as by an input turned up too high."""
    rail = np.abs(samples).max() * 10 ** (-drop_db / 20)
    return np.clip(samples, -rail, rail)
