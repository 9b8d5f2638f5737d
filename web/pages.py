"""The pages and files that are fetched by address."""

from flask import Flask, Response, redirect, render_template, request
from werkzeug.exceptions import Forbidden

from utils.access import Token
from utils.room import Room
from web.peers import cookie_name

COOKIE_S = 30 * 24 * 3600
# Everything comes from this server; a caption can never become script.
CONTENT_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def add_pages(app: Flask, room: Room, token: Token, language: str) -> None:
    """Serve the page, the reader's view, exports and health."""

    @app.get("/")
    def page() -> Response | str:
        if (given := request.args.get("token")) is not None:
            return _admit(token, given)
        return render_template("index.html", language=language)

    @app.get("/read")
    def read() -> str:
        return render_template("index.html", language=language)

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
        raise Forbidden("This link does not hold any more. `python app.py link` prints a new one.")
    response = redirect("/", code=303)
    response.set_cookie(
        cookie_name(str(request.environ.get("SERVER_PORT", ""))), given,
        max_age=COOKIE_S, httponly=True, samesite="Strict", secure=request.is_secure,
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    return response
