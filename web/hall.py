"""The rooms that one list shows, whichever computer captions them."""

from typing import Protocol
from wsgiref.types import WSGIApplication


class HallAwayError(Exception):
    """Where the rooms are kept cannot be asked now; it says why, in words."""


class Hall(Protocol):
    """What the list of rooms and its operators need.

    `web.redis_hall.RedisHall`, of the rooms in Redis, and `web.own_hall.OwnHall`, of those of this
    program. Each method raises HallAwayError where the rooms cannot be asked.

    Attributes
    ----------
    presents : whether rooms are presented below their addresses here, and not read alone
    """

    presents: bool

    def any(self) -> bool:
        """Whether there are rooms to list."""

    def room(self, name: str) -> WSGIApplication | None:
        """The application of a room; None where there is none of that name."""

    def rooms(self, operator: bool) -> list[dict]:
        """Each room by its name, and how it is: plain JSON types.

        Parameters
        ----------
        operator : tell what is wrong, and what readers need not know
        """

    def order(self, name: str, what: str, on: bool) -> dict:
        """Have a room do something: `{ok}`, or `{ok, code, message}`.

        Raises
        ------
        RequestError : there is no such room, or it does not answer
        """

    def take(self, code: str) -> str | None:
        """What makes a browser an operator's, for a link's code; None where that is not good."""

    def operates(self, secret: str | None) -> bool:
        """Whether a browser that shows this is an operator's."""
