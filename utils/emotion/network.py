"""The emotion network: frames of features in, logits of classes out."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from utils.emotion.functionals import functionals, n_functionals, n_timeless, within

CLAMP = 4.0  # standard deviations: a functional further out than any voice says no more
STRIDE = 4  # frames from one step of the LSTM to the next, 64 ms: several to a syllable
GAMMA = 0.6  # of the Gaussian kernel, divided by the number of functionals

Array = TypeVar("Array", torch.Tensor, np.ndarray)


@dataclass(frozen=True)
class ModelConfig:
    """Size of the network; a checkpoint carries the one it was trained with.

    Parameters
    ----------
    n_features, n_classes : width of the frames, and of the logits
    n_mfcc : how many of the features are cepstral coefficients
    n_listeners : networks whose logits are averaged, each trained by itself
    n_directions : how many directions of the functionals each of them looks at
    n_landmarks : recordings that the functionals of another are compared with
    hidden : units of the LSTM in each direction
    dense : units between what was pooled and the logits
    dropout : share of inputs of each layer that training leaves out
    """

    n_features: int
    n_classes: int
    n_mfcc: int
    n_listeners: int = 1
    n_directions: int = 256
    n_landmarks: int = 0
    hidden: int = 64
    dense: int = 128
    dropout: float = 0.4

    @property
    def n_functionals(self) -> int:
        """Width of the functionals of a recording."""
        return n_functionals(self.n_features, self.n_mfcc)

    @property
    def n_timeless(self) -> int:
        """How many of them, the first, say nothing of when a thing was heard."""
        return n_timeless(self.n_features, self.n_mfcc)


class EmotionLSTM(nn.Module):
    """Networks that listen, and landmarks that are compared with; their logits are summed.

    The landmarks answer by how near the functionals of a recording lie to those of some
    recordings of the training (radial basis functions). They leave out what depends on when
    a thing was heard, which tells the sentences of a corpus apart as much as its emotions:
    corpora of other words are recognised better without. The sum is a product of experts
    (Hinton, Neural Computation 14(8), 2002).

    Parameters
    ----------
    config : size of the network
    """

    timeless_mean: torch.Tensor
    timeless_std: torch.Tensor
    timeless_directions: torch.Tensor
    landmarks: torch.Tensor
    answers: torch.Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.listeners = nn.ModuleList(Listener(config) for _ in range(config.n_listeners))
        n = config.n_timeless
        self.register_buffer("timeless_mean", torch.zeros(n))
        self.register_buffer("timeless_std", torch.ones(n))
        self.register_buffer("timeless_directions", torch.zeros(n, n))
        self.register_buffer("landmarks", torch.zeros(config.n_landmarks, n))
        self.register_buffer("answers", torch.zeros(config.n_landmarks, config.n_classes))

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Logits (batch, n_classes) of frames (batch, n_frames, n_features).

        Frames at and after `lengths` (batch,) are padding and change nothing.
        """
        found = functionals(frames, lengths, self.config.n_mfcc)
        heard = [listener(frames, lengths, found) for listener in self.listeners]
        return torch.stack(heard).mean(dim=0) + self.compare(found)

    def compare(self, found: torch.Tensor) -> torch.Tensor:
        """Logits (batch, n_classes) by the landmarks that lie near functionals."""
        return kernel(self.place(found), self.landmarks) @ self.answers

    def place(self, found: torch.Tensor) -> torch.Tensor:
        """Where functionals (batch, n_functionals) lie among landmarks, (batch, n_timeless)."""
        timeless = found[:, : self.config.n_timeless]
        scaled = scale(timeless, self.timeless_mean, self.timeless_std)
        return scaled @ self.timeless_directions


