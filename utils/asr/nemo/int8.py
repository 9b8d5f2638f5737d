"""Eight-bit weights for a processor, where they are faster there."""

import warnings
from collections.abc import Callable
from typing import Any

GAIN = 1.1  # how much faster a step must be for the weights to be rounded


def quantize_if_faster(encoder: Any, step_s: Callable[[], float]) -> bool:
    """Round the weights of an encoder's dense layers to 8 bits, and keep that if it pays.

    Inputs are rounded as they come, by their own range (dynamic quantisation), so that no
    recordings are needed to prepare it. Processors without 8-bit instructions are slower
    with it; there the encoder is left as it was.

    Parameters
    ----------
    encoder : changed in place
    step_s : takes a step and returns how long it took, in seconds
    """
    before_s = step_s()
    floats = _swap(encoder)
    if before_s >= GAIN * step_s():
        return True
    for parent, name, layer in floats:
        setattr(parent, name, layer)
    return False


def _swap(encoder: Any) -> list[tuple[Any, str, Any]]:
    """Put 8-bit layers in the places of dense ones; return those with their places."""
    import torch
    from torch.ao.nn.quantized.dynamic import Linear
    from torch.ao.quantization import default_dynamic_qconfig

    places: list[tuple[Any, str, Any]] = [
        (parent, name, layer)
        for parent in encoder.modules()
        for name, layer in parent.named_children()
        if type(layer) is torch.nn.Linear
    ]
    with warnings.catch_warnings():
        # torch announces that torchao will take this over; it is not a dependency here
        warnings.simplefilter("ignore")
        for parent, name, layer in places:
            layer.qconfig = default_dynamic_qconfig
            setattr(parent, name, Linear.from_float(layer))
            del layer.qconfig
    return places
