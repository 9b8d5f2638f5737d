"""Add a sound of one's own by a few recordings, and measure how well it is told from others."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from training.sounds.bank import Bank
from training.sounds.fit import best_score
from training.sounds.looks import load, take
from utils.emotion.encoder import Encoder
from utils.errors import DataError
from utils.sounds.own import OwnSound

LEAST_RECORDINGS = 3
VARIANTS = 4  # of each recording: as it is, and in other rooms, levels and noises
DECAY = 0.01  # of the squared weights
STEPS = 50
SLACK = 0.25  # of the way from the highest score of anything else to certainty
FLOOR = 0.5  # no threshold is lower
LONGEST_NAME = 40

Heard = list[
    list[tuple[np.ndarray, np.ndarray]]
]  # of each recording and variant: looks, their ends


def add(label: str, paths: Sequence[Path], encoder: Encoder, bank: Bank) -> OwnSound:
    """Learn a sound, and note how it does on recordings and other sounds that were left out.

    Raises
    ------
    DataError : the name cannot be, there are too few recordings, or one has nothing to hear
    """
    _check(label, paths)
    heard = [_hear(path, label, encoder) for path in paths]
    even, odd = bank.halves()
    found = 0
    for out in range(len(heard)):
        left = [recording for i, recording in enumerate(heard) if i != out]
        trial = _fit(label, left, even, encoder.identity)
        features, ends = heard[out][0]
        found += best_score(trial.score(features), ends) >= trial.least
    trial = _fit(label, heard, even, encoder.identity)
    wrong = sum(most >= trial.least for most in odd.most(trial))
    facts = {
        "recordings": len(paths),
        "found when left out": int(found),
        "wrong": int(wrong),
        "hours of other sound": round(odd.hours, 3),
    }
    sound = _fit(label, heard, bank, encoder.identity)
    return OwnSound(label, sound.weight, sound.bias, sound.least, sound.encoder, facts)


def file_name(label: str) -> str:
    """What its file is called."""
    plain = re.sub(r"[\W_]+", "-", label.casefold()).strip("-")
    return f"{plain or 'sound'}.pt"


def _check(label: str, paths: Sequence[Path]) -> None:
    if not 0 < len(label) <= LONGEST_NAME or not label.isprintable() or set(label) & set("[]<>"):
        raise DataError(
            f"{label!r:.60}: expected a name of at most {LONGEST_NAME} letters, without brackets"
        )
    if len(paths) < LEAST_RECORDINGS:
        raise DataError(
            f"{len(paths)} recordings of {label}, expected {LEAST_RECORDINGS} or more: each of "
            "another time that it sounded"
        )


def _hear(path: Path, label: str, encoder: Encoder) -> list[tuple[np.ndarray, np.ndarray]]:
    """What is heard of a recording in each variant: features of its looks, and their ends."""
    takes = [take(path.stem, "own", label, load(path), v, encoder) for v in range(VARIANTS)]
    if not len(takes[0].ends):
        raise DataError(f"{path}: nothing sounds in it; record the sound louder, or nearer")
    return [(found.features, found.ends) for found in takes if len(found.ends)]


def _fit(
    label: str,
    heard: Sequence[list[tuple[np.ndarray, np.ndarray]]],
    bank: Bank,
    encoder: str,
) -> OwnSound:
    """A logistic regression of the recordings against the bank, both weighing the same."""
    rows = np.concatenate([features for variants in heard for features, _ in variants])
    own, others = bank.view.along(rows.astype(np.float32)), torch.from_numpy(bank.looks).float()
    x = torch.cat([own, others])
    y = torch.cat([torch.ones(len(own)), torch.zeros(len(others))])
    share = torch.where(y > 0, 0.5 / len(own), 0.5 / len(others))
    weight = torch.zeros(x.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        wrong = F.binary_cross_entropy_with_logits(x @ weight + bias, y, reduction="none")
        total = (share * wrong).sum() + DECAY * weight.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    whole = (bank.view.directions @ weight.detach()).numpy().astype(np.float64) / bank.view.scale
    offset = float(bias.detach()) - float(whole @ bank.view.mean)
    trial = OwnSound(label, whole, offset, FLOOR, encoder)
    most = max(bank.most(trial), default=0.0)
    return OwnSound(label, whole, offset, max(FLOOR, most + SLACK * (1 - most)), encoder)
