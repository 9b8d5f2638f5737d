"""Saved sessions over the web: for presenters, and for readers as the room allows."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from flask import Flask, Response, abort, jsonify, request

from utils.address import network
from utils.captions.export.marks import ENGLISH, Wording
from utils.captions.transcript import DOWNLOADS
from utils.config import OFFENDING
from utils.errors import DataError
from utils.live.history import History
from utils.live.saved import SavedFile
from web.access import Token
from web.peers import peer
from web.shown import Shown
from web.turns import turns
from web.words import languages, wording

PIECES = 20  # of a text, a cue or a line each, that are made in one turn: some milliseconds

Bounded = Callable[[Callable[[], Response]], Response]
Download = Callable[[str, str, Iterable[bytes]], Response]
Refusal = Callable[[str, int], Response]


def add_saved(
    app: Flask,
    room: Shown,
    history: History,
    token: Token,
    bounded: Bounded,
    download: Download,
    refusal: Refusal,
) -> None:
    """Serve the list of saved sessions, and each of them in any form.

    Parameters
    ----------
    bounded : answers unless too much is asked for at once
    download : makes a file of a form, with a name, of blocks
    refusal : makes an answer of a sentence and a status
    """

    def admit() -> None:
        if peer(request.environ).presents(token):
            return
        if room.blank:
            abort(refusal("The screens are blank; nothing can be read now.", 403))
        if not history.open:
            abort(refusal("Saved sessions are for the presenter.", 403))

    @app.get("/saved")
    def sessions() -> Response:
        admit()
        pieces = turns.pieces(_account(), history.sessions())
        return bounded(lambda: _fresh(jsonify({"sessions": list(pieces)})))

    @app.get("/saved/<name>/<form>")
    def session(name: str, form: str) -> Response:
        admit()
        if form not in DOWNLOADS:
            abort(refusal("There is no such form.", 404))
        how = request.args.get("words", room.how_offending)
        if how not in OFFENDING:
            abort(refusal("There are no such words.", 404))
        told = asked_wording(refusal)

        def answer() -> Response:
            try:
                lines = history.lines(name)
            except DataError as err:
                abort(refusal(f"{err}.", 404))
            text = DOWNLOADS[form]((room.offending.mask(line, how) for line in lines), told)
            blocks = turns.pieces(_account(), _blocks(lines, text))
            response = download(form, name.removesuffix(".jsonl"), blocks)
            response.call_on_close(lines.close)  # where not all of it is read
            return response

        return bounded(answer)


def asked_wording(refusal: Refusal) -> Wording:
    """The words for what is known of a line, in the language that was asked for, else English.

    Parameters
    ----------
    refusal : makes an answer of a sentence and a status
    """
    found = wording(request.args.get("language", ENGLISH.language))
    if found is None:
        abort(refusal(f"There is no such language; choose {', '.join(languages())}.", 404))
    return found


def _account() -> str:
    """Who pays for long work."""
    return f"{network(peer(request.environ).address)} saved"


def _blocks(lines: SavedFile, pieces: Iterator[str]) -> Iterator[bytes]:
    """The text of a session in blocks that are quickly made."""
    with lines:
        while block := "".join(islice(pieces, PIECES)):
            yield block.encode()


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
