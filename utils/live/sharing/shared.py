"""Where a room is shown: by this program alone, or by other computers too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from utils.live.session import Earlier, Told

Whole = Callable[[Callable[[Told], None]], None]  # hands over all that a room has to tell


@dataclass(frozen=True)
class Operated:
    """A room as it is told, watched and operated from elsewhere.

    Parameters
    ----------
    whole : hands over all that the room has to tell readers, in turn with what it publishes
    trouble : is told why others get nothing now; "" once that is over
    watched : how the room is, as operators see it: plain JSON types
    orders : what operators may ask, by name; each is given whether on or off
    """

    whole: Whole
    trouble: Callable[[str], None]
    watched: Callable[[], dict]
    orders: Mapping[str, Callable[[bool], None]]


class Shared(Protocol):
    """What a room keeps for readers beyond its own pages, and tells them."""

    def earlier(self) -> Earlier | None:
        """The session that broke off in this room not long ago, if any."""

    def open(self, room: Operated) -> None:
        """Begin to tell, and to take orders."""

    def publish(self, name: str, payload: dict) -> None:
        """Let an event be told, if it is one for readers; waits for nothing."""

    def close(self) -> None:
        """End in order: of the room nothing stays anywhere."""


class Alone:
    """A room that this program alone shows: all of it is in memory, on its board."""

    def earlier(self) -> None:
        """Nothing outlasts the program."""

    def open(self, room: Operated) -> None:
        """There is nobody else to tell."""

    def publish(self, name: str, payload: dict) -> None:
        """There is nobody else to tell."""

    def close(self) -> None:
        """There is nothing elsewhere."""


def share(address: str, room: str) -> Shared:
    """Where a room of that name is shown.

    Parameters
    ----------
    address : of the Redis server; "" for none
    """
    if not address:
        return Alone()
    from utils.live.sharing.server import Keys, connect
    from utils.live.sharing.sharing import Sharing

    return Sharing(connect(address), Keys(room))
