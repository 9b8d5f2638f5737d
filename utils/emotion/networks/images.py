"""Image networks of torchvision: their first layer fitted to a picture of speech, and their last
to our classes.
"""

import logging
from functools import cache
from pathlib import Path, PurePosixPath
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from utils.emotion.networks.config import NetworkConfig
from utils.errors import ModelError

log = logging.getLogger(__name__)

INSTALL = "utils/emotion/networks/torchvision.txt"


def make(config: NetworkConfig) -> nn.Module:
    """One of `networks.IMAGES`, its weights random.

    Raises
    ------
    ModelError : torchvision is not here
    """
    other = {"aux_logits": False} if config.name == "googlenet" else {}
    return Image(config, _random(_published(config.name), **other))


def teach(network: nn.Module, config: NetworkConfig) -> bool:
    """Give a network of `make` the weights that ImageNet taught it, if they are on this machine.

    Nothing is fetched: they are looked for where torchvision keeps them.

    Returns
    -------
    False, and a line in the log, where they are not here or damaged: it is then trained from
    scratch
    """
    models, name = published_models(), _published(config.name)
    url = models.get_model_weights(name).DEFAULT.url
    path = Path(torch.hub.get_dir()) / "checkpoints" / PurePosixPath(url).name
    taught = _random(name)
    try:
        taught.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError:
        _scratch(
            name,
            "ImageNet's weights are not here; to begin with them, "
            f"fetch {url} to {path}, and start again",
        )
        return False
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError):
        _scratch(name, f"{path} is damaged; delete it")
        return False
    if name == "googlenet":
        taught.aux_logits, taught.aux1, taught.aux2 = False, None, None
    network.load_state_dict(Image(config, taught).state_dict())
    return True


@cache
def _scratch(name: str, reason: str) -> None:
    """Say it once, not for each fold and trial."""
    log.warning("%s is trained from scratch: %s", name, reason)


class Image(nn.Module):
    """Stretches as square images, and what a network says of them.

    Parameters
    ----------
    config : whose channels and classes it is fitted to, and whose size its images have
    published : the network as torchvision has it
    """

    def __init__(self, config: NetworkConfig, published: Any) -> None:
        super().__init__()
        self.channels, self.size = config.channels, config.size
        if config.name == "googlenet":
            published.transform_input = False  # of ImageNet's colours
        if config.name == "alexnet-gap":
            published.avgpool = nn.AdaptiveAvgPool2d(1)
            published.classifier = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(256, 1))
        _fit_first(published, config.channels)
        _fit_last(published, config.n_classes)
        self.network = published

    def forward(self, stretches: torch.Tensor) -> torch.Tensor:
        """Logits (n, n_classes) of stretches (n, n_features, segment)."""
        return self.network(as_images(stretches, self.channels, self.size))


def as_images(
    stretches: torch.Tensor, channels: int, size: int = NetworkConfig.size
) -> torch.Tensor:
    """Pictures (n, channels, size, size) of stretches (n, n_features, segment)."""
    images = nn.functional.interpolate(
        stretches[:, None], (size, size), mode="bilinear", align_corners=False
    )
    return images.expand(-1, channels, -1, -1)


def _fit_first(network: nn.Module, channels: int) -> None:
    """Give the first convolution as many channels; one takes the sum of three's weights."""
    name, first = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    if first.in_channels == channels:
        return
    fitted = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    fitted.weight.data = first.weight.data.sum(dim=1, keepdim=True)
    if first.bias is not None and fitted.bias is not None:
        fitted.bias.data = first.bias.data
    _put(network, name, fitted)


def _fit_last(network: nn.Module, n_classes: int) -> None:
    """Give the last layer as many classes."""
    *_, (name, last) = ((n, m) for n, m in network.named_modules() if isinstance(m, nn.Linear))
    _put(network, name, nn.Linear(last.in_features, n_classes))


def _put(network: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, layer)


def _random(name: str, **options: bool) -> Any:
    """A network as torchvision has it, its weights random."""
    if name == "googlenet":
        options["init_weights"] = False  # PyTorch's own are as good, and take no minute
    return getattr(published_models(), name)(weights=None, **options)


def _published(name: str) -> str:
    return name.removesuffix("-gap")


def published_models() -> Any:
    """All that torchvision has.

    Raises
    ------
    ModelError : it is not here, or does not fit torch
    """
    try:
        from torchvision import models
    except (ImportError, RuntimeError) as err:  # RuntimeError: made for another torch
        reason = str(err).partition("\n")[0]
        raise ModelError(
            f"image networks need torchvision ({reason}); install it, and the torch that it fits, "
            f"with: .venv/bin/pip install -r {INSTALL}"
        ) from err
    return models
