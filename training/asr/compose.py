"""Utterances of several digits, put together from single ones and heard in many rooms.

The live program hands the recogniser segments: 0.3 s of what was before, some words with
pauses between them, 0.2 s of what comes after. Training sees the same, in more voices
(speed and pitch change together; Ko et al., "Audio augmentation for speech recognition",
Interspeech 2015), rooms, noises, microphones and levels than were recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from training.asr.digits import WORDS, Digit
from training.sound.augmentation import disturb, other_voice
from utils import audio
from utils.audio import SAMPLE_RATE

MOST_DIGITS = 8
SINGLE, EMPTY = 0.3, 0.04  # part of the utterances that are one digit, and none
VOICES = 0.82, 1.28  # speed and pitch of a voice relative to the recording
MADE = 0.4  # part of the utterances that a synthesiser's voice says, where there are any


@dataclass(frozen=True, eq=False)
class Utterance:
    """Words, how they sound, and where they are.

    Parameters
    ----------
    samples : float32 (n,), 16 kHz
    words : as spoken
    spans : (start, end) of each word, indices into `samples`
    """

    samples: np.ndarray
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


class Composer:
    """Draws utterances; each follows from the random numbers that it is given alone.

    Parameters
    ----------
    sounds : samples (n,) float32 of each digit
    noises : sounds to mix in, (n,) each; without any, noise is made
    made : like `sounds`, by the voices of a synthesiser
    """

    def __init__(
        self,
        sounds: Mapping[Digit, np.ndarray],
        noises: Sequence[np.ndarray],
        made: Mapping[Digit, np.ndarray] | None = None,
    ) -> None:
        self.noises = list(noises)
        self._recorded, self._made = _by_voice(sounds), _by_voice(made or {})

    def utterance(self, rng: np.random.Generator, hardness: float = 1.0) -> Utterance:
        """One voice says none to eight digits somewhere.

        Parameters
        ----------
        hardness : in [0, 1]; 0 is a few clean digits, to begin with
        """
        n_words = _n_digits(rng, hardness)
        words = tuple(WORDS[k] for k in rng.integers(len(WORDS), size=n_words))
        by_rule = self._made and (not self._recorded or rng.random() < MADE)
        voices = self._made if by_rule else self._recorded
        voice = voices[rng.integers(len(voices))]
        rate = rng.uniform(*VOICES) if rng.random() < 0.85 else 1.0
        sounds = [self._say(voice, word, rate, rng) for word in words]
        dry, spans = join(sounds, *_pauses(len(words), rng))
        if rng.random() < 0.8:
            dry = other_voice(dry, rng)
        return Utterance(disturb(dry, self.noises, rng, hardness), words, spans)

    def _say(
        self, voice: dict[str, list[np.ndarray]], word: str, rate: float, rng: np.random.Generator
    ) -> np.ndarray:
        takes = voice[word] if word in voice else [np.zeros(1600, np.float32)]
        sound = takes[rng.integers(len(takes))] * 10 ** (rng.uniform(-4, 4) / 20)
        rate *= rng.uniform(0.95, 1.05)
        return soxr.resample(sound, rate, 1.0, quality="LQ") if rate != 1.0 else sound


def _by_voice(sounds: Mapping[Digit, np.ndarray]) -> list[dict[str, list[np.ndarray]]]:
    """Takes of each word by each voice, in order of the voices' names."""
    found: dict[str, dict[str, list[np.ndarray]]] = {}
    for digit, samples in sounds.items():
        found.setdefault(digit.speaker, {}).setdefault(digit.word, []).append(samples)
    return [found[speaker] for speaker in sorted(found)]


def _n_digits(rng: np.random.Generator, hardness: float) -> int:
    most = 2 + round(hardness * (MOST_DIGITS - 2))
    kind = rng.random()
    if kind < EMPTY:
        return 0
    return 1 if kind < EMPTY + SINGLE else int(rng.integers(2, most + 1))


def _pauses(n_words: int, rng: np.random.Generator) -> tuple[float, list[float], float]:
    """Seconds before, between and after the words; some people speak without a pause."""
    if n_words == 0:
        return rng.uniform(0.4, 2.0), [], 0.0
    longest_s = (0.03, 0.2, 0.5, 0.9)[rng.integers(4)]
    between = list(rng.uniform(0.0, longest_s, n_words - 1))
    return rng.uniform(0.05, 0.7), between, rng.uniform(0.1, 0.5)


def join(
    sounds: Sequence[np.ndarray], before_s: float, between_s: Sequence[float], after_s: float
) -> tuple[np.ndarray, tuple[tuple[int, int], ...]]:
    """Sounds one after another in silence, faded at their ends, and where each one is."""
    parts, spans = [np.zeros(int(before_s * SAMPLE_RATE), np.float32)], []
    at = len(parts[0])
    for sound, pause_s in zip(sounds, [*between_s, after_s]):
        pause = np.zeros(int(pause_s * SAMPLE_RATE), np.float32)
        parts += [_faded(sound), pause]
        spans.append((at, at + len(sound)))
        at += len(sound) + len(pause)
    return np.concatenate(parts), tuple(spans)


def _faded(sound: np.ndarray) -> np.ndarray:
    """Without a click at either end, where the recording was cut in its own noise."""
    n = min(80, len(sound) // 2)
    ramp = np.ones(len(sound), np.float32)
    ramp[:n] = np.linspace(0, 1, n)
    ramp[len(sound) - n :] = np.linspace(1, 0, n)
    return sound * ramp


def load_sounds(digits: Sequence[Digit]) -> dict[Digit, np.ndarray]:
    """Samples of each recording, levelled, so that no voice is always the softest.

    Raises
    ------
    AudioError : a recording cannot be read
    """
    return {digit: _levelled(audio.load(digit.path)) for digit in digits}


def load_noises(paths: Sequence[Path]) -> list[np.ndarray]:
    """Samples of each sound; those of digital silence alone are left out."""
    sounds = [audio.load(path) for path in paths]
    return [sound for sound in sounds if np.abs(sound).max() > 1e-3]


def _levelled(samples: np.ndarray) -> np.ndarray:
    return (0.1 * samples / max(float(np.sqrt(np.mean(np.square(samples)))), 1e-6)).astype(
        np.float32
    )
