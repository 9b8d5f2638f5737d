"""WebSocket for Engine.IO's threads, fit for strangers.

What Engine.IO brings lets a thread sleep for each ping, keeps any number of messages for a
reader that does not read, counts nothing of what it is sent and ends in a traceback where a
handshake is wrong. So its parts are replaced here: a page is one thread that reads, in turns
with all others, and one that writes from a bounded outbox.
"""

import base64
import binascii
import hashlib
import logging
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask_socketio import SocketIO
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from utils.address import network
from web.limits import LogOnce, TokenBucket
from web.outbox import CLOSE, PONG, Outbox, frame, framed
from web.turns import turns
from web.wsgi import connection, refuse

SEND_BUFFER_BYTES = 65_536
SEND_S = 10  # a reader that takes nothing for so long is gone
SILENT_S = 25  # so is one that answers no ping for so long
RECEIVE_BYTES = 4096
# Of every kind. A page sends far less; the longest event may come in 40 pieces.
PACKETS_A_SECOND, PACKETS_AT_ONCE = 20, 80
WRONG = (1002, 1007)  # codes of what cannot be parsed
PIECES_AT_ONCE = 256  # that one call gives to the network
PATH = "/socket.io/"
VERSION = "13"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

log = logging.getLogger(__name__)
refusals = LogOnce(log)


class _NoThread:
    """Stands for the thread that would sleep until the next ping."""

    def start(self) -> None:
        pass


class _WebSocket:
    """One connection, as Engine.IO takes it.

    Parameters
    ----------
    handler : of Engine.IO, which has no types: the method of its own connection that reads
    server : Engine.IO's
    max_message_size : of a packet, in letters
    """

    def __init__(self, handler: Any, server: object, max_message_size: int) -> None:
        self._handler = handler
        self._max_message_size = max_message_size
        self._protocol = Connection(ConnectionType.SERVER)
        self._bucket = TokenBucket(PACKETS_A_SECOND, PACKETS_AT_ONCE)
        self._sending = threading.Lock()
        self._parts: list[str] = []
        self._over_at = 0.0  # when it is closed, it may still read for so long what was sent

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list:
        self._address = str(environ.get("REMOTE_ADDR", ""))
        self._account = f"{network(self._address)} packets"
        page = connection(environ)
        assert page is not None  # `Handshakes` lets nothing else come so far
        self._socket = page
        self._open = self._answer(environ)
        try:
            self._handler(self)
        except RuntimeError:  # the limit of threads
            refusals.warn("a page for which there is no thread", self._address)
            self._handler.__self__.close(wait=False, abort=True)  # Engine.IO forgets it
        finally:
            turns.leave()
        if "gunicorn.socket" in environ:
            raise StopIteration
        raise ConnectionError  # tells Werkzeug that nothing is to be answered any more

    def _answer(self, environ: WSGIEnvironment) -> bool:
        page, seconds = self._socket, struct.pack("ll", SEND_S, 0)
        key = environ["HTTP_SEC_WEBSOCKET_KEY"].strip().encode() + GUID
        accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
        try:
            page.settimeout(None)
            page.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            page.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
            seconds = struct.pack("ll", SILENT_S, 0)
            page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
            page.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            page.sendall(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
            )
        except OSError:
            return False  # it has gone again
        return True

    def close(self) -> None:
        """End the connection; wakes up the thread that reads."""
        self._send_if_room(framed(CLOSE, struct.pack("!H", 1000)))
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def send(self, message: str | Sequence[bytes]) -> None:
        """Send a packet, or frames that are made already.

        Raises
        ------
        OSError : the page is gone, or does not read
        """
        pieces = (frame(message),) if isinstance(message, str) else message
        waiting: deque[memoryview] = deque(memoryview(piece) for piece in pieces)
        with self._sending:
            while waiting:
                sent = self._socket.sendmsg(list(islice(waiting, PIECES_AT_ONCE)))
                while waiting and sent >= len(waiting[0]):
                    sent -= len(waiting.popleft())
                if sent:
                    waiting[0] = waiting[0][sent:]
                if not self._open and time.monotonic() > self._over_at:
                    raise OSError("the page takes too long to end")

    def _send_if_room(self, data: bytes) -> None:
        """Send a frame of the protocol itself, unless that would mean to wait."""
        if self._sending.acquire(blocking=False):
            try:
                if self._socket.send(data, socket.MSG_DONTWAIT) < len(data):
                    self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is gone, or does not read
            finally:
                self._sending.release()

    def wait(self) -> str | None:
        """The next message for Engine.IO; None at the end. Takes turns with all others."""
        turns.leave()  # what was before, Engine.IO has taken
        turns.enter(self._account)
        came = True
        while self._open:
            for event in self._protocol.events():
                came = True
                if not self._bucket.take():
                    self._end("a flood of packets")
                    return None
                if (message := self._taken(event)) is not None:
                    return message
                if not self._open:
                    return None
            turns.leave()
            if not came and not self._bucket.take():  # bytes that make no packet
                self._end("a flood of packets")
                return None
            try:
                data = self._socket.recv(RECEIVE_BYTES)
            except OSError:
                data = b""
            if not data:
                self._end()
                return None
            turns.enter(self._account)
            self._protocol.receive_data(data)
            came = False
        return None

    def _taken(self, event: Event) -> str | None:
        """A message, when it is whole and for Engine.IO to take."""
        if isinstance(event, Ping):
            self._send_if_room(framed(PONG, event.payload))
        elif isinstance(event, CloseConnection):
            # what cannot be parsed ends so too
            self._end("bytes that are no WebSocket" if event.code in WRONG else None)
        elif isinstance(event, BytesMessage):
            self._end("what is no Engine.IO packet")
        elif isinstance(event, TextMessage):
            self._parts.append(event.data)
            if sum(map(len, self._parts)) > self._max_message_size:
                self._end("a packet that is too large")
            elif event.message_finished:
                message, self._parts = "".join(self._parts), []
                return self._sorted(message)
        return None

    def _sorted(self, message: str) -> str | None:
        if message == "3":  # the answer to a ping
            return None
        if message[:2] in ("40", "42"):
            return message
        # The page says goodbye; what else there is in the protocols, no page sends.
        self._end(None if message in ("1", "41") else "what is no Engine.IO packet")
        return None

    def _end(self, kind: str | None = None) -> None:
        if kind:
            refusals.warn(kind, self._address)
        self._open, self._over_at = False, time.monotonic() + SEND_S
        turns.leave()


