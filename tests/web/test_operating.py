"""The operator's page: all rooms of one Redis, by a link that holds once, at any node."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests.live.test_sharing import TheRoom
from tests.page import expect, launch, needs_chromium, playwright_api
from tests.program import PATIENCE_S, run
from tests.redis_server import RedisServer, missing
from tests.web.test_nodes import Node
from utils.live.sharing.orders import Orderly
from utils.live.sharing.server import Keys, connect
from utils.messages import say

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
HALL = "Großer Saal"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture
def node(server, ending) -> Node:
    return ending.enter_context(Node(server))


@pytest.fixture
def room(server, ending, node) -> TheRoom:
    """A room that is listed."""
    return opened(server, ending, node, HALL)


def opened(server: RedisServer, ending: ExitStack, node: Node, name: str) -> TheRoom:
    found = TheRoom(server, name)
    found.room["name"] = name
    found.watched |= {"listening": True, "blank": False, "idle_s": 1.0}
    ending.callback(found.open().sharing.close)
    while name not in [
        one["name"] for one in requests.get(f"{node.url}/rooms.json").json()["rooms"]
    ]:
        assert node.process.poll() is None
    return found


def link(node: Node, *arguments: str) -> str:
    """The link that the node's computer prints."""
    environment = {**os.environ, **node.environment, "CAPTIONS_PORT": str(node.port)}
    printed = run(["link", "--rooms", *arguments], env=environment)
    assert printed.returncode == 0, printed.stderr
    return printed.stdout.strip()


def operator(node: Node, at: Node | None = None) -> requests.Session:
    """A browser that has opened a link."""
    session, code = requests.Session(), link(node).partition("#operate=")[2]
    assert session.post(f"{(at or node).url}/operate", data=code).status_code == 204
    return session


def ask(session: requests.Session, node: Node, **asked: str | bool) -> dict:
    headers = {"Origin": node.url}
    return session.post(f"{node.url}/rooms/order", json=asked, headers=headers).json()


def test_an_operator_sees_what_is_wrong_and_readers_do_not(server, room, node):
    room.say(0)
    room.watched["notices"] = [say("disk.low", free_mb=7).to_dict()]
    session = operator(node)
    while not (seen := session.get(f"{node.url}/rooms.json").json()["rooms"][0]).get("notices"):
        assert node.process.poll() is None
    assert seen["notices"][0]["message"].startswith("Only 7 MB")
    assert seen["delay_s"] == 0.5 and seen["readers"] == 2 and seen["said_s"] >= 0
    told = requests.get(f"{node.url}/rooms.json").json()
    assert told["operator"] is False
    assert told["rooms"][0].keys() == {"name", "state", "code", "values", "message", "engine"}


def test_an_order_reaches_its_room_alone(server, ending, room, node):
    other = opened(server, ending, node, "Other")
    session = operator(node)
    assert ask(session, node, room=HALL, order="blank", on=True) == {"ok": True}
    assert room.room["blank"] is True and other.room["blank"] is False
    assert ask(session, node, room=HALL, order="blank", on=False) == {"ok": True}
    assert room.room["blank"] is False


def test_what_a_room_refuses_is_told(server, ending, node):
    opened(server, ending, node, "stubborn")
    told = ask(operator(node), node, room="stubborn", order="blank", on=True)
    assert (told["ok"], told["code"]) == (False, "refused.loading")


def test_a_room_that_does_not_answer_does_nothing_later(server, room, node):
    session = operator(node)
    room.sharing._orderly.close()
    # its thread may be waiting still, and then leaves what it gets
    told = ask(session, node, room=HALL, order="blank", on=True)
    assert (told["ok"], told["code"]) == (False, "sharing.gone")
    while server.client.exists(Keys(HALL).orders):
        assert node.process.poll() is None
    done: list[bool] = []
    late = Orderly(connect(server.url), Keys(HALL), lambda: True, {"blank": done.append})
    late.close()
    assert done == [] and room.room["blank"] is False


