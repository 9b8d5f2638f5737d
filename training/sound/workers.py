"""Long work spread over processes that Ctrl-C and the parent's death end cleanly."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any


def spread(
    call: Callable[[Any], Any], parts: Sequence[Any], n_workers: int
) -> Generator[Any, None, None]:
    """What `call` returns for each part, as it comes, in any order.

    When interrupted, parts under way are finished and the others are dropped. A single part
    is worked on here, without another process.

    Parameters
    ----------
    call : a function or bound method that can be pickled; it is sent once to each worker

    Raises
    ------
    BrokenProcessPool : a worker was killed
    """
    n_workers = min(n_workers, len(parts))
    if n_workers <= 1:
        yield from map(call, parts)
        return
    # Spawned, not forked: a fork copies locks that threads of torch or tqdm may hold.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(n_workers, context, _begin, (call,))
    try:
        for done in as_completed([pool.submit(_work, part) for part in parts]):
            yield done.result()
    finally:
        pool.shutdown(cancel_futures=True)


_call: Callable[[Any], Any]  # in a worker only


def _begin(call: Callable[[Any], Any]) -> None:
    """Start as a worker: leave Ctrl-C to the parent, and end when it is no more."""
    global _call
    _call = call
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
    os._exit(1)


def _work(part: Any) -> Any:
    return _call(part)
