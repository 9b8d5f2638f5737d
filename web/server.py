"""A threaded server of this one program, with a bound on what strangers can hold.

Werkzeug's server gives each connection a thread. Without a bound, connections that send
nothing would take them all.
"""

import logging
import socket
import threading
import time
from dataclasses import dataclass

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from utils.address import is_loopback, plain_address
from utils.errors import ConfigError
from utils.limits import LogOnce

CONNECTIONS = 600  # a room of 200 phones, each for a moment with more than one
CONNECTIONS_AN_ADDRESS = 400  # a room of phones can stand behind one address
OWN_CONNECTIONS = 100  # of this machine itself, beside all others
HEAD_S = 10.0  # to send a request, or the next one
IDLE_S = 20.0  # without a byte, while a request is answered

log = logging.getLogger(__name__)
refusals = LogOnce(log)


class _Handler(WSGIRequestHandler):
    timeout = IDLE_S  # of each read and write; WebSocket sets its own

    def run_wsgi(self) -> None:
        self.server.answering(self.connection, True)
        try:
            super().run_wsgi()
        finally:
            self.server.answering(self.connection, False)
            if "Upgrade" in self.headers:
                self.close_connection = True  # what still comes from there is no HTTP

    def log_error(self, format: str, *args: object) -> None:
        refusals.warn("what is no HTTP request", self.client_address[0])


@dataclass
class _Connection:
    address: str
    since: float  # when it was opened, or its last request was answered
    answering: bool = False


class Server(ThreadedWSGIServer):
    """Serves an application on threads, so many connections at once and no more.

    Parameters
    ----------
    host, port : where
    app : the application
    """

    request_queue_size = 256  # a room that opens the page at once

    def __init__(self, host: str, port: int, app: Flask) -> None:
        self._connections: dict[socket.socket, _Connection] = {}
        self._counting = threading.Lock()
        super().__init__(host, port, app, _Handler)

    def verify_request(self, request: socket.socket, client_address: tuple) -> bool:
        """Whether a connection may stay; called for each new one."""
        address = plain_address(client_address[0])
        with self._counting:
            others = list(self._connections.values())
            own = is_loopback(address)
            from_there = sum(c.address == address for c in others)
            if own:
                stays = from_there < OWN_CONNECTIONS + CONNECTIONS_AN_ADDRESS
            else:
                strangers = sum(not is_loopback(c.address) for c in others)
                stays = strangers < CONNECTIONS and from_there < CONNECTIONS_AN_ADDRESS
            if stays:
                self._connections[request] = _Connection(address, time.monotonic())
        if not stays:
            refusals.warn("too many connections", address)
        return stays

    def shutdown_request(self, request: socket.socket) -> None:
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
        """End connections that do not come to their request; called twice a second."""
        super().service_actions()
        now = time.monotonic()
        with self._counting:
            slow = [
                (request, connection.address)
                for request, connection in self._connections.items()
                if not connection.answering and now - connection.since > HEAD_S
            ]
        for request, address in slow:
            refusals.warn("a connection that sends no request", address)
            try:
                request.shutdown(socket.SHUT_RDWR)  # its thread wakes up and ends it
            except OSError:
                pass  # it has just ended by itself


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
