"""Whether the network that a configuration describes can be that of the weights beside it.

NeMo builds the network first and reads the weights then: a line that asks for a million layers
takes hours and all memory before it is found not to fit.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

LARGEST = 200_000  # of any number: the largest vocabularies and positions have 130,000
_PARTS = re.compile("preprocessor|.*encoder|.*decoder|joint|aux_ctc|model_defaults")
_LAYERS = re.compile(r".*(layers|blocks|repeat)")
_WIDTHS = re.compile(r"d_model|pred_hidden|joint_hidden|hidden_size")  # have a square matrix


def check_sizes(config: Mapping[Any, Any], n_arrays: int, n_bytes: int) -> None:
    """Refuse a network that is larger than its weights.

    Parameters
    ----------
    config : of the model
    n_arrays, n_bytes : of the weights

    Raises
    ------
    ValueError : it is
    """
    inner = config.get("model")
    for name, part in (inner if isinstance(inner, Mapping) else config).items():
        if isinstance(name, str) and _PARTS.fullmatch(name):
            for key, number in _numbers(name, part):
                most = LARGEST
                if _LAYERS.fullmatch(key):
                    most = n_arrays
                elif _WIDTHS.fullmatch(key):
                    most = int(n_bytes**0.5)  # two bytes a weight at least
                if abs(number) > most:
                    raise ValueError(f"{key} is {number}, too many for weights of {n_bytes} bytes")


def _numbers(key: str, part: Any) -> Iterator[tuple[str, int]]:
    """Each whole number in a part, with the nearest name above it."""
    if isinstance(part, Mapping):
        for name, inner in part.items():
            yield from _numbers(str(name), inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _numbers(key, inner)
    elif type(part) is int:
        yield key, part
