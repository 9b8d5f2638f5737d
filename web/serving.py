"""Serving a room's page, or those of other computers' rooms, and the links to them."""

import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

from flask import Flask

from utils.address import ANY, redis_address, url
from utils.command_line.ending import end_on_signals
from utils.command_line.output import note, put, tell
from utils.config import Gathered, Settings
from utils.faults import cause
from utils.folders import state_folder
from utils.live.sharing.shared import Operated
from utils.setup.choices import usable
from utils.sources import FileSource
from web.access import LINK_S, TOKEN_FILE, Token
from web.link import HOLDS, forget_serving, link, note_serving, own_link
from web.server import Server, check_port


def serve(found: Gathered, create_app: Callable[[Gathered], Flask]) -> int:
    """Serve the page of a room."""
    found = usable(found)
    settings = found.settings
    if settings.source:
        FileSource(settings.source, realtime=True).close()  # a wrong path is told at once
    _prepare(settings)
    app = create_app(found)
    end_on_signals()
    with ExitStack() as ending, suppress(KeyboardInterrupt):
        ending.callback(forget_serving, state_folder())
        ending.callback(app.extensions["shared"].close)
        app.extensions["shared"].open(_operated(app))
        ending.enter_context(app.extensions["room"])
        ending.enter_context(app.extensions["session"])
        ending.callback(app.extensions["setup"].close)
        server = app.extensions["server"] = Server(settings.host, settings.port, app)
        ending.enter_context(app.extensions["care"])
        _announce(settings, app)
        server.serve_forever()
    return 0


def _prepare(settings: Settings) -> None:
    check_port(settings.host, settings.port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for each request


def _operated(app: Flask) -> Operated:
    """The room as other computers show, watch and operate it."""
    session, room = app.extensions["session"], app.extensions["room"]
    events = app.extensions["events"]
    return Operated(
        whole=room.whole,
        trouble=partial(_tell_shared, app),
        watched=lambda: {**session.watched(), "readers": events.readers()},
        orders={
            "listen": lambda on: room.start() if on else room.stop(),
            "blank": room.set_blank,
        },
    )


def _tell_shared(app: Flask, trouble: str) -> None:
    """Say on the presenter's page whether pages by other computers get what is said."""
    session = app.extensions["session"]
    if trouble:
        session.notice("sharing.waiting", reason=trouble)
    else:
        session.remark("sharing.back")


def _announce(settings: Settings, app: Flask) -> None:
    """Tell on the terminal where the captions are, and leave word for `app.py link`."""
    room, links = app.extensions["room"], app.extensions["links"]
    try:
        note_serving(state_folder(), settings, links.run)
    except OSError as err:  # captions come first
        app.extensions["session"].notice("link.missing", reason=cause(err, str(state_folder())))
    tell(f"Captions are at {_here(settings)}  (Ctrl-C ends)")
    tell(
        f"To present, open {own_link(settings.host, settings.port, links.new())}  (once, within "
        f"{LINK_S // 60} minutes; `.venv/bin/python app.py link --here` prints another)"
    )
    if room.reader_url:
        tell(f"Phones read along at {room.reader_url}")


def _here(settings: Settings) -> str:
    return url("127.0.0.1" if settings.host in ANY else settings.host, settings.port)


def serve_readers(settings: Settings, flask: Callable[[], Flask]) -> int:
    """Show rooms of other computers to readers."""
    from web.node import ROOMS_OF_READERS, create_node, open_files, watched

    open_files()
    _prepare(settings)
    app = create_node(flask, settings)
    end_on_signals()
    with suppress(KeyboardInterrupt), app.extensions["mirror"], app.extensions["rooms"]:
        server = Server(settings.host, settings.port, app, rooms=ROOMS_OF_READERS)
        told = redis_address(settings.redis)
        tell(f"Captions by {told} are at {_here(settings)}  (Ctrl-C ends)")
        with watched(app):
            server.serve_forever()
    return 0


def print_link(settings: Settings, here: bool, new: bool, monitor: bool) -> int:
    """Print a link that makes a browser the presenter's, with a new token if asked.

    Parameters
    ----------
    monitor : print what lets a monitor elsewhere read the metrics instead
    """
    token = Token(state_folder() / TOKEN_FILE)
    if new:
        token.renew()
        note("Every older link, and every browser that presented, has lost its power.")
    if monitor:
        put(f"{token.for_metrics()}\n")
        return 0
    address, told = link(state_folder(), settings.port, token, here)
    put(f"{address}\n")
    note(told)
    return 0


def print_operators_link(settings: Settings, new: bool) -> int:
    """Print a link that makes a browser an operator's, of all rooms of one Redis.

    Parameters
    ----------
    new : take the power from every older one
    """
    from web.node import operators_link

    put(f"{operators_link(settings, new)}\n")
    if new:
        note("Every older link, and every browser that operated, has lost its power.")
    note(f"Open this on the device that shall operate all rooms. {HOLDS}")
    return 0
