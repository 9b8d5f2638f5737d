"""The rooms of other computers, by Redis: each is followed from when it is first asked for."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Self
from wsgiref.types import WSGIApplication

import redis
from flask import Flask

from utils.errors import RequestError
from utils.live.saved import DAMAGED
from utils.live.sharing import operators
from utils.live.sharing import rooms as kept
from utils.live.sharing.orders import order
from utils.live.sharing.server import TROUBLE, reason
from utils.messages import say
from web.hall import HallAwayError

log = logging.getLogger(__name__)


class RedisHall:
    """A `web.hall.Hall`, and a context manager that follows none of its rooms at its end.

    Parameters
    ----------
    server : Redis
    make : the application of a room, by name, whose mirror is `app.extensions["mirror"]`
    """

    presents = False

    def __init__(self, server: redis.Redis, make: Callable[[str], Flask]) -> None:
        self._server, self._make = server, make
        self._made: dict[str, WSGIApplication] = {}
        self._making = threading.Lock()
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def any(self) -> bool:
        """Whether there are rooms to list; while Redis is away, whether there were."""
        try:
            return bool(self.rooms(operator=False))
        except HallAwayError:
            return bool(self._made)

    def room(self, name: str) -> WSGIApplication | None:
        """The application of a room that is there, or has been while this node runs."""
        if (found := self._made.get(name)) is not None:
            return found
        with _reached("a room is asked for"):
            if not kept.has(self._server, name):
                return None
        with self._making:
            if name not in self._made:
                app = self._make(name)
                self._ending.enter_context(app.extensions["mirror"])
                self._made[name] = app.wsgi_app
            return self._made[name]

    def rooms(self, operator: bool) -> list[dict]:
        """The rooms that Redis has, and how each is."""
        with _reached("the rooms are asked for"):
            return kept.rooms(self._server, operator)

    def order(self, name: str, what: str, on: bool) -> dict:
        """Hand an order to a room, and wait for its answer."""
        with _reached("a room is ordered"):
            if not kept.has(self._server, name):
                raise RequestError(say("sharing.none"))
            return order(self._server, name, what, on)

    def take(self, code: str) -> str | None:
        """What makes a browser an operator's, at any node."""
        with _reached("an operator's link is opened"):
            return operators.take(self._server, code)

    def operates(self, secret: str | None) -> bool:
        """Whether a browser that shows this is an operator's."""
        with _reached("an operator is looked for"):
            return operators.operates(self._server, secret)


@contextmanager
def _reached(what: str) -> Iterator[None]:
    """Tell of a Redis that is away, or holds what is no room."""
    try:
        yield
    except (*TROUBLE, *DAMAGED) as err:
        log.warning("%s: %s", what, told := reason(err))
        raise HallAwayError(told) from err
