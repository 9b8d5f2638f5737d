"""A training run of a NeMo model: step, look, keep; it goes on where it was killed."""

import copy
import hashlib
import logging
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch.utils.tensorboard import SummaryWriter

from training.asr import steps
from training.asr.steps import Batch
from utils import checkpoint

logger = logging.getLogger(__name__)

STATE = "state.pt"  # in the folder of a run: what it needs to go on
KEPT = ("step", "best_step", "best_loss", "best")  # of a run, beside its parts
SEED_STEP = 1_000_003  # keeps the random numbers of (seed, step) apart from those of others


class Draw(Protocol):
    """Where training takes its batches from."""

    identity: str  # of the material, told apart by it when a run is resumed

    def batch(self, seed: int, step: int) -> Batch:
        """The batch of a step, from (seed, step) alone."""
        ...


@dataclass(frozen=True)
class Recipe:
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


class Run:
    """All that changes while a model is trained.

    A GPU is used where the model is on one. All random numbers follow from the seed and the
    step, so that a run that was killed goes on with the same ones.

    Parameters
    ----------
    model : NeMo's; what does not require a gradient stays as it is
    draw : gives the batches
    stopping : utterances that choose the weights that are kept, and nothing else; with none
        the last are kept
    folder : keeps the state to resume from, and TensorBoard's log
    """

    def __init__(
        self,
        model: Any,
        draw: Draw,
        stopping: Sequence[Batch],
        recipe: Recipe,
        seed: int,
        folder: Path,
    ) -> None:
        self.model, self.draw, self.stopping = model, draw, stopping
        self.recipe, self.seed, self.folder = recipe, seed, folder
        self.weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.optimiser = torch.optim.AdamW(
            self.weights.values(),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            betas=(0.9, 0.98),
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        self.average = {n: p.detach().clone() for n, p in self.weights.items()}
        self.step, self.best_step, self.best_loss = 0, 0, math.inf
        self.best = copy.deepcopy(self.average)
        self.identity = self._identity()
        self._resume()

    def train(self, progress: Callable[[int, float], None]) -> Any:
        """Train to the end; the model with the best running average, in evaluation mode.

        Parameters
        ----------
        progress : called with the number of steps done and the loss
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        losses: list[float] = []
        with SummaryWriter(str(self.folder)) as log:
            while self.step < self.recipe.steps:
                losses.append(self.advance())
                progress(self.step, losses[-1])
                if self.step % self.recipe.every == 0 or self.step == self.recipe.steps:
                    self._look(log, sum(losses) / len(losses))
                    losses.clear()
        put(self.model, self.best if self.stopping else self.average)
        return self.model.eval()

    def advance(self) -> float:
        """One step; the loss."""
        self.step += 1
        torch.manual_seed(self.seed * SEED_STEP + self.step)
        random.seed(self.seed * SEED_STEP + self.step)  # NeMo draws look-aheads from it
        to_training(self.model)
        found = steps.loss(self.model, self.draw.batch(self.seed, self.step))
        self.optimiser.zero_grad()
        found.backward()
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        decay = min(self.recipe.decay, self.step / (self.step + 10))
        with torch.no_grad():
            for name, weight in self.weights.items():
                self.average[name].lerp_(weight, 1 - decay)
        return found.item()

    def _look(self, log: SummaryWriter, loss: float) -> None:
        """Judge the running average, keep it where it is the best so far, save the state."""
        figures = {"loss": loss, "learning_rate": self.schedule.get_last_lr()[0]}
        if self.stopping:
            own = {n: p.detach().clone() for n, p in self.weights.items()}
            put(self.model, self.average)
            judged = judge(self.model, self.stopping)
            put(self.model, own)
            figures |= {f"stopping/{name}": value for name, value in judged.items()}
            if judged["loss"] < self.best_loss:
                self.best_loss, self.best_step = judged["loss"], self.step
                self.best = copy.deepcopy(self.average)
        for name, value in figures.items():
            log.add_scalar(name, value, self.step)
        log.flush()
        self._save()

    def _rate(self, step: int) -> float:
        """Part of the learning rate at a step."""
        rise = max(1, round(self.recipe.warm_up * self.recipe.steps))
        if step < rise:
            return (step + 1) / rise
        done = (step - rise) / max(1, self.recipe.steps - rise)
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def _identity(self) -> str:
        """Tells runs apart: recipe, seed, material and the weights that it starts from."""
        found = hashlib.sha256(f"{self.recipe} {self.seed} {self.draw.identity}".encode())
        for name, value in self.model.state_dict().items():
            found.update(f"{name} {tuple(value.shape)} {float(value.double().sum()):.9e}".encode())
        found.update(" ".join(self.weights).encode())
        return found.hexdigest()

    def _save(self) -> None:
        part = self.folder / f"{STATE}.part"
        own = {name: getattr(self, name) for name in KEPT}
        own |= {"identity": self.identity, "average": self.average}
        own["weights"] = {n: p.detach() for n, p in self.weights.items()}
        own["optimiser"], own["schedule"] = self.optimiser.state_dict(), self.schedule.state_dict()
        torch.save(own, part)
        part.replace(self.folder / STATE)

    def _resume(self) -> None:
        """Go on where a run of the same recipe, material and seed was killed."""
        path = self.folder / STATE
        if not path.is_file():
            return
        try:
            found = checkpoint.unpack(path, self.model.device)
        except ValueError as err:
            logger.warning("%s: cannot be read (%s); training starts anew", path, err)
            return
        if not isinstance(found, dict) or found.get("identity") != self.identity:
            logger.info("%s: of another recipe or other material; training starts anew", path)
            return
        put(self.model, found["weights"])
        self.average = found["average"]
        self.optimiser.load_state_dict(found["optimiser"])
        self.schedule.load_state_dict(found["schedule"])
        for name in KEPT:
            setattr(self, name, found[name])
        logger.info("%s: resumed after step %d", path, self.step)


def put(model: Any, weights: dict[str, torch.Tensor]) -> None:
    """Give a model these of its weights."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name in weights:
                weight.copy_(weights[name])


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
