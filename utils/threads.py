"""How many threads PyTorch takes: one for small networks, and for others what it began with."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

N_THREADS = torch.get_num_threads()  # before anything here changes it


@contextmanager
def one_thread() -> Iterator[None]:
    """Do work of a few milliseconds, which takes longer when it is handed out to several."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def all_threads() -> None:
    """Have all threads in a new thread of the program, which may have begun within `one_thread`."""
    torch.set_num_threads(N_THREADS)
