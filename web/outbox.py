"""What goes out to one page: frames that are made once, and a bounded outbox of them."""

import queue
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence

from engineio.packet import PING, Packet

WAITING_EVENTS = 400  # for a reader that does not read, half a minute of them; then it is cut off
TEXT, CLOSE, PONG = 0x81, 0x88, 0x8A  # the first byte of a frame that is whole


def frame(text: str) -> bytes:
    """A packet as it goes over the wire; the same bytes serve every page."""
    return framed(TEXT, text.encode())


def framed(first: int, payload: bytes) -> bytes:
    """A frame of the server's: its first byte, and what it carries (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 1 << 16:
        return struct.pack("!BBH", first, 126, length) + payload
    return struct.pack("!BBQ", first, 127, length) + payload


class Frames:
    """Frames that many pages are sent, as Engine.IO takes a packet."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._frames = frames

    def encode(self) -> Sequence[bytes]:
        """The frames themselves."""
        return self._frames


class Outbox:
    """What waits to be sent to one page; too much of it ends the connection.

    It adds the pings, which Engine.IO would let a thread sleep for. Methods and parameters
    are those of `queue.Queue`, as far as Engine.IO uses them.

    Parameters
    ----------
    ping_s : seconds between two pings
    """

    def __init__(self, ping_s: float) -> None:
        self._ping_s = ping_s
        self._next_ping = time.monotonic() + ping_s
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    def put(self, item: object) -> None:
        """Let something be sent; None, Engine.IO's sign, ends the connection."""
        with self._changed:
            if len(self._waiting) >= WAITING_EVENTS:
                self._waiting.clear()
                item = None
            self._waiting.append(item)
            self._changed.notify()

    def get(self, block: bool = True, timeout: float | None = None) -> object:
        """What is to be sent next: a ping if nothing else comes until then."""
        with self._changed:
            while block and time.monotonic() < self._next_ping and not self._waiting:
                self._changed.wait(self._next_ping - time.monotonic())
            if block and time.monotonic() >= self._next_ping:
                self._next_ping = time.monotonic() + self._ping_s
                return Packet(PING)
            if not self._waiting:
                raise queue.Empty
            return self._waiting.popleft()

    def task_done(self) -> None:
        """Nobody waits for that."""

    def join(self) -> None:
        """Wait for nothing: a page that does not read would hold its closer up."""
