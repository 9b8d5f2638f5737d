"""The files in which networks lie, with all that their answers depend on."""

import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from utils import untrusted, untrusted_torch
from utils.errors import ModelError
from utils.faults import model_error
from utils.folders import check_writable, nearest

Network = TypeVar("Network", bound=nn.Module)


class Format(StrEnum):
    """What a file says that it is; a new layout, a new number."""

    EMOTION = "recognition-helpers/emotion-lstm/8"
    NETWORK = "recognition-helpers/emotion-network/1"
    VOICES = "recognition-helpers/voices/1"
    SOUNDS = "recognition-helpers/sounds/2"
    MUSIC = "recognition-helpers/music/1"
    OTHER_SOUNDS = "recognition-helpers/other-sounds/1"
    OWN_SOUND = "recognition-helpers/own-sound/1"


# What PyTorch raises on a damaged or a malicious file.
_UNREADABLE = (
    *(OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError),
    *(EOFError, OverflowError, MemoryError, AssertionError),
)
# What parts that do not fit raise where a network is made of them.
_UNFIT = (
    *(AttributeError, TypeError, ValueError, OverflowError),
    *(RuntimeError, MemoryError),
)
# Commands of the workshop.
MADE_BY = {
    Format.EMOTION: "train",
    Format.NETWORK: "train",
    Format.SOUNDS: "sounds train",
    Format.MUSIC: "sounds music",
    Format.OTHER_SOUNDS: "sounds train",
    Format.OWN_SOUND: "sounds add",
    Format.VOICES: "voices",
}


def check_place(path: Path) -> None:
    """See that a checkpoint can be written there, before hours of work.

    Raises
    ------
    ModelError : it cannot
    """
    if path.exists() and not path.is_file():
        raise _unwritten(path, "it is a folder" if path.is_dir() else "it is no plain file")
    folder = nearest(path)
    try:
        check_writable(folder)
    except OSError as err:
        raise _unwritten(path, f"no file can be made in {folder}: {err.strerror}") from err


def write(path: Path, format: Format, content: Mapping) -> None:
    """Keep the parts of a checkpoint; a crash leaves the old file or none.

    Parameters
    ----------
    content : plain types and tensors by name; the format is added

    Raises
    ------
    ModelError : the file cannot be written
    """
    check_place(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            pack({"format": str(format), **content}, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as err:
        raise _unwritten(path, str(err.strerror)) from err


def _unwritten(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path}: cannot be written ({reason}); name another file")


def pack(content: Mapping, path: Path) -> None:
    """Write plain types and tensors to a file, for `unpack`.

    Raises
    ------
    OSError : it cannot be written; torch's own words would name a line of its source
    """
    try:
        with path.open("wb") as file:
            torch.save(content, file)
    except RuntimeError as err:  # torch's, on top of what the system said
        if not isinstance(err.__context__, OSError):
            raise
        raise OSError(err.__context__.errno, err.__context__.strerror) from err


def read(path: Path, format: Format, *others: Format) -> dict:
    """The parts of a checkpoint; none of them is known to fit yet.

    Parameters
    ----------
    others : formats that it may have besides; "format" of what is read tells which it is

    Raises
    ------
    ModelError : no such file, a damaged one, or one of another program
    """
    if not path.exists():
        command = MADE_BY[format]
        raise ModelError(f"{path}: no such file; `python -m training {command}` makes it")
    try:
        found = unpack(path)
    except ValueError as err:
        otherwise = f"{path}: not a readable checkpoint ({err}); fetch it again or train it"
        raise model_error(err, str(path), otherwise) from err
    tag = found.get("format") if isinstance(found, dict) else type(found).__name__
    if tag not in (format, *others) or not isinstance(found, dict):
        shown = (
            repr(tag[:60]) if isinstance(tag, str) else tag if tag is None else type(tag).__name__
        )
        raise ModelError(f"{path}: a checkpoint of format {shown}, expected {str(format)!r}")
    return found


@contextmanager
def fitting(path: Path, remedy: str) -> Iterator[None]:
    """Where the parts of a checkpoint are put together.

    Parameters
    ----------
    remedy : what to do where they do not fit

    Raises
    ------
    ModelError : parts are missing or do not fit, or memory does not suffice
    """
    try:
        yield
    except KeyError as err:
        raise ModelError(f"{path}: the checkpoint has no {err}; {remedy}") from err
    except _UNFIT as err:
        reason = " ".join(str(err).split())
        raise model_error(err, str(path), f"{path}: does not fit: {reason}; {remedy}") from err


def unpack(path: Path, device: str | torch.device = "cpu") -> object:
    """Plain types and tensors of a file that `torch.save` wrote.

    Raises
    ------
    ValueError : it cannot be read, with the reason in a line
    """
    try:
        with untrusted.opened(path) as file:
            untrusted_torch.check_torch(file)
            file.seek(0)
            found = torch.load(file, map_location=device, weights_only=True)
        untrusted.check_nesting(found)
        return found
    except pickle.UnpicklingError as err:  # PyTorch's own words tell how to let it run code
        raise ValueError("it holds more than plain types and arrays") from err
    except _UNREADABLE as err:
        reason = getattr(err, "strerror", None) or str(err)
        raise ValueError(reason.partition("\n")[0]) from err


def build(make: Callable[[], Network], weights: Mapping[str, torch.Tensor]) -> Network:
    """The network of a checkpoint; takes no memory before the sizes are known to fit.

    Raises
    ------
    TypeError, ValueError, RuntimeError : sizes, names or values are not as expected
    """
    with torch.device("meta"):
        model = make()
    expected = {name: tensor.dtype for name, tensor in model.state_dict().items()}
    model.load_state_dict(weights, assign=True)
    for name, tensor in model.state_dict().items():
        if tensor.dtype != expected[name] or not torch.isfinite(tensor).all():
            raise ValueError(f"weights {name} are not finite {expected[name]} numbers")
    return model.eval()
