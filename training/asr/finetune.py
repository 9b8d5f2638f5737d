"""Fine-tune a pretrained NeMo model on an operator's own recordings: names, places, voices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.asr.fit import FitConfig, fit, judge
from training.asr.manifest import Line
from training.asr.quiet import quiet
from training.asr.steps import Batch, collate, kind
from utils.errors import DataError

BATCH_S = 60.0  # seconds of sound in a batch, padding included
HELD_OUT = 0.1  # part of the recordings that is never trained on
FEWEST = 10  # recordings to train on
GAIN_DB = 12.0  # recordings are made louder or softer by up to this
LEARNING_RATE = 1e-4  # low: what the model knows already should stay


@dataclass(frozen=True)
class Result:
    """What fine-tuning brought: word error rates of the held-out part before and after."""

    model: Any
    before: float
    after: float


class Drawn:
    """Batches of recordings of like length, all of them once in each epoch."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.identity = " ".join(f"{line.path}@{line.start_s} {line.text}" for line in lines)
        self._batches = of_like_length(lines)

    def __len__(self) -> int:
        return len(self._batches)

    def batch(self, seed: int, step: int) -> Batch:
        """The batch of a step, from (seed, step) alone."""
        epoch, at = divmod(step - 1, len(self))
        order = np.random.default_rng([seed, epoch]).permutation(len(self))
        rng = np.random.default_rng([seed, epoch, at])
        lines = self._batches[order[at]]
        gains = 10 ** (rng.uniform(-GAIN_DB, GAIN_DB, len(lines)) / 20)
        samples = [np.clip(line.samples() * g, -1, 1) for line, g in zip(lines, gains)]
        return collate([s.astype(np.float32) for s in samples], [line.text for line in lines])


def of_like_length(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines in batches of at most `BATCH_S`, from short to long."""
    batches: list[list[Line]] = []
    for line in sorted(lines, key=_length_s):
        if not batches or (len(batches[-1]) + 1) * _length_s(line) > BATCH_S:
            batches.append([])
        batches[-1].append(line)
    return batches


def _length_s(line: Line) -> float:
    """How long a line is, which `manifest.read` has found out."""
    return line.duration_s or 0.0


def split(lines: Sequence[Line], seed: int) -> tuple[list[Line], list[Line], tuple[str, ...]]:
    """Lines to train on, those held out, and whose these are; by speaker where known.

    Raises
    ------
    DataError : too few recordings
    """
    rng = np.random.default_rng(seed)
    wanted = max(1, round(HELD_OUT * len(lines)))
    speakers = sorted({line.speaker for line in lines})
    out: set[str] = set()
    if "" not in speakers and len(speakers) > 1:
        for speaker in rng.permutation(speakers).tolist():
            more = out | {speaker}
            if sum(line.speaker in more for line in lines) <= max(2 * wanted, len(lines) // 3):
                out = more
            if sum(line.speaker in out for line in lines) >= wanted:
                break
        chosen = {k for k, line in enumerate(lines) if line.speaker in out}
    if not out:
        chosen = set(rng.permutation(len(lines))[:wanted].tolist())
    held = [line for k, line in enumerate(lines) if k in chosen]
    rest = [line for k, line in enumerate(lines) if k not in chosen]
    if len(rest) < FEWEST:
        raise DataError(
            f"only {len(rest)} recordings to train on, with {len(held)} held out; expected at "
            f"least {FEWEST}, and some hundred to gain by it"
        )
    return rest, held, tuple(sorted(out))


def freeze(model: Any) -> None:
    """Leave the lower half of the encoder as it is: how speech sounds it knows already."""
    layers = model.encoder.layers
    for part in (model.preprocessor, model.encoder.pre_encode, *layers[: len(layers) // 2]):
        part.requires_grad_(False)


def check(model: Any, path: Path) -> None:
    """Refuse a model of another kind than can be trained here.

    Raises
    ------
    DataError : neither CTC, RNNT nor hybrid with one set of BPE tokens
    """
    single = isinstance(getattr(getattr(model, "tokenizer", None), "unk_id", None), int)
    if not kind(model) or not single or not hasattr(model.encoder, "layers"):
        raise DataError(
            f"{path}: a {type(model).__name__}, expected a CTC, RNNT or hybrid model with BPE "
            "tokens of one language and a (Fast)Conformer encoder"
        )


def finetune(
    model: Any,
    train: Sequence[Line],
    held_out: Sequence[Line],
    epochs: int,
    seed: int,
    folder: Path,
    progress: Callable[[int, int, float], None],
) -> Result:
    """Train a model on `train`; judge it on `held_out` before and after.

    The held-out part chooses nothing, so that both error rates are honest.

    Parameters
    ----------
    folder : keeps the state to resume from, and TensorBoard's log
    progress : called with the number of steps done and to do, and the loss
    """
    drawn = Drawn(train)
    steps = epochs * len(drawn)
    config = FitConfig(steps, LEARNING_RATE, every=min(50, len(drawn)))
    test = [
        collate([line.samples() for line in batch], [line.text for line in batch])
        for batch in of_like_length(held_out)
    ]
    with quiet():
        before = judge(model, test)["wer"]
        freeze(model)
        fit(model, drawn, [], config, seed, folder, lambda done, loss: progress(done, steps, loss))
        return Result(model, before, judge(model, test)["wer"])
