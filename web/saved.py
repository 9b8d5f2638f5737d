"""Saved sessions over the web: for presenters, and for readers as the room allows."""

from collections.abc import Callable

from flask import Flask, Response, abort, jsonify, request

from utils.captions.transcript import FORMATS
from utils.config import OFFENDING
from utils.errors import DataError
from utils.live.room import Room
from web.access import Token
from web.peers import peer

Bounded = Callable[[Callable[[], Response]], Response]
Download = Callable[[str, str, tuple[bytes, ...]], Response]
Refusal = Callable[[str, int], Response]


def add_saved(
    app: Flask, room: Room, token: Token, bounded: Bounded, download: Download, refusal: Refusal
) -> None:
    """Serve the list of saved sessions, and each of them in any form.

    Parameters
    ----------
    bounded : answers unless too much is asked for at once
    download : makes a file of a form, with a name, of blocks
    refusal : makes an answer of a sentence and a status
    """

    def admit() -> None:
        if not (room.history.open or peer(request.environ).presents(token)):
            abort(refusal("Saved sessions are for the presenter.", 403))

    @app.get("/saved")
    def sessions() -> Response:
        admit()
        return bounded(lambda: _fresh(jsonify({"sessions": room.history.sessions()})))

    @app.get("/saved/<name>/<form>")
    def session(name: str, form: str) -> Response:
        admit()
        if form not in FORMATS or form == "jsonl":
            abort(refusal("There is no such form.", 404))
        how = request.args.get("words", room.how_offending)
        if how not in OFFENDING:
            abort(refusal("There are no such words.", 404))

        def answer() -> Response:
            try:
                lines = room.history.lines(name)
            except DataError as err:
                abort(refusal(f"{err}.", 404))
            text = FORMATS[form](room.offending.mask(line, how) for line in lines)
            return download(form, name.removesuffix(".jsonl"), (("".join(text)).encode(),))

        return bounded(answer)


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
