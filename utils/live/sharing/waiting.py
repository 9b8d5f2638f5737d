"""What waits for Redis: of each thing the last that was told, in the order of their first."""

import threading
from collections.abc import Sequence

Item = tuple[tuple[str, int], dict]  # its name and segment (0 but for captions), and the payload
MOST = 500  # that are sent at once
MOST_KEPT = 5000  # lines and events, some 10 MB; beyond them the board is read when Redis is back


class Waiting:
    """A queue that no time without Redis makes longer than `MOST_KEPT`.

    A growing line waits once, as it was told last, in its place.

    Attributes
    ----------
    gave_up : more came than is kept: all of it has to be told anew, from the board
    """

    def __init__(self) -> None:
        self._items: dict[tuple[str, int], dict] = {}
        self._changed = threading.Condition()
        self._closed = False
        self.gave_up = False

    def put(self, name: str, payload: dict) -> None:
        """Let an event wait; a `cleared` takes all lines before it away."""
        with self._changed:
            if name == "cleared":
                self._items = {k: v for k, v in self._items.items() if k[0] not in _GO}
            self._items[name, payload["segment"] if name == "caption" else 0] = payload
            if len(self._items) > MOST_KEPT:
                self._items, self.gave_up = {}, True
            self._changed.notify_all()

    def forget(self) -> None:
        """Let nothing wait: all is told anew."""
        with self._changed:
            self._items, self.gave_up = {}, False

    def close(self) -> None:
        """Let nobody wait for more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def batch(self, timeout_s: float) -> list[Item]:
        """What is to be sent next, which goes on waiting; nothing where none comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            return list(self._items.items())[:MOST]

    def sent(self, batch: Sequence[Item]) -> None:
        """A batch has been sent; what was told anew meanwhile goes on waiting."""
        with self._changed:
            for key, payload in batch:
                if self._items.get(key) is payload:
                    del self._items[key]

    def __len__(self) -> int:
        """How many events wait."""
        with self._changed:
            return len(self._items)


_GO = {"caption", "cleared"}
