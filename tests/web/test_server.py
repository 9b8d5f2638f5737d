"""The threaded server: what is no HTTP is answered, and what it says is kept out of the log."""

import logging
import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.program import free_port
from web.server import Server

SAID = "nightingale-umbrella"


@pytest.fixture
def served() -> Iterator[Server]:
    with Server("127.0.0.1", free_port(), Flask("test")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def answer(server: Server, request: str) -> str:
    """All that comes for what is sent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode("latin-1")


@pytest.mark.parametrize("upgrade", ["", "Upgrade: websocket\r\n"], ids=["page", "websocket"])
@pytest.mark.parametrize("target", [f"http://[{SAID}]/", f"http://[::1/{SAID}"])
def test_an_address_that_is_none_is_answered_and_not_logged(served, caplog, target, upgrade):
    with caplog.at_level(logging.DEBUG):
        found = answer(served, f"GET {target} HTTP/1.1\r\nHost: x\r\n{upgrade}\r\n")
    assert found.startswith("HTTP/1.") and " 400 " in found.partition("\r\n")[0]
    assert SAID not in caplog.text and "Traceback" not in caplog.text


def test_what_an_error_says_is_not_logged(served, caplog):
    """It may be what a stranger has sent; and each would be a kind of its own."""
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            try:
                raise ValueError(f"{SAID} {number}")
            except ValueError:
                served.handle_error(None, ("192.0.2.1", 1))
        try:
            raise ConnectionResetError(104, SAID)
        except OSError:
            served.handle_error(None, ("192.0.2.1", 1))
    assert caplog.messages == [
        f"refused a connection ({kind}) from 192.0.2.1 (told once)"
        for kind in ("ValueError", "ConnectionResetError 104")
    ]
