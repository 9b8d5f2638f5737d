"""The pages and files that are fetched by address."""

import io
import logging
from collections.abc import Callable, Iterable
from datetime import datetime

import segno
from flask import Flask, Response, abort, render_template, request

from utils.captions.export.document import document
from utils.config import OFFENDING
from utils.live.history import History
from utils.messages import say
from utils.monitoring import metrics
from web.access import Links, Token
from web.limits import AtOnce, Buckets, LogOnce
from web.link import command
from web.manifest import add_manifest
from web.peers import accepted_origin, cookie_name, is_here, peer
from web.saved import add_saved, asked_wording
from web.shown import Monitored, Shown
from web.words import languages

COOKIE_S = 30 * 24 * 3600  # from the last time that a page was open
CODE_BYTES = 200  # a link's code has 77
# Everything comes from this server; a caption can never become script.
CONTENT_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
TYPES = {
    "txt": "text/plain",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "json": "application/json",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

# A room of phones that all want to keep what was said may come from one address.
EXPORTS_A_SECOND, EXPORTS_AT_ONCE = 2, 30
EXPORTS_OF_AN_ADDRESS, EXPORTS_IN_ALL = 20, 40  # that are being sent

log = logging.getLogger(__name__)
refusals = LogOnce(log)


def add_pages(
    app: Flask,
    room: Shown,
    token: Token,
    links: Links,
    language: str,
    history: History | None,
    known: Callable[[], bool] = lambda: True,
) -> None:
    """Serve the page, the reader's view, exports and health; let presenters in.

    Parameters
    ----------
    history : the saved sessions; None where none can be here
    known : whether pages can connect now
    """

    asked = Buckets(EXPORTS_A_SECOND, EXPORTS_AT_ONCE)
    sent = AtOnce(EXPORTS_OF_AN_ADDRESS, EXPORTS_IN_ALL)

    def bounded(make: Callable[[], Response]) -> Response:
        """An answer that may be long, unless too much is asked for at once."""
        address = peer(request.environ).address
        if not (asked.take(address) and sent.take(address)):
            refusals.warn("more exports at once", address)
            abort(_text("Too many exports at once. Wait a moment.", 429))
        try:
            response = make()
        except BaseException:
            sent.give_back(address)
            raise
        response.call_on_close(lambda: sent.give_back(address))
        return response

    def download(form: str, name: str, blocks: Iterable[bytes]) -> Response:
        """A file; the paragraphs of a document are put together here."""
        whole = (document(blocks, language),) if form == "docx" else blocks
        return _download(form, name, whole)

    def show() -> str:
        return render_template("index.html", language=language, languages=languages())

    @app.get("/")
    def page() -> str:
        return show()

    @app.post("/present")
    def present() -> Response | tuple[dict, int]:
        return _admit(token, links)

    @app.post("/reach")
    def reach() -> dict:
        return _unreachable() if known() else say("unreachable.sharing").to_dict()

    @app.get("/facing")
    @app.get("/overlay")
    @app.get("/read")
    def read() -> str:
        return show()

    @app.get("/qr.svg")
    def code() -> Response:
        if room.reader_url is None:
            abort(_text("Phones cannot reach this computer; start with --host 0.0.0.0.", 404))
        return _svg(room.reader_url)

    @app.get("/export/<form>")
    def export(form: str) -> Response:
        if form not in TYPES:
            abort(_text(f"There is no such export; choose {', '.join(TYPES)}.", 404))
        how = request.args.get("words")
        if how is not None and how not in OFFENDING:
            abort(_text(f"There are no such words; choose {', '.join(OFFENDING)}.", 404))
        told = asked_wording(_text)
        if room.blank and not peer(request.environ).presents(token):
            abort(_text("The screens are blank; nothing can be read now.", 403))
        name = datetime.now().strftime("captions-%Y-%m-%d-%H%M")
        return bounded(lambda: download(form, name, room.export(form, how, told)))

    add_manifest(app)
    if history is not None:
        add_saved(app, room, history, token, bounded, download, _text)

    @app.get("/offending")
    def offending() -> dict:
        return {"pattern": room.offending.script_pattern()}

    add_health(app, room.monitored, token)
    protect(app)


def add_health(app: Flask, monitored: Monitored, token: Token) -> None:
    """Serve what monitors ask."""

    @app.get("/health")
    def health() -> dict:
        return monitored.health(whole=_may_measure(token))

    @app.get("/health/live")
    def live() -> tuple[dict, int]:
        return _yes_or_no("live", monitored.alive())

    @app.get("/health/ready")
    def ready() -> tuple[dict, int]:
        health = monitored.health(whole=_may_measure(token))
        why = {name: health[name] for name in ("state", "message")}
        return _yes_or_no("ready", monitored.ready(), **why)

    @app.get("/metrics")
    def numbers() -> Response:
        if not _may_measure(token):
            refusals.warn("metrics without a token", request.remote_addr or "")
            abort(_text("Metrics are for this computer, the presenter and who has a token.", 403))
        monitored.measure()
        return Response(metrics.shown(), content_type=metrics.CONTENT_TYPE)


def protect(app: Flask) -> None:
    """Have browsers take nothing but what comes from here."""

    @app.after_request
    def protected(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _yes_or_no(name: str, answer: bool, **why: str) -> tuple[dict, int]:
    return {name: answer, **why}, 200 if answer else 503


def _may_measure(token: Token) -> bool:
    """Whether who asks may see numbers: from this computer itself, or by a token."""
    if is_here(request.environ):
        return True
    by_cookie = peer(request.environ).presents(token)
    return by_cookie or token.reads_metrics(request.headers.get("Authorization", ""))


def _admit(token: Token, links: Links) -> Response | tuple[dict, int]:
    """Make a browser the presenter's for the code of a link, or let it be so for longer."""
    request.max_content_length = CODE_BYTES
    code = request.get_data().decode("ascii", "replace")
    if not (links.take(code) if code else peer(request.environ).presents(token)):
        refusals.warn("a link that holds no more", request.remote_addr or "")
        again = command(token.room, is_here(request.environ))
        return say("refused.link", command=again).to_dict(), 403
    response = Response(status=204)
    response.set_cookie(
        cookie_name(request.environ),
        token.cookie(),
        # no path: behind a proxy only the browser knows where it is, and takes that
        max_age=COOKIE_S,
        path=None,
        httponly=True,
        samesite="Strict",
        secure=request.is_secure,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _unreachable() -> dict:
    """Why a page that gets this answer cannot connect; something stands between."""
    origin = request.headers.get("Origin", "")
    if not accepted_origin(origin, request.environ):
        return say("unreachable.origin", origin=origin).to_dict()
    return say("unreachable.socket").to_dict()


def _svg(url: str) -> Response:
    """A QR code with the quiet zone that readers need, black on white in any theme."""
    svg = io.BytesIO()
    segno.make(url, micro=False, error="m").save(
        svg, kind="svg", border=4, light="#fff", xmldecl=False, omitsize=True, title=url
    )
    response = Response(svg.getvalue(), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "no-store"
    return response


def _download(form: str, name: str, blocks: Iterable[bytes]) -> Response:
    charset = "" if form == "docx" else "; charset=utf-8"
    response = Response(blocks, content_type=TYPES[form] + charset)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response.headers["Cache-Control"] = "no-store"  # nothing is kept unless asked
    return response


def _text(sentence: str, status: int) -> Response:
    return Response(f"{sentence}\n", status, content_type="text/plain; charset=utf-8")
