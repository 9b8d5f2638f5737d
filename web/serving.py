"""Serving a room's page, or those of other computers' rooms, and the links to them."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext, suppress

from flask import Flask

from utils.address import redis_address
from utils.command_line.ending import end_on_signals
from utils.command_line.output import note, put, tell
from utils.config import Gathered, Settings
from utils.folders import state_folder
from utils.monitoring.of_room import of_room
from utils.setup.choices import usable
from utils.sources import FileSource
from web.access import LINK_S, TOKEN_FILE, Token
from web.link import (
    HOLDS,
    command,
    forget_serving,
    has_rooms,
    link,
    own_link,
    tell_where,
    to_operate,
    to_present,
)
from web.server import Server, check_port


def serve(found: Gathered, create_app: Callable[[Gathered], Flask]) -> int:
    """Serve the page of a room, or of several."""
    found = usable(found)
    settings = found.settings
    if settings.source:
        FileSource(settings.source, realtime=True).close()  # a wrong path is told at once
    _prepare(settings)
    app = create_app(found)
    rooms: list[Flask] = app.extensions.get("rooms", [app])
    end_on_signals()
    with ExitStack() as ending, suppress(KeyboardInterrupt):
        ending.callback(forget_serving, state_folder())
        ending.enter_context(app.extensions.get("common", nullcontext()))
        for room in rooms:
            with of_room(room.extensions["room"].name if "rooms" in app.extensions else ""):
                _begin(room, ending)
        server = Server(settings.host, settings.port, app, rooms=len(rooms))
        for room in rooms:
            room.extensions["server"] = server
        ending.enter_context(app.extensions["care"])
        _announce(settings, app, rooms)
        server.serve_forever()
    return 0


def _begin(room: Flask, ending: ExitStack) -> None:
    """Have a room work until the end."""
    ending.callback(room.extensions["shared"].close)
    room.extensions["shared"].open(room.extensions["operated"])
    ending.enter_context(room.extensions["room"])
    ending.enter_context(room.extensions["session"])
    ending.callback(room.extensions["setup"].close)


def _prepare(settings: Settings) -> None:
    check_port(settings.host, settings.port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for each request


def _announce(settings: Settings, app: Flask, rooms: Sequence[Flask]) -> None:
    """Tell on the terminal where the captions are, and leave word for `app.py link`."""
    several = [room.extensions["room"].name for room in rooms] if "rooms" in app.extensions else []
    sessions = [room.extensions["session"] for room in rooms]
    tell_where(settings, app.extensions["links"].run, sessions, several)
    tell(f"Captions are at {own_link(settings.host, settings.port)}  (Ctrl-C ends)")
    again = f"once, within {LINK_S // 60} minutes; `{{}}` prints another"
    if several:
        path = to_operate(app.extensions["links"].new())
        how = again.format(command(operate=True))
        own = own_link(settings.host, settings.port, path)
        tell(f"To operate all rooms, open {own}  ({how})")
    for room in rooms:
        _announce_room(settings, room, bool(several), again)


def _announce_room(settings: Settings, room: Flask, is_one_of_several: bool, again: str) -> None:
    shown, links = room.extensions["room"], room.extensions["links"]
    name = shown.name if is_one_of_several else ""
    what = f"To present {name}" if name else "To present"
    how = again.format(command(name))
    own = own_link(settings.host, settings.port, to_present(links, name))
    tell(f"{what}, open {own}  ({how})")
    if shown.reader_url:
        tell(f"Phones read along at {shown.reader_url}")


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
        tell(f"Captions by {told} are at {own_link(settings.host, settings.port)}  (Ctrl-C ends)")
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
    address, told = link(state_folder(), settings, token, here)
    put(f"{address}\n")
    note(told)
    return 0


def print_operators_link(settings: Settings, here: bool, new: bool) -> int:
    """Print a link that makes a browser an operator's, of all rooms of a program or of one Redis.

    Parameters
    ----------
    here : for this computer's own browser
    new : take the power from every older one
    """
    folder = state_folder()
    if not has_rooms(folder, settings.port, elsewhere=not settings.redis):
        from web.node import operators_link

        put(f"{operators_link(settings, new)}\n")
        told = f"Open this on the device that shall operate all rooms. {HOLDS}"
    else:
        token = Token(folder / TOKEN_FILE)
        if new:
            token.renew()
        address, told = link(folder, settings, token, here, operate=True)
        put(f"{address}\n")
    if new:
        note("Every older link, and every browser that operated, has lost its power.")
    note(told)
    return 0
