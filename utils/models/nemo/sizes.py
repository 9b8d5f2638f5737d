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
# Whole numbers of which no square matrix is made; of any other there may be one.
_LISTED = re.compile(r".*(vocab|classes|len|max|sample_rate|freq|seed|chunk|context).*")
# These make a matrix before anything is compared with the weights.
_SOUND = {"n_fft": 16_384, "features": 1_024, "nfilt": 1_024, "pad_to": 16_384}
_SOUND |= {"n_window_size": 16_384, "n_window_stride": 16_384}
_SECONDS = {"window_size": 1.0, "window_stride": 1.0}
_NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d{1,3})?", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_DEEPEST = 3  # references to references


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
        built = isinstance(part, Mapping) and "_target_" in part and name != "optim"
        if built or (isinstance(name, str) and _PARTS.fullmatch(name)):
            for key, number in _numbers(str(name), part, config):
                if not abs(number) <= _most(key, number, n_arrays, n_bytes):
                    raise ValueError(f"{key} is {number}, too many for weights of {n_bytes} bytes")


def _most(key: str, number: float, n_arrays: int, n_bytes: int) -> float:
    """What a number of this name may be at the most."""
    if key in _SOUND or key in _SECONDS:
        return _SOUND.get(key) or _SECONDS[key]
    if _LAYERS.fullmatch(key):
        return n_arrays
    if isinstance(number, float) or _LISTED.fullmatch(key):
        return LARGEST
    return min(LARGEST, int(n_bytes**0.5))  # two bytes a weight at least


def _numbers(key: str, part: Any, config: Any, depth: int = 0) -> Iterator[tuple[str, float]]:
    """Each number in a part, with the nearest name above it; also where it stands elsewhere.

    Raises
    ------
    ValueError : a number would be worked out, or taken from where there is none
    """
    if isinstance(part, Mapping):
        for name, inner in part.items():
            yield from _numbers(str(name), inner, config, depth)
    elif isinstance(part, list):
        for inner in part:
            yield from _numbers(key, inner, config, depth)
    elif isinstance(part, str) and "${" in part:
        yield from _numbers(key, _referred(key, part, config, depth), config, depth + 1)
    elif isinstance(part, str) and _NUMBER.fullmatch(part):  # YAML 1.1 has "1e5" as a text
        yield key, float(part.replace("_", ""))
    elif type(part) in (int, float):
        yield key, part


def _referred(key: str, text: str, config: Any, depth: int) -> Any:
    """What "${one.name}" stands for."""
    found, plain = config, _REFERENCE.fullmatch(text)
    for name in plain[1].split(".") if plain and depth < _DEEPEST else [""]:
        found = found.get(name) if isinstance(found, Mapping) else None
    if found is None:
        raise ValueError(f"{key} is {text}, expected a value, or one name that has a value")
    return found
