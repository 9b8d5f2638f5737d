"""What stands before every request: only names of this machine are answered.

A page of a foreign name that points to this machine (DNS rebinding) would count as of the
same origin to the browser; it is known by the name that it asks for.
"""

import logging
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from utils.address import host_name, is_loopback, own_names, plain_address
from utils.limits import LogOnce

log = logging.getLogger(__name__)
refusals = LogOnce(log)

SOCKETS = ("werkzeug.socket", "gunicorn.socket")  # where servers put the connection


class Gate:
    """WSGI middleware that answers only who asks for this machine by a name of its own.

    Parameters
    ----------
    app : what answers the others
    served : addresses and names that the operator has set
    """

    def __init__(self, app: WSGIApplication, *served: str) -> None:
        self._app = app
        self._names = own_names(*served)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = host_name(environ.get("HTTP_HOST", ""))
        if self._is_ours(host, environ):
            return self._app(environ, start_response)
        refusals.warn("a foreign Host name", str(environ.get("REMOTE_ADDR")))
        return _refuse(start_response)

    def _is_ours(self, host: str, environ: WSGIEnvironment) -> bool:
        if is_loopback(host) or host in self._names:
            return True
        address = plain_address(host)
        return bool(address) and address == _reached_at(environ)


def _reached_at(environ: WSGIEnvironment) -> str:
    """The address of this machine to which the connection was made."""
    connection = next((environ[name] for name in SOCKETS if name in environ), None)
    return plain_address(connection.getsockname()[0]) if connection else ""


def _refuse(start_response: Callable) -> list[bytes]:
    text = (
        b"This name is not one of this computer's. If it is right, name it with the setting "
        b"address (--address).\n"
    )
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))]
    start_response("421 Misdirected Request", headers)
    return [text]
