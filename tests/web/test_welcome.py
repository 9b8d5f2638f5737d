"""What a page is told when it opens, while the room changes: by a real server, over a WebSocket."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from tests.lasting import until
from tests.program import PATIENCE_S, PageSocket, free_port
from web.access import Token
from web.events import Events
from web.server import Server


class Room:
    """A room whose screens are blanked while a page is on its way in."""

    def __init__(self) -> None:
        self.blank = False
        self.changes: Callable[[], None] = lambda: None

    def state(self, presenter: bool) -> dict:
        return {"presenter": presenter, "blank": self.blank}

    def greet(self, tell: Callable[[list, bool], None]) -> None:
        self.changes, change = lambda: None, self.changes
        change()
        tell([("answer", {"text": "Hello"})], self.blank)


@dataclass
class Served:
    """A room at an address, and what goes to its pages."""

    room: Room
    events: Events
    url: str


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    app, room = Flask("test"), Room()
    events = Events(app, Token(tmp_path / "token"))
    events.open(room, {}, None)  # type: ignore[arg-type]
    with Server("127.0.0.1", free_port(), app) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Served(room, events, f"http://127.0.0.1:{server.port}")
        server.shutdown()
        thread.join()


def told_to(url: str) -> tuple[PageSocket, list[tuple[str, dict]]]:
    """A page that has just connected, and what it is told."""
    page, told = PageSocket(), []
    page.on("*", lambda name, payload: told.append((name, payload)))
    page.connect(url, transports=["websocket"], wait_timeout=PATIENCE_S)
    return page, told


def test_a_page_that_opens_as_the_screens_are_blanked_is_told_so(served: Served) -> None:
    def blank() -> None:
        """Blank, and let all open pages be told before this one is among them."""
        served.room.blank, gone_out = True, threading.Event()
        served.events.announce()
        served.events._publisher._tasks.put(gone_out.set)
        assert gone_out.wait(PATIENCE_S)

    served.room.changes = blank
    page, told = told_to(served.url)
    until(lambda: ("answer", {"text": "Hello"}) in told, "what a page is told")
    assert [payload["blank"] for name, payload in told if name == "room"][-1] is True
    page.hang_up()


def test_the_room_comes_before_what_was_said(served: Served) -> None:
    page, told = told_to(served.url)
    until(lambda: len(told) == 2, "what a page is told")
    assert [name for name, _ in told] == ["room", "answer"]
    page.hang_up()
