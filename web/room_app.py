"""The page of one room, its events, and what stands behind them, put together."""

import os
from collections.abc import Callable
from dataclasses import replace
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
from utils.live.sharing.shared import share
from utils.setup.choices import Choices
from utils.setup.first import First
from utils.setup.settings_file import SettingsFile
from utils.setup.setup import Around, Setup
from utils.setup.speed import Speeds
from utils.sources import FileSource, MicrophoneSource, Source
from web.access import TOKEN_FILE, Links, Token
from web.events import Events
from web.gate import guarded
from web.link import reader_url
from web.orders import room_orders
from web.pages import add_pages
from web.setup import SetupEvents, serve_at

SET_UP = "set-up"  # in the state folder: nobody need be greeted any more

# Settings, how far it is, and the number of the first line.
Load = Callable[[Settings, Progress, int], Engines]


def add_room(app: Flask, found: Gathered, file: Path, load: Load) -> Flask:
    """Add the page and its events; nothing is loaded, nor looked after, until it is served.

    Serve it with `web.server.Server`, which gives WebSocket its connection,
    within `app.extensions["session"]` and `app.extensions["room"]`, which are context managers.

    Parameters
    ----------
    file : the settings file, which the set-up on the page writes
    load : brings what captions are made with
    """
    settings = found.settings
    choices = Choices(found, SettingsFile(file))
    token = Token(state_folder() / TOKEN_FILE)
    events = Events(app, token)
    shared = share(settings.redis, settings.room)
    earlier = shared.earlier()

    def publish(name: str, payload: dict) -> None:
        events.publish(name, payload)
        shared.publish(name, payload)

    def announce() -> None:
        events.announce()
        shared.publish("room", room.state(False))

    board = Board(publish)
    if earlier:
        board.restore(earlier.lines)
        board.set_blank(earlier.blank)
    resume = Resume(state_folder() / f"listening-{settings.port}")
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
    room = _room(settings, session, board, announce)
    setup = _setup(app, found, choices, (session, room), events, announce)
    greeting = SetupEvents(setup)
    events.open(room, {**room_orders(room), **greeting.orders()}, greeting)
    _begin(session, room, settings, choices)
    if token.problem:
        session.notice("link.missing", reason=token.problem)
    links = Links(token)
    add_pages(app, room, token, links, settings.language, room.history)
    app.wsgi_app = guarded(app.wsgi_app, settings)  # type: ignore[method-assign]  # Flask's way
    folder = _saving_folder(settings)
    care = Care(session, events.sends, folder, settings.memory_limit * 1_000_000)
    app.extensions |= {"session": session, "board": board, "room": room, "links": links}
    app.extensions |= {"care": care, "setup": setup, "shared": shared, "events": events}
    return app


def _room(settings: Settings, session: Session, board: Board, announce: Callable[[], None]) -> Room:
    room = Room(
        session,
        board,
        announce,
        phrases=Phrases(config_folder() / "phrases.json", settings.language),
        remembered=Remembered(remembered_list()),
        offending=OffendingWords(own_list()),
        saving_folder=_saving_folder(settings),
        reader_url=reader_url(settings),
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
) -> Setup:
    around = Around(
        *parts,
        lambda name, start: open_source(replace(choices.settings, microphone=name), start),
        events.tell_presenters,
        announce,
        lambda chosen: serve_at(app, chosen),
        _saving_folder(found.settings),
    )
    by_hand = choices.file.path.exists() or choices.settings.source
    greeted = First(state_folder() / SET_UP, wanted=not by_hand)
    return Setup(found, choices, greeted, Speeds(cache_folder() / "speeds.json"), around)


def _begin(session: Session, room: Room, settings: Settings, choices: Choices) -> None:
    """The room as the settings have it."""
    room.set_clear_after(settings.clear_after)
    room.set_offending(settings.offending)
    room.kiosk.begin(settings.locked, settings.answers, choices.file.put)
    if settings.save:
        try:
            room.set_saving(True)
        except DataError as err:  # captions come first
            session.notice("saving.failed", reason=str(err))


def open_source(settings: Settings, start: int) -> Source:
    """The microphone, counting samples from `start`, or the recording that stands in for it."""
    if settings.source:
        return FileSource(settings.source, realtime=True, start=start)
    return MicrophoneSource(settings.microphone_device, start=start)
