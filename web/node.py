"""Pages for readers of a room that another computer captions.

A node keeps nothing that Redis does not have, so that any number of them may stand side by side,
come and go. Nobody presents here: the room's own page does that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace

from flask import Flask
from redis import Redis

from utils.captions.offending import OffendingWords, own_list
from utils.config import Settings
from utils.errors import ConfigError
from utils.folders import state_folder
from utils.live.pulse import Pulse
from utils.live.sharing import operators
from utils.live.sharing.mirror import Mirror
from utils.live.sharing.server import TROUBLE, Keys, connect, reason
from utils.monitoring import systemd
from web.access import TOKEN_FILE, Links, Token
from web.events import Events
from web.gate import guarded
from web.link import below, own_link, reader_url, to_operate
from web.pages import add_pages
from web.redis_hall import RedisHall
from web.rooms import Rooms

ROOMS_OF_READERS = 5  # for which one node has place: 2,000 pages of one address, as of a proxy
FILES = 8192  # a page is one, and systems allow 1,024 to a program that does not ask for more


def open_files() -> None:
    """Ask the system for as many open files as a node has pages, as far as it lets."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(least, wanted), most))


@contextmanager
def watched(app: Flask) -> Iterator[None]:
    """Tell systemd that a node serves, and, for as long as captions go out, that it still does."""
    works: Callable[[], bool] = app.extensions["works"]

    def beat(_still_s: float) -> None:
        if works():
            systemd.notify("WATCHDOG=1")

    pulse = Pulse(beat)
    systemd.notify("READY=1")
    pulse.start()
    try:
        yield
    finally:
        systemd.notify("STOPPING=1")
        pulse.close()


def operators_link(settings: Settings, new: bool) -> str:
    """A link that makes a browser an operator's, at a node that is served as the settings say.

    Parameters
    ----------
    new : take the power from every older one

    Raises
    ------
    ConfigError : no Redis is named, or it is away
    """
    server = _server(settings)
    try:
        if new:
            operators.end_all(server)
        path = to_operate(operators.new_code(server))
    except TROUBLE as err:
        raise ConfigError(f"no link can be made: {reason(err)}") from err
    return reader_url(settings, path) or own_link(settings.host, settings.port, path)


def _server(settings: Settings) -> Redis:
    if not settings.redis:
        raise ConfigError("no Redis is named: give --redis redis://10.0.0.5:6379")
    return connect(settings.redis)


class ReadersOnly(Token):
    """A token that lets a monitor read the metrics, and makes nobody a presenter."""

    def matches(self, given: str | None) -> bool:
        """Nobody presents at a node, whatever is shown."""
        return False

    def operates(self, given: str | None) -> bool:
        """Nor does an operator, whose cookie is another one here."""
        return False


def create_node(make: Callable[[], Flask], settings: Settings) -> Flask:
    """Make the pages and their events; nothing is followed until the mirror is entered.

    Serve it with `web.server.Server`, within `app.extensions["mirror"]` and
    `app.extensions["rooms"]`, which are context managers.

    Parameters
    ----------
    make : a new application, which has the project's templates and files

    Raises
    ------
    ConfigError : no Redis is named
    """
    server = _server(settings)
    token = ReadersOnly(state_folder() / TOKEN_FILE)

    def room(name: str, path: str) -> Flask:
        return _room(make(), replace(settings, room=name), server, token, path)

    app = room(settings.room, "/read")
    app.extensions["rooms"] = nullcontext()
    if not settings.room:
        hall = RedisHall(server, lambda name: room(name, f"{below(name)}/read"))
        app.extensions["rooms"] = hall
        app.wsgi_app = Rooms(app, hall)  # type: ignore[method-assign]  # Flask's way
    app.wsgi_app = guarded(app.wsgi_app, settings)  # type: ignore[method-assign]
    return app


def _room(app: Flask, settings: Settings, server: Redis, token: Token, path: str) -> Flask:
    """The pages of one room.

    Parameters
    ----------
    path : where its readers are
    """
    events = Events(app, token, lambda: mirror.known)
    mirror = Mirror(
        server,
        Keys(settings.room),
        events.publish,
        events.announce,
        OffendingWords(own_list()),
        reader_url(settings, path),
        events.readers,
    )
    events.open(mirror, {}, None)
    add_pages(app, mirror, token, Links(token), settings.language, None, known=lambda: mirror.known)
    app.extensions["mirror"] = mirror
    app.extensions["works"] = lambda: mirror.alive() and events.sends()
    return app
