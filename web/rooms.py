"""Several rooms at one address: a list of them, and each below /room/NAME/ as if it stood alone.

The addresses in a room's page are relative, so below its own path everything is the room's: files,
captions, exports, the phone code. Rooms share nothing here but the server.
"""

from collections.abc import Iterable
from unicodedata import normalize
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, render_template

from utils.monitoring.of_room import of_room
from web.hall import Hall, HallAwayError
from web.link import BELOW, spelled
from web.operating import add_operating
from web.words import languages
from web.wsgi import refuse


class Rooms:
    """WSGI middleware before an application that no room was named to.

    Parameters
    ----------
    app : shows the list, and what is no room's
    hall : has the rooms
    """

    def __init__(self, app: Flask, hall: Hall) -> None:
        self._bare: WSGIApplication = app.wsgi_app
        self._hall = hall
        app.add_url_rule("/rooms", view_func=_page)
        add_operating(app, hall)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(BELOW):
            return self._below(environ, start_response)
        if path == "/" and self._hall.any():
            environ["PATH_INFO"] = "/rooms"
        return self._bare(environ, start_response)

    def _below(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        part, slash, rest = environ["PATH_INFO"].removeprefix(BELOW).partition("/")
        name = part.encode("latin-1").decode("utf-8", "replace")  # PEP 3333
        name = normalize("NFC", name)  # as settings have it
        if not slash:  # relative addresses need it
            start_response("308 Permanent Redirect", [("Location", f"{spelled(name)}/")])
            return []
        try:
            app = self._hall.room(name)
        except HallAwayError:
            return refuse(start_response, "503 Service Unavailable", "Try again in a moment.")
        if app is None:
            return refuse(start_response, "404 Not Found", "There is no such room.")
        environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}{BELOW}{part}"
        environ["PATH_INFO"] = f"/{rest}"
        with of_room(name):
            return app(environ, start_response)


def _page() -> str:
    return render_template("rooms.html", languages=languages())
