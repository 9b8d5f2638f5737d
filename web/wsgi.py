"""What several parts of the web need of a bare WSGI request."""

import socket
from wsgiref.types import StartResponse, WSGIEnvironment


def connection(environ: WSGIEnvironment) -> socket.socket | None:
    """The connection that a request came by, where the server tells, as Werkzeug's does."""
    return environ.get("werkzeug.socket")


def refuse(
    start_response: StartResponse, status: str, text: str, *headers: tuple[str, str]
) -> list[bytes]:
    """Answer a request by a sentence, before the program has seen it."""
    body = f"{text}\n".encode()
    length = ("Content-Length", str(len(body)))
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), length, *headers])
    return [body]
