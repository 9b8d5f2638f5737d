"""WebSocket for Engine.IO's threads, fit for strangers.

simple-websocket, as Engine.IO uses it, compresses each message anew for each reader, keeps
a message of any size, takes a send for complete that is not, and leaves a thread behind
when it is sent rubbish. Engine.IO keeps any number of messages for a reader that does not
read. Here is the little that mends it.
"""

import logging
import queue
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from string import digits

import simple_websocket
from flask_socketio import SocketIO
from wsproto.events import TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from utils.limits import LogOnce

WAITING_EVENTS = 400  # for a reader that does not read, half a minute of them; then it is cut off
SEND_BUFFER_BYTES = 65_536
SEND_S = 10  # a reader that takes nothing for so long is gone

log = logging.getLogger(__name__)
refusals = LogOnce(log)


class Outbox(queue.Queue):
    """What waits to be sent to one page; too much of it ends the connection."""

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        if self.qsize() >= WAITING_EVENTS:
            with self.mutex:
                self.unfinished_tasks -= len(self.queue)
                self.queue.clear()
            item = None  # Engine.IO's sign that the connection is closed
        super().put(item, block, timeout)


class _Socket(simple_websocket.Server):
    def handshake(self) -> None:
        self.sock.settimeout(None)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_S, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handshake()

    def send(self, data: str) -> None:
        if not self.connected:
            raise simple_websocket.ConnectionClosed(self.close_reason, self.close_message)
        self.sock.sendall(self.ws.send(TextMessage(data=data)))

    def _thread(self) -> None:
        try:
            super()._thread()
        except RemoteProtocolError:
            peer = self.environ.get("REMOTE_ADDR", "")
            refusals.warn("bytes that are no WebSocket", peer)
            self.connected = False
            self.event.set()
            self.sock.close()


class _WebSocket:
    """One connection, as Engine.IO takes it."""

    def __init__(self, handler: Callable, server: object, max_message_size: int) -> None:
        self._handler = handler
        self._max_message_size = max_message_size

    def __call__(self, environ: dict, start_response: Callable) -> list:
        environ = dict(environ)
        self._address = environ.get("REMOTE_ADDR", "")
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)  # no compression
        self._socket = _Socket(environ, max_message_size=self._max_message_size)
        answer = self._handler(self)
        if self._socket.mode == "werkzeug":
            raise ConnectionError  # tells Werkzeug that nothing is to be answered any more
        if self._socket.mode == "gunicorn":
            raise StopIteration
        return answer

    def close(self) -> None:
        with suppress(OSError, LocalProtocolError):  # it is gone, or said goodbye, already
            if self._socket.connected:
                self._socket.close()
        with suppress(OSError):
            # Wakes up the thread that reads: a phone that went out of range says no goodbye.
            self._socket.sock.shutdown(socket.SHUT_RDWR)

    def send(self, message: str) -> None:
        try:
            self._socket.send(message)
        except simple_websocket.ConnectionClosed as err:
            raise OSError("the page is gone") from err

    def wait(self) -> str | bytes | None:
        try:
            message = self._socket.receive()
        except simple_websocket.ConnectionClosed:
            return None
        # Engine.IO gives its thread up, and what belongs to it, on a packet without a type.
        if isinstance(message, str) and message[:1] not in tuple(digits):
            refusals.warn("what is no Engine.IO packet", self._address)
            return None
        return message


def harden(socketio: SocketIO, max_message_size: int) -> None:
    """Let a server use these; Engine.IO has no setting for it, so its parts are replaced."""
    parts = socketio.server.eio._async
    parts["queue"] = Outbox
    parts["websocket"] = partial(_WebSocket, max_message_size=max_message_size)


def cut_off(socketio: SocketIO, sid: str) -> None:
    """End a page's connection at once, without waiting until it has read what was sent."""
    server = socketio.server
    connection = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, "/"))
    if connection is not None:
        connection.close(wait=False, abort=True)