@pytest.mark.parametrize(
    "asked",
    [
        {"room": HALL, "order": "clear", "on": True},
        {"room": HALL, "order": "blank", "on": 1},
        {"room": [HALL], "order": "blank", "on": True},
        {"room": "nowhere", "order": "blank", "on": True},
        [],
    ],
)
def test_what_is_no_order_is_refused(room, node, asked):
    session = operator(node)
    headers = {"Origin": node.url}
    answer = session.post(f"{node.url}/rooms/order", json=asked, headers=headers).json()
    assert answer["ok"] is False and answer["message"]


def test_nobody_else_orders(server, room, node):
    session = operator(node)
    secret = session.cookies["operator"]
    for cookie, origin in (
        (None, node.url),
        ("x" * len(secret), node.url),
        (secret, "http://evil.example"),
        (secret, None),
    ):
        answer = requests.post(
            f"{node.url}/rooms/order",
            json={"room": HALL, "order": "blank", "on": True},
            cookies={"operator": cookie} if cookie else {},
            headers={"Origin": origin} if origin else {},
        ).json()
        assert (answer["ok"], answer["code"]) == (False, "refused.operator")
    assert room.room["blank"] is False


def test_a_link_holds_once_and_its_secrets_are_in_redis_only_hashed(server, room, node):
    code = link(node).partition("#operate=")[2]
    session = requests.Session()
    assert session.post(f"{node.url}/operate", data=code).status_code == 204
    refused = requests.post(f"{node.url}/operate", data=code)
    assert refused.status_code == 403 and refused.json()["code"] == "refused.link"
    command = refused.json()["values"]["command"]
    assert command == ".venv/bin/python app.py link --rooms --here"
    assert requests.post(f"{node.url}/operate", data="x" * 5000).status_code in {403, 413}
    kept = server.everything()
    assert "captions:operators:browsers:" in kept
    assert code not in kept and session.cookies["operator"] not in kept


def test_any_node_knows_an_operator_until_a_new_link_ends_all_power(server, ending, room, node):
    other = ending.enter_context(Node(server))
    session = operator(node, at=other)
    for at in (node, other):
        assert session.get(f"{at.url}/rooms.json").json()["operator"] is True
        assert ask(session, at, room=HALL, order="blank", on=False) == {"ok": True}
    link(node, "--new")
    assert session.get(f"{node.url}/rooms.json").json()["operator"] is False
    assert ask(session, node, room=HALL, order="blank", on=True)["code"] == "refused.operator"


def test_without_redis_there_is_no_link():
    printed = run(["link", "--rooms"])
    assert printed.returncode == 1 and "no Redis is named" in printed.stderr
    printed = run(
        ["link", "--rooms", "--new"], env={**os.environ, "CAPTIONS_REDIS": "redis://127.0.0.1:1"}
    )
    assert printed.returncode == 1 and "Redis cannot be reached" in printed.stderr


@pytest.mark.browser
@needs_chromium[1]
def test_an_operator_watches_and_operates_all_rooms(server, ending, room, node):
    other = opened(server, ending, node, "Room 2")
    other.watched |= {"listening": False, "delay_s": None}
    room.watched["notices"] = [say("disk.low", free_mb=7).to_dict()]
    room.watched["level_db"] = -20.0
    room.say(0)
    with playwright_api.sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.goto(link(node))
        hall = page.locator("#rooms li[data-room]").first
        expect(hall.locator(".wrong")).to_contain_text("Only 7 MB")
        expect(hall.locator(".facts")).to_contain_text("2 readers · words 0.5 s late · last line")
        assert "#" not in page.url
        if shots := os.environ.get("SHOTS"):
            for width, height in ((1920, 1080), (1366, 768), (390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                page.screenshot(path=f"{shots}/operated-{width}.png")
        hall.locator(".blank").click()
        room.ordered.wait(lambda: room.ordered.of("blank"))
        room.watched["blank"] = True
        expect(hall.locator(".blank")).to_have_text("Show again")
        other.sharing._closed.set()
        expect(page.locator("#rooms li[data-room]").nth(1)).to_contain_text("does not answer")
        page.goto(f"{node.url}/rooms#operate=used")
        expect(page.locator("#rooms li[data-room]")).to_have_count(2)
        browser.close()
