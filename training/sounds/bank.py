"""What else may sound: looks at all that the head was trained on, to tell one's own sounds from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from training.sounds.fit import View, best_score
from training.sounds.looks import Take
from utils import checkpoint
from utils.checkpoint import Format
from utils.sounds.own import OwnSound, logistic

WEIGHTS = Path(__file__).resolve().parents[2] / "model_state_dict" / "other_sounds.pt"
MOST_LOOKS = 10  # that are kept of a take
STEP_S = 0.5  # from one look to the next, which says how long a take sounds


@dataclass(frozen=True, eq=False)
class Bank:
    """Looks at many sounds.

    Parameters
    ----------
    view : along whose directions they are kept
    looks : float16 (n, n_directions)
    takes : (n,), which take each look is of
    ends : (n,), samples from where it sounds to the end of each look
    """

    view: View
    looks: np.ndarray
    takes: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, takes: Sequence[Take]) -> "Bank":
        """The bank of takes."""
        view = View.of(takes)
        kept = [take.features[:MOST_LOOKS].astype(np.float32) for take in takes]
        looks = np.concatenate([view.along(features).numpy() for features in kept])
        which = np.concatenate([np.full(len(part), i) for i, part in enumerate(kept)])
        ends = np.concatenate([take.ends[:MOST_LOOKS] for take in takes])
        return cls(view, looks.astype(np.float16), which, ends)

    @property
    def hours(self) -> float:
        """How long all of it sounds, at the least."""
        return len(self.looks) * STEP_S / 3600

    def halves(self) -> tuple["Bank", "Bank"]:
        """Every other take, and the rest."""
        parts = (self.takes % 2 == k for k in (0, 1))
        first, second = (
            replace(self, looks=self.looks[p], takes=self.takes[p], ends=self.ends[p])
            for p in parts
        )
        return first, second

    def most(self, sound: OwnSound) -> Iterator[float]:
        """The most that a sound of one's own scores in each take, as it is judged live."""
        weight = self.view.directions.numpy().T @ (sound.weight * self.view.scale)
        bias = sound.bias + float(sound.weight @ self.view.mean)
        scores = logistic(self.looks.astype(np.float64) @ weight + bias)
        starts = np.flatnonzero(np.diff(self.takes)) + 1
        for part, ends in zip(np.split(scores, starts), np.split(self.ends, starts), strict=True):
            yield best_score(part, ends)

    def save(self, path: Path) -> None:
        """Write a file that `load` reads.

        Raises
        ------
        ModelError : it cannot be written
        """
        arrays = {
            "mean": self.view.mean.astype(np.float32),
            "scale": self.view.scale.astype(np.float32),
            "directions": self.view.directions.numpy().astype(np.float16),
            "looks": self.looks,
            "takes": self.takes.astype(np.int32),
            "ends": self.ends.astype(np.int32),
        }
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        checkpoint.write(path, Format.OTHER_SOUNDS, {"weights": weights})

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Bank":
        """Read a file.

        Raises
        ------
        ModelError : missing, damaged, or of another program
        """
        found = checkpoint.read(path, Format.OTHER_SOUNDS)
        with checkpoint.fitting(path, "fetch it again or train it"):
            part = {name: tensor.numpy() for name, tensor in found["weights"].items()}
            directions = torch.from_numpy(part["directions"].astype(np.float32))
            view = View(part["mean"], part["scale"], directions)
            return cls(view, part["looks"], part["takes"], part["ends"])
