"""A threaded server of this one program, with a bound on what strangers can hold.

Werkzeug's server gives each connection a thread. Without a bound, connections that send
nothing would take them all, and requests that come without end the processor. So a request is
read whole, then waits for its turn; and who has sent no request yet gives way to who comes.
"""

import io
import logging
import re
import socket
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask
from werkzeug.serving import (
    ThreadedWSGIServer,
    WSGIRequestHandler,
    get_sockaddr,
    select_address_family,
)

from utils.address import is_loopback, network, site
from utils.errors import ConfigError
from web.limits import Buckets, LogOnce
from web.turns import turns

CONNECTIONS = 600  # a room of 200 phones, each for a moment with more than one
CONNECTIONS_AN_ADDRESS = 400  # a room of phones can stand behind one address
CONNECTIONS_A_SITE = 500  # of IPv6, in however many /64
COMING_A_SECOND, COMING_AT_ONCE = 300, 3000  # of an address: a page is about 30 files
OWN_CONNECTIONS = 100  # of this machine itself, beside all others
FOR_REQUESTS = 50  # of each of these, that open pages cannot take
HEAD_S = 10.0  # to send a request, or the next one
IDLE_S = 20.0  # without a byte, while a request is answered
ANSWER_S = 300.0  # until an answer has been read; an export on a slow phone takes some time
HEAD_BYTES, BODY_BYTES = 65_536, 65_536  # of a request, as far as it is read
SWITCH_S = 0.0005  # Python's threads take turns so often; who captions waits no longer for one
LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r?\n", re.IGNORECASE)
IN_ROOM = re.compile(rb"\Aroom/[^/ ]{1,400}/")  # of the rooms below one address
# Paths whose requests wait in lines of their own.
APART = (b"health", b"metrics", b"export", b"saved", b"socket.io")

log = logging.getLogger(__name__)
refusals = LogOnce(log)


class _Handler(WSGIRequestHandler):
    server: "Server"
    timeout = IDLE_S  # of each read and write; WebSocket sets its own

    def handle_one_request(self) -> None:
        """Read a request to its end, without holding anybody up, and answer it in its turn."""
        if not (request := self._request()):
            self.close_connection = True
            return
        stream, self.rfile = self.rfile, io.BytesIO(request)
        path = IN_ROOM.sub(b"", request.partition(b" /")[2], count=1)[:20]
        apart = next((name.decode() for name in APART if path.startswith(name)), "")
        self.server.answering(self.connection, True)
        try:
            turns.enter(f"{network(self.client_address[0])} {apart}")
            super().handle_one_request()
        finally:
            turns.leave()
            self.rfile = stream
            self.server.answering(self.connection, False)

    def _request(self) -> bytes:
        """Head and body as they came; nothing where no whole request did."""
        lines, size = [], 0
        while line := self.rfile.readline(HEAD_BYTES + 1):
            lines.append(line)
            size += len(line)
            if size > HEAD_BYTES:
                self.log_error("a head of more than %d bytes", HEAD_BYTES)
                return b""
            if line in (b"\r\n", b"\n"):
                head = b"".join(lines)
                length = LENGTH.search(head)
                return head + self.rfile.read(min(int(length[1]), BODY_BYTES) if length else 0)
        return b"".join(lines)

    def run_wsgi(self) -> None:
        if "Transfer-Encoding" in self.headers:  # no page sends that
            self._refuse(411)
        elif "Upgrade" not in self.headers:
            self._run()
        else:
            self.close_connection = True  # what still comes from there is no HTTP
            if self.server.opens_page(self.connection):
                self._run()
            else:
                self._refuse(503)

    def _run(self) -> None:
        try:
            super().run_wsgi()
        except ValueError:  # an address that is none, such as http://[::1/
            self.close_connection = True
            self._refuse(400)

    def _refuse(self, status: int) -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_error(self, format: str, *args: object) -> None:
        refusals.warn("what is no HTTP request", self.client_address[0])


@dataclass
class _Connection:
    address: str
    since: float  # when it was opened, or its last request came or was answered
    answering: bool = False
    page: bool = False  # an open page, which stays
    ended: bool = False  # it gave way, and will soon be gone

    def limit_s(self) -> float:
        return ANSWER_S if self.answering else HEAD_S


