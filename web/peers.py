"""Who is on the other end of a request."""

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.http import parse_cookie

from utils.access import Token
from utils.address import host_name, is_loopback

FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP")


@dataclass(frozen=True)
class Peer:
    """The other end of a request or a connection.

    Parameters
    ----------
    address : where it comes from
    local : a browser of this very machine that asked for this machine. A page of a foreign
        name that was made to point here asks for that name, and a proxy names its client;
        neither is local.
    token : that it shows, if any
    """

    address: str
    local: bool
    token: str | None

    def presents(self, token: Token) -> bool:
        """Whether it may do what only the presenter may, as of now."""
        return self.local or token.matches(self.token)


def cookie_name(port: str) -> str:
    """The name of the presenter's cookie; browsers keep cookies by host, not by port."""
    return f"presenter_{port}"


def peer(environ: Mapping[str, object]) -> Peer:
    """Who sends a request, from its WSGI environment."""
    address = str(environ.get("REMOTE_ADDR", ""))
    host = host_name(str(environ.get("HTTP_HOST", "")))
    forwarded = any(name in environ for name in FORWARDED)
    cookies = parse_cookie(str(environ.get("HTTP_COOKIE", "")))
    return Peer(
        address=address,
        local=is_loopback(address) and is_loopback(host) and not forwarded,
        token=cookies.get(cookie_name(str(environ.get("SERVER_PORT", "")))),
    )
