"""The networks that can tell emotion, by name: a checkpoint says which one it holds.

Ours, "lstm", is `utils.emotion.network`. All others hear stretches of one length, cut from speech
of any (`segments`): a file for each kind, and its names in `config.KINDS`.
"""

from collections.abc import Callable
from importlib import import_module

import torch
from torch import nn

from utils.emotion.network import EmotionLSTM, ModelConfig
from utils.emotion.networks.config import IMAGES, KINDS, NAMES, SVM, NetworkConfig
from utils.emotion.networks.segments import Segments
from utils.emotion.networks.svm import SupportVectors
from utils.errors import ConfigError

Network = EmotionLSTM | Segments | SupportVectors
"""Steps (batch, n_steps, width) and lengths in, logits (batch, n_classes) out."""


def check_name(name: str) -> None:
    """Raise ConfigError where no network has that name."""
    if name not in NAMES:
        raise ConfigError(f"unknown network {name!r}, expected one of {', '.join(NAMES)}")


def check_here(name: str) -> None:
    """Raise ModelError where a network needs a package that is not here: before hours of work."""
    if name in IMAGES:
        from utils.emotion.networks import images

        images.published_models()


def build(config: ModelConfig | NetworkConfig) -> Network:
    """A network of that config, its weights random.

    Raises
    ------
    ModelError : it needs a package that is not here
    """
    if isinstance(config, ModelConfig):
        return EmotionLSTM(config)
    if config.name == SVM:
        return SupportVectors(config)
    (kind,) = (kind for kind, names in KINDS.items() if config.name in names)
    module = import_module(f"{__name__}.{kind}")
    make: Callable[[NetworkConfig], nn.Module] = module.make
    # On a processor convolutions over both axes are faster with channels last: `cnn5` by a third.
    network = Segments(config, make(config))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
