"""The emotion network: frames of features in, logits of classes out."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class ModelConfig:
    """Size of the network; a checkpoint carries the one it was trained with."""

    n_features: int
    n_classes: int
    hidden: int = 64
    dropout: float = 0.3


class EmotionLSTM(nn.Module):
    """Convolution over five frames, bidirectional LSTM, attentive pooling over time.

    Pooling after Okabe et al., "Attentive statistics pooling for deep speaker embedding",
    Interspeech 2018.

    Parameters
    ----------
    config : size of the network
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width = 2 * config.hidden
        self.register_buffer("mean", torch.zeros(config.n_features))
        self.register_buffer("std", torch.ones(config.n_features))
        self.front = nn.Conv1d(config.n_features, width, kernel_size=5, stride=2, padding=2)
        self.norm = nn.LayerNorm(width)
        # Two one-way networks and a turned copy: several times as fast on a CPU as packed
        # sequences, and padding stays behind each sequence in both directions.
        self.forth = nn.LSTM(width, config.hidden, batch_first=True)
        self.back = nn.LSTM(width, config.hidden, batch_first=True)
        self.attention = nn.Linear(width, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(2 * width, config.n_classes)

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Logits (batch, n_classes) of frames (batch, n_frames, n_features).

        Frames at and after `lengths` (batch,) are padding and change nothing.
        """
        mask = _mask(lengths, frames.shape[1])
        # Zero after scaling, as the convolution pads: an end looks alike in every batch.
        x = ((frames - self.mean) / self.std).masked_fill(~mask, 0.0)
        x = self.front(x.transpose(1, 2)).transpose(1, 2)  # (batch, n_frames / 2, 2 hidden)
        x = self.dropout(torch.relu(self.norm(x)))
        lengths = (lengths + 1) // 2
        x = torch.cat([self.forth(x)[0], _turn(self.back(_turn(x, lengths))[0], lengths)], dim=-1)
        return self.out(self.dropout(self._pool(x, _mask(lengths, x.shape[1]))))

    def _pool(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Attended mean and deviation over time, (batch, 4 hidden)."""
        weights = self.attention(torch.tanh(x)).masked_fill(~mask, -torch.inf).softmax(dim=1)
        mean = (weights * x).sum(dim=1)
        variance = (weights * (x - mean[:, None]).square()).sum(dim=1)
        return torch.cat([mean, (variance + 1e-5).sqrt()], dim=-1)  # no infinite slope at 0


def _mask(lengths: torch.Tensor, n: int) -> torch.Tensor:
    """True (batch, n, 1) where a step lies within its sequence."""
    return (torch.arange(n, device=lengths.device) < lengths[:, None])[..., None]


def _turn(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Sequences (batch, n, width) from last step to first; padding stays where it is."""
    step = torch.arange(x.shape[1], device=x.device)
    index = torch.where(step < lengths[:, None], lengths[:, None] - 1 - step, step)
    return x.gather(1, index[..., None].expand_as(x))
