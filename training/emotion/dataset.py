"""What a network is trained on: clips in all their variants, drawn in balanced batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from training.corpora import Clip
from training.corpora.librispeech import READ_AS
from training.emotion.acquaintance import Acquaintance
from training.emotion.config import SHARES, TrainConfig
from utils.emotion.network import Usual, describe
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
    move : (batch, width of a description) what is added to the description of each, and of
        what is usual where it was said, so that another voice says it
    usual : how speech usually sounds there, before that move
    """

    steps: torch.Tensor
    lengths: torch.Tensor
    target: torch.Tensor
    move: torch.Tensor
    usual: Usual

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(*(part.to(device) for part in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Nameless:
    """A sound in which no emotion is to be named.

    Parameters
    ----------
    steps : (n_steps, width)
    voice : whose it is; "" where it is nobody's
    """

    steps: np.ndarray
    voice: str = ""


class Dataset:
    """Clips in all their variants, and sounds in which no emotion is to be named.

    Parameters
    ----------
    features : gives the steps
    n_variants : corpus -> how many variants, the clip itself included
    nameless : sounds in which no emotion is to be named
    labels : the classes
    n_features : columns of a frame
    """

    def __init__(
        self,
        features: Features,
        n_variants: Mapping[str, int],
        nameless: Sequence[Nameless],
        labels: Sequence[str],
        n_features: int,
    ) -> None:
        self.n_features = n_features
        self.labels, self.nameless, self._features = tuple(labels), nameless, features
        self.n_variants = n_variants
        # Trainings on other examples are other runs, also where clips and recipe are the same.
        self.identity = f"{features.identity} {self.labels} {dict(n_variants)} {len(nameless)}"
        self._described: dict[Clip, np.ndarray] = {}

    def steps(self, clip: Clip, variant: int = 0) -> np.ndarray:
        """Steps (n_steps, width) of a clip."""
        return self._features.get(clip, variant)

    def describe(self, clip: Clip) -> np.ndarray:
        """`description` (width,) of a clip as recorded; kept, as it is asked for again."""
        if (found := self._described.get(clip)) is None:
            found = self._described[clip] = describe(self.steps(clip), self.n_features)
        return found


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
        self._known = _acquaint(examples, clips)
        self._voices = sorted({clip.speaker for clip in clips})
        self._drawn: tuple[int, list[Batch]] = (-1, [])

    def batch(self, number: int) -> Batch:
        """Batch `number`, from 0."""
        group, place = divmod(number, self.GROUP)
        if self._drawn[0] != group:
            self._drawn = group, self._draw(np.random.default_rng([self.seed, group]))
        return self._drawn[1][place]

    def _draw(self, rng: np.random.Generator) -> list[Batch]:
        drawn = [self._example(rng) for _ in range(self.GROUP * self.config.batch_size)]
        drawn.sort(key=lambda example: len(example.steps))
        parts = np.split(np.arange(len(drawn)), self.GROUP)
        return [_stack([drawn[i] for i in parts[k]]) for k in rng.permutation(self.GROUP)]

    def _example(self, rng: np.random.Generator) -> "_Example":
        n_classes = len(self.examples.labels)
        target = np.full(n_classes, 1 / n_classes, np.float32)
        if self.examples.nameless and rng.random() < self.config.nameless_share:
            sound = self.examples.nameless[int(rng.integers(len(self.examples.nameless)))]
            voice = sound.voice or self._known.anybody(rng)
            usual, n = self._usual(voice, voice, rng)
            return _Example(self._cut(sound.steps, rng), target, np.zeros_like(usual), usual, n)
        piles = self.piles[self.corpora[rng.choice(len(self.corpora), p=self.weights)]]
        pile = piles[rng.integers(len(piles))]
        clip = pile[rng.integers(len(pile))]
        n_variants = self.examples.n_variants[clip.corpus]
        varied = n_variants > 1 and rng.random() >= self.config.clean_share
        steps = self.examples.steps(clip, int(rng.integers(1, n_variants)) if varied else 0)
        target *= self.config.smoothing
        target[self.examples.labels.index(clip.label)] += 1 - self.config.smoothing
        usual, n = self._usual(clip.speaker, clip.corpus, rng)
        if varied and n:  # what was done to the clip was done to all that was said there
            usual = usual + describe(steps, self.examples.n_features) - self.examples.describe(clip)
        move = np.zeros_like(usual)
        if rng.random() < self.config.moved:
            to = self._voices[rng.integers(len(self._voices))]
            move = self._known.move(clip.speaker, to, rng)
        return _Example(self._cut(steps, rng), target, move, usual, n)

    def _usual(self, voice: str, place: str, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """What is known of how speech usually sounds there, and of how many remarks."""
        known = rng.random() < self.config.acquainted
        return self._known.some(voice, place, rng) if known else self._known.nothing()

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


def _acquaint(examples: Dataset, clips: Sequence[Clip]) -> Acquaintance:
    """All that may be known beside a clip, and beside a sound in which nothing is to be named."""
    known: Acquaintance | None = None
    for clip in clips:
        found = examples.describe(clip)
        known = known or Acquaintance(len(found))
        known.add({clip.speaker, clip.corpus}, clip.label, found)
    if known is None:
        raise DataError("no clips to train on")
    for sound in examples.nameless:
        if sound.voice:
            known.add([sound.voice], READ_AS, describe(sound.steps, examples.n_features))
    return known


@dataclass(frozen=True, eq=False)
class _Example:
    """One row of a `Batch`."""

    steps: np.ndarray
    target: np.ndarray
    move: np.ndarray
    usual: np.ndarray
    n_remarks: int


def _stack(examples: list[_Example]) -> Batch:
    steps, lengths = pad([example.steps for example in examples])
    target, move, usual = (
        torch.from_numpy(np.stack([getattr(example, name) for example in examples]))
        for name in ("target", "move", "usual")
    )
    n_remarks = torch.tensor([float(example.n_remarks) for example in examples])
    return Batch(steps, lengths, target, move, Usual(usual, n_remarks))
