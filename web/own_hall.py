"""The rooms of this program, each an application of its own, and what all of them are together."""

from collections.abc import Mapping, Sequence
from wsgiref.types import WSGIApplication

from flask import Flask

from utils.errors import AppError, RequestError
from utils.live.session import Session, measure
from utils.live.sharing.shared import Operated
from utils.live.status import for_readers, in_short
from utils.messages import say
from utils.monitoring.of_room import of_room
from web.access import Links, Token


class OwnHall:
    """A `web.hall.Hall`: of the rooms of this program.

    Parameters
    ----------
    apps : of the rooms, by name
    token : of this program, from which those of the rooms are derived
    links : that make a browser an operator's
    """

    presents = True

    def __init__(self, apps: Mapping[str, Flask], token: Token, links: Links) -> None:
        self._apps, self._token, self._links = apps, token, links

    def any(self) -> bool:
        """There always are."""
        return True

    def room(self, name: str) -> WSGIApplication | None:
        """The application of a room."""
        return app.wsgi_app if (app := self._apps.get(name)) else None

    def rooms(self, operator: bool) -> list[dict]:
        """The rooms, in the order of their names."""
        tell = _seen if operator else _read
        names = sorted(self._apps, key=str.casefold)
        return [{"name": name, **tell(self._apps[name])} for name in names]

    def order(self, name: str, what: str, on: bool) -> dict:
        """Have a room do something."""
        if (app := self._apps.get(name)) is None:
            raise RequestError(say("sharing.none"))
        try:
            with of_room(name):
                _operated(app).orders[what](on)
        except RequestError:
            raise
        except AppError as err:
            raise RequestError(say("refused.value", reason=str(err))) from err
        return {"ok": True}

    def take(self, code: str) -> str | None:
        """What makes a browser an operator's of this program's rooms."""
        return self._token.for_operators() if self._links.take(code) else None

    def operates(self, secret: str | None) -> bool:
        """Whether a browser that shows this is an operator's."""
        return self._token.operates(secret)


def _operated(app: Flask) -> Operated:
    return app.extensions["operated"]


def _read(app: Flask) -> dict:
    return in_short(for_readers(app.extensions["session"].status))


def _seen(app: Flask) -> dict:
    watched = _operated(app).watched()
    idle_s = watched["idle_s"]
    return {**watched, "said_s": None if idle_s is None else round(idle_s)}


class Together:
    """How all rooms of the program go, for a monitor (`web.shown.Monitored`).

    Parameters
    ----------
    sessions : of the rooms, by name
    """

    def __init__(self, sessions: Mapping[str, Session]) -> None:
        self._sessions = sessions

    def health(self, whole: bool = True) -> dict:
        """How each room goes; the state of the one that needs somebody most stands before them."""
        rooms = {name: session.health(whole) for name, session in self._sessions.items()}
        worst = min(rooms.values(), key=lambda room: ORDER.index(room["state"]))
        return {"state": worst["state"], "message": worst["message"], "rooms": rooms}

    def alive(self) -> bool:
        """Whether no room stands so that only a new start would mend it."""
        return all(session.alive() for session in self._sessions.values())

    def ready(self) -> bool:
        """Whether captions come in every room, or would as soon as somebody presses Start."""
        return all(session.ready() for session in self._sessions.values())

    def measure(self) -> None:
        """Bring those metrics up to date that stand for now."""
        measure(list(self._sessions.values()))


ORDER: Sequence[str] = ("error", "lost", "loading", "listening", "ready")  # who needs somebody most
