"""What came through the operator's own proxy, seen as the browser sees it."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from utils.address import Public, host_name, is_loopback, plain_address


class Proxied:
    """WSGI middleware between the gate and the program, where a proxy stands before them.

    The page's addresses are relative, so nothing needs to be known of the way there but for
    three things: to which origin the program belongs (a proxy that ends TLS keeps it to
    itself), the part of the path that a proxy does not take away, and who asks. Nobody gets
    any right by them.

    Parameters
    ----------
    app : the program
    public : address under which the proxy shows it
    """

    def __init__(self, app: WSGIApplication, public: Public) -> None:
        self._app = app
        self._public = public

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        public = self._public
        if environ.get("HTTP_ORIGIN") == public.origin:
            environ |= {"wsgi.url_scheme": public.scheme, "HTTP_HOST": public.host}
        path = environ["PATH_INFO"]
        if public.prefix and path == public.prefix:  # relative addresses need the slash
            start_response("308 Permanent Redirect", [("Location", f"{public.prefix}/")])
            return []
        if public.prefix and path.startswith(f"{public.prefix}/"):
            environ["SCRIPT_NAME"] = public.prefix
            environ["PATH_INFO"] = path.removeprefix(public.prefix)
        # The proxy names who asks; of the rest of what it may say nothing is taken from it. Others
        # than this computer's own could name anybody.
        if is_loopback(str(environ.get("REMOTE_ADDR", ""))):
            asks = _last_address(environ.get("HTTP_X_FORWARDED_FOR", ""))
            environ["REMOTE_ADDR"] = asks or environ["REMOTE_ADDR"]
        return self._app(environ, start_response)


def _last_address(forwarded: str) -> str:
    """The last in a list of addresses, in one form, so that who asks is one; "" where it is none.

    >>> _last_address("10.0.0.1, [2001:DB8:0::7]:5123")
    '2001:db8::7'
    """
    last = forwarded.rpartition(",")[2].strip()
    return plain_address(last) or plain_address(host_name(last))
