"""Which room a thread works for, where a program has several: lines of the log name it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial

ROOM: ContextVar[str] = ContextVar("room", default="")  # "" for the only one, and for all of them


@contextmanager
def of_room(name: str) -> Iterator[None]:
    """Have what is done meanwhile be for a room."""
    before = ROOM.set(name)
    try:
        yield
    finally:
        ROOM.reset(before)


def same_room(work: Callable[..., None]) -> Callable[..., None]:
    """Work of a new thread, for the room that the one that makes it works for.

    >>> with of_room("Hall"):
    ...     work = same_room(lambda: print(ROOM.get()))
    >>> work()
    Hall
    """
    return partial(copy_context().run, work)
