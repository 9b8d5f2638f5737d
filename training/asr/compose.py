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
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, fftconvolve, istft, lfilter, sosfilt, stft

from training.asr.digits import WORDS, Digit
from utils import audio
from utils.audio import SAMPLE_RATE

MOST_DIGITS = 8
SINGLE, EMPTY = 0.3, 0.04  # part of the utterances that are one digit, and none
VOICES = 0.82, 1.28  # speed and pitch of a voice relative to the recording
MADE = 0.4  # part of the utterances that a synthesiser's voice says, where there are any
FORMANTS = 0.87, 1.18  # of a voice relative to the recording, at its own pace
VOWELS, KNOTS = 0.05, 5  # by which each part of 4 kHz is shifted besides, and how many parts
TIMBRE_DB = 4.0  # by which each of them is louder or softer
FFT, HOP, ENVELOPE = 512, 128, 4.0  # samples; width over which bins become an envelope
MOST_DB = 20.0  # by which an envelope is raised or lowered
MU = 255  # of the telephone's logarithmic code, ITU-T G.711


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


def other_voice(dry: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same words, at the same pace and pitch, with another throat, vowels and timbre.

    The frequency axis is warped, as vocal tract length perturbation does (N. Jaitly and G.
    Hinton, ICML workshop 2013), but that of the envelope alone, and each part of it a little
    differently: formants of voices differ by more than one factor.
    """
    _, _, spectrum = stft(dry, SAMPLE_RATE, nperseg=FFT, noverlap=FFT - HOP)
    level = np.log(np.square(np.abs(spectrum)) + 1e-10) / 2
    envelope = gaussian_filter1d(level, ENVELOPE, axis=0)
    bins, knots = np.arange(len(spectrum)), np.linspace(0, len(spectrum) / 2, KNOTS)
    factors = rng.uniform(*FORMANTS) * rng.uniform(1 - VOWELS, 1 + VOWELS, KNOTS)
    source = np.minimum(bins / np.interp(bins, knots, factors), len(bins) - 1.001)
    below, part = source.astype(int), (source % 1)[:, None]
    warped = (1 - part) * envelope[below] + part * envelope[below + 1]
    timbre = np.interp(bins, knots, rng.uniform(-TIMBRE_DB, TIMBRE_DB, KNOTS))[:, None]
    gain_db = np.clip(20 / np.log(10) * (warped - envelope), -MOST_DB, MOST_DB) + timbre
    _, found = istft(spectrum * 10 ** (gain_db / 20), SAMPLE_RATE, nperseg=FFT, noverlap=FFT - HOP)
    return np.resize(found, len(dry)).astype(np.float32)


def disturb(
    dry: np.ndarray,
    noises: Sequence[np.ndarray],
    rng: np.random.Generator,
    hardness: float = 1.0,
) -> np.ndarray:
    """The same words in a room, with noise, over a microphone or telephone, louder or softer.

    Parameters
    ----------
    hardness : in [0, 1], by which each of these becomes rarer and weaker
    """
    loud = max(float(np.sqrt(np.mean(np.square(dry)))), 1e-4)
    sound = dry / loud  # power 1
    if rng.random() < 0.35 * hardness:
        sound = _echo(sound, rng)
    sound = sound + 10 ** (rng.uniform(-60, -50 + 25 * hardness) / 20) * _hiss(len(sound), rng)
    if noises and rng.random() < 0.5 * hardness:
        noise = _excerpt(noises, len(sound), rng)
        power = max(10 ** (audio.level_db(noise) / 20), 1e-5)
        sound = sound + noise / power * 10 ** (-rng.uniform(3, 30) / 20)
    if rng.random() < 0.5 * hardness:
        sound = lfilter([1.0, rng.uniform(-0.6, 0.6)], [1.0], sound)  # treble of a microphone
    if rng.random() < 0.2 * hardness:
        sound = _telephone(sound, rng)
    peak = 10 ** (rng.uniform(-36 * hardness, 0) / 20)
    return (peak * sound / max(np.abs(sound).max(), 1e-6)).astype(np.float32)


def _hiss(n: int, rng: np.random.Generator) -> np.ndarray:
    """White noise to rumble, of power 1."""
    noise = lfilter([1.0], [1.0, -rng.uniform(-0.3, 0.97)], rng.standard_normal(n))
    return noise / np.sqrt(np.mean(np.square(noise)))


def _excerpt(noises: Sequence[np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` samples of one of the noises from a random point on, repeated as often as needed."""
    noise = noises[rng.integers(len(noises))]
    return np.resize(np.roll(noise, -rng.integers(len(noise))), n)


def _echo(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A room: noise that decays with an RT60 of 0.1 to 0.6 s after the direct sound."""
    rt60_s = rng.uniform(0.1, 0.6)
    time_s = np.arange(int(rt60_s * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / rt60_s)
    response[: int(rng.uniform(0.002, 0.02) * SAMPLE_RATE)] = 0
    response *= 10 ** (rng.uniform(-12, 2) / 20) / np.linalg.norm(response)
    response[0] = 1.0
    return fftconvolve(sound, response)[: len(sound)]


def _telephone(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """300 to 3,400 Hz, at times in the eight bits of mu-law."""
    low, high = rng.uniform(80, 400), rng.uniform(2800, 3800)
    sound = sosfilt(butter(2, [low, high], "bandpass", fs=SAMPLE_RATE, output="sos"), sound)
    if rng.random() < 0.5:
        return sound
    scaled = sound / max(np.abs(sound).max(), 1e-9)
    code = np.round(127 * np.sign(scaled) * np.log1p(MU * np.abs(scaled)) / np.log1p(MU)) / 127
    return np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU


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
