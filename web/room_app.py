"""The page of one room, its events, and what stands behind them, put together."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import Flask

from utils.captions.offending import OffendingWords, own_list
from utils.config import Gathered, Settings
from utils.errors import DataError
from utils.folders import cache_folder, config_folder, data_folder, state_folder
from utils.live.answering.phrases import Phrases
from utils.live.board import Board
from utils.live.care import Care
from utils.live.engines import Engines
from utils.live.loader import Progress
from utils.live.mending.remembered import Remembered, remembered_list
from utils.live.resume import Resume
from utils.live.room import Room
from utils.live.session import Session
from utils.live.sharing.shared import Operated, share
from utils.setup.choices import Choices
from utils.setup.first import First
from utils.setup.settings_file import SettingsFile
from utils.setup.setup import Around, Setup
from utils.setup.speed import Speeds
from utils.sources import FileSource, MicrophoneSource, Source
from web.access import TOKEN_FILE, Links, Token
from web.events import Events
from web.gate import guarded
from web.link import below, reader_url
from web.orders import room_orders
from web.pages import add_pages
from web.setup import SetupEvents, serve_at

SET_UP = "set-up"  # in the state folder: nobody need be greeted any more

# Settings, how far it is, and the number of the first line.
Load = Callable[[Settings, Progress, int], Engines]


@dataclass(frozen=True)
class Among:
    """What a room is among the rooms of its program.

    Parameters
    ----------
    name : below which it has its address and keeps what is its own; "" for the only one
    names : of all of them, where they are several
    remembered : words that the recogniser had wrong, in whichever room
    run : name of the run of the program, which is in its links; "" for a run that begins now
    """

    name: str = ""
    names: tuple[str, ...] = ()
    remembered: Remembered = field(default_factory=lambda: Remembered(remembered_list()))
    run: str = ""

    def kept(self, folder: Path) -> Path:
        """Where a room keeps what is its own, of what the program keeps in a folder."""
        return folder / self.name

    def called(self, file: str) -> str:
        """What a file is called that each room has one of."""
        return f"{file}-{self.name}" if self.name else file


def add_only_room(app: Flask, found: Gathered, file: Path, load: Load) -> Flask:
    """Add the page of the only room of the program; parameters as of `add_room`."""
    add_room(app, found, file, load, Among())
    guard = guarded(app.wsgi_app, found.settings)
    app.wsgi_app = guard  # type: ignore[method-assign]  # Flask's way
    app.extensions["care"] = care_for([app], found.settings)
    return app


def add_room(app: Flask, found: Gathered, file: Path, load: Load, among: Among) -> Flask:
    """Add the page and its events; nothing is loaded, nor looked after, until it is served.

    Serve it with `web.server.Server`, which gives WebSocket its connection,
    within `app.extensions["session"]` and `app.extensions["room"]`, which are context managers.

    Parameters
    ----------
    file : the settings file, which the set-up on the page writes
    load : brings what captions are made with
    among : the rooms of the program
    """
    settings = found.settings
    choices = Choices(found, SettingsFile(file))
    token = Token(state_folder() / TOKEN_FILE, among.name)
    events = Events(app, token)
    shared = share(settings.redis, settings.room)
    earlier = shared.earlier()

    def publish(name: str, payload: dict) -> None:
        events.publish(name, payload)
        shared.publish(name, payload)

    announcing = threading.Lock()

    def announce() -> None:
        events.announce()
        with announcing:  # who looked earlier is not told later
            shared.publish("room", room.state(False))

    board = Board(publish)
    if earlier:
        board.restore(earlier.lines)
        board.set_blank(earlier.blank)
    resume = Resume(state_folder() / among.called(f"listening-{settings.port}"))
    next_segment = earlier.next_segment if earlier else 0
    session = Session(
        load=lambda progress: load(choices.settings, progress, next_segment),
        open_source=lambda start: setup.opens(start),
        board=board,
        publish=publish,
        listen=settings.listen or resume.wanted(),
        resume=resume,
        earlier=earlier,
    )
    room = _room(settings, session, board, announce, among)
    setup = _setup(app, found, choices, (session, room), events, announce, among)
    greeting = SetupEvents(setup)
    orders = {} if among.name else greeting.orders()  # what is set up here is of all rooms
    events.open(room, {**room_orders(room), **orders}, greeting)
    _begin(session, room, settings, choices, among)
    if token.problem:
        session.notice("link.missing", reason=token.problem)
    links = Links(token, among.run)
    add_pages(app, room, token, links, settings.language, room.history)
    app.extensions |= {"session": session, "board": board, "room": room, "links": links}
    app.extensions |= {"setup": setup, "shared": shared, "events": events}
    app.extensions["operated"] = _operated(session, room, events)
    return app


def care_for(apps: Sequence[Flask], settings: Settings) -> Care:
    """The watch over the program and its rooms."""
    return Care(
        [app.extensions["session"] for app in apps],
        lambda: all(app.extensions["events"].sends() for app in apps),
        _saving_folder(settings),
        settings.memory_limit * 1_000_000,
    )


def _operated(session: Session, room: Room, events: Events) -> Operated:
    """The room as it is shown, watched and operated from elsewhere."""

    def trouble(reason: str) -> None:
        if reason:
            session.notice("sharing.waiting", reason=reason)
        else:
            session.remark("sharing.back")

    return Operated(
        whole=room.whole,
        trouble=trouble,
        watched=lambda: {**session.watched(), "readers": events.readers()},
        orders={
            "listen": lambda on: room.start() if on else room.stop(),
            "blank": room.set_blank,
        },
    )


def _room(
    settings: Settings, session: Session, board: Board, announce: Callable[[], None], among: Among
) -> Room:
    own = config_folder() / "rooms" / among.name if among.name else config_folder()
    room = Room(
        session,
        board,
        announce,
        phrases=Phrases(own / "phrases.json", settings.language),
        remembered=among.remembered,
        offending=OffendingWords(own_list()),
        saving_folder=among.kept(_saving_folder(settings)),
        reader_url=reader_url(settings, f"{below(among.name)}/read"),
        language=settings.language,
    )
    room.name = settings.room
    return room


def _saving_folder(settings: Settings) -> Path:
    return Path(os.path.expanduser(settings.save or data_folder() / "captions"))


def _setup(
    app: Flask,
    found: Gathered,
    choices: Choices,
    parts: tuple[Session, Room],
    events: Events,
    announce: Callable[[], None],
    among: Among,
) -> Setup:
    def opens(name: str, start: int) -> Source:
        only = bool(among.name)  # its microphone went, and the next may be another room's
        return open_source(replace(choices.settings, microphone=name), start, only)

    around = Around(
        *parts,
        opens,
        events.tell_presenters,
        announce,
        lambda chosen: serve_at(app, chosen),
        among.kept(_saving_folder(found.settings)),
        among.names,
    )
    by_hand = choices.file.path.exists() or choices.settings.source
    greeted = First(state_folder() / SET_UP, wanted=not by_hand)
    return Setup(found, choices, greeted, Speeds(cache_folder() / "speeds.json"), around)


def _begin(
    session: Session, room: Room, settings: Settings, choices: Choices, among: Among
) -> None:
    """The room as the settings have it."""
    room.set_clear_after(settings.clear_after)
    room.set_offending(settings.offending)
    # what the file says of them is for every room
    keep = choices.file.put if not among.name else lambda values: None
    room.kiosk.begin(settings.locked, settings.answers, keep)
    if settings.save:
        try:
            room.set_saving(True)
        except DataError as err:  # captions come first
            session.notice("saving.failed", reason=str(err))


def open_source(settings: Settings, start: int, only: bool = False) -> Source:
    """The microphone, counting samples from `start`, or the recording that stands in for it.

    Parameters
    ----------
    only : no other microphone is to be heard in its place, as it may be another room's
    """
    if settings.source:
        return FileSource(settings.source, realtime=True, start=start)
    return MicrophoneSource(settings.microphone_device, start=start, only=only)
