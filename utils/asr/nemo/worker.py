"""The one thread that runs a model, for all the streams that share it.

A model is not made for two calls at a time. Steps of several streams that wait together
and are alike go through the network as one batch, which costs far less than one by one.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

from utils.errors import ModelError, NoMemoryError
from utils.faults import out_of_memory

MAX_BATCH = 8


@dataclass(eq=False)
class _Job:
    call: Callable[[list[Any]], list[Any]]
    item: Any
    alike: Hashable
    future: "Future[Any]" = field(default_factory=Future)


class Worker:
    """Runs calls in the order in which they came, alike ones together."""

    def __init__(self) -> None:
        self._arriving: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting: deque[_Job] = deque()
        self._closed = threading.Lock()  # held for good once closed
        self._thread = threading.Thread(target=self._run, name="nemo", daemon=True)
        self._thread.start()

    def submit(
        self, call: Callable[[list[Any]], list[Any]], item: Any, alike: Hashable = None
    ) -> "Future[Any]":
        """Have `call([item])` run; its one result comes in the future.

        Jobs with the same `call` and the same `alike`, unless None, may be run together: `call`
        then takes a list of their items, and returns a list of results in their order.
        """
        job = _Job(call, item, alike)
        if self._closed.locked():
            job.future.cancel()
        else:
            self._arriving.put(job)
        return job.future

    def close(self) -> None:
        """Wait for the call under way, and cancel the others."""
        if self._closed.acquire(blocking=False):
            self._arriving.put(None)
        self._thread.join()

    def _run(self) -> None:
        begun = False
        while (jobs := self._next()) is not None:
            jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            if not jobs:
                continue
            try:
                if not begun:
                    from utils import threads  # here, since PyTorch takes a while to load

                    threads.all_threads()
                    begun = True
                results = jobs[0].call([job.item for job in jobs])
            except BaseException as err:  # whoever waits for the result gets it
                for job in jobs:
                    job.future.set_exception(err)
            else:
                for job, result in zip(jobs, results, strict=True):
                    job.future.set_result(result)
                del results
            del jobs

    def _next(self) -> list[_Job] | None:
        """The oldest waiting job and those that can go along with it; None to end."""
        if not self._waiting:
            self._take(self._arriving.get())
        while not self._arriving.empty():
            self._take(self._arriving.get())
        if self._closed.locked():
            for job in self._waiting:
                job.future.cancel()
            return None
        first = self._waiting.popleft()
        if first.alike is None:
            return [first]
        fitting = [j for j in self._waiting if (j.call, j.alike) == (first.call, first.alike)]
        batch = [first, *fitting[: MAX_BATCH - 1]]
        self._waiting = deque(job for job in self._waiting if job not in batch)
        return batch

    def _take(self, job: _Job | None) -> None:
        if job is not None:
            self._waiting.append(job)


def result(future: "Future[Any]") -> Any:
    """Wait for a job.

    Raises
    ------
    NoMemoryError : no memory was left for it
    ModelError : the model was closed meanwhile
    """
    try:
        return future.result()
    except CancelledError as err:
        raise ModelError("the model was closed while a stream was open; start again") from err
    except (RuntimeError, MemoryError) as err:
        if not out_of_memory(err):
            raise
        raise NoMemoryError(
            "no memory left for this speech; close other programs or choose a smaller model"
        ) from err
