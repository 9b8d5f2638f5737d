"""What stands before every request: only names of this machine are answered.

A page of a foreign name that points to this machine (DNS rebinding) would count as of the
same origin to the browser; it is known by the name that it asks for. Headers pass as plain
ASCII, whatever was sent.
"""

import logging
import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from utils.address import host_name, is_loopback, own_names, plain_address, public_address
from utils.config import Settings
from web.limits import LogOnce
from web.proxy import Proxied
from web.wsgi import connection, refuse

log = logging.getLogger(__name__)
refusals = LogOnce(log)

HEADER_NAME = re.compile(r"HTTP_[A-Z0-9_]+")
# Nothing here is asked for in other letters, and the libraries behind break at some of them.
# Letters are replaced, not the header left out: a cookie of another program of this computer
# may stand beside the presenter's.
ODD = re.compile(r"[^\t\x20-\x7e]")
REFUSAL = (
    "This name is not one of this computer's. If it is right, name it with the setting address "
    "(--address); if a proxy stands before the program, with the setting proxy (--proxy)."
)


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
        _make_plain(environ)
        host = host_name(environ.get("HTTP_HOST", ""))
        if self._is_ours(host, environ):
            return self._app(environ, start_response)
        refusals.warn("a foreign Host name", str(environ.get("REMOTE_ADDR")))
        return refuse(start_response, "421 Misdirected Request", REFUSAL)

    def _is_ours(self, host: str, environ: WSGIEnvironment) -> bool:
        if is_loopback(host) or host in self._names:
            return True
        address = plain_address(host)
        return bool(address) and address == _reached_at(environ)


def guarded(app: WSGIApplication, settings: Settings) -> Gate:
    """An application behind the gate, and seen as the operator's proxy shows it, if any."""
    names = [settings.host, settings.address]
    if settings.proxy:
        public = public_address(settings.proxy)
        app = Proxied(app, public)
        names.append(host_name(public.host))
    return Gate(app, *names)


def _make_plain(environ: WSGIEnvironment) -> None:
    """Leave no letter in the headers that is not printable ASCII."""
    for name in [name for name in environ if name.startswith("HTTP_")]:
        if HEADER_NAME.fullmatch(name):
            environ[name] = ODD.sub("?", environ[name])
        else:
            del environ[name]


def _reached_at(environ: WSGIEnvironment) -> str:
    """The address of this machine to which the connection was made."""
    found = connection(environ)
    return plain_address(found.getsockname()[0]) if found else ""
