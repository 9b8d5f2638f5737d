"""Train one network: draw a balanced batch, disturb it, step; keep the running average."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from emotion_model import EmotionLSTM, ModelConfig
from training.cache import FeatureCache
from training.corpora import LABELS, Clip
from training.evaluate import Report


@dataclass(frozen=True)
class TrainConfig:
    """What a run depends on besides its clips and its seed.

    Parameters
    ----------
    steps, batch_size, learning_rate, weight_decay : of AdamW under a one-cycle schedule
    variants : corpus -> feature variants per clip, the clean one included
    tess_share : part of the draws that TESS gets; it has many clips but two voices
    voiceless_share : part of the draws without a voice, whose target is "could be any"
    smoothing : label smoothing; listeners agree on these labels in 60 to 80 % of cases
    jitter, shift : noise on each value, and on each coefficient of a clip as another
        microphone or throat would shift it; in standard deviations
    blank : longest stretch that is blanked, twice a clip, as part of its length
        (SpecAugment, Park et al., Interspeech 2019)
    decay : of the running average of the weights
    """

    steps: int = 500
    batch_size: int = 48
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    variants: tuple[tuple[str, int], ...] = (("ravdess", 4), ("tess", 3))
    tess_share: float = 0.25
    voiceless_share: float = 0.05
    smoothing: float = 0.1
    jitter: float = 0.2
    shift: float = 0.2
    blank: float = 0.1
    decay: float = 0.99


def train(
    clips: Sequence[Clip],
    cache: FeatureCache,
    voiceless: Sequence[np.ndarray],
    config: TrainConfig,
    seed: int,
    progress: Callable[[int, float], None],
) -> EmotionLSTM:
    """Train on all `clips`, for a fixed number of steps: no clip is spent on stopping early.

    Parameters
    ----------
    clips : with features in `cache`
    voiceless : features of sounds without a voice
    progress : called with the number of steps done and the loss
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model = EmotionLSTM(ModelConfig(voiceless[0].shape[1], len(LABELS)))
    _standardise(model, [cache.get(clip, 0) for clip in clips])
    average = copy.deepcopy(model)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=config.steps, pct_start=0.15
    )
    draw = _Draw(clips, cache, voiceless, config, rng)
    model.train()
    for step in range(1, config.steps + 1):
        frames, lengths, target = draw.batch()
        frames = _disturb(frames, lengths, model, config, rng)
        loss = torch.nn.functional.cross_entropy(model(frames, lengths), target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        _follow(average, model, min(config.decay, step / (step + 10)))
        progress(step, loss.item())
    return average.eval()


def test(model: EmotionLSTM, clips: Sequence[Clip], cache: FeatureCache) -> Report:
    """Run a model over the clean variant of clips."""
    arrays = [cache.get(clip, 0) for clip in clips]
    return Report(
        np.array([LABELS.index(clip.label) for clip in clips]), logits(model, arrays)
    )


def logits(model: EmotionLSTM, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Logits (n, n_classes) of feature arrays, in batches of like length."""
    found = np.zeros((len(arrays), len(LABELS)))
    order = np.argsort([len(a) for a in arrays])
    with torch.inference_mode():
        for rows in np.array_split(order, max(1, len(arrays) // 64)):
            found[rows] = model(*pad([arrays[i] for i in rows])).numpy()
    return found


def pad(arrays: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames (batch, n_frames, n_features), zero after each end, and lengths (batch,)."""
    lengths = torch.tensor([len(a) for a in arrays])
    frames = torch.zeros(len(arrays), int(lengths.max()), arrays[0].shape[1])
    for row, array in zip(frames, arrays):
        row[: len(array)] = torch.from_numpy(array)
    return frames, lengths


class _Draw:
    """Draws batches in which corpora have their share and classes count the same."""

    def __init__(
        self,
        clips: Sequence[Clip],
        cache: FeatureCache,
        voiceless: Sequence[np.ndarray],
        config: TrainConfig,
        rng: np.random.Generator,
    ) -> None:
        self.cache, self.voiceless, self.config, self.rng = cache, voiceless, config, rng
        self.variants = dict(config.variants)
        self.drawn: list[list[tuple[np.ndarray, torch.Tensor]]] = []
        self.piles: dict[str, list[list[Clip]]] = {}
        for corpus in {clip.corpus for clip in clips}:
            by_class = [[c for c in clips if (c.corpus, c.label) == (corpus, k)] for k in LABELS]
            self.piles[corpus] = [pile for pile in by_class if pile]

    def batch(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Frames, lengths, and target probabilities (batch, n_classes).

        Four batches are drawn at a time and sorted by length, so that little is padding.
        """
        size = self.config.batch_size
        if not self.drawn:
            examples = sorted(
                (self._example() for _ in range(4 * size)), key=lambda example: len(example[0])
            )
            self.drawn = [examples[k * size : (k + 1) * size] for k in self.rng.permutation(4)]
        examples = self.drawn.pop()
        frames, lengths = pad([array for array, _ in examples])
        return frames, lengths, torch.stack([target for _, target in examples])

    def _example(self) -> tuple[np.ndarray, torch.Tensor]:
        target = torch.full((len(LABELS),), 1 / len(LABELS))
        if self.rng.random() < self.config.voiceless_share:
            return self.voiceless[self.rng.integers(len(self.voiceless))], target
        corpus = "tess" if self.rng.random() < self.config.tess_share else "ravdess"
        piles = self.piles.get(corpus) or next(iter(self.piles.values()))
        pile = piles[self.rng.integers(len(piles))]
        clip = pile[self.rng.integers(len(pile))]
        target *= self.config.smoothing
        target[LABELS.index(clip.label)] += 1 - self.config.smoothing
        return self.cache.get(clip, int(self.rng.integers(self.variants[clip.corpus]))), target


def _standardise(model: EmotionLSTM, arrays: list[np.ndarray]) -> None:
    """Set the network's input scaling from the training voices alone."""
    frames = np.concatenate(arrays)
    model.mean.copy_(torch.from_numpy(frames.mean(axis=0)))
    model.std.copy_(torch.from_numpy(frames.std(axis=0)))


def _disturb(
    frames: torch.Tensor,
    lengths: torch.Tensor,
    model: EmotionLSTM,
    config: TrainConfig,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Jitter, shift and blank frames (batch, n_frames, n_features)."""
    batch, _, n_features = frames.shape
    noise = config.jitter * torch.randn_like(frames)
    frames = frames + model.std * (noise + config.shift * torch.randn(batch, 1, n_features))
    for row, length in zip(frames, lengths.tolist()):
        for _ in range(2):
            width = int(rng.integers(0, max(1, int(length * config.blank))))
            start = int(rng.integers(0, length - width))
            row[start : start + width] = model.mean
    return frames


def _follow(average: EmotionLSTM, model: EmotionLSTM, decay: float) -> None:
    """Move the running average of the weights towards the model."""
    with torch.no_grad():
        for old, new in zip(average.parameters(), model.parameters()):
            old.lerp_(new, 1 - decay)
