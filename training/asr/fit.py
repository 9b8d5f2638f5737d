"""Fit a NeMo model to utterances: step, judge, keep the best running average of the weights."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from training.asr import steps
from training.asr.steps import Batch
from training.run import Run, Weights


class Draw(Protocol):
    """Where training takes its batches from."""

    identity: str  # of the material, told apart by it when a run is resumed

    def batch(self, seed: int, step: int) -> Batch:
        """The batch of a step, from (seed, step) alone."""
        ...


@dataclass(frozen=True)
class FitConfig:
    """How a model is trained.

    Parameters
    ----------
    steps, learning_rate, weight_decay : of AdamW; the rate rises over `warm_up` of the steps
        and falls to a hundredth by a cosine
    decay : of the running average of the weights
    every : steps between two looks at the stopping utterances
    """

    steps: int
    learning_rate: float
    weight_decay: float = 1e-2
    warm_up: float = 0.03
    decay: float = 0.99
    every: int = 100


def fit(
    model: Any,
    draw: Draw,
    stopping: Sequence[Batch],
    config: FitConfig,
    seed: int,
    folder: Path,
    progress: Callable[[int, float], None],
) -> Any:
    """Train to the end; the model with the best running average, in evaluation mode.

    A GPU is used where the model is on one. All random numbers follow from the seed and the
    step, so that a run that was killed goes on with the same ones.

    Parameters
    ----------
    model : NeMo's; what does not require a gradient stays as it is
    draw : gives the batches
    stopping : utterances that choose the weights that are kept, and nothing else; with none
        the last are kept
    folder : keeps the state to resume from, and TensorBoard's log
    progress : called with the number of steps done and the loss

    Raises
    ------
    DataError : the folder cannot be made
    """
    weights = Weights({n: p for n, p in model.named_parameters() if p.requires_grad})
    average = weights.copy()
    with _run(model, weights, average, draw, config, seed, folder) as run:
        for step in run:
            to_training(model)
            learnt = run.learn(steps.loss(model, draw.batch(seed, step)))
            average.follow(weights.tensors, config.decay, step)
            progress(step, learnt)
            if run.due and stopping:
                own = weights.copy()
                weights.load_state_dict(average.state_dict())
                figures = judge(model, stopping)
                weights.load_state_dict(own.state_dict())
                named = {f"stopping/{name}": value for name, value in figures.items()}
                run.judged(-figures["loss"], average.state_dict(), named)
    weights.load_state_dict(average.state_dict() if run.best is None else run.best)
    return model.eval()


def _run(
    model: Any,
    weights: Weights,
    average: Weights,
    draw: Draw,
    config: FitConfig,
    seed: int,
    folder: Path,
) -> Run:
    """AdamW under a rate that rises and falls."""
    optimiser = torch.optim.AdamW(
        weights.tensors.values(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        betas=(0.9, 0.98),
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(config, step))
    return Run(
        {"weights": weights, "average": average},
        optimiser,
        schedule,
        steps=config.steps,
        every=config.every,
        seed=seed,
        identity=_identity(model, weights, draw, config, seed),
        folder=folder,
    )


def _rate(config: FitConfig, step: int) -> float:
    """Part of the learning rate at a step."""
    rise = max(1, round(config.warm_up * config.steps))
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, config.steps - rise)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def _identity(model: Any, weights: Weights, draw: Draw, config: FitConfig, seed: int) -> str:
    """Tells runs apart: how and on what is trained, and the weights that it starts from."""
    found = hashlib.sha256(f"{config} {seed} {draw.identity}".encode())
    for name, value in model.state_dict().items():
        found.update(f"{name} {tuple(value.shape)} {float(value.double().sum()):.9e}".encode())
    found.update(" ".join(weights.tensors).encode())
    return found.hexdigest()


def to_training(model: Any) -> None:
    """Into training mode, but for batch normalisation, whose statistics are of more speech
    than any batch here."""
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eval()


def judge(model: Any, batches: Sequence[Batch]) -> dict[str, float]:
    """Mean loss and word error rate of a model on batches; it is in evaluation mode after."""
    model.eval()
    with torch.inference_mode():
        found = [float(steps.loss(model, batch)) for batch in batches]
    truth = [text for batch in batches for text in batch.texts]
    texts = steps.transcribe(model, batches)
    return {"loss": sum(found) / len(found), "wer": steps.wer(truth, texts)}
