"""The Socket.IO events: what pages are told, and what the presenter may ask for."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from flask import Flask, request
from flask_socketio import SocketIO, emit

from utils.address import is_loopback
from utils.errors import AppError, RequestError
from utils.live.answering.phrases import LONGEST_JSON
from utils.live.kiosk import ELSEWHERE, HERE
from utils.live.session import Told
from utils.live.status import for_readers
from utils.messages import Message, say
from utils.monitoring import metrics
from utils.monitoring.of_room import same_room
from web.access import Token
from web.engine import Engine, install
from web.limits import LogOnce, TokenBucket
from web.orders import Orders
from web.peers import Peer, accepted_origin, peer
from web.publisher import PRESENTERS, READERS, WAITING, Publisher
from web.setup import SetupEvents
from web.shown import Shown
from web.turns import turns

# A page hears of a dead network by the ping that does not come: within the sum of both.
PING_S, PONG_S = 3.0, 4.5
EVENT_BYTES = LONGEST_JSON + 1_000  # the longest event is the list of quick phrases
EVENTS_A_SECOND, EVENTS_AT_ONCE = 10, 20
LOOK_S = 0.5  # between looks whether a new token was made
REFUSALS = 100  # a page that goes on after so many is disconnected

log = logging.getLogger(__name__)
refusals = LogOnce(log)


def _sid() -> str:
    """The page whose event is being taken."""
    return request.sid  # type: ignore[attr-defined]  # Flask-SocketIO puts it there


@dataclass
class _Page:
    """A connected page."""

    peer: Peer
    presenter: bool
    facing: str = ""  # where it is, if it is a screen that faces whoever speaks
    bucket: TokenBucket = field(
        default_factory=lambda: TokenBucket(EVENTS_A_SECOND, EVENTS_AT_ONCE)
    )
    refused: int = 0


class Events:
    """Sends to pages, and takes what they send.

    Parameters
    ----------
    app : the Flask application that the events go with
    token : the presenter's
    opens : whether pages can connect now
    """

    def __init__(self, app: Flask, token: Token, opens: Callable[[], bool] = lambda: True) -> None:
        self._token = token
        self._pages: dict[str, _Page] = {}
        # a page's events wait for each other, not a thread for each
        self._socketio = SocketIO(app, async_mode="threading", async_handlers=False)
        self._engine = Engine(
            accepted_origin,
            opens,
            ping_interval=PING_S,
            ping_timeout=PONG_S,
            max_http_buffer_size=EVENT_BYTES,
        )
        install(self._socketio, self._engine)
        self._publisher = Publisher(self._socketio, self._engine)
        self._told_readers: dict = {}
        self._demoting, self._announcing = threading.Lock(), threading.Lock()

    def publish(self, name: str, payload: dict) -> None:
        """Let an event be sent to every page it is for; waits for none of them."""
        if name == "status":
            self._publisher.publish(name, payload, PRESENTERS)
            told = for_readers(payload)
            if told != self._told_readers:  # most that changes is the presenter's business
                self._told_readers = told
                self._publisher.publish(name, told, READERS)
        else:
            self._publisher.publish(name, payload, *([PRESENTERS] if name == "level" else []))

    def tell_presenters(self, name: str, payload: dict) -> None:
        """Let an event be sent to presenters alone."""
        self._publisher.publish(name, payload, PRESENTERS)

    def readers(self) -> int:
        """How many readers' pages are open."""
        return self._count(metrics.READER)

    def sends(self) -> bool:
        """Whether what is told goes out to pages."""
        return self._publisher.sends()

    def announce(self) -> None:
        """Tell every page how the room is now."""
        for audience, presenter in ((PRESENTERS, True), (READERS, False)):
            with self._announcing:  # who looked earlier is not told later
                self._publisher.publish("room", self._room.state(presenter), audience)

        def end_waiting(told: Told, blank: bool) -> None:
            if not blank:
                self._publisher.end_waiting(PRESENTERS, told)
                self._publisher.end_waiting(READERS, _as_readers_get(told))

        self._room.greet(end_waiting)

    def open(self, room: Shown, orders: Orders, setup: SetupEvents | None) -> None:
        """Begin to take events for a room, and to send them.

        Parameters
        ----------
        orders : what its presenter may ask for
        setup : greets presenters; None where nobody can present
        """
        self._room, self._setup = room, setup
        for role in metrics.ROLES:
            metrics.count_pages(role, partial(self._count, role))
        self._publisher.start()
        threading.Thread(target=same_room(self._watch_token), name="token", daemon=True).start()
        self._socketio.on_event("connect", self._connect)
        self._socketio.on_event("disconnect", self._disconnect)
        for name, (kind, do) in orders.items():
            self._socketio.on_event(name, self._taker(name, kind, do))
        self._socketio.on_event("*", self._unknown)

    def _connect(self, *_: object) -> None:
        if _sid() in self._pages:  # an event of this name: the page is connected
            self._unknown()
            return
        who = peer(request.environ)
        place = HERE if is_loopback(who.address) else ELSEWHERE
        facing = place if request.args.get("facing") == "1" else ""
        page = _Page(who, who.presents(self._token), facing)
        self._pages[_sid()] = page
        metrics.PAGES_OPENED.inc()
        greeting = self._setup.greeting() if self._setup and page.presenter else []
        self._welcome(_sid(), page.presenter, *greeting)
        if facing:
            self._room.count_screen(facing, 1)

    def _welcome(self, sid: str, presenter: bool, *first: tuple[str, dict]) -> None:
        """Let a page that opens, or is of another audience now, have what it is to be told."""
        audience = PRESENTERS if presenter else READERS

        def welcome(told: Told, blank: bool) -> None:
            audiences = [audience, WAITING[audience]] if blank else [audience]
            told = told if presenter else _as_readers_get(told)
            state = partial(self._room.state, presenter)
            self._publisher.welcome(sid, audiences, state, [*first, *told])

        self._room.greet(welcome)

    def _disconnect(self, *_: object) -> None:
        if self._socketio.server.manager.is_connected(_sid(), "/"):  # an event of this name
            self._unknown()
        else:
            page = self._pages.pop(_sid(), None)
            if page and page.facing:
                self._room.count_screen(page.facing, -1)
            if self._setup:
                self._setup.left(_sid())

    def _count(self, role: str) -> int:
        """How many pages of a role are open."""
        pages = list(self._pages.values())
        return sum(page.presenter == (role == metrics.PRESENTER) for page in pages)

    def _taker(self, name: str, fields: Mapping[str, type], do: Callable) -> Callable:
        """A handler that refuses what may not be, and acknowledges the rest."""

        def take(*arguments: object) -> dict:
            try:
                self._admit(name)
                turns.leave()  # it may take its time, and is no stranger's
                do(**_checked(fields, arguments))
            except RequestError as err:
                return self._refuse(err.message)
            except AppError as err:
                # what it says may hold what was typed, which is no business of the log
                kind = f"{name!r}, which cannot be done ({type(err).__name__})"
                refusals.warn(kind, self._pages[_sid()].peer.address)
                return self._refuse(say("refused.value", reason=str(err)))
            return {"ok": True}

        return take

    def _unknown(self, *_: object) -> None:
        """An event that is none of ours is of no interest, but counts."""
        try:
            self._admit("unknown events")
        except RequestError as err:
            self._refuse(err.message)

    def _admit(self, name: str) -> None:
        """Refuse a page that sends too much, or that does not present."""
        page = self._pages[_sid()]
        if not page.bucket.take():
            refusals.warn("a flood of events", page.peer.address)
            raise RequestError(say("refused.flood"))
        self._see_token(_sid(), page)
        if not (page.presenter or (name == "answer" and self._room.answers)):
            refusals.warn(f"{name!r} without the presenter's token", page.peer.address)
            raise RequestError(say("refused.presenter"))

    def _watch_token(self) -> None:
        """Take the controls away, by themselves, from pages that present by an old token."""
        pause = threading.Event()
        while not pause.wait(LOOK_S):
            try:
                for sid, page in list(self._pages.items()):
                    self._see_token(sid, page)
            except Exception:  # the next look may go well
                log.exception("looking after the presenter's token failed")

    def _see_token(self, sid: str, page: _Page) -> None:
        """Make a page a reader's where a new token was made since it was let in."""
        with self._demoting:
            if not page.presenter or page.peer.presents(self._token):
                return
            page.presenter = False
        for room in (PRESENTERS, WAITING[PRESENTERS]):
            self._socketio.server.leave_room(sid, room, namespace="/")
        self._welcome(sid, False)

    def _refuse(self, message: Message) -> dict:
        page = self._pages[_sid()]
        page.refused += 1
        if page.refused > REFUSALS:
            refusals.warn("a page that goes on after many refusals", page.peer.address)
            self._engine.disconnect(self._socketio.server.manager.eio_sid_from_sid(_sid(), "/"))
        answer = message.to_dict()
        emit("refused", {name: answer[name] for name in ("code", "message")})
        return {"ok": False, "code": answer["code"], "message": answer["message"]}


def _as_readers_get(told: Told) -> Told:
    return [(name, for_readers(event) if name == "status" else event) for name, event in told]


def _checked(fields: Mapping[str, type], arguments: tuple[object, ...]) -> dict:
    """The fields of a payload that are expected, each of its type."""
    payload = arguments[0] if arguments and isinstance(arguments[0], dict) else {}
    for name, kind in fields.items():
        if type(payload.get(name)) is not kind:
            reason = f"expected {name} as {kind.__name__}, not {payload.get(name)!r:.40}"
            raise RequestError(say("refused.value", reason=reason))
    return {name: payload[name] for name in fields}
