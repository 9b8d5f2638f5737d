"""Sounds without a voice, made or taken from recordings: music, machines, knocks, noise."""

from collections.abc import Sequence

import numpy as np

from training.sound.augmentation import everyday, mix, reverberant
from utils import audio

SCALES = ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 8, 11), tuple(range(12)))  # semitones


def non_speech(noises: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Half a second or more without a voice, of which no emotion should be read, float32 (n,).

    Everyday sounds, hiss to rumble, knocks, music, and what machines give off.
    """
    n = int(rng.uniform(0.6, 4.0) * audio.SAMPLE_RATE)
    kind = rng.integers(6)
    sound = everyday(noises, n, rng)
    if kind < 4:
        make = (_knocks, _music, _music, _machine)[kind]
        sound = mix(make(n, rng), sound, rng.uniform(10, 60))
    if rng.random() < 0.3:
        sound = reverberant(sound, rng)
    peak = 10 ** rng.uniform(-1.5, -0.3)
    return (peak * sound / max(np.abs(sound).max(), 1e-9)).astype(np.float32)


def _knocks(n: int, rng: np.random.Generator) -> np.ndarray:
    """One to twelve knocks of some milliseconds."""
    sound = np.zeros(n)
    for start in rng.integers(0, n, rng.integers(1, 12)):
        knock = rng.standard_normal(800) * np.exp(-np.arange(800) / rng.uniform(5, 300))
        sound[start : start + 800] += knock[: n - start]
    return sound


def _music(n: int, rng: np.random.Generator) -> np.ndarray:
    """Chords, a melody, drums, or several of them, on an instrument of the moment."""
    sound, beat = np.zeros(n), int(rng.uniform(0.2, 0.7) * audio.SAMPLE_RATE)
    tonic_hz, scale = rng.uniform(80, 250), SCALES[rng.integers(len(SCALES))]
    instrument = rng.uniform(0.4, 2.0), rng.uniform(0.1, 2.0), rng.uniform(0, 0.006)
    chords, melody, drums = rng.permutation([True, rng.random() < 0.5, rng.random() < 0.5])

    def play(at: int, length: int, degree: int) -> None:
        octave, step = divmod(degree, len(scale))
        pitch_hz = tonic_hz * 2 ** (octave + scale[step] / 12)
        sound[at : at + length] += _note(pitch_hz, length, *instrument)[: n - at]

    for k, at in enumerate(range(0, n, beat)):
        if chords and k % 2 == 0:
            root = int(rng.integers(len(scale)))
            for third in (0, 2, 4):
                play(at, 2 * beat, root + third)
        if melody:
            play(at, beat, int(rng.integers(len(scale), 3 * len(scale))))
        if drums:
            sound[at : at + beat] += _drum(beat, rng)[: n - at]
    return sound


def _drum(n: int, rng: np.random.Generator) -> np.ndarray:
    """A thump that falls in pitch, or a hiss, dying away."""
    time_s = np.arange(n) / audio.SAMPLE_RATE
    thump = 4 * np.sin(30 * np.exp(-12 * time_s))
    sound = thump if rng.random() < 0.5 else rng.standard_normal(n)
    return sound * np.exp(-rng.uniform(8, 30) * time_s)


def _note(pitch_hz: float, n: int, slope: float, decay_s: float, vibrato: float) -> np.ndarray:
    """Harmonics that fall off as order ** -slope, die away in `decay_s` and waver in pitch."""
    time_s = np.arange(n) / audio.SAMPLE_RATE
    turns = pitch_hz * (time_s + vibrato * np.sin(2 * np.pi * 5.5 * time_s) / (2 * np.pi * 5.5))
    orders = np.arange(1, min(12, int(7500 / pitch_hz)) + 1)[:, None]
    wave = (np.sin(2 * np.pi * orders * turns + orders**2) * orders**-slope).sum(axis=0)
    ends = np.minimum(1, np.minimum(time_s, time_s[::-1]) / 0.01)
    return wave * ends * np.exp(-time_s / decay_s)


def _machine(n: int, rng: np.random.Generator) -> np.ndarray:
    """A tone, a chord of two as a telephone dials, a buzz, a siren; steady or in beeps."""
    time_s = np.arange(n) / audio.SAMPLE_RATE
    pitch_hz = np.exp(rng.uniform(np.log(60), np.log(3000)))
    swing_hz = rng.uniform(0.1, 0.6) * pitch_hz if rng.random() < 0.4 else 0.0
    rate = 2 * np.pi * rng.uniform(0.2, 6)  # of the siren, radians per second
    turns = pitch_hz * time_s - swing_hz * np.cos(rate * time_s) / rate
    sound = np.sin(2 * np.pi * turns)
    kind = rng.integers(3)
    if kind == 0:
        sound = sound + np.sin(2 * np.pi * rng.uniform(1.1, 2.1) * turns)
    elif kind == 1:
        sound = np.tanh(rng.uniform(1, 8) * sound)
    if rng.random() < 0.4:
        sound = sound * (time_s * rng.uniform(1, 8) % 1 < rng.uniform(0.2, 0.8))
    return sound
