"""One training by several processes, as `torchrun` starts them, on one machine or on several.

Each process holds the whole network, draws the same batches, and learns from its part of each:
gradients are summed over all before every step, so that the weights stay the same everywhere. The
networks here are small and are called by their parts, which is why this is done by hand rather than
by `torch.nn.parallel.DistributedDataParallel`, which wraps `forward` alone.

Without `torchrun` there is one process, and nothing here does anything.
"""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import distributed
from tqdm import tqdm

from utils.errors import ConfigError, DataError

PATIENCE = timedelta(hours=6)  # for a process that computes features while others wait for them
APART = 7_368_787  # keeps the random numbers of one process apart from those of the next


def many() -> bool:
    """Whether there is more than one process."""
    return distributed.is_available() and distributed.is_initialized()


def rank() -> int:
    """The number of this process, from 0."""
    return distributed.get_rank() if many() else 0


def count() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if many() else 1


def leads() -> bool:
    """Whether this process is the one that writes: states, logs, checkpoints."""
    return rank() == 0


@contextmanager
def steps_bar(total: int, title: str) -> Iterator[Callable[[int, float], None]]:
    """Show, by the first process alone and at a terminal, how far a training is.

    Yields what is called with the number of steps done and the loss.
    """
    with tqdm(total=total, desc=title, unit="step", disable=None if leads() else True) as bar:

        def progress(step: int, loss: float) -> None:
            bar.update(step - bar.n)
            bar.set_postfix(loss=f"{loss:.2f}", refresh=False)

        yield progress


def started() -> bool:
    """Whether `torchrun` started this process beside others."""
    return distributed.is_available() and int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined() -> Iterator[None]:
    """Join the other processes that `torchrun` started, if it did, until the end.

    Raises
    ------
    ConfigError : this machine has fewer GPUs than processes
    DataError : another process ended before its time
    """
    if not started():
        yield
        return
    here, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if gpus and here >= gpus:
        raise ConfigError(f"this machine has {gpus} GPUs: give torchrun --nproc-per-node {gpus}")
    if gpus:
        torch.cuda.set_device(here)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=PATIENCE)
    try:
        yield
    finally:
        distributed.destroy_process_group()


@contextmanager
def in_turn() -> Iterator[None]:
    """Do something in one process after the other, such as fill a folder that they share."""
    for turn in range(count()):
        if turn == rank():
            yield
        together(distributed.barrier)


def share(n: int) -> slice:
    """Which of `n` examples are this process's.

    Raises
    ------
    ConfigError : there are more processes than examples
    """
    if n < count():
        raise ConfigError(
            f"{count()} processes and a batch of {n}: start no more processes than that"
        )
    return slice(rank(), None, count())


def own_chance() -> None:
    """Draw other random numbers than the other processes from here to the next step."""
    if many():
        torch.manual_seed(torch.initial_seed() + APART * rank())


def add_up(weights: Sequence[torch.nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
    """Sum over all processes the gradients, in place, and the loss, which is returned."""
    if not many():
        return loss.detach()
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    flat = torch.cat([loss.detach().reshape(1), *(one.flatten() for one in gradients)])
    together(lambda: distributed.all_reduce(flat))
    parts = flat[1:].split([one.numel() for one in gradients])
    for one, summed in zip(gradients, parts, strict=True):
        one.copy_(summed.view_as(one))
    return flat[0]


def agreed(found: Any) -> Any:
    """What the first process found, in every one: tensors and plain types, on the processor."""
    if not many():
        return found
    file = io.BytesIO()
    if leads():
        torch.save(found, file)
    told: list[bytes] = [file.getvalue()]
    together(lambda: distributed.broadcast_object_list(told, 0))
    return torch.load(io.BytesIO(told[0]), map_location="cpu", weights_only=True)


def together(do: Callable[[], object]) -> None:
    """Do what needs all processes.

    Raises
    ------
    DataError : one of them has ended
    """
    if not many():
        return
    try:
        do()
    except RuntimeError as err:  # torch's own of a connection that broke
        raise DataError(
            f"process {rank()} of {count()} has lost another one, whose own message says why; "
            "the same command goes on at the last state"
        ) from err
