"""What a search may vary of each kind of network, and in which bounds.

Names are those of the options (`training.emotion.arguments`), so that what was found can be given
to `train` and `crossval` as it is.
"""

from dataclasses import replace
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from training.emotion.arguments import OF_FIT, OF_SHAPE, Choice
from utils.emotion.networks.config import DROPPING, IMAGES, SVM, WIDENED

Space = dict[str, BaseDistribution]

# Of networks that are trained step by step. From scratch those in `WIDENED` want larger steps
# than image networks, which begin with ImageNet's weights where these are on the machine.
STEPWISE: Space = {
    "weight_decay": FloatDistribution(1e-4, 1e-1, log=True),
    "batch": CategoricalDistribution([16, 32, 64]),
    "blank": FloatDistribution(0.0, 0.3, step=0.02),
}
SMALL_RATE = FloatDistribution(3e-5, 5e-3, log=True)
RATE = FloatDistribution(3e-4, 2e-2, log=True)
DROPOUT = FloatDistribution(0.0, 0.6, step=0.05)
WIDTH = FloatDistribution(0.5, 2.0, step=0.25)
STABILITY = FloatDistribution(0.1, 10.0, log=True)
HOP = IntDistribution(10, 20, step=5)  # ms; the encoder's is given
MACHINE: Space = {
    "c": FloatDistribution(0.1, 100.0, log=True),
    "gamma": FloatDistribution(0.03, 10.0, log=True),
}


def space_of(choice: Choice) -> Space:
    """What may vary of a network that was chosen, by name; nothing of ours."""
    name, found = choice.network, Space()
    if name == SVM:
        found |= MACHINE
    elif name in (*WIDENED, *IMAGES):
        found |= STEPWISE | {"learning_rate": SMALL_RATE if name in IMAGES else RATE}
        found |= {"dropout": DROPOUT} if name in DROPPING else {}
        found |= {"width": WIDTH} if name in WIDENED else {}
        found |= {"stability": STABILITY} if choice.fit.snr_db is not None else {}
    if choice.features and found:
        found["hop"] = HOP
    return found


def suggest(trial: Trial, space: Space) -> dict[str, Any]:
    """A value for each name, as the study's sampler draws it."""
    found: dict[str, Any] = {}
    for name, bounds in space.items():
        if isinstance(bounds, CategoricalDistribution):
            found[name] = trial.suggest_categorical(name, bounds.choices)
        elif isinstance(bounds, IntDistribution):
            found[name] = trial.suggest_int(name, bounds.low, bounds.high, step=bounds.step)
        elif isinstance(bounds, FloatDistribution):
            found[name] = trial.suggest_float(
                name, bounds.low, bounds.high, step=bounds.step, log=bounds.log
            )
    return found


def with_values(choice: Choice, values: dict[str, Any]) -> Choice:
    """A choice with other settings, to three digits: those that are told are those that it had."""
    values = {k: float(f"{v:.3g}") if isinstance(v, float) else v for k, v in values.items()}
    features = choice.features
    if features and "hop" in values:
        features = replace(features, hop_s=values["hop"] / 1000)
    return replace(
        choice,
        features=features,
        fit=replace(choice.fit, **_named(values, OF_FIT)),
        shape=replace(choice.shape, **_named(values, OF_SHAPE)),
    )


def values_of(choice: Choice, space: Space) -> dict[str, Any]:
    """The settings of a choice, by name: where the search begins."""
    found = {}
    for name in space:
        if name == "hop" and choice.features:
            found[name] = round(1000 * choice.features.hop_s)
        elif name in OF_FIT:
            found[name] = getattr(choice.fit, OF_FIT[name])
        else:
            found[name] = getattr(choice.shape, OF_SHAPE[name])
    return found


def _named(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names[name]: value for name, value in values.items() if name in names}
