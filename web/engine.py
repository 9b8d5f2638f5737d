"""Engine.IO over WebSocket alone, fit for strangers.

What python-engineio brings lets a thread sleep for each ping, keeps any number of messages for a
reader that does not read, counts nothing of what it is sent and ends in a traceback where a
handshake is wrong. So python-socketio, above it, is given this server of pages in its place: a
page is one thread that reads, in turns with all others, and one that pings, and writes from a
bounded outbox what the network does not take at once. Only public names of both libraries are used.
"""

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

import engineio
from engineio.packet import Packet
from flask_socketio import SocketIO

from utils.monitoring.of_room import same_room
from web.outbox import Outbox, frame
from web.websocket import VERSION, WebSocket, is_handshake, refusals
from web.wsgi import connection, refuse

EVENTS = {"connect", "message", "disconnect"}  # that python-socketio listens to


class _Page:
    """An open page: what it is sent, and what it says."""

    def __init__(self, websocket: WebSocket, ping_s: float) -> None:
        self._websocket = websocket
        self._writer = threading.Thread(target=same_room(self._write), name="page", daemon=True)
        self.outbox = Outbox(ping_s, websocket.send_at_once)

    def start(self) -> None:
        """Begin to send pings, and what is in the outbox.

        Raises
        ------
        RuntimeError : there is no thread for it
        """
        self._writer.start()

    def read(self, take: Callable[[str], object]) -> None:
        """Hand over what the page says, until it ends or reads no more."""
        while (packet := self._websocket.receive()) is not None:
            if packet[:2] in ("40", "42"):
                take(packet[1:])
            elif packet != "3":  # the answer to a ping
                # The page says goodbye; what else there is in the protocols, no page sends.
                goodbye = packet in ("1", "41")
                self._websocket.end(None if goodbye else "what is no Engine.IO packet")
        self.outbox.end()
        self._writer.join()

    def end(self) -> None:
        """Let what waits be sent, and nothing else come."""
        self.outbox.end()
        self._websocket.end()

    def _write(self) -> None:
        with suppress(OSError):  # it is gone, or does not read
            while frames := self.outbox.get():
                self._websocket.send(frames)
        self._websocket.close()


class Engine(engineio.Server):
    """The pages that are connected, as python-socketio takes them.

    Parameters
    ----------
    accepts : whether a page of this origin may connect, from the origin and the request
    opens : whether any page can connect now
    options : of Engine.IO: `ping_interval`, `ping_timeout`, `max_http_buffer_size`
    """

    def __init__(
        self,
        accepts: Callable[[str | None, WSGIEnvironment], bool],
        opens: Callable[[], bool] = lambda: True,
        **options: Any,
    ) -> None:
        super().__init__(async_mode="threading", monitor_clients=False, **options)
        self._accepts, self._opens = accepts, opens
        self._pages: dict[str, _Page] = {}

    def handle_request(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Serve a page as long as it is open; called for each request to Socket.IO's path."""
        address, page = str(environ.get("REMOTE_ADDR", "")), connection(environ)
        if page is None or not is_handshake(environ):
            refusals.warn("what is no WebSocket handshake", address)
            text = f"Only WebSocket is answered here, of version {VERSION}."
            version = ("Sec-WebSocket-Version", VERSION)
            return refuse(start_response, "400 Bad Request", text, version)
        asked = parse_qs(environ.get("QUERY_STRING", ""))
        if asked.get("EIO") != ["4"] or asked.get("transport") != ["websocket"] or "sid" in asked:
            refusals.warn("what is no Engine.IO of version 4 over WebSocket", address)
            text = "Only Engine.IO of version 4 is answered here, over WebSocket from the start."
            return refuse(start_response, "400 Bad Request", text)
        if not self._accepts(environ.get("HTTP_ORIGIN"), environ):
            refusals.warn("a page of a foreign origin", address)
            return refuse(start_response, "400 Bad Request", "Not an accepted origin.")
        if not self._opens():
            return refuse(start_response, "503 Service Unavailable", "Nothing can be shown yet.")
        websocket = WebSocket(page, address, self.max_http_buffer_size)
        try:
            websocket.accept(environ)
        except OSError:
            pass  # it has gone again
        else:
            self._serve(websocket, environ, address)
        raise ConnectionError  # tells Werkzeug that nothing is to be answered any more

    def _serve(self, websocket: WebSocket, environ: WSGIEnvironment, address: str) -> None:
        sid = self.generate_id()
        page = self._pages[sid] = _Page(websocket, self.ping_interval)

        def take(text: str) -> None:
            try:
                self.handlers["message"](sid, text)
            except Exception as err:  # what an exception says may hold what was sent
                kind = type(err).__name__
                refusals.warn(f"what Socket.IO does not take ({kind})", address)

        try:
            self.handlers["connect"](sid, environ)
            page.start()
            page.outbox.put(frame(f"0{json.dumps(self._opening(sid))}"))
        except RuntimeError:
            refusals.warn("a page for which there is no thread", address)
        else:
            page.read(take)
        finally:
            websocket.end()
            del self._pages[sid]
            self.handlers["disconnect"](sid, self.reason.TRANSPORT_CLOSE)

    def _opening(self, sid: str) -> dict[str, object]:
        return {
            "sid": sid,
            "upgrades": [],
            "pingInterval": round(1000 * self.ping_interval),
            "pingTimeout": round(1000 * self.ping_timeout),
            "maxPayload": self.max_http_buffer_size,
        }

    def send_packet(self, sid: str, pkt: Packet) -> None:
        """Send a packet to a page, if it is still there."""
        self.send_frames(sid, frame(pkt.encode()))

    def send_frames(self, sid: str, *frames: bytes) -> None:
        """Send frames that are made already, as one event."""
        if (page := self._pages.get(sid)) is not None:
            page.outbox.put(*frames)

    def disconnect(self, sid: str | None = None) -> None:
        """End a page's connection, or all of them, without waiting until all has been read."""
        for page in [self._pages.get(sid)] if sid else list(self._pages.values()):
            if page is not None:
                page.end()


def install(socketio: SocketIO, engine: Engine) -> None:
    """Let a server use an engine, in the place of its own.

    Raises
    ------
    RuntimeError : python-socketio does not use its engine as it did
    """
    server = socketio.server
    if set(server.eio.handlers) != EVENTS:
        raise RuntimeError(
            f"python-socketio listens to {sorted(server.eio.handlers)} of Engine.IO, where "
            f"{sorted(EVENTS)} were expected: see whether web/engine.py fits its new version"
        )
    engine.handlers = server.eio.handlers
    server.eio = engine
