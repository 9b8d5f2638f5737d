"""The Redis server: how it is reached, what a room keeps there, and what is wrong in words."""

import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    OutOfMemoryError,
    RedisError,
    TimeoutError,
)
from redis.retry import Retry

ANSWER_S = 5.0  # in which Redis answers, or it is away
BEAT_S = 1.0  # between signs that a room's program runs
ALIVE_S = 4  # after the last of which it does not
LIFE_S = 3600  # after it, in which a program that broke off may go on, and its lines are kept
MOST_EVENTS = 2000  # that the stream keeps, for who was away; who was longer reads all lines anew
TROUBLE = (RedisError, OSError)


@dataclass(frozen=True)
class Keys:
    """The names of what a room keeps. All are of one slot of a cluster (the part in braces).

    Parameters
    ----------
    room : its name
    """

    room: str

    @property
    def events(self) -> str:
        """A stream: what readers are told, in order."""
        return self._of("events")

    @property
    def lines(self) -> str:
        """A hash: segment -> its place in the order and its last `caption` event."""
        return self._of("lines")

    @property
    def state(self) -> str:
        """A hash: the last `status`, `room` and `answer`, and how far the stream had come then."""
        return self._of("state")

    @property
    def alive(self) -> str:
        """Which program captions the room, for `ALIVE_S`."""
        return self._of("alive")

    @property
    def watched(self) -> str:
        """How the room is, as its presenter is told it: for operators alone."""
        return self._of("watched")

    @property
    def readers(self) -> str:
        """A hash: node -> how many pages it has open, and when it said so."""
        return self._of("readers")

    @property
    def orders(self) -> str:
        """A list: what operators ask."""
        return self._of("orders")

    def answer(self, number: str) -> str:
        """A list: what the room answers to one of them."""
        return self._of(f"answer:{number}")

    def _of(self, what: str) -> str:
        return f"captions:{{{quote(self.room, safe='')}}}:{what}"


def connect(address: str) -> redis.Redis:
    """A connection that is made when it is needed; it tries nothing twice by itself."""
    return redis.Redis.from_url(
        address,
        decode_responses=True,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )


def reason(err: BaseException) -> str:
    """What is wrong, in words. What the library says of it may hold an address, and is not told."""
    told = {
        AuthenticationError: "Redis does not take the password",
        BusyLoadingError: "Redis is still loading its data",
        OutOfMemoryError: "Redis has no memory left",
        TimeoutError: "Redis does not answer",
        ConnectionError: "Redis cannot be reached",
        OSError: "Redis cannot be reached",
    }
    kinds = (words for kind, words in told.items() if isinstance(err, kind))
    return next(kinds, f"Redis refuses what is asked ({type(err).__name__})")


def this_program() -> str:
    """A name of this run of the program, which tells where it runs."""
    return f"{socket.gethostname()} {os.getpid()} {time.time_ns()}"


def runs(program: str) -> bool:
    """Whether a program of that name may still run; of another computer nobody here can tell."""
    host, _, rest = program.partition(" ")
    number = rest.partition(" ")[0]
    if host != socket.gethostname() or not number.isdecimal():
        return True
    if int(number) == os.getpid():
        return False  # one before this one, as in a container, where all have the same number
    with suppress(ProcessLookupError):
        try:
            os.kill(int(number), 0)  # signal 0 only asks
        except PermissionError:
            return True
        return True
    return False
