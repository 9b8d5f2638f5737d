"""How the program is told to end, and that it then does."""

import atexit
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

# From the word to end until the system ends the program, whatever hangs then: the last words take
# a second or two.
ENDING_S = 20


def end_on_signals() -> None:
    """Have Ctrl-C, SIGTERM and a terminal that is closed raise KeyboardInterrupt, once.

    What follows disturbs the ending no more. It may take `ENDING_S`.
    """
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [getattr(signal, name) for name in names]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        numbers.remove(signal.SIGHUP)  # nohup

    def end(number: int, frame: FrameType | None) -> None:
        if hasattr(signal, "alarm"):
            signal.alarm(ENDING_S)  # which the system sees to, needing no memory and no thread
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    # SIGINT too, because a shell starts background jobs with it ignored.
    for number in numbers:
        signal.signal(number, end)


def leave(status: int) -> NoReturn:
    """End the program now, whatever its threads are doing.

    A thread that loads a model works in a library's own code, and Python's end takes that apart
    beside it: it crashed in every third ending while models were loaded.
    """
    if not any(each.daemon for each in threading.enumerate()):
        sys.exit(status)
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
