"""What the live program would look at in a recording: features of each look, kept on disk."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.sound.augmentation import colour, coloured_noise, mix, reverberant
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.emotion.encoder import Encoder
from utils.errors import AudioError
from utils.folders import whole
from utils.sounds.features import describe
from utils.sounds.gate import BLOCK, Gate

VERSION = 3  # of how recordings are placed and looked at
LEAD_S, TAIL_S = 2.0, 1.0  # of the room before and after
OWN_NOISE_DB = -75.0  # RMS of a microphone's own noise
PEAKS_DB = -35.0, -1.0  # of the loudest sample
ROOMS_DB = -78.0, -48.0  # of the room's noise
SNR_DB = 8.0, 30.0  # of a sound over another that goes on beside it


@dataclass(frozen=True, eq=False)
class Take:
    """A recording as it was heard once.

    Parameters
    ----------
    name : of the recording
    group : recordings that share a source; they are trained on or judged, never both
    label : what sounds
    features : (n_looks, n_features), what was heard in each look
    ends : (n_looks,) samples from where it sounds to the end of each look
    """

    name: str
    group: str
    label: str
    features: np.ndarray
    ends: np.ndarray


def varied(samples: np.ndarray, variant: int, rng: np.random.Generator) -> np.ndarray:
    """A recording in a room before and after it; the first variant is as it is, others differ."""
    lead, tail = int(LEAD_S * SAMPLE_RATE), int(TAIL_S * SAMPLE_RATE)
    peak_db, room_db = -6.0, OWN_NOISE_DB
    if variant:
        if rng.random() < 0.5:
            samples = colour(samples, rng)
        if rng.random() < 0.4:
            samples = reverberant(samples, rng)
        if rng.random() < 0.4:
            noise = coloured_noise(len(samples), rng)
            samples = mix(samples, noise, rng.uniform(*SNR_DB))
        peak_db, room_db = rng.uniform(*PEAKS_DB), rng.uniform(*ROOMS_DB)
    samples = samples * (10 ** (peak_db / 20) / max(float(np.abs(samples).max()), 1e-9))
    sound = np.concatenate([np.zeros(lead), samples, np.zeros(tail)])
    room = coloured_noise(len(sound), rng)
    sound += room * (10 ** (room_db / 20) / room.std())
    return (np.round(sound * 32_768).clip(-32_768, 32_767) / 32_768).astype(np.float32)


def looks(sound: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """How long something has sounded, in samples, and what is judged of it then."""
    gate = Gate()
    for at in range(0, len(sound) - BLOCK + 1, BLOCK):
        if (part := gate.hear(sound[at : at + BLOCK])) is not None:
            yield gate.now - gate.onset, part


def take(
    name: str, group: str, label: str, samples: np.ndarray, variant: int, encoder: Encoder
) -> Take:
    """Hear a recording once; the same variant of it always sounds the same."""
    seed = int.from_bytes(hashlib.sha256(f"{name} {variant}".encode()).digest()[:8], "little")
    rows, ends = [], []
    for end, part in looks(varied(samples, variant, np.random.default_rng(seed))):
        try:
            rows.append(describe(part, encoder))
        except AudioError:
            continue
        ends.append(end)
    features = np.array(rows, np.float16).reshape(len(rows), 2 * encoder.width)
    return Take(name, group, label, features, np.array(ends, int))


def kept(
    folder: Path,
    name: str,
    group: str,
    label: str,
    samples: np.ndarray,
    variant: int,
    encoder: Encoder,
) -> Take:
    """`take`, from disk where it was heard before."""
    content = hashlib.sha256(np.ascontiguousarray(samples, np.float32).tobytes()).hexdigest()
    key = f"{VERSION} {encoder.identity} {content} {name} {variant}"
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
    if path.exists():
        with np.load(path) as found:
            return Take(name, group, label, found["features"], found["ends"])
    heard = take(name, group, label, samples, variant, encoder)
    folder.mkdir(parents=True, exist_ok=True)
    with whole(path) as part, part.open("wb") as file:
        np.savez(file, features=heard.features, ends=heard.ends)
    return heard


def load(path: Path) -> np.ndarray:
    """A recording without the digital silence that only fills it up."""
    samples = audio.load(path)
    sounding = np.flatnonzero(samples)
    return samples[sounding[0] : sounding[-1] + 1] if len(sounding) else samples
