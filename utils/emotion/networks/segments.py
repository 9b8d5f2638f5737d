"""Speech of any length for networks that hear stretches of one length."""

import torch
from torch import nn

from utils.emotion.network import Usual
from utils.emotion.networks.config import NetworkConfig


class Segments(nn.Module):
    """Half-overlapping stretches of speech, each heard by itself; their logits are averaged.

    Speech shorter than a stretch is repeated to fill it, so that what is heard is speech alone.

    Parameters
    ----------
    config : size of the network
    body : stretches (n, n_features, segment) in, logits (n, n_classes) out
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: NetworkConfig, body: nn.Module) -> None:
        super().__init__()
        self.config, self.body = config, body
        self.register_buffer("mean", torch.zeros(config.n_features))
        self.register_buffer("std", torch.ones(config.n_features))

    def forward(
        self, steps: torch.Tensor, lengths: torch.Tensor, usual: Usual | None = None
    ) -> torch.Tensor:
        """Logits (batch, n_classes) of steps (batch, n_steps, n_features), `utils.emotion.steps`.

        Steps at and after `lengths` (batch,) are padding and change nothing. How speech usually
        sounds there is not asked.
        """
        owner, index = self.places(lengths)
        stretches = (steps[owner[:, None], index] - self.mean) / self.std
        found = self.body(stretches.transpose(1, 2))
        total = found.new_zeros(len(lengths), found.shape[1]).index_add(0, owner, found)
        return total / torch.bincount(owner, minlength=len(lengths))[:, None]

    def places(self, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Whose each stretch is, (n,), and which steps it is made of, (n, segment)."""
        size = self.config.segment
        owners, starts = [], []
        for row, n_steps in enumerate(lengths.tolist()):
            beyond = max(0, int(n_steps) - size)
            count = 1 + -(-beyond // max(1, size // 2))
            owners += [row] * count
            starts += torch.linspace(0, beyond, count).round().long().tolist()
        owner = torch.tensor(owners, device=lengths.device)
        start = torch.tensor(starts, device=lengths.device)
        index = start[:, None] + torch.arange(size, device=lengths.device)
        return owner, index % lengths[owner][:, None]
