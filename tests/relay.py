"""A network between a page and its server that can die without a word."""

import selectors
import socket
import threading


class Relay:
    """Passes bytes on to a port of this machine, and takes connections for it.

    Parameters
    ----------
    port : of the server

    Attributes
    ----------
    port : of the relay
    dead : nothing passes, and nobody is told; connections stay open. It can be set and reset.
    """

    def __init__(self, port: int) -> None:
        self.dead = False
        self._server_port = port
        self._closed = False
        self._other: dict[socket.socket, socket.socket] = {}
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._listening, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._thread.join()
        for connection in [self._listening, *self._other]:
            connection.close()
        self._ready.close()

    def _run(self) -> None:
        while not self._closed:
            if self.dead:
                threading.Event().wait(0.05)
                continue
            for key, _ in self._ready.select(timeout=0.05):
                if key.fileobj is self._listening:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._pass(key.fileobj)

    def _accept(self) -> None:
        page, _ = self._listening.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._server_port))
        except OSError:
            page.close()
            return
        self._other |= {page: server, server: page}
        for connection in (page, server):
            self._ready.register(connection, selectors.EVENT_READ)

    def _pass(self, connection: socket.socket) -> None:
        if connection not in self._other:
            return  # it ended with its other half
        try:
            data = connection.recv(65_536)
            self._other[connection].sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (connection, self._other[connection]):
                self._ready.unregister(end)
                del self._other[end]
                end.close()
