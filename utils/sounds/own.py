"""Sounds of one's own: what somebody has added by recordings, each in a file of its own."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from utils import checkpoint
from utils.checkpoint import Format
from utils.errors import ModelError
from utils.folders import data_folder

log = logging.getLogger(__name__)

FOLDER = "sounds"  # in the folder of the program's data


@dataclass(frozen=True, eq=False)
class OwnSound:
    """Tells one sound from all others by what `utils.sounds.features.describe` gives.

    Parameters
    ----------
    label : what it is called
    weight, bias : of a logistic regression, (n_features,) and a number
    least : the score from which on it is told
    encoder : identity of the encoder that heard
    facts : recordings, and how it did on those left out, plain JSON types
    """

    label: str
    weight: np.ndarray
    bias: float
    least: float
    encoder: str
    facts: dict = field(default_factory=dict)

    def score(self, features: np.ndarray) -> np.ndarray:
        """How likely it is this sound, in [0, 1], of features (…, n_features)."""
        return logistic(features.astype(np.float64) @ self.weight + self.bias)

    def save(self, path: Path) -> None:
        """Write a file that `load` reads.

        Raises
        ------
        ModelError : it cannot be written
        """
        content = {
            "label": self.label,
            "bias": self.bias,
            "least": self.least,
            "encoder": self.encoder,
            "training": self.facts,
            "weights": {"weight": torch.from_numpy(self.weight.astype(np.float64))},
        }
        checkpoint.write(path, Format.OWN_SOUND, content)

    @classmethod
    def load(cls, path: Path) -> "OwnSound":
        """Read a file.

        Raises
        ------
        ModelError : missing, damaged, of another program, or with parts that do not fit
        """
        found = checkpoint.read(path, Format.OWN_SOUND)
        with checkpoint.fitting(path, "add the sound again"):
            weight = found["weights"]["weight"].double().numpy()
            numbers = float(found["bias"]), float(found["least"])
            if weight.ndim != 1 or not np.isfinite([*weight, *numbers]).all():
                raise ValueError("weights that are not finite numbers")
            label, encoder = str(found["label"]), str(found["encoder"])
            return cls(label, weight, *numbers, encoder, found["training"])


def logistic(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, of any shape."""
    return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))


def own_folder() -> Path:
    """Where sounds of one's own lie."""
    return data_folder() / FOLDER


def own_sounds(encoder: str, n_features: int) -> Iterator[OwnSound]:
    """Those that were added; one that cannot be used is logged and left out.

    Parameters
    ----------
    encoder : identity of the encoder that hears now
    n_features : that it gives
    """
    folder = own_folder()
    for path in sorted(folder.glob("*.pt")) if folder.is_dir() else ():
        try:
            sound = OwnSound.load(path)
            if sound.encoder != encoder or len(sound.weight) != n_features:
                raise ModelError(f"{path}: another Whisper is here than it was added with")
        except ModelError as err:
            log.warning("%s", err)
            continue
        yield sound