class Listener(nn.Module):
    """Convolution over nine frames, bidirectional LSTM, attentive and statistical pooling.

    Two views of a recording meet before the classes: what a bidirectional LSTM found worth
    attending to (Okabe et al., "Attentive statistics pooling for deep speaker embedding",
    Interspeech 2018), and the functionals of its frames, turned and scaled so that voices
    of one emotion scatter alike in all directions (within-class covariance normalisation,
    Hatch et al., Interspeech 2006).

    Parameters
    ----------
    config : size of the network
    """

    mean: torch.Tensor
    std: torch.Tensor
    statistics_mean: torch.Tensor
    statistics_std: torch.Tensor
    directions: torch.Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, n_statistics = 2 * config.hidden, config.n_functionals
        self.register_buffer("mean", torch.zeros(config.n_features))
        self.register_buffer("std", torch.ones(config.n_features))
        self.register_buffer("statistics_mean", torch.zeros(n_statistics))
        self.register_buffer("statistics_std", torch.ones(n_statistics))
        self.register_buffer("directions", torch.zeros(n_statistics, config.n_directions))
        self.front = nn.Conv1d(config.n_features, width, 2 * STRIDE + 1, STRIDE, STRIDE)
        self.norm = nn.LayerNorm(width)
        # Two one-way networks and a turned copy: several times as fast on a CPU as packed
        # sequences, and padding stays behind each sequence in both directions.
        self.forth = nn.LSTM(width, config.hidden, batch_first=True)
        self.back = nn.LSTM(width, config.hidden, batch_first=True)
        self.attention = nn.Linear(width, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.dense = nn.Linear(2 * width + config.n_directions, config.dense)
        self.dense_norm = nn.LayerNorm(config.dense)
        self.out = nn.Linear(config.dense, config.n_classes)

    def forward(
        self, frames: torch.Tensor, lengths: torch.Tensor, found: torch.Tensor
    ) -> torch.Tensor:
        """Logits (batch, n_classes); parameters as in `pool`."""
        return self.classify(self.pool(frames, lengths, found))

    def pool(
        self, frames: torch.Tensor, lengths: torch.Tensor, found: torch.Tensor
    ) -> torch.Tensor:
        """What is known of each recording as a whole, (batch, 4 hidden + n_directions).

        Parameters
        ----------
        frames, lengths : as in `EmotionLSTM.forward`
        found : their functionals (batch, n_functionals), which training computes once
        """
        statistics = scale(found, self.statistics_mean, self.statistics_std) @ self.directions
        return torch.cat([self._listen(frames, lengths), statistics], dim=1)

    def classify(self, pooled: torch.Tensor) -> torch.Tensor:
        """Logits (batch, n_classes) of what `pool` gives."""
        x = torch.relu(self.dense_norm(self.dense(self.dropout(pooled))))
        return self.out(self.dropout(x))

    def _listen(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """What the LSTM attended to, (batch, 4 hidden)."""
        mask = within(lengths, frames.shape[1])[..., None]
        # Zero after scaling, as the convolution pads: an end looks alike in every batch.
        x = ((frames - self.mean) / self.std).masked_fill(~mask, 0.0)
        x = self.front(x.transpose(1, 2)).transpose(1, 2)  # (batch, n_frames / 4, 2 hidden)
        x = self.dropout(torch.relu(self.norm(x)))
        lengths = (lengths - 1) // STRIDE + 1
        x = torch.cat([self.forth(x)[0], _turn(self.back(_turn(x, lengths))[0], lengths)], dim=-1)
        return self._pool(x, within(lengths, x.shape[1])[..., None])

    def _pool(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Attended mean and deviation over time, (batch, 4 hidden)."""
        weights = self.attention(torch.tanh(x)).masked_fill(~mask, -torch.inf).softmax(dim=1)
        mean = (weights * x).sum(dim=1)
        variance = (weights * (x - mean[:, None]).square()).sum(dim=1)
        return torch.cat([mean, (variance + 1e-5).sqrt()], dim=-1)  # no infinite slope at 0


def scale(found: Array, mean: Array, std: Array) -> Array:
    """Functionals (n, n_functionals) in standard deviations from the mean, `CLAMP` at most."""
    return ((found - mean) / std).clip(-CLAMP, CLAMP)


def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Nearness (n, m) in (0, 1] of points (n, n_functionals) to others (m, n_functionals)."""
    return (-GAMMA / a.shape[1] * torch.cdist(a, b).square()).exp()


def _turn(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Sequences (batch, n, width) from last step to first; padding stays where it is."""
    step = torch.arange(x.shape[1], device=x.device)
    index = torch.where(step < lengths[:, None], lengths[:, None] - 1 - step, step)
    return x.gather(1, index[..., None].expand_as(x))
