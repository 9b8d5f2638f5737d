"""The pages and files that are fetched by address."""

import io
import logging
from datetime import datetime

import segno
from flask import Flask, Response, abort, redirect, render_template, request

from utils.access import Token
from utils.limits import LogOnce
from utils.room import Room
from utils.transcript import FORMATS
from web.peers import cookie_name, peer
from web.words import languages

COOKIE_S = 30 * 24 * 3600
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
}

log = logging.getLogger(__name__)
refusals = LogOnce(log)


def add_pages(app: Flask, room: Room, token: Token, language: str) -> None:
    """Serve the page, the reader's view, exports and health."""

    def show() -> str:
        return render_template("index.html", language=language, languages=languages())

    @app.get("/")
    def page() -> Response | str:
        if (given := request.args.get("token")) is not None:
            return _admit(token, given)
        return show()

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
        if room.session.board.blank and not peer(request.environ).presents(token):
            abort(_text("The screens are blank; nothing can be read now.", 403))
        return _download(form, "".join(FORMATS[form](room.session.board.final_lines())))

    @app.get("/health")
    def health() -> dict:
        return room.session.health()

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _admit(token: Token, given: str) -> Response:
    """Make a browser the presenter's, and take the token out of its address line."""
    if not token.matches(given):
        refusals.warn("a wrong token", request.remote_addr or "")
        abort(_text("This link holds no more. `python app.py link` prints one that does.", 403))
    response = redirect("/", code=303)
    response.set_cookie(
        cookie_name(str(request.environ.get("SERVER_PORT", ""))), given,
        max_age=COOKIE_S, httponly=True, samesite="Strict", secure=request.is_secure,
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    return response


def _svg(url: str) -> Response:
    """A QR code with the quiet zone that readers need, black on white in any theme."""
    svg = io.BytesIO()
    segno.make(url, micro=False, error="m").save(
        svg, kind="svg", border=4, light="#fff", xmldecl=False, omitsize=True, title=url
    )
    response = Response(svg.getvalue(), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "no-store"
    return response


def _download(form: str, text: str) -> Response:
    name = datetime.now().strftime(f"captions-%Y-%m-%d-%H%M.{form}")
    response = Response(text, content_type=f"{TYPES[form]}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"  # nothing is kept unless asked
    return response


def _text(sentence: str, status: int) -> Response:
    return Response(f"{sentence}\n", status, content_type="text/plain; charset=utf-8")
