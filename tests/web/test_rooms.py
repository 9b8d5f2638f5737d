"""Several rooms by one node: a list, and each for itself below its name."""

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import quote

import pytest

from tests.live.test_sharing import TheRoom
from tests.page import expect, launch, needs_chromium, playwright_api
from tests.program import PATIENCE_S
from tests.redis_server import RedisServer, missing
from tests.web.test_nodes import Node
from utils.live.sharing.server import connect

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
HALL, ROOM_2 = "Großer Saal & Bühne", "Room 2 (Anna's)!"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture(scope="module")
def node(server) -> Iterator[Node]:
    with Node(server) as running:
        yield running
    assert "Traceback" not in running.errors


def opened(server: RedisServer, ending: ExitStack, name: str) -> TheRoom:
    room = TheRoom(server, name)
    room.room["name"] = name
    ending.callback(room.open().sharing.close)
    return room


def get(node: Node, path: str) -> tuple[int, str, str]:
    """Status, place that is pointed to and body of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", ""), answer.read().decode()


def listed(node: Node) -> dict[str, dict]:
    return {room["name"]: room for room in json.loads(get(node, "/rooms.json")[2])["rooms"]}


def until(node: Node, names: set[str]) -> dict[str, dict]:
    """The list, once it holds these."""
    while (found := listed(node)).keys() != names:
        assert node.process.poll() is None
    return found


def test_without_rooms_the_address_shows_the_room_without_a_name(node):
    assert 'id="captions"' in get(node, "/")[2]
    assert listed(node) == {}


def test_rooms_are_listed_and_each_is_alone_below_its_name(server, node, ending):
    hall, second = (opened(server, ending, name) for name in (HALL, ROOM_2))
    hall.say(0)
    second.say(7)
    found = until(node, {HALL, ROOM_2})
    assert found[HALL]["state"] == "listening" and found[HALL]["message"] == "Listening."
    assert 'id="rooms"' in get(node, "/")[2]
    below = f"/room/{quote(HALL)}"
    status, place, _ = get(node, below)
    assert (status, place) == (308, f"{quote(HALL, safe='')}/")
    assert (
        get(node, f"/room/{quote(ROOM_2)}")[1] == "Room%202%20(Anna's)!/"
    )  # as the page links to it
    for path in ("/", "/read", "/static/js/main.js", "/app.webmanifest"):
        assert get(node, below + path)[0] == 200, path
    while "line 0" not in (text := get(node, f"{below}/export/txt")[2]):
        assert node.process.poll() is None
    assert "line 7" not in text and "line 7" not in get(node, "/export/txt")[2]
    assert get(node, "/room/nowhere/read")[0] == 404
    hall.sharing.close()
    until(node, {ROOM_2})


def test_a_room_whose_program_is_gone_is_told_so(server, node, ending):
    room = opened(server, ending, HALL)
    until(node, {HALL})
    room.sharing._closed.set()
    while listed(node)[HALL]["code"] != "sharing.gone":
        assert node.process.poll() is None
    assert listed(node)[HALL]["state"] == "lost"
    connect(server.url).flushall()


def test_a_room_named_to_the_node_is_the_only_one(server, ending):
    opened(server, ending, HALL).say(3)
    only = ending.enter_context(Node(server, "--room", HALL))
    only.wait_for("listening")
    assert 'id="captions"' in get(only, "/")[2]
    assert get(only, "/rooms.json")[0] == get(only, f"/room/{quote(HALL)}/read")[0] == 404
    while "line 3" not in get(only, "/export/txt")[2]:
        assert only.process.poll() is None


@pytest.mark.browser
@needs_chromium[1]
def test_a_reader_chooses_a_room(server, node, ending):
    opened(server, ending, HALL).say(0)
    second = opened(server, ending, ROOM_2)
    with playwright_api.sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.goto(node.url)
        expect(page.locator("#rooms a")).to_have_count(2)
        expect(page.locator("#rooms li").nth(1)).to_contain_text(ROOM_2)
        expect(page.locator("#rooms li").first).to_contain_text("Listening.")
        if shots := os.environ.get("SHOTS"):
            for width, height in ((1920, 1080), (1366, 768), (390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                page.screenshot(path=f"{shots}/rooms-{width}.png")
        page.get_by_text(ROOM_2).click()
        expect(page.locator("#room-name")).to_have_text(ROOM_2)
        second.say(4)
        expect(page.locator("#lines .caption")).to_contain_text("line 4")
        browser.close()