class Server(ThreadedWSGIServer):
    """Serves an application on threads, so many connections at once and no more.

    Parameters
    ----------
    host, port : where
    app : the application
    rooms : of readers, for each of which there is to be place
    """

    request_queue_size = 256  # a room that opens the page at once

    def __init__(self, host: str, port: int, app: Flask, rooms: int = 1) -> None:
        self._rooms = rooms
        self._connections: dict[socket.socket, _Connection] = {}
        self._counting = threading.Lock()
        self._coming = Buckets(COMING_A_SECOND, COMING_AT_ONCE)
        self._looked_at = 0.0
        self._flask = app
        self._moving_to = ""
        self._moved: SimpleQueue[OSError | None] = SimpleQueue()
        sys.setswitchinterval(SWITCH_S)
        super().__init__(host, port, self._answer, _Handler)

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Serve until `shutdown`, also at the places that it is moved to meanwhile."""
        super().serve_forever(poll_interval)
        while self._moving_to:
            moved, host, self._moving_to = self._moved, self._moving_to, ""
            try:
                self._bind(host)
            except OSError as err:
                moved.put(err)
                self._bind(self.host)
            else:
                self.host = host
                self._end_outsiders()
                moved.put(None)
            super().serve_forever(poll_interval)

    def move(self, host: str) -> None:
        """Serve at another address; pages that are open stay, where that lets them in.

        Raises
        ------
        ConfigError : there it cannot be served; it is served where it was
        """
        if host == self.host:
            return
        self._moved, self._moving_to = SimpleQueue(), host
        self.shutdown()
        if err := self._moved.get():
            raise ConfigError(f"cannot serve at {host}:{self.port} ({err.strerror})") from err

    def _bind(self, host: str) -> None:
        """Open the port at another address, in place of the one that has been closed.

        Raises
        ------
        OSError : that cannot be
        """
        self.address_family = select_address_family(host, self.port)
        address: Any = get_sockaddr(host, self.port, self.address_family)
        self.socket = socket.socket(self.address_family, self.socket_type)
        try:
            self.server_address = address
            self.server_bind()
            self.server_activate()
        except OSError:
            self.server_close()
            raise

    def _end_outsiders(self) -> None:
        """End connections that come from where nobody is served any more."""
        if is_loopback(self.host):
            with self._counting:
                for request, connection in self._connections.items():
                    if not (is_loopback(connection.address) or connection.ended):
                        self._end(request)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """What the application answers; to send it takes no turn."""
        try:
            return self._flask(environ, start_response)
        finally:
            turns.leave()

    def verify_request(  # type: ignore[override]  # on TCP a request is a socket
        self, request: socket.socket, client_address: tuple
    ) -> bool:
        """Whether a connection may stay; called for each new one."""
        address = network(client_address[0])
        if not self._coming.take(address):
            refusals.warn("too many new connections", address)
            return False
        with self._counting:
            stays = self._has_room(address) or self._make_room(address)
            if stays:
                self._connections[request] = _Connection(address, time.monotonic())
        if not stays:
            refusals.warn("too many connections", address)
        return stays

    def _has_room(self, address: str, spare: int = 0) -> bool:
        """Whether one more connection may come, or page, for which `spare` are left free."""
        of_an_address = self._rooms * CONNECTIONS_AN_ADDRESS - spare
        if len(self._connections) < of_an_address:
            return True
        there = [c for c in self._connections.values() if not c.ended and (c.page or not spare)]
        from_there = sum(c.address == address for c in there)
        if is_loopback(address):
            return from_there < OWN_CONNECTIONS + of_an_address
        strangers = sum(not is_loopback(c.address) for c in there)
        if strangers >= self._rooms * CONNECTIONS - spare or from_there >= of_an_address:
            return False
        whole = site(address)
        return (
            sum(site(c.address) == whole for c in there) < self._rooms * CONNECTIONS_A_SITE - spare
        )

    def _make_room(self, address: str) -> bool:
        """End the oldest connection that has sent no request, of those that stand in the way."""
        own, ending = is_loopback(address), sum(c.ended for c in self._connections.values())
        silent = [
            (connection.since, connection.address != address, request)
            for request, connection in self._connections.items()
            if not (connection.answering or connection.page or connection.ended)
            and is_loopback(connection.address) == own
        ]
        if not silent or ending > OWN_CONNECTIONS:
            return False
        # Of the same address first: who fills the room makes way himself.
        _, _, request = min(silent, key=lambda one: (one[1], one[0]))
        refusals.warn("connections that send no request", self._connections[request].address)
        self._end(request)
        return True

    def _end(self, request: socket.socket) -> None:
        self._connections[request].ended = True
        with suppress(OSError):  # it has just ended by itself
            request.shutdown(socket.SHUT_RDWR)  # its thread wakes up and ends it

    def opens_page(self, request: socket.socket) -> bool:
        """Whether a connection may become that of an open page."""
        with self._counting:
            connection = self._connections.get(request)
            if connection is None:
                return False
            stays = self._has_room(connection.address, FOR_REQUESTS)
            if stays:
                connection.page = True
        if not stays:
            refusals.warn("too many pages", connection.address)
        return stays

    def shutdown_request(  # type: ignore[override]  # as above
        self, request: socket.socket
    ) -> None:
        """End a connection, and count it no more."""
        with self._counting:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def answering(self, request: socket.socket, on: bool) -> None:
        """Note that a request is being answered, or has been."""
        with self._counting:
            if connection := self._connections.get(request):
                connection.answering, connection.since = on, time.monotonic()

    def service_actions(self) -> None:
        """End connections that take too long; called after each new one, and now and then."""
        super().service_actions()
        now = time.monotonic()
        if now - self._looked_at < 0.5:
            return
        self._looked_at = now
        with self._counting:
            for request, connection in self._connections.items():
                late = now - connection.since > connection.limit_s()
                if late and not (connection.page or connection.ended):
                    kind = "reads no answer" if connection.answering else "sends no request"
                    refusals.warn(f"a connection that {kind}", connection.address)
                    self._end(request)

    def handle_error(self, request: object, client_address: tuple[str, int] | str) -> None:
        """Tell of a connection that could not be served, in one line for each kind and sender.

        What an error says may be what a stranger has sent, which is no business of the log.
        """
        err = sys.exc_info()[1]
        number = f" {err.errno}" if isinstance(err, OSError) and err.errno else ""
        refusals.warn(f"a connection ({type(err).__name__}{number})", str(client_address[0]))


def check_port(host: str, port: int) -> None:
    """See that a place to serve at is free.

    Raises
    ------
    ConfigError : it is not, or there is no such place
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as err:
        raise ConfigError(
            f"cannot serve at {host}:{port} ({err.strerror}). Is the program running already? "
            "Stop it, or choose another place with --port or --host"
        ) from err
