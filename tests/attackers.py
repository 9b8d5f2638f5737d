"""Attackers on the network: `python -m tests.attackers PORT KIND N SECONDS`.

N of a kind go on for so long, from this computer, as fast as they can; what the program
refuses, they try again. A test that needs one of them calls it.
"""

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
BATCH = 200  # packets that are sent at once
SILENT = 25  # connections of each attacker that say nothing
SLOW = 3  # exports of each attacker that are read slowly


class Page:
    """A bare WebSocket, without any courtesy."""

    def __init__(self, port: int, version: str = "13") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        try:
            self.socket.sendall(
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: {version}\r\n\r\n".encode()
            )
            self.status = int(self.socket.recv(4096).split()[1])
        except (OSError, IndexError):
            self.socket.close()
            raise

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *texts: str) -> None:
        """Send packets, all at once."""
        self.socket.sendall(b"".join(masked(0x81, text.encode()) for text in texts))


def masked(first: int, payload: bytes) -> bytes:
    """A frame of a client, with a mask of zeros."""
    if len(payload) < 126:
        return bytes((first, 0x80 | len(payload), 0, 0, 0, 0)) + payload
    return struct.pack("!BBH4x", first, 0xFE, len(payload)) + payload


def get(port: int, path: str, timeout_s: float = 30) -> socket.socket:
    """A connection on which a request has been sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
    try:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    except OSError:
        connection.close()
        raise
    return connection


def export(port: int, _: float) -> None:
    """Ask for an export, and read it."""
    with get(port, "/export/srt") as connection:
        while connection.recv(1 << 20):
            pass


def visit(port: int, _: float) -> None:
    """Open the page."""
    with get(port, "/") as connection:
        while connection.recv(1 << 20):
            pass


def join(port: int, _: float) -> None:
    """Open a page, and leave when the lines come."""
    with Page(port) as page:
        page.send("40")
        for _ in range(5):
            page.socket.recv(1 << 16)


def _flood(packet: bytes) -> Callable[[int, float], None]:
    def flood(port: int, _: float) -> None:
        with Page(port) as page:
            page.send("40")
            while True:  # until it is cut off
                page.socket.sendall(packet * BATCH)

    return flood


def slow(port: int, until: float) -> None:
    """Read exports, a byte a second."""
    with ExitStack() as stack:
        exports = [stack.enter_context(get(port, "/export/json")) for _ in range(SLOW)]
        while time.monotonic() < until:
            time.sleep(1)
            for connection in exports:
                connection.recv(1)


def handshake(port: int, _: float) -> None:
    """Open a page, and go before anything is said."""
    with Page(port):
        pass


def version(port: int, _: float) -> None:
    """Ask for a WebSocket of a version that there is not."""
    with Page(port, version="12"):
        pass


def silent(port: int, until: float) -> None:
    """Keep connections, and say nothing."""
    with ExitStack() as stack:
        for _ in range(SILENT):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            stack.enter_context(connection)
        while time.monotonic() < until:
            time.sleep(0.5)


KINDS = {
    "slow": slow,  # before those that use up how often one may ask for exports
    "export": export,
    "join": join,
    "visit": visit,
    "acks": _flood(masked(0x81, b"430[]")),
    "no-ops": _flood(masked(0x81, b"6")),
    "connects": _flood(masked(0x81, b'42["connect"]')),
    "joins in one": _flood(masked(0x81, b"41") + masked(0x81, b"40")),
    "pings": _flood(masked(0x89, b"x")),
    "handshake": handshake,
    "version": version,
    "silent": silent,
}


def attack(port: int, kind: str, n: int, seconds: float) -> int:
    """Attack; return how often."""
    until, done = time.monotonic() + seconds, [0] * n

    def go_on(i: int) -> None:
        while time.monotonic() < until:
            with suppress(OSError, IndexError, ValueError):  # refused, or cut off
                KINDS[kind](port, until)
            done[i] += 1

    threads = [threading.Thread(target=go_on, args=(i,), daemon=True) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 5)
    return sum(done)


if __name__ == "__main__":
    os.nice(19)  # attackers have computers of their own
    print(attack(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
