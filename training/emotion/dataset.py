"""What a network is trained on: clips in all their variants, drawn in balanced batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from training.corpora import Clip
from training.emotion.config import SHARES, TrainConfig
from utils.errors import DataError

LONGEST = 45  # steps of a clip that training hears at a time, 3.6 s


class Features(Protocol):
    """Where the steps of a clip come from; `training.sound.cache.FeatureCache` is one.

    Attributes
    ----------
    identity : of all that the steps depend on beside the clips
    """

    @property
    def identity(self) -> str: ...

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        """Steps float32 (n_steps, width); variant 0 is the clip itself."""
        ...


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples of like length.

    Parameters
    ----------
    steps : (batch, n_steps, width), zero after each end
    lengths : (batch,)
    target : probabilities (batch, n_classes)
    """

    steps: torch.Tensor
    lengths: torch.Tensor
    target: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(*(tensor.to(device) for tensor in vars(self).values()))


class Dataset:
    """Clips in all their variants, and sounds in which no emotion is to be named.

    Parameters
    ----------
    features : gives the steps
    n_variants : corpus -> how many variants, the clip itself included
    nameless : steps of sounds in which no emotion is to be named
    labels : the classes
    """

    def __init__(
        self,
        features: Features,
        n_variants: Mapping[str, int],
        nameless: Sequence[np.ndarray],
        labels: Sequence[str],
    ) -> None:
        self.labels, self.nameless, self._features = tuple(labels), nameless, features
        self.n_variants = n_variants
        # Trainings on other examples are other runs, also where clips and recipe are the same.
        self.identity = f"{features.identity} {self.labels} {dict(n_variants)} {len(nameless)}"

    def steps(self, clip: Clip, variant: int = 0) -> np.ndarray:
        """Steps (n_steps, width) of a clip."""
        return self._features.get(clip, variant)


def of_like_length(
    arrays: Sequence[np.ndarray],
) -> Iterator[tuple[np.ndarray, torch.Tensor, torch.Tensor]]:
    """All arrays in batches of about 64: which they are, their steps, and their lengths."""
    order = np.argsort([len(array) for array in arrays])
    for rows in np.array_split(order, max(1, len(arrays) // 64)):
        if len(rows):
            yield rows, *pad([arrays[i] for i in rows])


class Draw:
    """Draws batches in which corpora have their share and classes count the same.

    Every batch depends on the seed and its number alone, so that a run that was killed goes
    on as if it had not been.

    Parameters
    ----------
    examples : what to draw from
    clips : the voices to train on
    config : shares, smoothing and size of the batches
    seed : of the draws

    Raises
    ------
    DataError : a corpus for which `SHARES` says nothing
    """

    GROUP = 4  # batches drawn together and sorted by length, so that little is padding

    def __init__(
        self, examples: Dataset, clips: Sequence[Clip], config: TrainConfig, seed: int
    ) -> None:
        self.examples, self.config, self.seed = examples, config, seed
        self.corpora = sorted({clip.corpus for clip in clips})
        if missing := set(self.corpora) - set(SHARES):
            raise DataError(f"no share of the draws is set for {', '.join(sorted(missing))}")
        weights = np.array([SHARES[corpus] for corpus in self.corpora])
        self.weights = weights / weights.sum()
        by_class: dict[tuple[str, str], list[Clip]] = {}
        for clip in clips:
            by_class.setdefault((clip.corpus, clip.label), []).append(clip)
        self.piles = {
            corpus: [pile for (name, _), pile in sorted(by_class.items()) if name == corpus]
            for corpus in self.corpora
        }
        self._drawn: tuple[int, list[Batch]] = (-1, [])

    def batch(self, number: int) -> Batch:
        """Batch `number`, from 0."""
        group, place = divmod(number, self.GROUP)
        if self._drawn[0] != group:
            self._drawn = group, self._draw(np.random.default_rng([self.seed, group]))
        return self._drawn[1][place]

    def _draw(self, rng: np.random.Generator) -> list[Batch]:
        drawn = [self._example(rng) for _ in range(self.GROUP * self.config.batch_size)]
        drawn.sort(key=lambda example: len(example[0]))
        parts = np.split(np.arange(len(drawn)), self.GROUP)
        return [_stack([drawn[i] for i in parts[k]]) for k in rng.permutation(self.GROUP)]

    def _example(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        n_classes = len(self.examples.labels)
        target = np.full(n_classes, 1 / n_classes, np.float32)
        if self.examples.nameless and rng.random() < self.config.nameless_share:
            k = int(rng.integers(len(self.examples.nameless)))
            return self._cut(self.examples.nameless[k], rng), target
        piles = self.piles[self.corpora[rng.choice(len(self.corpora), p=self.weights)]]
        pile = piles[rng.integers(len(piles))]
        clip = pile[rng.integers(len(pile))]
        n_variants = self.examples.n_variants[clip.corpus]
        varied = n_variants > 1 and rng.random() >= self.config.clean_share
        variant = int(rng.integers(1, n_variants)) if varied else 0
        target *= self.config.smoothing
        target[self.examples.labels.index(clip.label)] += 1 - self.config.smoothing
        return self._cut(self.examples.steps(clip, variant), rng), target

    @staticmethod
    def _cut(steps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """At most `LONGEST` steps of a clip, from anywhere in it."""
        start = rng.integers(max(0, len(steps) - LONGEST) + 1)
        return steps[start : start + LONGEST]


def pad(arrays: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Steps (batch, n_steps, width), zero after each end, and lengths (batch,)."""
    lengths = torch.tensor([len(a) for a in arrays])
    steps = torch.zeros(len(arrays), int(lengths.max()), arrays[0].shape[1])
    for row, array in zip(steps, arrays):
        row[: len(array)] = torch.from_numpy(np.asarray(array, dtype=np.float32))
    return steps, lengths


def _stack(examples: list[tuple[np.ndarray, np.ndarray]]) -> Batch:
    steps, lengths = pad([steps for steps, _ in examples])
    return Batch(steps, lengths, torch.from_numpy(np.stack([target for _, target in examples])))
