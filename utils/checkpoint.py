"""The file in which a network lies, with all that its answers depend on."""

import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch

from utils.errors import ModelError
from utils.network import EmotionLSTM, ModelConfig

FORMAT = "recognition-helpers/emotion-lstm/5"  # in every checkpoint; a new layout, a new number


def write(path: Path, content: Mapping) -> None:
    """Keep the parts of a checkpoint; a crash leaves the old file or none.

    Parameters
    ----------
    content : plain types and tensors by name; the format is added

    Raises
    ------
    ModelError : the file cannot be written
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.save({"format": FORMAT, **content}, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, RuntimeError) as err:  # RuntimeError: torch, on a full disk
        reason = str(err).partition("\n")[0]
        raise ModelError(f"{path}: cannot be written ({reason}); name another file") from err


def read(path: Path) -> dict:
    """The parts of a checkpoint; none of them is known to fit yet.

    Raises
    ------
    ModelError : no such file, a damaged one, or one of another program
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; `python -m training train` makes it")
    try:
        if not zipfile.is_zipfile(path):  # `torch.load` would try older, looser formats
            raise ValueError("no PyTorch archive")
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as err:
        reason = str(err).partition("\n")[0]
        raise ModelError(
            f"{path}: not a readable checkpoint ({reason}); fetch it again or train it"
        ) from err
    tag = found.get("format") if isinstance(found, dict) else type(found).__name__
    if tag != FORMAT:
        raise ModelError(f"{path}: a checkpoint of format {tag!r}, expected {FORMAT!r}")
    return found


def build(config: ModelConfig, weights: Mapping[str, torch.Tensor]) -> EmotionLSTM:
    """The network of a checkpoint; takes no memory before the sizes are known to fit.

    Raises
    ------
    TypeError, ValueError, RuntimeError : sizes, names or values are not as expected
    """
    with torch.device("meta"):
        model = EmotionLSTM(config)
    model.load_state_dict(weights, assign=True)
    for name, tensor in model.state_dict().items():
        if tensor.dtype != torch.float32 or not torch.isfinite(tensor).all():
            raise ValueError(f"weights {name} are not finite float32 numbers")
    return model
