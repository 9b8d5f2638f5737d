"""Train the denoiser: read speech in rooms and noise, mixed as powers, back to itself.

Powers of mel bands add up where sounds mix, so that each draw is another mixture, in no time.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.emotion.dataset import pad
from training.run import Run
from utils import audio
from utils.emotion import features
from utils.emotion.denoiser import (
    FLOOR,
    RMS_FLOOR,
    Bands,
    Denoiser,
    speech_level,
    to_bands,
    to_frames,
)
from utils.emotion.features import DEFAULT_CONFIG
from utils.emotion.functionals import within

RECIPE = 1  # raise it when the mixing or the network changes: older states are not taken then
FRAME_S = DEFAULT_CONFIG.hop_length / audio.SAMPLE_RATE
AS_IT_IS = 0.3  # share of the draws to which nothing is added: clean speech is to stay clean
IN_A_ROOM, IN_NOISE = 0.4, 0.75  # shares of the other draws
SNR_DB = (0.0, 30.0)
RT60_S = (0.15, 0.8)
DIRECT_DB = (-5.0, 10.0)  # what comes straight from the mouth, relative to its echoes
N_ECHO = 40  # frames: later echoes are faint
THROATS = (0.85, 1.18)  # how much longer or shorter than the reader's
TILTED, TILT_DB = 0.5, (5.0, 3.0, 2.0)  # other microphones: waves across the bands


@dataclass(frozen=True)
class DenoiseConfig:
    """How the denoiser is trained.

    Parameters
    ----------
    steps, batch_size, learning_rate, weight_decay : of AdamW under a one-cycle schedule
    longest : frames of an example
    every : steps from one kept state to the next
    """

    steps: int = 3000
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    longest: int = 160
    every: int = 100


def train_denoiser(
    speech: Sequence[np.ndarray],
    noises: Sequence[np.ndarray],
    config: DenoiseConfig,
    folder: Path,
    progress: Callable[[int, float], None],
) -> Denoiser:
    """Train on feature arrays (n_frames, n_mfcc + 2) of clean speech and of noises.

    Parameters
    ----------
    folder : keeps the state, from which a killed run goes on; made if need be
    progress : called with the number of steps done, and how far bands are off in dB (RMS)

    Raises
    ------
    DataError : the folder cannot be made
    """
    torch.manual_seed(0)
    model = Denoiser()
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.steps, pct_start=0.1
    )
    backgrounds = [to_bands(torch.from_numpy(noise)) for noise in noises]
    model.train()
    with Run(
        {"model": model},
        optimiser,
        schedule,
        steps=config.steps,
        every=config.every,
        seed=0,
        identity=_identity(speech, noises, config),
        folder=folder,
        log=False,
    ) as run:
        for step in run:
            frames, lengths, clean = _batch(
                speech, backgrounds, config, np.random.default_rng(step)
            )
            loss, off = _loss(model.separate(frames, lengths), clean, lengths)
            run.learn(loss)
            progress(step, off)
    return model.eval()


def off_db(heard: Sequence[np.ndarray], clean: Sequence[np.ndarray]) -> float:
    """How far the mel bands of feature arrays lie from those of others, RMS in dB."""
    _, _, dct = features.bases(DEFAULT_CONFIG)
    n = DEFAULT_CONFIG.n_mfcc
    squares = [np.square((a[:, :n] - b[:, :n]) @ dct.T) for a, b in zip(heard, clean)]
    return float(np.sqrt(np.concatenate(squares).mean()))


def _batch(
    speech: Sequence[np.ndarray],
    backgrounds: Sequence[Bands],
    config: DenoiseConfig,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor, Bands]:
    """Frames of mixtures, their lengths, and the speech alone at the level that it has there."""
    chosen = [
        _stretch(speech[i], config.longest, rng)
        for i in rng.integers(len(speech), size=config.batch_size)
    ]
    frames, lengths = pad(chosen)
    valid = within(lengths, frames.shape[1])
    clean = _other_throats(to_bands(frames), rng)
    clean = _tilt(Bands(clean.power * valid[..., None], clean.energy * valid, clean.zcr), rng)
    disturbed = rng.random(config.batch_size) >= AS_IT_IS
    mixed = _echo(clean, disturbed & (rng.random(config.batch_size) < IN_A_ROOM), rng)
    noisy = disturbed & (rng.random(config.batch_size) < IN_NOISE)
    mixed = _add_noise(mixed, lengths, backgrounds, noisy, rng)
    level = speech_level(mixed.energy, lengths)[:, None]
    clean = Bands(clean.power / level[..., None], clean.energy / level, clean.zcr)
    return to_frames(mixed, lengths), lengths, clean


def _stretch(frames: np.ndarray, longest: int, rng: np.random.Generator) -> np.ndarray:
    start = rng.integers(max(1, len(frames) - longest + 1))
    return frames[start : start + longest]


def _other_throats(bands: Bands, rng: np.random.Generator) -> Bands:
    """Higher and lower voices, by stretching the mel axis.

    Jaitly and Hinton, "Vocal tract length perturbation improves speech recognition", ICML
    workshop on deep learning for audio, speech and language processing, 2013.
    """
    batch, n_frames, n_bands = bands.power.shape
    places = np.arange(n_bands) / rng.uniform(*THROATS, (batch, 1))
    place = torch.from_numpy(places.clip(0, n_bands - 1)).to(bands.power)
    below = place.long().clamp(max=n_bands - 2)
    at = below[:, None].expand(-1, n_frames, -1)
    log_power = bands.power.log()
    share = (place - below)[:, None]
    stretched = torch.lerp(log_power.gather(2, at), log_power.gather(2, at + 1), share)
    return bands._replace(power=stretched.exp())


def _tilt(bands: Bands, rng: np.random.Generator) -> Bands:
    """Speech as other microphones hear it: slow waves across the bands."""
    batch, _, n_bands = bands.power.shape
    sizes = rng.standard_normal((batch, len(TILT_DB))) * TILT_DB
    sizes *= rng.random((batch, 1)) < TILTED
    waves = np.cos(np.outer(np.arange(1, len(TILT_DB) + 1), np.linspace(0, np.pi, n_bands)))
    gain = torch.from_numpy(10 ** (sizes @ waves / 10)).to(bands.power)
    power = bands.power * gain[:, None]
    ratio = power.sum(dim=-1) / bands.power.sum(dim=-1).clamp(min=1e-9)
    return Bands(power, bands.energy * ratio, bands.zcr)


def _echo(bands: Bands, which: np.ndarray, rng: np.random.Generator) -> Bands:
    """Speech with late echoes of itself, as powers that die away exponentially."""
    batch, n_frames, _ = bands.power.shape
    delay = np.arange(N_ECHO)
    rt60_s = rng.uniform(*RT60_S, (batch, 1))
    tail = np.where(delay > 0, 10 ** (-6 * delay * FRAME_S / rt60_s), 0)
    tail *= 10 ** (-rng.uniform(*DIRECT_DB, (batch, 1)) / 10) / tail.sum(axis=1, keepdims=True)
    tail *= which[:, None]
    lag = np.subtract.outer(np.arange(n_frames), np.arange(n_frames))
    heard = np.where((lag >= 0) & (lag < N_ECHO), tail[:, lag.clip(0, N_ECHO - 1)], 0)
    smear = torch.from_numpy(heard).to(bands.power)  # (batch, n_frames, n_frames)
    # Echoes that meet at random add up to powers that vary as those of noise do.
    spread = 0.5 + 0.5 * torch.from_numpy(rng.exponential(1, bands.power.shape)).to(bands.power)
    power = bands.power + (smear @ bands.power) * spread
    after = (smear @ bands.energy[..., None])[..., 0]
    crossing = (smear @ (bands.energy * bands.zcr.square())[..., None])[..., 0]
    return _mix(bands._replace(power=power), after, crossing)


def _add_noise(
    bands: Bands,
    lengths: torch.Tensor,
    backgrounds: Sequence[Bands],
    which: np.ndarray,
    rng: np.random.Generator,
) -> Bands:
    """Speech in noise; where two sounds meet in few bins, their phases matter."""
    batch, n_frames, n_bands = bands.power.shape
    chosen = [backgrounds[i] for i in rng.integers(len(backgrounds), size=batch)]
    at = [(rng.integers(len(b.energy)) + np.arange(n_frames)) % len(b.energy) for b in chosen]
    noise = Bands(*(torch.stack([x[i] for x, i in zip(xs, at)]) for xs in zip(*chosen)))
    valid = within(lengths, n_frames)
    snr = torch.from_numpy(10 ** (rng.uniform(*SNR_DB, batch) / 10)).to(bands.energy)
    own, other = ((e * valid).sum(dim=1) for e in (bands.energy, noise.energy))
    gain = torch.from_numpy(which).to(own) * own / other.clamp(min=1e-9) / snr
    gain = gain[:, None] * valid
    power = noise.power * gain[..., None]
    phase = torch.from_numpy(rng.standard_normal(bands.power.shape)).to(power) / _n_bins().sqrt()
    met = 2 * (bands.power * power).sqrt() * phase.clamp(-0.95, 0.95)
    after = noise.energy * gain
    return _mix(bands._replace(power=bands.power + power + met), after, after * noise.zcr.square())


def _mix(bands: Bands, energy: torch.Tensor, crossing: torch.Tensor) -> Bands:
    """Add energy, and its product with the squared zero-crossing rate.

    That rate squared is a mean over the spectrum (Rice, Bell System Technical Journal 24,
    1945), and so of a sum the mean of its parts by their energy.
    """
    total = bands.energy + energy
    square = (bands.energy * bands.zcr.square() + crossing) / total.clamp(min=1e-9)
    return Bands(bands.power, total, torch.where(energy > 0, square.sqrt(), bands.zcr))


def _n_bins() -> torch.Tensor:
    """Twice the number of independent bins of the spectrum in each mel band, at least 2."""
    _, mel, _ = features.bases(DEFAULT_CONFIG)
    spread = mel.sum(axis=0) ** 2 / np.square(mel).sum(axis=0) / 1.5  # a Hann window is as wide
    return torch.from_numpy(2 * spread.clip(min=1))


def _loss(found: Bands, clean: Bands, lengths: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Squared errors, each over the floor that the features have; and that of bands in dB."""
    valid = within(lengths, clean.energy.shape[1])
    bands = _squared_db(found.power, clean.power, FLOOR)[valid].mean()
    energy = _squared_db(found.energy, clean.energy, RMS_FLOOR)[valid].mean()
    zcr = (found.zcr - clean.zcr).square()[valid].mean()
    return bands + 0.1 * energy + 200 * zcr, bands.item() ** 0.5


def _squared_db(a: torch.Tensor, b: torch.Tensor, floor: float) -> torch.Tensor:
    return (10 * (a + floor).log10() - 10 * (b + floor).log10()).square()


def _identity(
    speech: Sequence[np.ndarray], noises: Sequence[np.ndarray], config: DenoiseConfig
) -> str:
    found = hashlib.sha256(f"{RECIPE} {config} {len(speech)}".encode())
    for array in (*speech, *noises):
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
