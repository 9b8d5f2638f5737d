"""Sounds that are made here, and that no training hears: noise of a room, which is not told; music."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from training.sound.augmentation import pink_noise
from utils.audio import SAMPLE_RATE

PENTATONIC = 0, 2, 4, 7, 9  # semitones
VOICES = 6  # that babble at once
FORMANTS_HZ = 650.0, 1300.0, 2600.0  # of a throat that coughs
PARTS = {"typing": 5.0, "coughs": 3.0, "knocks": 4.0, "babble": 5.0, "pink noise": 3.0, "fans": 5.0}
PARTS["hum"] = 5.0  # minutes of each; 30 in all


def other_noise(speech: Sequence[np.ndarray], seed: int = 5) -> Iterator[tuple[str, np.ndarray]]:
    """Each kind with its name, float32 with the loudest sample at -10 dB.

    Parameters
    ----------
    speech : what voices that babble say
    """
    make: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
        "typing": lambda n, rng: _now_and_then(_key, n, (0.06, 0.35), rng),
        "coughs": lambda n, rng: _now_and_then(_cough, n, (0.4, 6.0), rng),
        "knocks": lambda n, rng: _now_and_then(_knock, n, (0.15, 4.0), rng),
        "babble": lambda n, rng: _babble(speech, n, rng),
        "pink noise": _pink,
        "fans": _fans,
        "hum": _hum,
    }
    for at, (name, minutes) in enumerate(PARTS.items()):
        rng = np.random.default_rng([seed, at])
        sound = make[name](int(60 * minutes * SAMPLE_RATE), rng)
        sound = sound / np.abs(sound).max() * 10 ** (-10 / 20)
        yield name, (sound + rng.normal(0, 10 ** (-70 / 20), len(sound))).astype(np.float32)


def _now_and_then(
    make: Callable[[np.random.Generator], np.ndarray],
    n: int,
    gaps_s: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """The same thing again and again, n samples; now and then it rests for some seconds."""
    sound, at = np.zeros(n), SAMPLE_RATE
    while at < n:
        part = make(rng)[: n - at]
        sound[at : at + len(part)] += part * 10 ** (rng.uniform(-15, 0) / 20)
        rest_s = rng.uniform(3, 12) if rng.random() < 0.06 else 0.0
        at += int((rng.uniform(*gaps_s) + rest_s) * SAMPLE_RATE)
    return sound


def _key(rng: np.random.Generator) -> np.ndarray:
    """A key that goes down and up: two clicks in a band of their own, over a thump of the desk."""
    sound = np.zeros(SAMPLE_RATE // 5)
    time_s = np.arange(len(sound)) / SAMPLE_RATE
    for at_s, loud in ((0.0, 1.0), (rng.uniform(0.05, 0.12), 0.5)):
        low_hz = rng.uniform(1200, 3000)
        band = butter(
            2, [low_hz, rng.uniform(1.5, 2.3) * low_hz], "band", fs=SAMPLE_RATE, output="sos"
        )
        later_s = np.clip(time_s - at_s, 0, None)
        shape = (time_s >= at_s) * np.exp(-later_s / rng.uniform(0.003, 0.012))
        sound += loud * sosfilt(band, rng.standard_normal(len(sound)) * shape)
        sound += 0.2 * loud * shape * np.sin(2 * np.pi * rng.uniform(90, 200) * later_s)
    return sound


def _cough(rng: np.random.Generator) -> np.ndarray:
    """One to three bursts of breath, each with a hoarse end, through a throat's resonances."""
    pitch_hz = rng.uniform(90, 260)
    bursts = []
    for _ in range(rng.integers(1, 4)):
        n = int(rng.uniform(0.2, 0.4) * SAMPLE_RATE)
        time_s = np.arange(n) / SAMPLE_RATE
        burst = np.exp(-time_s / 0.03) + 0.4 * np.exp(-(((time_s - 0.12) / 0.06) ** 2))
        hoarse = np.sin(2 * np.pi * pitch_hz * time_s * (1 - 0.4 * time_s)) > 0.6
        sound = rng.standard_normal(n) * burst + hoarse * np.exp(-(((time_s - 0.15) / 0.05) ** 2))
        for centre_hz in FORMANTS_HZ:
            turn = 2 * np.pi * centre_hz * rng.uniform(0.85, 1.2) / SAMPLE_RATE
            sound = lfilter([1], [1, -2 * 0.96 * np.cos(turn), 0.96**2], sound)
        bursts += [sound / np.abs(sound).max(), np.zeros(int(rng.uniform(0.05, 0.2) * SAMPLE_RATE))]
    return np.concatenate(bursts)


def _knock(rng: np.random.Generator) -> np.ndarray:
    """A blow on wood or metal: some modes that die away."""
    time_s = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    modes = zip(rng.uniform(80, 2500, 5), rng.uniform(0.01, 0.12, 5), strict=True)
    return np.sum(
        [np.sin(2 * np.pi * hz * time_s) * np.exp(-time_s / fades_s) for hz, fades_s in modes],
        axis=0,
    )


def _babble(speech: Sequence[np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """Voices that speak all at once, none of them loudest."""
    sound = np.zeros(n)
    for _ in range(VOICES):
        said = np.concatenate([speech[i] for i in rng.permutation(len(speech))])
        said = np.resize(said, n + len(said))[rng.integers(len(said)) :][:n]
        sound += said / said.std()
    return sound


def _pink(n: int, rng: np.random.Generator) -> np.ndarray:
    """Pink noise that is turned on and off, so that it begins to sound again and again."""
    return pink_noise(n, rng) * _turned_on(n, rng)


def _fans(n: int, rng: np.random.Generator) -> np.ndarray:
    """Fans and motors: tones of the blades over a rush of air, faster and slower."""
    time_s = np.arange(n) / SAMPLE_RATE
    speed = 1 + 0.15 * np.sin(2 * np.pi * 0.03 * time_s)
    turns = np.cumsum(speed) / SAMPLE_RATE
    rush = lfilter([1], [1, -0.9], rng.standard_normal(n))
    tones = np.sum([np.sin(2 * np.pi * k * 87.0 * turns) / k for k in range(1, 9)], axis=0)
    return (rush / rush.std() + 0.7 * tones) * _turned_on(n, rng)


def _hum(n: int, rng: np.random.Generator) -> np.ndarray:
    """The mains and their harmonics, as a bad cable has them, turned on and off."""
    time_s = np.arange(n) / SAMPLE_RATE
    parts = [rng.uniform() / k * np.sin(2 * np.pi * 50 * k * time_s) for k in range(1, 20)]
    return np.sum(parts, axis=0) * _turned_on(n, rng)


def _turned_on(n: int, rng: np.random.Generator) -> np.ndarray:
    """1 where a machine is on, some seconds each time, else 0."""
    edges = np.cumsum(rng.uniform(3, 15, n // SAMPLE_RATE) * SAMPLE_RATE).astype(int)
    return (np.searchsorted(edges, np.arange(n), "right") % 2).astype(float)


def melody(seconds: float = 3.0) -> np.ndarray:
    """Plucked notes of a scale, four in a second."""
    n = SAMPLE_RATE // 4
    time_s = np.arange(n) / SAMPLE_RATE
    notes = []
    for k in range(int(4 * seconds)):
        hz = 220 * 2 ** (PENTATONIC[3 * k % len(PENTATONIC)] / 12)
        parts = [np.sin(2 * np.pi * h * hz * time_s) / h for h in range(1, 6)]
        notes.append(np.sum(parts, axis=0) * np.exp(-4 * time_s))
    return (0.1 * np.concatenate(notes)).astype(np.float32)
