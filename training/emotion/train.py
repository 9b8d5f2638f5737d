"""Train one listener: draw a balanced batch, disturb it, step; keep the best running average."""

import copy
import hashlib
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

from emotion_model import EmotionLSTM, ModelConfig
from training.corpora import Clip
from training.emotion import evaluate
from training.emotion.config import SHARES, TrainConfig
from training.emotion.examples import Batch, Draw, Examples, of_like_length
from training.emotion.state import State
from training.emotion.whitening import whitening
from utils.emotion.network import Listener

logger = logging.getLogger(__name__)

STATE = "state.pt"  # in the folder of a run: what it needs to go on
KEPT = ("step", "best_step", "best_likelihood", "best")  # of a run, beside its parts
SEED_STEP = 1_000_003  # keeps the random numbers of (seed, step) apart from those of others


def train(
    examples: Examples,
    clips: Sequence[Clip],
    validation: Sequence[Clip],
    config: TrainConfig,
    model_config: ModelConfig,
    seed: int,
    progress: Callable[[int, float], None],
    folder: Path | None = None,
) -> Listener:
    """Train on `clips` until the voices of `validation` are not recognised any better.

    A GPU is used where there is one, with mixed precision. All random numbers follow from
    the seed and the step, so that a run that was killed goes on with the same ones.

    Parameters
    ----------
    examples : hold all of `clips` and `validation`
    validation : clips of other speakers than `clips`; they choose the step whose weights are
        kept, and nothing else. With none the last weights are kept.
    progress : called with the number of steps done and the loss
    folder : keeps the state to resume from, and TensorBoard's log; None keeps neither

    Returns
    -------
    model : with the best running average of the weights, on the CPU, in evaluation mode
    """
    run = _Run(examples, clips, validation, config, model_config, seed, folder)
    losses: list[float] = []
    try:
        while run.step < config.steps and run.step - run.best_step < config.patience * config.every:
            losses.append(run.advance())
            progress(run.step, losses[-1])
            if run.step % config.every == 0 or run.step == config.steps:
                run.look(float(np.mean(losses)))
                losses.clear()
    finally:
        if run.log:
            run.log.close()
    if validation:
        run.average.load_state_dict(run.best)
    return run.average.cpu().eval()


class _Run:
    """A training run at some step: all that changes while it goes on."""

    def __init__(
        self,
        examples: Examples,
        clips: Sequence[Clip],
        validation: Sequence[Clip],
        config: TrainConfig,
        model_config: ModelConfig,
        seed: int,
        folder: Path | None,
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(seed)
        self.config, self.seed = config, seed
        self.examples, self.validation = examples, validation
        model = Listener(model_config)
        normalise(model, examples, clips)
        self.model = model.to(self.device)
        self.average = copy.deepcopy(self.model)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, config.learning_rate, total_steps=config.steps, pct_start=0.15
        )
        self.draw = Draw(examples, clips, config, seed)
        self.step, self.best_step, self.best_likelihood = 0, 0, -math.inf
        self.best = copy.deepcopy(self.average.state_dict())
        names = [
            [f"{clip.speaker}/{clip.path.name}/{clip.label}" for clip in part]
            for part in (clips, validation)
        ]
        identity = hashlib.sha256(
            f"{config} {model_config} {seed} {examples.identity} {names}".encode()
        ).hexdigest()
        self.state = State(folder / STATE, identity) if folder else None
        self._resume()
        self.log = SummaryWriter(str(folder)) if folder else None

    def advance(self) -> float:
        """One step; the loss."""
        self.step += 1
        torch.manual_seed(self.seed * SEED_STEP + self.step)
        rng = np.random.default_rng([self.seed, self.step])
        batch = self.draw.batch(self.step - 1).to(self.device)
        self.model.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            loss = _loss(self.model, batch, self.config, rng)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self._follow(min(self.config.decay, self.step / (self.step + 10)))
        return loss.item()

    def look(self, loss: float) -> None:
        """Keep the weights where they are the best so far, and the state to go on from.

        Parameters
        ----------
        loss : mean since the last look
        """
        figures = {"loss": loss, "learning_rate": self.schedule.get_last_lr()[0]}
        if self.validation:
            found = _heard(self.average, self.examples, self.validation)
            uar, likelihood = judge(self.examples, self.validation, found)
            figures |= {f"uar/{corpus}": value for corpus, value in uar.items()}
            figures["likelihood"] = likelihood
            if likelihood > self.best_likelihood:
                self.best_likelihood, self.best_step = likelihood, self.step
                self.best = copy.deepcopy(self.average.state_dict())
        else:
            self.best_step = self.step
        if self.log:
            for name, value in figures.items():
                self.log.add_scalar(name, value, self.step)
            self.log.flush()
            self._save()

    def _follow(self, decay: float) -> None:
        """Move the running average of the weights towards the model."""
        with torch.no_grad():
            for old, new in zip(self.average.parameters(), self.model.parameters()):
                old.lerp_(new, 1 - decay)

    def _parts(self) -> dict:
        return {
            "model": self.model,
            "average": self.average,
            "optimiser": self.optimiser,
            "schedule": self.schedule,
        }

    def _save(self) -> None:
        content = {name: part.state_dict() for name, part in self._parts().items()}
        self.state.save({name: getattr(self, name) for name in KEPT} | content)

    def _resume(self) -> None:
        """Go on where a run of the same recipe, voices and seed was killed."""
        found = self.state and self.state.load(self.device)
        if not found:
            return
        for name, part in self._parts().items():
            part.load_state_dict(found[name])
        for name in KEPT:
            setattr(self, name, found[name])
        logger.info("%s: resumed after step %d", self.state.path, self.step)


