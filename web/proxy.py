"""What came through the operator's own proxy, seen as the browser sees it."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.middleware.proxy_fix import ProxyFix

from utils.address import Public, is_loopback


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
        # The proxy names who asks; of the rest of what it may say nothing is taken from it.
        self._named = ProxyFix(app, x_for=1, x_proto=0, x_host=0, x_port=0, x_prefix=0)

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
        # Others than this computer's own proxy could name anybody.
        own = is_loopback(str(environ.get("REMOTE_ADDR", "")))
        return (self._named if own else self._app)(environ, start_response)
