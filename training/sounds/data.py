"""What the head is trained on: ESC-10, and as much that is not to be told."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from training.corpora.librispeech import read_aloud
from training.corpora.noise import read_noise
from training.sound.augmentation import colour, coloured_noise, pink_noise
from training.sound.non_speech import non_speech
from training.sounds.looks import Take, kept, load
from utils.audio import SAMPLE_RATE
from utils.emotion.encoder import Encoder
from utils.sounds import OTHER

FOLDS = tuple("12345")  # of ESC-10; all else is dealt out to them
# What the sounds of ESC-10 are called in captions; the page has its own words for them.
NAMES = {
    "baby-cry": "baby crying",
    "chainsaw": "chainsaw",
    "clock-tick": "clock ticking",
    "dog-bark": "dog barking",
    "fire-crackling": "fire crackling",
    "helicopter": "helicopter",
    "person-sneeze": "sneeze",
    "rain": "rain",
    "rooster": "rooster crowing",
    "sea-waves": "sea waves",
}
LABELS = (*NAMES.values(), OTHER)
VARIANTS = 2  # of each recording of ESC-10
EVERY = 6  # takes each so many'th utterance of readers
N_MADE, N_STEADY = 100, 50  # music, machines and knocks; noise and hum that go on
N_STROKES = 100  # stretches of typing, tapping and rattling, which a clock is to be told from
STEADY_S = 5.0
MAINS_HZ = 50.0, 60.0, 100.0, 120.0


def fold_of(path: Path) -> str:
    """The fold of a recording of ESC-10: takes of one source are in the same."""
    return path.stem.partition("-")[0]


def sounds(noise: Path, cache: Path, encoder: Encoder) -> Iterator[Take]:
    """ESC-10 in `VARIANTS` of each recording."""
    paths = read_noise(noise)
    for variant in range(VARIANTS):
        for path in tqdm(paths, desc=f"sounds, variant {variant}", disable=None):
            name = f"esc10/{path.parent.name}/{path.stem}"
            label = NAMES[path.parent.name]
            yield kept(cache, name, fold_of(path), label, load(path), variant, encoder)


def others(speech: Path, cache: Path, encoder: Encoder) -> Iterator[Take]:
    """Speech, and what is made: music, machines, knocks, noise, hum and typing."""
    clips = read_aloud(speech)
    folds = {
        s: FOLDS[i % len(FOLDS)] for i, s in enumerate(sorted({clip.speaker for clip in clips}))
    }
    for clip in tqdm(clips[::EVERY], desc="speech", disable=None):
        yield kept(
            *(cache, f"speech/{clip.path.stem}", folds[clip.speaker], OTHER),
            *(load(clip.path), 1, encoder),
        )
    for k, made in enumerate(tqdm([*_made()], desc="made", disable=None)):
        yield kept(cache, f"made/{k}", FOLDS[k % len(FOLDS)], OTHER, made, k % 2, encoder)


def _made() -> Iterable[np.ndarray]:
    rng = np.random.default_rng(1)
    yield from (non_speech([], rng) for _ in range(N_MADE))
    yield from (_steady(k, rng) for k in range(N_STEADY))
    yield from (_strokes(rng) for _ in range(N_STROKES))


def _strokes(rng: np.random.Generator) -> np.ndarray:
    """Blows of one thing on another, now faster, now slower, as no clock ticks; peak at 1."""
    n = int(STEADY_S * SAMPLE_RATE)
    sound, at = np.zeros(n), 0
    fades_s, slowest_s = np.exp(rng.uniform(np.log(0.002), np.log(0.03))), rng.uniform(0.15, 0.9)
    ring_hz, rings = np.exp(rng.uniform(np.log(100), np.log(5000), 3)), rng.uniform(0, 2, 3)
    time_s = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    while at < n:
        hz = ring_hz * rng.uniform(0.9, 1.1, 3)
        blow = rng.standard_normal(len(time_s)) + rings @ np.sin(2 * np.pi * np.outer(hz, time_s))
        blow *= np.exp(-time_s / (fades_s * rng.uniform(0.5, 2))) * rng.uniform(0.2, 1)
        sound[at : at + len(blow)] += blow[: n - at]
        at += int(rng.uniform(0.04, slowest_s) * SAMPLE_RATE)
    sound = colour(sound, rng)
    return (sound / np.abs(sound).max()).astype(np.float32)


def _steady(kind: int, rng: np.random.Generator) -> np.ndarray:
    """Noise, hum or a fan that goes on, peak at 1."""
    n = int(STEADY_S * SAMPLE_RATE)
    time_s = np.arange(n) / SAMPLE_RATE
    if kind % 4 == 0:
        sound = coloured_noise(n, rng)
    elif kind % 4 == 1:
        sound = pink_noise(n, rng)
    elif kind % 4 == 2:
        hum_hz = MAINS_HZ[rng.integers(len(MAINS_HZ))]
        parts = [
            rng.uniform() / k * np.sin(2 * np.pi * k * hum_hz * time_s + rng.uniform(0, 6))
            for k in range(1, 10)
        ]
        sound = np.sum(parts, axis=0)
    else:
        turns = np.sin(2 * np.pi * rng.uniform(0.1, 3) * time_s)
        sound = coloured_noise(n, rng) * (1 + rng.uniform(0, 0.5) * turns)
    return (sound / np.abs(sound).max()).astype(np.float32)