def judge(
    examples: Examples, clips: Sequence[Clip], found: np.ndarray
) -> tuple[dict[str, float], float]:
    """UAR by corpus, and one figure to choose by, of logits `found` (n, n_classes).

    That figure is the mean log-likelihood of the truth, where classes count the same and
    corpora have their `SHARES`: with a few validation voices, it jumps about far less than
    the UAR does.
    """
    truth = np.array([examples.labels.index(clip.label) for clip in clips])
    corpus = np.array([clip.corpus for clip in clips])
    log_p = np.log(evaluate.softmax(found)[np.arange(len(truth)), truth] + 1e-12)
    uar, likelihood = {}, {}
    for name in np.unique(corpus).tolist():
        own = corpus == name
        uar[name] = evaluate.uar(truth[own], found[own])
        classes = [log_p[own & (truth == k)].mean() for k in np.unique(truth[own])]
        likelihood[name] = float(np.mean(classes))
    weights = [SHARES[name] for name in likelihood]
    return uar, float(np.average(list(likelihood.values()), weights=weights))


def logits(model: EmotionLSTM, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Logits float32 (n, n_classes) of feature arrays, in batches of like length."""
    found = np.zeros((len(arrays), model.config.n_classes), np.float32)
    with torch.inference_mode():
        for rows, frames, lengths in of_like_length(arrays):
            found[rows] = model(frames, lengths).numpy()
    return found


def _heard(model: Listener, examples: Examples, clips: Sequence[Clip]) -> np.ndarray:
    """Logits float32 (n, n_classes) of one listener to clips as recorded."""
    model.eval()
    device = model.mean.device
    arrays = [examples.frames(clip) for clip in clips]
    known = torch.from_numpy(np.stack([examples.statistics[clip, 0] for clip in clips]))
    found = np.zeros((len(clips), model.config.n_classes), np.float32)
    with torch.inference_mode():
        for rows, frames, lengths in of_like_length(arrays):
            batch = (x.to(device) for x in (frames, lengths, known[rows]))
            found[rows] = model(*batch).cpu().numpy()
    return found


def normalise(model: Listener, examples: Examples, clips: Sequence[Clip]) -> None:
    """Set the scaling of frames and functionals from `clips` alone."""
    frames = np.concatenate([examples.frames(clip) for clip in clips])
    found = np.stack([examples.statistics[clip, 0] for clip in clips])
    mean, std, directions = whitening(found, clips, model.config.n_directions)
    values = {
        "mean": frames.mean(axis=0),
        "std": frames.std(axis=0) + 1e-6,
        "statistics_mean": mean,
        "statistics_std": std,
        "directions": directions,
    }
    for name, value in values.items():
        getattr(model, name).copy_(torch.from_numpy(value))


def _loss(
    model: Listener, batch: Batch, config: TrainConfig, rng: np.random.Generator
) -> torch.Tensor:
    """Cross-entropy of a disturbed batch whose pooled values are mixed in pairs."""
    frames = _disturb(batch.frames, batch.lengths, model, config)
    pooled = model.pool(frames, batch.lengths, batch.statistics).float()
    share = rng.beta(config.mixup, config.mixup, (len(pooled), 1)).astype(np.float32)
    share = torch.from_numpy(share).to(pooled.device)
    other = torch.from_numpy(rng.permutation(len(pooled))).to(pooled.device)
    pooled = torch.lerp(pooled[other], pooled, share)
    target = torch.lerp(batch.target[other], batch.target, share)
    return torch.nn.functional.cross_entropy(model.classify(pooled), target)


def _disturb(
    frames: torch.Tensor, lengths: torch.Tensor, model: Listener, config: TrainConfig
) -> torch.Tensor:
    """Jitter, shift and blank frames (batch, n_frames, n_features)."""
    batch, n_frames, n_features = frames.shape
    shift = config.shift * torch.randn(batch, 1, n_features, device=frames.device)
    frames = frames + model.std * (config.jitter * torch.randn_like(frames) + shift)
    step = torch.arange(n_frames, device=frames.device)
    for _ in range(2):
        width = (torch.rand(batch, device=frames.device) * config.blank * lengths).long()
        start = (torch.rand(batch, device=frames.device) * (lengths - width)).long()
        blank = (step >= start[:, None]) & (step < (start + width)[:, None])
        frames = torch.where(blank[..., None], model.mean, frames)
    return frames
