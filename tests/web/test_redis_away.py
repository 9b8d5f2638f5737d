"""Redis is away while a room captions line after line: every reader has all of them after it."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command_line.test_app import SPEECH, Client
from tests.page import CHROMIUM, expect
from tests.redis_server import RedisServer, missing
from tests.web.test_nodes import Node, Room, browser, fetched, noticed, ready, server, told
from utils.audio import SAMPLE_RATE, load
from utils.live.sharing.server import Keys
from utils.messages import SENTENCES

__all__ = ["browser", "server"]  # fixtures

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
LINE_S, PAUSE_S = 3.0, 1.2  # of a recording; the pause is long enough to end a line
Fault = Callable[[RedisServer], None]


def lose_all(server: RedisServer) -> None:
    """Start a killed Redis without the data it had."""
    server.forget()
    server.start()


FAULTS: dict[str, tuple[Fault, Fault, str]] = {
    "hangs": (RedisServer.stop, RedisServer.go_on, "Redis does not answer"),
    "is killed": (RedisServer.kill, RedisServer.start, "Redis cannot be reached"),
    "is killed and loses its data": (RedisServer.kill, lose_all, "Redis cannot be reached"),
}


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of four lines."""
    path = tmp_path_factory.mktemp("talk") / "talk.wav"
    said = load(SPEECH)[: int(LINE_S * SAMPLE_RATE)]
    line = np.concatenate([said, np.zeros(int(PAUSE_S * SAMPLE_RATE), np.float32)])
    soundfile.write(path, np.tile(line, 4), SAMPLE_RATE)
    return path


def in_order(client: Client) -> list[int]:
    """The segments of the lines that a page was sent, as they came; each has to come once."""
    came = [one["segment"] for one in client.of("caption") if one["final"]]
    assert came == sorted(set(came)), came
    return came


def begun(
    server: RedisServer, ending: ExitStack, source: Path
) -> tuple[Room, Node, Client, Client]:
    """A room that captions a recording, a node that shows it, the presenter and a reader there."""
    room = ending.enter_context(Room(server, source=source))
    node = ending.enter_context(Node(server))
    room.wait_for("ready")
    ready(node)
    presenter = ending.enter_context(Client(room))
    reader = ending.enter_context(Client(node, {}))
    presenter.ask("start")
    return room, node, presenter, reader


@pytest.mark.parametrize("fault", FAULTS)
def test_redis_is_away_for_lines_and_none_is_lost_or_twice(server, ending, talk, fault):
    away, back, reason = FAULTS[fault]
    room, node, presenter, reader = begun(server, ending, talk)
    first = presenter.wait("caption", final=True, segment=0)
    reader.wait("caption", final=True, segment=0, text=first["text"])
    away(server)
    held_up = reader.wait("status", code="sharing.lost")
    assert held_up["state"] == "lost" and held_up["message"] == SENTENCES["sharing.lost"]
    meanwhile = ending.enter_context(Client(node, {}))  # who comes now sees what was said before
    meanwhile.wait("status", code="sharing.lost")
    meanwhile.wait("caption", final=True, segment=0)
    presenter.wait("caption", final=True, segment=2)
    assert reason in noticed(presenter, "sharing.waiting")
    assert in_order(reader) == in_order(meanwhile) == [0]
    back(server)
    presenter.wait("caption", final=True, segment=3)
    presenter.wait("status", message="The recording has ended.")
    assert noticed(presenter, "sharing.back")
    for client in (reader, meanwhile):
        client.wait("status", message="The recording has ended.")
        assert in_order(client) == [0, 1, 2, 3] and told(client) == told(presenter)
    _same_for_who_comes_late(server, ending, room, node, told(presenter))


def _same_for_who_comes_late(
    server: RedisServer, ending: ExitStack, room: Room, node: Node, lines: list[dict]
) -> None:
    """Readers of this node and of one that starts now get the same, by numbers without a gap."""
    other = ending.enter_context(Node(server))
    ready(other)
    for program in (node, other):
        late = ending.enter_context(Client(program, {}))
        late.wait("caption", final=True, segment=lines[-1]["segment"])
        assert in_order(late) == [one["segment"] for one in lines] and told(late) == lines
        assert fetched(program, "/export/txt") == fetched(room, "/export/txt")
    ids = [at.split("-") for at, _ in server.client.xrange(Keys("").events)]
    assert [int(number) for _, number in ids] == list(range(1, len(ids) + 1))
    assert len({began for began, _ in ids}) == 1


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome")
def test_the_presenters_page_says_so_until_it_is_over(server, ending, browser):
    room = ending.enter_context(Room(server))
    room.wait_for("ready")
    context = browser.new_context()
    ending.callback(context.close)
    page = context.new_page()
    page.goto(room.link())
    server.stop()
    notices = page.locator("#notices")
    expect(notices).to_contain_text("Redis does not answer")
    expect(notices).to_contain_text("what is said is kept for them")
    server.go_on()
    expect(notices).to_contain_text(SENTENCES["sharing.back"])
