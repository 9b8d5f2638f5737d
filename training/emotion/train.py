"""Train one listener: draw a balanced batch, disturb it, step; keep the best running average."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from emotion_model import Network
from training import parallel
from training.corpora import Clip
from training.emotion import evaluate
from training.emotion.config import SHARES, TrainConfig
from training.emotion.dataset import Batch, Dataset, Draw, of_like_length
from training.run import Run, Weights
from utils.emotion.encoder import STEP
from utils.emotion.network import Listener, ModelConfig, Usual, statistics


class Labelled(Protocol):
    """What is asked of the examples that are judged."""

    @property
    def labels(self) -> tuple[str, ...]: ...


N_NORMALISING = 600  # clips of a corpus that say what is usual


def train(
    examples: Dataset,
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

    Raises
    ------
    DataError : the folder cannot be made
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(seed)
    model = Listener(model_config)
    normalise(model, examples, clips)
    model = model.to(device)
    average = copy.deepcopy(model)
    running = Weights(dict(average.named_parameters()))
    draw = Draw(examples, clips, config, seed)
    identity = _identity(examples, clips, validation, config, model_config, seed)
    with _run(model, average, config, seed, identity, folder, bool(validation)) as run:
        for step in run:
            model.train()
            batch = draw.batch(step - 1).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                loss = _loss(model, batch, config, np.random.default_rng([seed, step]))
            learnt = run.learn(loss)
            running.follow(dict(model.named_parameters()), config.decay, step)
            progress(step, learnt)
            if run.due and validation:
                uar, likelihood = judge(examples, validation, _heard(average, examples, validation))
                figures = {f"uar/{corpus}": value for corpus, value in uar.items()}
                figures["likelihood"] = likelihood
                run.judged(likelihood, average.state_dict(), figures)
    if run.best is not None:
        average.load_state_dict(run.best)
    return average.cpu().eval()


def _run(
    model: Listener,
    average: Listener,
    config: TrainConfig,
    seed: int,
    identity: str,
    folder: Path | None,
    judged: bool,
) -> Run:
    """AdamW under a one-cycle schedule; ends early where voices judge and gain nothing."""
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.steps, pct_start=0.15
    )
    return Run(
        {"model": model, "average": average},
        optimiser,
        schedule,
        steps=config.steps,
        every=config.every,
        seed=seed,
        identity=identity,
        folder=folder,
        patience=config.patience if judged else None,
    )


def _identity(
    examples: Dataset,
    clips: Sequence[Clip],
    validation: Sequence[Clip],
    config: TrainConfig,
    model_config: ModelConfig,
    seed: int,
) -> str:
    """Tells runs apart: recipe, seed, voices, and how their features were made."""
    names = [[clip.identity for clip in part] for part in (clips, validation)]
    recipe = f"{config} {model_config} {seed} {examples.identity} {names}"
    return hashlib.sha256(recipe.encode()).hexdigest()


def judge(
    examples: Labelled, clips: Sequence[Clip], found: np.ndarray
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


def logits(
    model: Network | Listener, arrays: Sequence[np.ndarray], usual: Usual | None = None
) -> np.ndarray:
    """Logits float32 (n, n_classes) of arrays of steps, in batches of like length.

    They are computed on the device that the network is on.

    Parameters
    ----------
    usual : how speech usually sounds where each was said
    """
    found = np.zeros((len(arrays), model.config.n_classes), np.float32)
    device = next(iter(model.buffers())).device
    with torch.inference_mode():
        for rows, steps, lengths in of_like_length(arrays):
            some = usual and Usual(usual.mean[rows], usual.n_remarks[rows]).to(device)
            found[rows] = model(steps.to(device), lengths.to(device), some).cpu().numpy()
    return found


def _heard(model: Listener, examples: Dataset, clips: Sequence[Clip]) -> np.ndarray:
    """Logits float32 (n, n_classes) of one listener to clips as recorded."""
    model.eval()
    return logits(model, [examples.steps(clip) for clip in clips])


def normalise(model: Listener, examples: Dataset, clips: Sequence[Clip]) -> None:
    """Set means, deviations and principal components from `clips` as recorded, alone.

    Corpora count by their `SHARES`, so that the largest does not say what is usual.
    """
    config, rng = model.config, np.random.default_rng(0)
    n = STEP * config.n_features
    moments = []
    for corpus in sorted({clip.corpus for clip in clips}):
        own = [clip for clip in clips if clip.corpus == corpus]
        some = [own[k] for k in rng.permutation(len(own))[:N_NORMALISING]]
        arrays = [torch.from_numpy(examples.steps(clip)) for clip in some]
        rows = torch.cat(arrays).double()
        found = torch.cat([_whole(array, n) for array in arrays]).double()
        frames, heard = rows[:, :n].reshape(-1, config.n_features), rows[:, n:]
        parts = [x.mean(dim=0) for x in (frames, frames.square(), found, found.square(), heard)]
        moments.append((SHARES[corpus], [*parts, heard.T @ heard / len(heard)]))
    total = sum(share for share, _ in moments)
    mean, square, whole, whole_square, heard, scatter = (
        torch.stack([share / total * parts[k] for share, parts in moments]).sum(dim=0)
        for k in range(6)
    )
    covariance = scatter - torch.outer(heard, heard)
    std = covariance.diagonal().clamp(min=1e-8).sqrt() + 1e-4
    variances, directions = torch.linalg.eigh(covariance / torch.outer(std, std))
    widest = slice(-config.n_components, None)
    values = {
        "mean": mean,
        "std": (square - mean.square()).clamp(min=1e-12).sqrt() + 1e-6,
        "heard_mean": heard,
        "heard_std": std,
        "components": directions[:, widest] / variances[widest].clamp(min=1e-6).sqrt(),
        "statistics_mean": whole,
        "statistics_std": (whole_square - whole.square()).clamp(min=1e-8).sqrt() + 1e-4,
    }
    for name, value in values.items():
        getattr(model, name).copy_(value)


def _whole(steps: torch.Tensor, n: int) -> torch.Tensor:
    """`statistics` (1, 2 n_heard) of what was heard of one clip."""
    return statistics(steps[None, :, n:], torch.tensor([len(steps)]))


def _loss(
    model: Listener, batch: Batch, config: TrainConfig, rng: np.random.Generator
) -> torch.Tensor:
    """Cross-entropy of both parts of a listener to a disturbed batch; some have no encoder.

    Of several processes each gets its part of it, and the sum is that of the batch.
    """
    usual = Usual(batch.usual.mean + batch.move, batch.usual.n_remarks)
    shift = model.unusual(usual) - batch.move
    # By all processes alike, whose parts are then those of one batch.
    steps = _disturb(batch.steps, batch.lengths, shift, model, config)
    noise = config.shift * torch.randn(len(steps), 2 * model.config.n_heard, device=steps.device)
    drawn = (rng.random((len(steps), 1)) >= config.unaided).astype(np.float32)
    own = parallel.share(len(steps))
    steps, lengths, target = steps[own], batch.lengths[own], batch.target[own]
    frames, heard, whole = model.scale(steps, lengths, shift[own])
    known = torch.from_numpy(drawn[own]).to(steps.device)
    whole = known * (whole + noise[own])
    parallel.own_chance()
    logits = model.classify(frames, known[..., None] * heard, whole, lengths)
    parts = logits.float().unbind(dim=1)
    losses = [torch.nn.functional.cross_entropy(part, target) for part in parts]
    return len(steps) / len(batch.steps) * torch.stack(losses).mean()


def _disturb(
    steps: torch.Tensor,
    lengths: torch.Tensor,
    usual: torch.Tensor,
    model: Listener,
    config: TrainConfig,
) -> torch.Tensor:
    """Jitter, shift and blank steps (batch, n_steps, width), from which `usual` is still to go."""
    batch, n_steps, _ = steps.shape
    n, n_heard = model.config.n_features, model.config.n_heard
    std = torch.cat([model.std.repeat(STEP), model.heard_std])
    mean = torch.cat([model.mean.repeat(STEP), model.heard_mean])
    usual = torch.cat([usual[:, :n].repeat(1, STEP), usual[:, n : n + n_heard]], dim=1)
    blank = (mean + usual)[:, None]  # of a blank step nothing is left
    shift = config.shift * torch.randn(batch, 1, len(model.std), device=steps.device)
    shift_heard = config.shift * torch.randn(batch, 1, len(model.heard_std), device=steps.device)
    shift = torch.cat([shift.repeat(1, 1, STEP), shift_heard], dim=2)
    steps = steps + std * (config.jitter * torch.randn_like(steps) + shift)
    step = torch.arange(n_steps, device=steps.device)
    for _ in range(2):
        width = (torch.rand(batch, device=steps.device) * config.blank * lengths).long()
        start = (torch.rand(batch, device=steps.device) * (lengths - width)).long()
        gone = (step >= start[:, None]) & (step < (start + width)[:, None])
        steps = torch.where(gone[..., None], blank, steps)
    return steps
