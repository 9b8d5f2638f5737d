"""Convolutions over a picture, and an LSTM of two layers along what they found.

After Satt et al., "Efficient emotion recognition from speech using deep learning on
spectrograms", Interspeech 2017.
"""

import torch
from torch import nn

from utils.emotion.networks.cnn import WIDTHS, over_both, scaled
from utils.emotion.networks.config import NetworkConfig

DEPTH = 4
ROWS = 4  # into which the convolutions' rows are pooled before the LSTM
HIDDEN = 96  # units of the LSTM in each direction


def make(config: NetworkConfig) -> nn.Module:
    """`cnn-lstm`."""
    return _ConvolutionsAndLSTM(config)


class _ConvolutionsAndLSTM(nn.Module):
    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.picture = nn.Unflatten(1, (1, config.n_features))
        widths = scaled(WIDTHS[:DEPTH], config.width)
        (hidden,) = scaled([HIDDEN], config.width)
        self.convolutions = nn.Sequential(*over_both(widths))
        self.lstm = nn.LSTM(
            ROWS * widths[-1],
            hidden,
            num_layers=2,
            batch_first=True,
            bidirectional=True,
            dropout=0.2,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(2 * hidden, config.n_classes)

    def forward(self, stretches: torch.Tensor) -> torch.Tensor:
        """Logits (n, n_classes) of stretches (n, n_features, segment)."""
        found = self.convolutions(self.picture(stretches))  # (n, width, rows, n_steps)
        found = nn.functional.adaptive_avg_pool2d(found, (ROWS, found.shape[3]))
        along, _ = self.lstm(found.flatten(1, 2).transpose(1, 2))  # (n, n_steps, 2 hidden)
        return self.out(self.dropout(along.mean(dim=1)))