class Handshakes:
    """WSGI middleware that lets only WebSocket handshakes come to Engine.IO.

    Parameters
    ----------
    app : what answers them, and all other requests
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(PATH) or _is_handshake(environ):
            return self._app(environ, start_response)
        refusals.warn("what is no WebSocket handshake", str(environ.get("REMOTE_ADDR")))
        text = f"Only WebSocket is answered here, of version {VERSION}."
        version = ("Sec-WebSocket-Version", VERSION)
        return refuse(start_response, "400 Bad Request", text, version)


def _is_handshake(environ: WSGIEnvironment) -> bool:
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
        and connection(environ) is not None
    )


def harden(socketio: SocketIO, max_message_size: int) -> None:
    """Let a server use these; Engine.IO has no setting for it, so its parts are replaced."""
    engine = socketio.server.eio
    thread = engine._async["thread"]

    def task(target: Callable, **arguments: object) -> object:
        if getattr(target, "__name__", "") == "_send_ping":  # the outbox pings
            return _NoThread()
        return thread(target=target, **arguments)

    engine._async = engine._async | {
        "thread": task,
        "queue": partial(Outbox, engine.ping_interval),
        "websocket": partial(_WebSocket, max_message_size=max_message_size),
    }


def cut_off(socketio: SocketIO, sid: str) -> None:
    """End a page's connection at once, without waiting until it has read what was sent."""
    server = socketio.server
    page = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, "/"))
    if page is not None:
        page.close(wait=False, abort=True)
