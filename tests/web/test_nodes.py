"""Web nodes of a room, by a real Redis: whatever is killed, readers lose no line."""

import http.client
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.command_line.test_app import SPEECH, Client
from tests.page import expect, launch, needs_chromium, playwright_api
from tests.program import PATIENCE_S, Program, free_port, run
from tests.proxy import NAME, Proxy
from tests.proxy import missing as missing_nginx
from tests.redis_server import PASSWORD, RedisServer, missing
from tests.scoring import word_errors
from tests.web.test_web import key_file
from utils.messages import SENTENCES

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
needs_nginx = pytest.mark.skipif(missing_nginx() is not None, reason=str(missing_nginx()))
SITE = Path(__file__).resolve().parents[2].joinpath("deploy/nginx-nodes.conf").read_text()
ROOM = ["--asr", "whisper", "--no-emotion", "--no-sounds", "--offline", "--source"]


class Node(Program):
    """A web node, with a home of its own."""

    def __init__(self, server: RedisServer, *arguments: str) -> None:
        environment = {"CAPTIONS_REDIS": server.url}
        super().__init__(["web", *arguments], environment, fresh=True)

    def __enter__(self) -> "Node":
        assert self.process.stdout
        self.printed = self.process.stdout.readline()  # once the port is open
        assert self.url in self.printed, self.process.stderr and self.process.stderr.read()
        return self


class Room(Program):
    """The room's own program; or another run of it, with its home and at its port."""

    def __init__(
        self, server: RedisServer, after: "Room | None" = None, source: Path = SPEECH
    ) -> None:
        home, port = (after.home, after.port) if after else (None, None)
        super().__init__([*ROOM, source], {"CAPTIONS_REDIS": server.url}, port=port, home=home)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait(PATIENCE_S)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright_api.sync_playwright() as playwright:
        browser = launch(playwright, f"--host-resolver-rules=MAP {NAME} 127.0.0.1")
        yield browser
        browser.close()


def fetched(program: Program, path: str) -> bytes:
    with urllib.request.urlopen(f"{program.url}{path}", timeout=30) as answer:
        return answer.read()


def ready(node: Node) -> None:
    """Wait until a node can show what Redis has."""
    while True:
        with suppress(urllib.error.HTTPError):
            fetched(node, "/health/ready")
            return
        assert node.process.poll() is None


def noticed(presenter: Client, code: str) -> str:
    """What the presenter's page is told beside the state."""

    def found() -> list[dict]:
        told = [notice for status in presenter.of("status") for notice in status["notices"]]
        return [notice for notice in told if notice["code"] == code]

    return presenter.wait_for(found, code)[0]["message"]


def told(client: Client) -> list[dict]:
    """The finished lines that a page was sent, one for each segment."""
    final = {one["segment"]: one for one in client.of("caption") if one["final"]}
    return [final[segment] for segment in sorted(final)]


def test_nodes_show_readers_what_the_room_shows(server, ending, unbroken):
    room = ending.enter_context(Room(server, source=unbroken))
    nodes = [ending.enter_context(Node(server)) for _ in range(2)]
    room.wait_for("ready")
    presenter = ending.enter_context(Client(room))
    for node in nodes:
        ready(node)
    readers = [ending.enter_context(Client(node, {})) for node in nodes]
    assert presenter.ask("start") == {"ok": True}
    final = presenter.wait("caption", final=True)
    for reader in readers:
        reader.wait("status", state="listening")
        growing = reader.wait("caption", final=False)
        assert growing["segment"] == final["segment"]
        assert reader.wait("caption", final=True, text=final["text"])["words"] == final["words"]
        assert not reader.of("level") and not reader.wait("room")["presenter"]
    presenter.wait("status", message="The recording has ended.")
    late = ending.enter_context(Client(nodes[1], {}))
    late.wait("caption", final=True, text=final["text"])
    assert fetched(nodes[0], "/export/txt") == fetched(room, "/export/txt")
    assert nodes[0].health()["message"] == "The recording has ended."
    cookie = {"Cookie": room.presenter["Cookie"].replace(str(room.port), str(nodes[0].port))}
    assert not ending.enter_context(Client(nodes[0], cookie)).wait("room")["presenter"]


def test_secrets_are_neither_in_redis_nor_told(server, ending):
    room = ending.enter_context(Room(server))
    node = ending.enter_context(Node(server))
    room.wait_for("ready")
    cookie = room.presenter["Cookie"].partition("=")[2]
    with Client(room) as presenter:
        presenter.ask("start")
        presenter.wait("caption", final=True)
    kept = server.everything()
    assert "captions:{}:state" in kept
    assert key_file(room).read_text().strip() not in kept and cookie not in kept
    pages = b"".join(
        fetched(program, path)
        for program in (room, node)
        for path in ("/", "/health", "/metrics", "/health/ready")
    )
    server.kill()
    node.wait_for("lost")
    ending.close()
    assert PASSWORD not in pages.decode() + node.printed
    for program in (room, node):
        assert "Traceback" not in program.errors
        assert PASSWORD not in program.output + program.errors
    assert "Redis cannot be reached" in node.errors and "Redis cannot be reached" in room.errors


@pytest.mark.parametrize(
    "address", [f"redis://:{PASSWORD}@", f"http://:{PASSWORD}@here", f":{PASSWORD}\x01"]
)
def test_a_wrong_address_is_refused_without_being_told(address):
    ended = run(["web", "--redis", address])
    assert ended.returncode == 1 and "redis: expected" in ended.stderr
    assert PASSWORD not in ended.stdout + ended.stderr
    assert "--redis redis://10.0.0.5:6379" in run(["web"]).stderr


