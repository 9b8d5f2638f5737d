"""What commands print, where nobody may read it any more or a full disk takes it."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

from utils.errors import DataError
from utils.faults import of_machine


def put(text: str) -> None:
    """Write to standard output, at once; characters that it does not know become "?".

    Raises
    ------
    BrokenPipeError : nobody reads it any more
    DataError : it cannot be written
    """
    if sys.stdout is None:  # a service without one
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as err:
        _let_go()
        reason = of_machine(err, "the output") or err.strerror
        raise DataError(f"the output cannot be written ({reason})") from err


def tell(text: str) -> None:
    """Say a line on the terminal; nothing depends on whether there is one."""
    with suppress(OSError, DataError):
        put(f"{text}\n")


def note(text: str) -> None:
    """Say a line on standard error, beside a command's own output; as `tell`."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def counted(n: int, noun: str) -> str:
    """So many of a thing.

    >>> counted(1, "clip"), counted(2, "clip")
    ('1 clip', '2 clips')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def run(command: Callable[[], int]) -> int:
    """Run a command of a program to its exit status, also where nobody reads its output."""
    try:
        status = command()
        put("")
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who read it has gone, as `head` does
        _let_go()
        return 1
    except DataError as err:
        note(str(err))
        return 1
    return status


def _let_go() -> None:
    """What was not written is not tried again when Python ends."""
    with suppress(OSError, ValueError):  # ValueError: a stream without a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
