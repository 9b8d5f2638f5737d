"""Who is on the other end of a request."""

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.http import parse_cookie

from utils.address import is_loopback
from web.access import Token

FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")  # what a proxy adds


@dataclass(frozen=True)
class Peer:
    """The other end of a request or a connection.

    Parameters
    ----------
    address : where it comes from
    cookie : the presenter's, if it shows one
    operator : that of who operates several rooms
    """

    address: str
    cookie: str | None
    operator: str | None = None

    def presents(self, token: Token) -> bool:
        """Whether it may do what only the presenter may, as of now."""
        return token.matches(self.cookie) or token.operates(self.operator)


OPERATOR = "operator"  # the cookie of who operates several rooms, at whatever node


def cookie_name(environ: Mapping[str, object]) -> str:
    """The name of the presenter's cookie; browsers keep cookies by host, not by port."""
    return f"presenter_{environ.get('SERVER_PORT', '')}"


def peer(environ: Mapping[str, object]) -> Peer:
    """Who sends a request, from its WSGI environment."""
    cookies = parse_cookie(str(environ.get("HTTP_COOKIE", "")))
    return Peer(
        address=str(environ.get("REMOTE_ADDR", "")),
        cookie=cookies.get(cookie_name(environ)),
        operator=cookies.get(OPERATOR),
    )


def is_here(environ: Mapping[str, object]) -> bool:
    """Whether a request comes from this computer itself.

    A proxy that hands on what others ask for says so; where it does not, they seem to be local.
    """
    handed_on = any(f"HTTP_{name.upper().replace('-', '_')}" in environ for name in FORWARDED)
    return is_loopback(str(environ.get("REMOTE_ADDR", ""))) and not handed_on


def accepted_origin(origin: str | None, environ: Mapping[str, object]) -> bool:
    """Whether a page of this origin may connect: only one that was fetched from here may.

    Browsers always name one; who names none is no page, and is no danger to anybody's browser.
    """
    return not origin or origin == f"{environ.get('wsgi.url_scheme')}://{environ.get('HTTP_HOST')}"