def test_a_room_that_is_killed_loses_the_unfinished_line_alone(server, ending, unbroken):
    node = ending.enter_context(Node(server))
    ready(node)
    reader = ending.enter_context(Client(node, {}))
    room = Room(server, source=unbroken)
    with room:
        room.wait_for("ready")
        with Client(room) as presenter:
            presenter.ask("start")
            first = presenter.wait("caption", final=True)
            presenter.wait("status", message="The recording has ended.")
            presenter.ask("start")
            growing = presenter.wait("caption", final=False, segment=first["segment"] + 1)
            reader.wait("caption", segment=growing["segment"])
        room.kill()
        reader.wait("status", code="sharing.gone")
        again = ending.enter_context(Room(server, after=room, source=unbroken))
        again.wait_for("listening")  # by itself, as it did before
        with Client(again, {}) as own:
            mine = own.wait("caption", final=True, segment=growing["segment"] + 1)
            lines = told(own)
        reader.wait("caption", final=True, segment=mine["segment"])
        late = ending.enter_context(Client(node, {}))
        late.wait("caption", final=True, segment=mine["segment"])
        sessions = {status["session"] for status in reader.of("status") if status["session"]}
    assert len(sessions) == 1  # pages go on, and put no mark
    assert [one["segment"] for one in lines] == [0, 1, 2]
    assert [lines[0]["text"], lines[2]["text"]] == [first["text"], mine["text"]]
    # the same is said, and may be heard with fewer passes on a busy machine
    n_wrong, n_words = word_errors(first["text"], mine["text"])
    assert n_wrong < n_words / 4
    assert lines[2]["start_s"] >= lines[1]["end_s"] >= lines[0]["end_s"]
    for client in (reader, late):
        got = told(client)
        assert [one["text"] for one in got if one["segment"] != 1] == [first["text"], mine["text"]]


def test_redis_is_killed_while_somebody_speaks_and_no_line_is_lost(server, ending, unbroken):
    room = ending.enter_context(Room(server, source=unbroken))
    node = ending.enter_context(Node(server))
    room.wait_for("ready")
    presenter = ending.enter_context(Client(room))
    reader = ending.enter_context(Client(node, {}))
    presenter.ask("start")
    presenter.wait("caption", final=False)
    reader.wait("caption", final=False)
    server.kill()
    reader.wait("status", code="sharing.lost", state="lost")
    final = presenter.wait("caption", final=True)  # captions go on here
    presenter.wait("status", message="The recording has ended.")
    assert "Redis cannot be reached" in noticed(presenter, "sharing.waiting")
    server.start()
    assert reader.wait("caption", final=True)["text"] == final["text"]
    reader.wait("status", message="The recording has ended.")
    with Client(room) as later:
        later.wait("status")
    assert told(reader) == told(presenter)


def test_a_node_that_cannot_reach_redis_says_so_and_shows_the_room_later(server, ending):
    server.kill()
    node = ending.enter_context(Node(server))
    connection = ending.enter_context(closing(http.client.HTTPConnection("127.0.0.1", node.port)))
    connection.request("POST", "/reach")
    assert json.load(connection.getresponse())["code"] == "unreachable.sharing"
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    handshake["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    connection.request("GET", "/socket.io/?EIO=4&transport=websocket", headers=handshake)
    assert connection.getresponse().status == 503
    server.start()
    room = ending.enter_context(Room(server))
    room.wait_for("ready")
    node.wait_for("ready")


@needs_nginx
@pytest.mark.browser
def test_a_page_goes_on_by_the_other_node(server, ending, browser):
    outside = free_port()
    public = f"https://{NAME}:{outside}/hall"
    room = ending.enter_context(Room(server))
    nodes = [ending.enter_context(Node(server, "--proxy", public)) for _ in range(2)]
    site = SITE
    for number, node in enumerate(nodes):
        site = site.replace(f"10.0.0.1{number + 1}:5000", f"127.0.0.1:{node.port}")
    assert not re.search(r"server 10\.", site)
    ending.enter_context(Proxy(site, outside, nodes[0].port))
    room.wait_for("ready")
    presenter = ending.enter_context(Client(room))
    context = browser.new_context(ignore_https_errors=True)
    ending.callback(context.close)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    page.goto(f"{public}/read")
    presenter.ask("start")
    first = presenter.wait("caption", final=True)
    expect(page.locator("#lines .caption")).to_have_count(1)
    presenter.wait("status", message="The recording has ended.")
    serving = [n for n in nodes if b'captions_pages{role="reader"} 1.0' in fetched(n, "/metrics")]
    serving[0].process.kill()
    presenter.ask("start")
    presenter.wait("caption", final=True, segment=first["segment"] + 1)
    expect(page.locator("#lines .caption")).to_have_count(2)
    expect(page.locator("#lines .mark")).to_have_count(0)
    expect(page.locator("#lines .caption").first).to_contain_text(first["text"][:20])
    server.kill()
    expect(page.locator("#alert")).to_have_text(SENTENCES["sharing.lost"])
    if shots := os.environ.get("SHOTS"):
        page.screenshot(path=f"{shots}/redis-away.png")
    server.start()
    expect(page.locator("#alert")).to_have_text("")


test_a_page_goes_on_by_the_other_node = needs_chromium[1](test_a_page_goes_on_by_the_other_node)
