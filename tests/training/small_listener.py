"""Trains a small listener, in as many processes as `torchrun` starts of it.

`python -m tests.training.small_listener FOLDER [DIES_AT]`: the folder gets its state and its
weights; the second process dies at a step.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from tests.training.test_train import CLIPS, CONFIG, LABELS, MODEL, N_FEATURES, OTHERS, Sung
from training import parallel, run
from training.emotion.dataset import Dataset
from training.emotion.train import train
from utils.errors import DataError

# What one process drops out, no two could together; all else they draw alike.
NETWORK = replace(MODEL, dropout=0.0)
SEED = 5


def small_dataset() -> Dataset:
    """Made examples without a file."""
    return Dataset(Sung(), {"ravdess": 2, "tess": 2}, [], LABELS, N_FEATURES)


def small_listener(folder: Path, progress: Callable[[int, float], None]) -> None:
    """Train it, and keep its weights beside its state."""
    model = train(small_dataset(), CLIPS, OTHERS, CONFIG, NETWORK, SEED, progress, folder)
    if parallel.leads():
        torch.save(model.state_dict(), folder / "weights.pt")


def main(folder: Path, dies_at: int) -> None:
    """Do so beside the other processes, if there are any."""

    def progress(step: int, _: float) -> None:
        if step == dies_at and parallel.rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    with parallel.joined():
        small_listener(folder, progress)


if __name__ == "__main__":
    torch.set_num_threads(1)
    run.KEEP_S = 0.0  # a test kills it after a look
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    except DataError as err:
        sys.exit(str(err))
