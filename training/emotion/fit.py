"""Train one of the networks that image and speech papers use: weighted classes, noisy copies."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from training import parallel
from training.corpora import Clip
from training.emotion.train import judge, logits
from training.reports.curves import plot_curves
from training.run import Run, forget
from utils.emotion import networks
from utils.emotion.networks.config import IMAGES, NetworkConfig
from utils.emotion.networks.segments import Segments
from utils.errors import DataError

RECIPE = 2  # another way to train than what FitConfig says, another number
N_NORMALISING = 400  # clips that say what is usual
N_SETTLING = 8  # batches that say what is usual within a network


@dataclass(frozen=True)
class FitConfig:
    """How a network is trained.

    Parameters
    ----------
    epochs, batch_size, learning_rate, weight_decay : of AdamW under a one-cycle schedule
    smoothing : label smoothing
    jitter : noise on each value, in standard deviations
    blank : longest part of the steps, and of the rows, that is blanked twice an example
        (SpecAugment, Park et al., Interspeech 2019)
    stability : weight of the consistency loss between a clip and its noisy copy (Zheng et al.,
        "Improving the robustness of deep neural networks via stability training", CVPR 2016)
    snr_db : of the noisy copies; None trains without any
    patience : epochs without a gain on the validation voices after which training stops
    c, gamma : of a support vector machine, which has no other setting: `baseline.fit`

    Raises
    ------
    ValueError : a setting with which nothing can be learnt
    """

    epochs: int = 40
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    smoothing: float = 0.05
    jitter: float = 0.1
    blank: float = 0.12
    stability: float = 1.0
    snr_db: float | None = None
    patience: int = 10
    c: float = 1.0
    gamma: float = 1.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "c", "gamma"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, expected more than 0")
        for name in ("weight_decay", "stability"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if not 0 <= self.blank < 1:
            raise ValueError(f"blank is {self.blank}, expected a share from 0 to less than 1")


class Diverged(DataError):
    """A training whose numbers have grown beyond all bounds."""


class Examples(Protocol):
    """What a network learns from; `training.emotion.bench.Bench` is one.

    Attributes
    ----------
    identity : of all that the steps depend on beside the clips
    labels : the classes
    """

    @property
    def identity(self) -> str: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    def steps(self, clip: Clip, variant: int | str = 0) -> np.ndarray:
        """Steps float32 (n_steps, width); variant 0 is the clip itself."""
        ...


def fit(
    examples: Examples,
    clips: Sequence[Clip],
    validation: Sequence[Clip],
    config: FitConfig,
    network_config: NetworkConfig,
    seed: int,
    progress: Callable[[int, float], None],
    folder: Path | None = None,
    noisy: str | None = None,
    looked: Callable[[int, float], None] | None = None,
) -> tuple[Segments, str]:
    """Train until the voices of `validation` are not recognised any better.

    A GPU is used where there is one, with mixed precision. All random numbers follow from the
    seed and the step, so that a run that was killed goes on with the same ones.

    Parameters
    ----------
    examples : hold all of `clips` and `validation`
    validation : clips of other speakers; they choose the epoch whose weights are kept. With none
        the last weights are kept
    progress : called with the number of steps done and the loss
    folder : keeps the state to resume from, TensorBoard's log, and the curves as a picture
    noisy : variant under which the noisy copies are
    looked : called after each epoch, where voices validate, with its number from 1 and the UAR
        that the weights which would be kept have, mean over corpora; what it raises ends it all.
        A run that goes on tells it of the epochs before, too

    Returns
    -------
    the best network, on the CPU, in evaluation mode, and where its first weights are from:
    "ImageNet" or "scratch"

    Raises
    ------
    ModelError : the network needs a package that is not here
    DataError : the folder cannot be made
    Diverged : loss, weights or answers are no finite numbers any more
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(seed)
    model, origin = _begin(network_config)
    normalise(model, examples, clips)
    model = model.to(device)
    weights = class_weights(clips, examples.labels).to(device)
    batches = _Batches(examples, clips, config, network_config.segment, seed, noisy)
    identity = f"{config} {network_config} {seed} {examples.identity} {noisy} {origin}"
    with _run(model, config, batches.per_epoch, seed, identity, clips, validation, folder) as run:
        for k, look in enumerate(run.history, start=1):
            if looked and validation:
                looked(int(look["step"]) // batches.per_epoch, _kept(run.history[:k]))
        for step in run:
            model.train()
            steps, copies, truth = (part.to(device) for part in batches.draw(step))
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                loss = _loss(model, steps, copies, truth, weights, config)
            learnt = run.learn(loss)
            progress(step, learnt)
            if not math.isfinite(learnt):
                raise _diverged(f"a loss of {learnt}", step, folder)
            if run.due:
                _settle(model, batches)
                if not all(value.isfinite().all() for value in model.state_dict().values()):
                    raise _diverged("weights that are no finite numbers", step, folder)
            if run.due and validation:
                found = logits(model, [examples.steps(clip) for clip in validation])
                if not np.isfinite(found).all():
                    raise _diverged("answers that are no finite numbers", step, folder)
                uar, likelihood = judge(examples, validation, found)
                figures = {f"uar/{corpus}": value for corpus, value in uar.items()}
                figures["likelihood"] = likelihood
                run.judged(likelihood, model.state_dict(), figures)
                if looked:
                    looked(step // batches.per_epoch, _kept([*run.history, figures]))
    if run.best is not None:
        model.load_state_dict(run.best)
    if folder and parallel.leads():
        plot_curves(run.history, folder / "curves.png")
    return model.cpu().eval(), origin


def class_weights(clips: Sequence[Clip], labels: Sequence[str]) -> torch.Tensor:
    """(n_classes,) by which each clip counts, so that classes count the same; 0 without clips."""
    counts = np.array([sum(clip.label == label for clip in clips) for label in labels])
    there = counts > 0
    weights = np.zeros(len(labels), np.float32)
    weights[there] = counts.sum() / (there.sum() * counts[there])
    return torch.from_numpy(weights)


def normalise(model: Segments, examples: Examples, clips: Sequence[Clip]) -> None:
    """Set mean and deviation of each column from `clips` as recorded, alone."""
    rows = np.random.default_rng(0).permutation(len(clips))[:N_NORMALISING]
    steps = np.concatenate([examples.steps(clips[row]) for row in rows])
    model.mean.copy_(torch.from_numpy(steps.mean(axis=0)))
    model.std.copy_(torch.from_numpy(steps.std(axis=0) + 1e-3))


class _Batches:
    """Batches of stretches, each in an order of its own epoch, by the number of the step alone."""

    def __init__(
        self,
        examples: Examples,
        clips: Sequence[Clip],
        config: FitConfig,
        segment: int,
        seed: int,
        noisy: str | None,
    ) -> None:
        self.examples, self.clips, self.config = examples, clips, config
        self.segment, self.seed, self.noisy = segment, seed, noisy
        self.per_epoch = max(1, len(clips) // config.batch_size)

    def draw(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Stretches (batch, segment, width), their noisy copies or none of them, and classes."""
        epoch, place = divmod(step - 1, self.per_epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.clips))
        rng = np.random.default_rng([self.seed, epoch, place])
        size = self.config.batch_size
        some = [self.clips[row] for row in order[place * size : (place + 1) * size]]
        pairs = [self._stretches(clip, rng) for clip in some]
        truth = [self.examples.labels.index(clip.label) for clip in some]
        clean, copies = (torch.from_numpy(np.stack(part)) for part in zip(*pairs))
        return clean, copies if self.noisy else copies[:0], torch.tensor(truth)

    def _stretches(self, clip: Clip, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One stretch from anywhere in a clip, and the same of its noisy copy."""
        steps = self.examples.steps(clip)
        start = rng.integers(max(0, len(steps) - self.segment) + 1)
        rows = (start + np.arange(self.segment)) % len(steps)
        copy = self.examples.steps(clip, self.noisy) if self.noisy else steps
        return steps[rows], copy[np.minimum(rows, len(copy) - 1)]


def _settle(model: Segments, batches: _Batches) -> None:
    """Count anew what batch normalisation takes for usual, and set the network to evaluation.

    What it averages while weights change lags behind them: with three steps an epoch so far that
    networks which had learnt answered one class to everything (Wu and Johnson, "Rethinking 'batch'
    in BatchNorm", 2021).
    """
    draws = (batches.draw(k + 1) for k in range(min(batches.per_epoch, N_SETTLING)))
    heard = (torch.cat([clean, noisy]).to(model.mean.device) for clean, noisy, _ in draws)
    update_bn((((x - model.mean) / model.std).transpose(1, 2) for x in heard), model.body)
    model.eval()


def _begin(config: NetworkConfig) -> tuple[Segments, str]:
    """A network to be trained, and where its weights are from."""
    model = networks.build(config)
    if not isinstance(model, Segments):
        raise TypeError(f"{config.name} is not trained step by step")
    origin = "scratch"
    if config.name in IMAGES:
        from utils.emotion.networks import images

        origin = "ImageNet" if images.teach(model.body, config) else origin
    return model, origin


def _run(
    model: Segments,
    config: FitConfig,
    per_epoch: int,
    seed: int,
    identity: str,
    clips: Sequence[Clip],
    validation: Sequence[Clip],
    folder: Path | None,
) -> Run:
    """AdamW under a one-cycle schedule; ends early where voices judge and gain nothing."""
    names = [[clip.identity for clip in part] for part in (clips, validation)]
    optimiser = torch.optim.AdamW(
        model.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,  # on one processor AlexNet's 57 million weights take half the time
    )
    steps = config.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=steps, pct_start=0.2
    )
    return Run(
        {"model": model},
        optimiser,
        schedule,
        steps=steps,
        every=per_epoch,
        seed=seed,
        identity=hashlib.sha256(f"{identity} {names}".encode()).hexdigest(),
        folder=folder,
        patience=config.patience if validation else None,
    )


def _diverged(what: str, step: int, folder: Path | None) -> Diverged:
    """The error to raise; a state from which it would come to the same again is dropped."""
    if folder and parallel.leads():
        forget(folder)
    return Diverged(
        f"the training diverged: {what} after step {step}; give a smaller --learning-rate"
    )


def _kept(looks: Sequence[Mapping[str, float]]) -> float:
    """UAR of the weights that are kept after these looks, mean over corpora."""
    best = max(looks, key=lambda look: look["likelihood"])
    return float(np.mean([value for name, value in best.items() if name.startswith("uar/")]))


def _loss(
    model: Segments,
    steps: torch.Tensor,
    copies: torch.Tensor,
    truth: torch.Tensor,
    weights: torch.Tensor,
    config: FitConfig,
) -> torch.Tensor:
    """Weighted cross-entropy, and how far answers to noisy copies are from those to clips.

    Of several processes each gets its part of it, and the sum is that of the batch.
    """
    # By all processes alike, whose parts are then those of one batch.
    disturbed = _disturb(torch.cat([steps, copies]), model, config)
    own = parallel.share(len(steps))
    disturbed = torch.cat([disturbed[: len(steps)][own], disturbed[len(steps) :][own]])
    parallel.own_chance()
    lengths = torch.full((len(disturbed),), steps.shape[1], device=steps.device)
    found = model(disturbed, lengths).float()
    n = len(truth[own])
    clean, noisy = found[:n], found[n:]
    loss = F.cross_entropy(clean, truth[own], weights, label_smoothing=config.smoothing)
    loss = weights[truth[own]].sum() / weights[truth].sum() * loss
    if len(noisy):
        apart = F.kl_div(
            noisy.log_softmax(1), clean.log_softmax(1), log_target=True, reduction="none"
        )
        loss = loss + n / len(truth) * config.stability * apart.sum(dim=1).mean()
    return loss


def _disturb(steps: torch.Tensor, model: Segments, config: FitConfig) -> torch.Tensor:
    """Steps (n, segment, width) with jitter, and two stretches of time and of rows blanked."""
    steps = steps + model.std * config.jitter * torch.randn_like(steps)
    for axis in (1, 1, 2, 2):
        size = steps.shape[axis]
        width = (torch.rand(len(steps), device=steps.device) * config.blank * size).long()
        start = (torch.rand(len(steps), device=steps.device) * (size - width)).long()
        place = torch.arange(size, device=steps.device)
        gone = (place >= start[:, None]) & (place < (start + width)[:, None])
        steps = torch.where(gone[..., None] if axis == 1 else gone[:, None], model.mean, steps)
    return steps
