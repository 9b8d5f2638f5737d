"""A support vector machine on mean and deviation over time: the baseline, without scikit-learn.

The workshop fits it with scikit-learn (`training.emotion.baseline`); here it is a few tensors, so
that a checkpoint of it works live like any other.
"""

from itertools import combinations

import torch
from torch import nn

from utils.emotion.network import statistics
from utils.emotion.networks.config import NetworkConfig

NEVER = -10.0  # the logit of a class that was not in training


class SupportVectors(nn.Module):
    """A machine with a Gaussian kernel, one class against each other; as `sklearn.svm.SVC`.

    Attributes
    ----------
    centre, scale : (2 n_features,) of the summaries that it was taught
    vectors : (n_vectors, 2 n_features) scaled summaries, class by class
    weights : (n_pairs, n_vectors) of each pair of classes, and `bias` (n_pairs,)
    taught : (n_taught,) numbers of the classes that it learnt
    """

    centre: torch.Tensor
    scale: torch.Tensor
    vectors: torch.Tensor
    weights: torch.Tensor
    bias: torch.Tensor
    taught: torch.Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        width, n = 2 * config.n_features, config.n_taught
        if not 2 <= n <= config.n_classes or config.n_vectors < 1:
            raise ValueError(
                f"{config.n_vectors} support vectors of {n} classes, expected some of 2 to "
                f"{config.n_classes} classes"
            )
        pairs = n * (n - 1) // 2
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.register_buffer("vectors", torch.zeros(config.n_vectors, width))
        self.register_buffer("weights", torch.zeros(pairs, config.n_vectors))
        self.register_buffer("bias", torch.zeros(pairs))
        self.register_buffer("taught", torch.arange(n))

    def forward(
        self, steps: torch.Tensor, lengths: torch.Tensor, usual: object = None
    ) -> torch.Tensor:
        """Decision values (batch, n_classes) of steps (batch, n_steps, width); as logits rank.

        Steps at and after `lengths` (batch,) are padding and change nothing. Columns that are
        not there are as on average; what is usual there is not asked.
        """
        found = self._scaled(statistics(steps, lengths))
        apart = torch.cdist(
            found, self.vectors, compute_mode="donot_use_mm_for_euclid_dist"
        ).square()
        pairs = (-apart / found.shape[1]).exp() @ self.weights.T + self.bias
        votes, surer = self._votes(pairs)
        # As scikit-learn: the sum of confidences breaks ties between votes, and no more.
        values = votes + surer / (3 * (surer.abs() + 1))
        logits = values.new_full((len(steps), self.config.n_classes), NEVER)
        return logits.index_copy(1, self.taught, values)

    def _scaled(self, found: torch.Tensor) -> torch.Tensor:
        width = self.config.n_features
        mean, deviation = found.chunk(2, dim=1)
        n = mean.shape[1]
        scaled = found.new_zeros(len(found), 2, width)
        centre, scale = self.centre.view(2, width), self.scale.view(2, width)
        scaled[:, 0, :n] = (mean - centre[0, :n]) / scale[0, :n]
        scaled[:, 1, :n] = (deviation - centre[1, :n]) / scale[1, :n]
        return scaled.flatten(1)

    def _votes(self, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Votes and sums of confidences of each class, (batch, n_taught), of (batch, n_pairs)."""
        n = self.config.n_taught
        votes, surer = pairs.new_zeros(2, len(pairs), n)
        for k, (i, j) in enumerate(combinations(range(n), 2)):
            surer[:, i] += pairs[:, k]
            surer[:, j] -= pairs[:, k]
            first = pairs[:, k] >= 0
            votes[:, i] += first
            votes[:, j] += ~first
        return votes, surer
