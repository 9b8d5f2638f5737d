"""What goes out to one page: frames that are made once, and a bounded outbox of them."""

import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

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


PING = frame("2")  # of Engine.IO, whose pings are packets like any other


Send = Callable[[Sequence[bytes]], Sequence[bytes]]


class Outbox:
    """What waits to be sent to one page, and a ping now and then; too much of it ends the page.

    Most pages read as fast as they are told: of them nothing waits, and no thread has to wake up.

    Parameters
    ----------
    ping_s : seconds between two pings
    send : sends what can be sent without waiting; returns the frames that are left
    """

    def __init__(self, ping_s: float, send: Send) -> None:
        self._ping_s, self._send = ping_s, send
        self._next_ping = time.monotonic() + ping_s
        self._waiting: deque[Sequence[bytes]] = deque()
        self._ended = False
        self._taken = False  # whether frames are on their way that `get` has given away
        self._changed = threading.Condition()

    def put(self, *frames: bytes) -> None:
        """Let frames be sent, all of one event."""
        left: Sequence[bytes] = frames
        with self._changed:
            if not (self._waiting or self._taken or self._ended):
                left = self._send(frames)
            if not left:
                return
            if len(self._waiting) >= WAITING_EVENTS:
                self._waiting.clear()
                self._ended = True
            if not self._ended:
                self._waiting.append(left)
            self._changed.notify()

    def end(self) -> None:
        """Let nothing follow what waits now."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def get(self) -> list[bytes]:
        """All that is to be sent next: a ping if nothing else comes until then; [] at the end.

        Whoever asks has sent what it was given before.
        """
        with self._changed:
            self._taken = False
            while not (self._waiting or self._ended or time.monotonic() >= self._next_ping):
                self._changed.wait(self._next_ping - time.monotonic())
            frames = [frame for event in self._waiting for frame in event]
            self._waiting.clear()
            if time.monotonic() >= self._next_ping and not self._ended:
                self._next_ping = time.monotonic() + self._ping_s
                frames.append(PING)
            self._taken = bool(frames)
            return frames
