"""Train the recogniser of spoken digits."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.asr import model as network
from training.asr import synthetic
from training.asr.compose import Composer, load_noises, load_sounds
from training.asr.digits import WORDS, Digit, Parts
from training.asr.fit import FitConfig, fit
from training.asr.quiet import quiet
from training.asr.steps import Batch, collate

TEST_NOISE = "5-"  # ESC-10's fifth fold is for tests alone
BATCH = 16  # utterances
STOPPING = 8  # batches that choose the weights
RAMP = 500  # steps over which the utterances become hard
CONFIG = FitConfig(steps=800, learning_rate=1.5e-3, decay=0.995)


class Composed:
    """Batches of composed utterances, harder from step to step up to step `ramp`."""

    def __init__(
        self,
        recordings: Sequence[Digit],
        made: Sequence[Digit],
        noises: Sequence[Path],
        ramp: int = 1,
    ) -> None:
        names = [f"{d.speaker}/{d.path.name}" for d in (*recordings, *made)]
        self.identity = f"{BATCH} {ramp} {' '.join([*names, *(p.name for p in noises)])}"
        self._ramp = ramp
        self._composer = Composer(load_sounds(recordings), load_noises(noises), load_sounds(made))

    def batch(self, seed: int, step: int) -> Batch:
        """The batch of a step, from (seed, step) alone."""
        rng = np.random.default_rng([seed, step])
        drawn = [self._composer.utterance(rng, min(1.0, step / self._ramp)) for _ in range(BATCH)]
        texts = [" ".join(u.words) for u in drawn]
        return collate([u.samples for u in drawn], texts, [u.spans for u in drawn])


def train(
    parts: Parts,
    made: Sequence[Digit],
    noises: Sequence[Path],
    config: FitConfig,
    seed: int,
    folder: Path,
    progress: Callable[[int, float], None],
    start: Path | None = None,
) -> Any:
    """A NeMo model that knows the digits, trained on all of `parts` but the held-out voice.

    Parameters
    ----------
    noises : recordings of ESC-10; its fifth fold is left for tests
    folder : keeps the state to resume from, and TensorBoard's log
    progress : called with the number of steps done and the loss
    start : a model of an earlier training to go on from
    """
    from utils.asr.nemo.load import load

    heard = [path for path in noises if not path.stem.startswith(TEST_NOISE)]
    with quiet():
        torch.manual_seed(seed)
        model = load(start) if start else network.build(WORDS, folder / "tokens")
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        to_train, to_choose = synthetic.split(made)
        stopping = Composed(parts.stopping, to_choose, heard)
        chosen = [stopping.batch(seed, 1 + k) for k in range(STOPPING)]
        draw = Composed(parts.train, to_train, heard, 1 if start else RAMP)
        return fit(model, draw, chosen, config, seed, folder, progress)
