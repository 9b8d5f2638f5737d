"""Convolutions with batch norm and pooling, five to eight layers deep, over time or over both axes.

In two dimensions a picture is one grey image; in one, its rows are channels and it is read along
time.
"""

from collections.abc import Sequence

from torch import nn

from utils.emotion.networks.config import NetworkConfig

WIDTHS = (16, 32, 48, 64, 96, 128, 128, 128)  # of the layers in two dimensions
WIDTHS_1D = (128, 128, 128, 128, 128, 192, 192, 192)
POOLED = 5  # layers after which both axes are halved


def make(config: NetworkConfig) -> nn.Module:
    """`cnn5` to `cnn8`, or `cnn5-1d` to `cnn8-1d`."""
    depth, _, kind = config.name.removeprefix("cnn").partition("-")
    if kind == "1d":
        widths = scaled(WIDTHS_1D[: int(depth)], config.width)
        layers = _along_time(config.n_features, widths)
        layers += [nn.AdaptiveAvgPool1d(1), nn.Flatten()]
    else:
        widths = scaled(WIDTHS[: int(depth)], config.width)
        layers = [nn.Unflatten(1, (1, config.n_features)), *over_both(widths)]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(
        *layers, nn.Dropout(config.dropout), nn.Linear(widths[-1], config.n_classes)
    )


def scaled(widths: Sequence[int], times: float) -> list[int]:
    """Widths of layers, so many times as wide."""
    return [max(1, round(times * width)) for width in widths]


def over_both(widths: Sequence[int]) -> list[nn.Module]:
    """Layers of these widths, from (n, 1, n_features, n_steps) to (n, widths[-1], …)."""
    layers: list[nn.Module] = []
    for k, (n_in, n_out) in enumerate(zip((1, *widths), widths)):
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU()]
        if k < POOLED:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
    return layers


def _along_time(n_features: int, widths: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for k, (n_in, n_out) in enumerate(zip((n_features, *widths), widths)):
        layers += [nn.Conv1d(n_in, n_out, 5, padding=2), nn.BatchNorm1d(n_out), nn.ReLU()]
        if k < POOLED:
            layers.append(nn.MaxPool1d(2, ceil_mode=True))
    return layers
