"""Several rooms by one node: a list of them, and each below /room/NAME/ as if it stood alone.

The addresses in a room's page are relative, so below its own path everything is the room's: files,
captions, exports, the phone code. Rooms share nothing here but the server.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Self
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import redis
from flask import Flask, render_template

from utils.live.saved import DAMAGED
from utils.live.sharing import rooms as kept
from utils.live.sharing.server import TROUBLE, reason
from web.operating import add_operating
from web.words import languages
from web.wsgi import refuse

BELOW = "/room/"

log = logging.getLogger(__name__)


class Rooms:
    """WSGI middleware before a node that no room was named to; a context manager.

    Parameters
    ----------
    app : the node's own application, which shows the room without a name, and the list
    server : Redis
    make : the application of a room, by name, whose mirror is `app.extensions["mirror"]`
    """

    def __init__(self, app: Flask, server: redis.Redis, make: Callable[[str], Flask]) -> None:
        self._bare: WSGIApplication = app.wsgi_app
        self._server, self._make = server, make
        self._made: dict[str, WSGIApplication] = {}
        self._making = threading.Lock()
        self._ending = ExitStack()
        app.add_url_rule("/rooms", view_func=_page)
        add_operating(app, server)

    def __enter__(self) -> Self:
        """Each room is followed from when it is first asked for."""
        return self

    def __exit__(self, *_: object) -> None:
        """Follow none of them any more."""
        self._ending.close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(BELOW):
            return self._below(environ, start_response)
        if path == "/" and self._any():
            environ["PATH_INFO"] = "/rooms"
        return self._bare(environ, start_response)

    def _below(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        part, slash, rest = environ["PATH_INFO"].removeprefix(BELOW).partition("/")
        name = part.encode("latin-1").decode("utf-8", "replace")  # PEP 3333
        if not slash:  # relative addresses need it
            start_response("308 Permanent Redirect", [("Location", f"{quote(name, safe='')}/")])
            return []
        try:
            app = self._room(name)
        except TROUBLE as err:
            log.warning("a room is asked for: %s", reason(err))
            return refuse(start_response, "503 Service Unavailable", "Try again in a moment.")
        if app is None:
            return refuse(start_response, "404 Not Found", "There is no such room.")
        environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}{BELOW}{part}"
        environ["PATH_INFO"] = f"/{rest}"
        return app(environ, start_response)

    def _room(self, name: str) -> WSGIApplication | None:
        """The application of a room that is there, or has been while this node runs."""
        if (found := self._made.get(name)) is not None:
            return found
        if not kept.has(self._server, name):
            return None
        with self._making:
            if name not in self._made:
                app = self._make(name)
                self._ending.enter_context(app.extensions["mirror"])
                self._made[name] = app.wsgi_app
            return self._made[name]

    def _any(self) -> bool:
        """Whether there are rooms to list; while Redis is away, whether there were."""
        try:
            return bool(kept.rooms(self._server))
        except (*TROUBLE, *DAMAGED):
            return bool(self._made)


def _page() -> str:
    return render_template("rooms.html", languages=languages())
