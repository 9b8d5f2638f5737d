"""Which network is trained, on which features, and how: arguments of several commands."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.arguments import at_least, number
from training.emotion.bench import Shape
from training.emotion.fit import FitConfig
from utils.emotion.networks import check_name
from utils.emotion.networks.config import (
    DROPPING,
    IMAGES,
    NAMES,
    OURS,
    STEPWISE,
    SVM,
    WIDENED,
    NetworkConfig,
)
from utils.emotion.spectra import KINDS, SpectraConfig
from utils.errors import ConfigError

ENCODER = "encoder"  # our own frames, and what Whisper's encoder heard meanwhile
FEATURES = (*KINDS, ENCODER)
# Options, and what `FitConfig`, `Shape` and `SpectraConfig` call them.
OF_FIT = {
    "epochs": "epochs",
    "batch": "batch_size",
    "learning_rate": "learning_rate",
    "weight_decay": "weight_decay",
    "blank": "blank",
    "mixnoise": "snr_db",
    "stability": "stability",
    "c": "c",
    "gamma": "gamma",
}
OF_SHAPE = {
    "segment": "segment_s",
    "channels": "channels",
    "size": "size",
    "dropout": "dropout",
    "width": "width",
}
ONLY_OF = {
    **dict.fromkeys(("epochs", "batch", "learning_rate", "weight_decay", "blank"), STEPWISE),
    **dict.fromkeys(("mixnoise", "stability"), STEPWISE),
    "channels": IMAGES,
    "size": IMAGES,
    "dropout": DROPPING,
    "width": WIDENED,
    "c": (SVM,),
    "gamma": (SVM,),
}
_OF_WIDENED = "of cnn5 to cnn8, cnn5-1d to cnn8-1d and cnn-lstm"
_OF_DROPPING = f"{_OF_WIDENED}, and of alexnet-gap"


def add_features(command: argparse.ArgumentParser) -> None:
    """`--features` and the settings that go with it."""
    group = command.add_argument_group("features")
    group.add_argument(
        "--features",
        metavar="KIND",
        help=f"one of {', '.join(FEATURES)}; {ENCODER}: MFCC, zero-crossing rate, RMS and "
        "what Whisper's encoder hears",
    )
    group.add_argument(
        "--nfreq", type=at_least(1), metavar="N", help="bins of a log-spectrogram, 20 Hz apart"
    )
    group.add_argument("--rate", type=at_least(1), metavar="HZ", help="8000 or 16000")
    group.add_argument("--hop", type=number, metavar="MS", help="from frame to frame (10)")
    group.add_argument(
        "--mixnoise",
        type=number,
        metavar="SNR",
        help="dB, at which noisy copies stand beside the clips",
    )


def add_network(command: argparse.ArgumentParser) -> None:
    """`--model`, and how it is trained."""
    group = command.add_argument_group("network")
    group.add_argument(
        "--model",
        default=OURS,
        metavar="NAME",
        help=f"one of {', '.join(NAMES)} (default: %(default)s, ours); the settings below are for "
        "the others",
    )
    add_settings(group)


def add_settings(group: argparse._ArgumentGroup) -> None:
    """How a network is trained; what is not given is as the recipe has it."""
    group.add_argument("--segment", type=number, metavar="S", help="heard at a time (3)")
    group.add_argument(
        "--channels", type=at_least(1), metavar="N", help="of an image network's picture: 1 or 3"
    )
    group.add_argument(
        "--size",
        type=at_least(1),
        metavar="N",
        help="edge of an image network's picture, in pixels (224); smaller ones are quicker",
    )
    group.add_argument("--epochs", type=at_least(1), metavar="N", help="at the most (40)")
    group.add_argument("--batch", type=at_least(1), metavar="N", help="clips in a step (32)")
    group.add_argument("--learning-rate", type=number, metavar="X", help="at its highest (0.002)")
    group.add_argument("--weight-decay", type=number, metavar="X", help="of AdamW (0.01)")
    group.add_argument(
        "--dropout", type=number, metavar="X", help=f"before the last layer (0.4): {_OF_DROPPING}"
    )
    group.add_argument(
        "--width", type=number, metavar="X", help=f"times the usual (1): {_OF_WIDENED}"
    )
    group.add_argument(
        "--blank", type=number, metavar="X", help="longest share that SpecAugment blanks (0.12)"
    )
    group.add_argument(
        "--stability",
        type=number,
        metavar="X",
        help="weight of the consistency of answers to a clip and its noisy copy (1); needs "
        "--mixnoise",
    )
    group.add_argument(
        "--c", type=number, metavar="X", help=f"of {SVM}: what a clip on the wrong side costs (1)"
    )
    group.add_argument(
        "--gamma", type=number, metavar="X", help=f"of {SVM}: how narrow, times the usual (1)"
    )


@dataclass(frozen=True)
class Choice:
    """A network, what it hears, and how it is trained.

    Parameters
    ----------
    network : its name
    features : None where it hears our own frames and the encoder
    fit : how networks other than ours are trained
    shape : of the network
    """

    network: str
    features: SpectraConfig | None
    fit: FitConfig
    shape: Shape

    @property
    def name(self) -> str:
        """Of its folder of runs, after the protocol's, so that no other recipe takes its place.

        Nothing for ours.
        """
        if self.network == OURS:
            return ""
        words = [self.network, self.kind.replace("+", "-"), *self.settings]
        return "".join(f"-{word.replace(' ', '')}" for word in words)

    @property
    def kind(self) -> str:
        """Of the features."""
        return self.features.kind if self.features else ENCODER

    @property
    def settings(self) -> list[str]:
        """What is not as the recipe has it, in words, such as "hop 20"."""
        pairs = zip(self._unusual[::2], self._unusual[1::2])
        # with all their digits: a folder is of one choice
        return [f"{option[2:]} {value.removesuffix('.0')}" for option, value in pairs]

    @property
    def arguments(self) -> list[str]:
        """The options that choose it: those that are not as the recipe has them."""
        return ["--model", self.network, "--features", self.kind, *self._unusual]

    @property
    def _unusual(self) -> list[str]:
        parts = [*_unlike(self.fit, FitConfig(), OF_FIT), *_unlike(self.shape, Shape(), OF_SHAPE)]
        if self.features:
            own = SpectraConfig(self.features.kind)
            parts += _unlike(self.features, own, {"nfreq": "n_freq", "rate": "rate"})
            if self.features.hop_s != own.hop_s:
                parts += ["--hop", f"{1000 * self.features.hop_s:.12g}"]
        return parts


def chosen(options: argparse.Namespace) -> Choice:
    """The network that was asked for.

    Raises
    ------
    ConfigError : an unknown network or feature, or settings that do not fit it
    """
    check_name(options.model)
    name = options.model
    given, shape = _given(options, OF_FIT), _given(options, OF_SHAPE)
    others = (options.nfreq, options.rate, options.hop)
    if name == OURS and (given or shape or any(value is not None for value in others)):
        raise ConfigError(f"{OURS} has a recipe of its own: name another --model, or no settings")
    if name == OURS and options.features not in (None, ENCODER):
        raise ConfigError(f"{OURS} hears {ENCODER}, not {options.features}: name another --model")
    if options.stability is not None and options.mixnoise is None:
        raise ConfigError("--stability needs noisy copies: give --mixnoise too, such as 10")
    for setting, names in ONLY_OF.items():
        if getattr(options, setting) is not None and name not in names:
            option = setting.replace("_", "-")
            raise ConfigError(f"{name} has no --{option}: it is for {', '.join(names)}")
    kind = options.features or (ENCODER if name in (OURS, SVM) else "mel")
    heard = spectra(kind, options)
    try:
        fit, own = FitConfig(**given), Shape(**shape)
        if name != OURS:
            NetworkConfig(name, 1, 2, **own.settings)
    except ValueError as err:
        raise ConfigError(f"{name}: {err}") from err
    return Choice(name, heard, fit, own)


def _given(options: argparse.Namespace, names: Mapping[str, str]) -> dict[str, Any]:
    """Those settings that were given, by the name that their dataclass has for them."""
    found = {field: getattr(options, option) for option, field in names.items()}
    return {field: value for field, value in found.items() if value is not None}


def _unlike(found: object, usual: object, names: Mapping[str, str]) -> list[str]:
    """Options for what differs."""
    pairs = [
        (option, getattr(found, field), getattr(usual, field)) for option, field in names.items()
    ]
    return [
        word
        for option, value, other in pairs
        if value != other
        for word in (f"--{option.replace('_', '-')}", f"{value!r}")
    ]


def spectra(kind: str, options: argparse.Namespace) -> SpectraConfig | None:
    """The features that were asked for; None where those are the encoder's.

    Raises
    ------
    ConfigError : an unknown kind, or settings that do not fit it
    """
    if kind not in FEATURES:
        raise ConfigError(f"unknown features {kind!r}, expected one of {', '.join(FEATURES)}")
    if kind != "logspec" and options.nfreq is not None:
        raise ConfigError(f"--nfreq is for logspec, not {kind}")
    if kind == ENCODER:
        if options.rate is not None or options.hop is not None:
            raise ConfigError(f"{ENCODER} has a rate and a hop of its own: leave --rate and --hop")
        return None
    given = _given(options, {"rate": "rate", "nfreq": "n_freq"})
    if options.hop is not None:
        given["hop_s"] = options.hop / 1000
    if given.get("rate", SpectraConfig.rate) != SpectraConfig.rate:
        given["n_mels"] = 64  # as many bands as reach the same frequencies, where the rate has them
    try:
        return SpectraConfig(kind, **given)
    except ValueError as err:
        raise ConfigError(str(err)) from err
