"""A thread behind the captions, which gives way to them: for what is said of finished lines."""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

log = logging.getLogger(__name__)

NICE = 10  # as `man 7 sched` has it: others of this computer go before
MOST_WAITING = 20  # lines, after which the oldest is given up


class Behind:
    """Does one piece of work after the other, on one thread.

    Parameters
    ----------
    name : of the thread
    late : what is said in the log of a line that is given up
    """

    def __init__(self, name: str, late: str) -> None:
        self._late = late
        self._lock = threading.Lock()
        self._waiting: deque[Future[object]] = deque()
        self.thread = ThreadPoolExecutor(1, name, initializer=_give_way)

    def submit(self, work: Callable[[str], object], text: str) -> "Future[object]":
        """What comes of a line, later; cancelled where too many wait, or all has ended."""
        with self._lock:
            self._waiting = deque(one for one in self._waiting if not one.done())
            while len(self._waiting) >= MOST_WAITING:
                if self._waiting.popleft().cancel():
                    log.warning("%s", self._late)
            later: Future[object] = Future()
            try:
                later = self.thread.submit(work, text)
            except RuntimeError:  # it is closed
                later.cancel()
            self._waiting.append(later)
            return later

    def close(self) -> None:
        """Finish the line that is worked on, and no other."""
        self.thread.shutdown(wait=True, cancel_futures=True)


def _give_way() -> None:
    with suppress(AttributeError, OSError):  # no such thing but on Linux
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
