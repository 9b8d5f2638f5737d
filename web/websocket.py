"""One WebSocket connection, fit for strangers (RFC 6455).

All connections are read in turns, every packet counts, and who does not read, or says nothing
that can be understood, is let go.
"""

import base64
import binascii
import hashlib
import logging
import select
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from wsgiref.types import WSGIEnvironment

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from utils.address import network
from web.limits import LogOnce, TokenBucket
from web.outbox import CLOSE, PONG, framed
from web.turns import turns

SEND_BUFFER_BYTES = 65_536
SEND_S = 10  # a reader that takes nothing for so long is gone
SILENT_S = 25  # so is one that answers no ping for so long
RECEIVE_BYTES = 4096
# Of every kind. A page sends far less; the longest event may come in 40 pieces.
PACKETS_A_SECOND, PACKETS_AT_ONCE = 20, 80
WRONG = (1002, 1007)  # codes of what cannot be parsed
PIECES_AT_ONCE = 256  # that one call gives to the network
# Whether a call can be told not to wait: Windows has no word for it, macOS may wait all the same.
LINUX = sys.platform == "linux"
DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
VERSION = "13"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

log = logging.getLogger(__name__)
refusals = LogOnce(log)


def is_handshake(environ: WSGIEnvironment) -> bool:
    """Whether a request is what RFC 6455, section 4.2.1 asks for."""
    tokens = environ.get("HTTP_CONNECTION", "").lower().split(",")
    try:
        key = base64.b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", "").strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "upgrade" in [token.strip() for token in tokens]
        and environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        and environ.get("HTTP_SEC_WEBSOCKET_VERSION", "").strip() == VERSION
        and len(key) == 16
    )


def _timeout(seconds: int) -> int | bytes:
    """As the system takes it: Windows in milliseconds, others as a `timeval`."""
    return 1000 * seconds if sys.platform == "win32" else struct.pack("ll", seconds, 0)


class WebSocket:
    """The server's end of a connection, whose handshake has come.

    Parameters
    ----------
    page : the connection
    address : where it comes from
    max_message_size : of a message, in letters
    """

    def __init__(self, page: socket.socket, address: str, max_message_size: int) -> None:
        self._socket = page
        self._address = address
        self._account = f"{network(address)} packets"
        self._max_message_size = max_message_size
        self._protocol = Connection(ConnectionType.SERVER)
        self._bucket = TokenBucket(PACKETS_A_SECOND, PACKETS_AT_ONCE)
        self._sending = threading.Lock()
        self._torn = False  # whether of the last frame only a part has been sent
        self._parts: list[str] = []
        self._open = True
        self._over_at = 0.0  # when it is closed, it may still read for so long what was sent

    def accept(self, environ: WSGIEnvironment) -> None:
        """Answer the handshake.

        Raises
        ------
        OSError : the page has gone again
        """
        page = self._socket
        key = environ["HTTP_SEC_WEBSOCKET_KEY"].strip().encode() + GUID
        accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
        page.settimeout(None)
        page.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        page.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeout(SEND_S))
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeout(SILENT_S))
        page.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        page.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )

    def close(self) -> None:
        """End the connection; wakes up the thread that reads."""
        self._send_if_room(framed(CLOSE, struct.pack("!H", 1000)))
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def send(self, frames: Sequence[bytes]) -> None:
        """Send frames.

        Raises
        ------
        OSError : the page is gone, or does not read
        """
        waiting = deque(frames)
        with self._sending:
            while waiting:
                self._send_some(waiting)
                if not self._open and time.monotonic() > self._over_at:
                    raise OSError("the page takes too long to end")

    def send_at_once(self, frames: Sequence[bytes]) -> Sequence[bytes]:
        """Send as much of frames as the network takes without waiting; return what is left.

        What is left has to be sent next.
        """
        waiting = deque(frames)
        if LINUX and self._sending.acquire(blocking=False):
            try:
                while waiting:
                    self._send_some(waiting, DONT_WAIT)
            except OSError:
                pass  # it is gone, or does not read: whoever sends the rest finds that
            finally:
                self._sending.release()
        return waiting

    def _send_some(self, waiting: deque[bytes], flags: int = 0) -> None:
        """Send some of what waits; what has been sent waits no more.

        Raises
        ------
        OSError : the page is gone, or does not read; BlockingIOError : nothing goes now
        """
        if hasattr(self._socket, "sendmsg"):
            sent = self._socket.sendmsg(list(islice(waiting, PIECES_AT_ONCE)), (), flags)
        else:  # Windows
            sent = self._socket.send(waiting[0], flags)
        self._torn = False
        while waiting and sent >= len(waiting[0]):
            sent -= len(waiting.popleft())
        if sent:
            waiting[0], self._torn = waiting[0][sent:], True

    def _send_if_room(self, data: bytes) -> None:
        """Send a frame of the protocol itself, unless that would mean to wait."""
        if self._sending.acquire(blocking=False):
            try:
                if self._torn or not (LINUX or self._has_room()):
                    return
                if self._socket.send(data, DONT_WAIT) < len(data):
                    self._socket.shutdown(socket.SHUT_RDWR)
            except (OSError, ValueError):
                pass  # it is gone, or does not read; or it is one too many for `select`
            finally:
                self._sending.release()

    def _has_room(self) -> bool:
        return bool(select.select((), (self._socket,), (), 0)[1])

    def receive(self) -> str | None:
        """The next message, in this page's turn until the next call; None at the end."""
        turns.leave()
        message = self._next() if self._open else None
        if message is None:
            turns.leave()
        return message

    def _next(self) -> str | None:
        turns.enter(self._account)
        came = True
        while self._open:
            for event in self._protocol.events():
                came = True
                if not self._bucket.take():
                    self.end("a flood of packets")
                    return None
                if (message := self._taken(event)) is not None:
                    return message
                if not self._open:
                    return None
            turns.leave()
            if not came and not self._bucket.take():  # bytes that make no packet
                self.end("a flood of packets")
                return None
            try:
                data = self._socket.recv(RECEIVE_BYTES)
            except OSError:
                data = b""
            if not data:
                self.end()
                return None
            turns.enter(self._account)
            self._protocol.receive_data(data)
            came = False
        return None

    def _taken(self, event: Event) -> str | None:
        """A message, when it is whole."""
        if isinstance(event, Ping):
            self._send_if_room(framed(PONG, event.payload))
        elif isinstance(event, CloseConnection):
            # what cannot be parsed ends so too
            self.end("bytes that are no WebSocket" if event.code in WRONG else None)
        elif isinstance(event, BytesMessage):
            self.end("what is no Engine.IO packet")
        elif isinstance(event, TextMessage):
            self._parts.append(event.data)
            if sum(map(len, self._parts)) > self._max_message_size:
                self.end("a packet that is too large")
            elif event.message_finished:
                message, self._parts = "".join(self._parts), []
                return message
        return None

    def end(self, kind: str | None = None) -> None:
        """Read no more; for `SEND_S` the page may still read what was sent.

        Parameters
        ----------
        kind : of what is refused, where that is why
        """
        if kind:
            refusals.warn(kind, self._address)
        self._open, self._over_at = False, time.monotonic() + SEND_S
