"""Several rooms of one program: two real microphones, what is said in each reaches its page alone."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.command_line.test_app import SPEECH, Client
from tests.lasting import until
from tests.program import run
from tests.redis_server import RedisServer, missing
from tests.several import Several, tables
from tests.sound_server import SoundServer
from utils.live.sharing.rooms import rooms

ANGRY = SPEECH.with_name("angry.flac")
HALL, SECOND = "Großer Saal", "Room 2"
WORDS = {HALL: "modern", SECOND: "talking"}  # that are said in one of them alone
MICROPHONES = {HALL: "Monitor of Left", SECOND: "Monitor of Right"}
FILE = f"emotion = false\nsounds = false\n{tables(MICROPHONES)}{tables({SECOND: 'Elsewhere', 'Third': 'left.monitor'})}"


@pytest.fixture(scope="module")
def left_and_right() -> Iterator[SoundServer]:
    with SoundServer() as server:
        for name in ("left", "right"):
            server.add(name, name.title())
        yield server


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer | None]:
    if missing():
        yield None
        return
    with RedisServer() as running:
        yield running


@pytest.fixture(scope="module")
def program(left_and_right, server, tmp_path_factory) -> Iterator[Several]:
    home = tmp_path_factory.mktemp("several")
    shared = {"CAPTIONS_REDIS": server.url} if server else {}
    environment = {**left_and_right.env, **shared}
    with Several(home, environment, list(MICROPHONES), FILE) as running:
        for name in WORDS:
            with running.page(name, {}) as reader:
                reader.wait("status", state="ready")
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors
    assert f"room '{SECOND}' is left out: another room has this name" in running.errors
    assert f"'left.monitor' is the device that room '{HALL}' hears as" in running.errors


def said(client: Client) -> str:
    """The words that a page was sent last, of each line."""
    lines = {one["segment"]: one["text"] for one in client.of("caption")}
    return " ".join(lines.values()).casefold()


def words_of(name: str, client: Client) -> Callable[[], bool]:
    return lambda: WORDS[name] in said(client)


def hear(program: Several, server: SoundServer, said_in: dict[str, tuple[str, Path]]) -> None:
    """Have each room listen, and something be said in it; its words come to its page alone."""
    pages = {name: program.page(name, {}) for name in WORDS}
    try:
        for name, (sink, sound) in said_in.items():
            server.play(sound, wait=False, sink=sink)
            until(words_of(name, pages[name]), f"words in {name}")
        for name, page in pages.items():
            others = [word for other, word in WORDS.items() if other != name]
            assert not any(word in said(page) for word in others), said(page)
    finally:
        for page in pages.values():
            page.__exit__()


def test_each_rooms_words_reach_its_page_alone_and_stop_of_one_leaves_the_other(
    program, left_and_right
):
    hall, second = (program.page(name, program.rooms[name]) for name in (HALL, SECOND))
    with hall, second:
        for presenter in (hall, second):
            assert presenter.wait("room")["presenter"]
            assert presenter.ask("start") == {"ok": True}
            presenter.wait("level")  # its microphone gives sound
        hear(program, left_and_right, {HALL: ("left", SPEECH), SECOND: ("right", ANGRY)})
        assert hall.wait("room")["reader_url"] is None  # it is served to this computer alone
        assert second.ask("blank", {"on": True}) == {"ok": True}
        assert second.ask("blank", {"on": False}) == {"ok": True}
        assert hall.ask("clear") == {"ok": True}
        hall.wait("cleared")
        assert words_of(SECOND, second)() and not second.of("cleared")
        assert not any(room["blank"] for room in hall.of("room"))
        assert hall.ask("stop") == {"ok": True}
        until(lambda: program.listed()[HALL]["state"] == "ready", "the end of one")
        assert program.listed()[SECOND]["state"] == "listening"
        hear(program, left_and_right, {SECOND: ("right", ANGRY)})
        assert second.ask("stop") == {"ok": True}


def test_a_microphone_that_goes_is_told_and_stops_no_other_room(program, left_and_right):
    with program.page(HALL, program.rooms[HALL]) as hall:
        hall.ask("start")
        plugged = left_and_right.pactl("list", "short", "modules")
        module = next(line.split()[0] for line in plugged.splitlines() if "sink_name=right" in line)
        with program.page(SECOND, program.rooms[SECOND]) as second:
            second.ask("start")
            second.wait("level")
            left_and_right.pactl("unload-module", module)
            lost = second.wait("status", state="lost")
            assert "Monitor of Right" in lost["message"]
            until(lambda: program.listed()[SECOND]["state"] == "lost", "its state in the list")
            assert program.listed()[HALL]["listening"]
            hear(program, left_and_right, {HALL: ("left", SPEECH)})
            assert WORDS[HALL] not in said(second)  # it heard no other microphone
            left_and_right.add("right", "Right")
            until(lambda: program.listed()[SECOND]["state"] == "listening", "its return")
            second.ask("stop")
        hall.ask("stop")


def test_a_token_of_one_room_opens_no_other_and_the_operators_opens_all(program):
    with program.page(SECOND, program.rooms[HALL]) as stranger:
        assert stranger.wait("room")["presenter"] is False
        assert stranger.ask("blank", {"on": True})["code"] == "refused.presenter"
    for name in WORDS:
        with program.page(name, program.operator) as operator:
            assert operator.wait("room", presenter=True)["name"] == name
            assert operator.wait("setup")["rooms"] == [HALL, SECOND]
    answer = requests.get(f"{program.url}/rooms.json", headers=program.rooms[HALL], timeout=30)
    assert answer.json()["operator"] is False
    assert answer.json()["rooms"][0].keys() == {
        "name",
        "state",
        "code",
        "values",
        "message",
        "engine",
    }


def test_an_operator_orders_one_room(program):
    asked = {"room": HALL, "order": "blank", "on": True}
    headers = {**program.operator, "Origin": program.url}
    for on in (True, False):
        asked["on"] = on
        answer = requests.post(
            f"{program.url}/rooms/order", json=asked, headers=headers, timeout=30
        )
        assert answer.json() == {"ok": True}
        assert [room["blank"] for room in program.listed().values()] == [on, False]


def test_links_health_and_addresses(program):
    environment = {**os.environ, **program.environment, "CAPTIONS_PORT": str(program.port)}
    told = run(["link", "--here"], env=environment)
    assert told.returncode == 1 and f"--room ({HALL}, {SECOND})" in told.stderr
    for arguments, path in (
        (["--room", SECOND, "link", "--here"], "/room/Room%202/#present="),
        (["link", "--rooms", "--here"], "/rooms#operate="),
    ):
        assert run(arguments, env=environment).stdout.startswith(f"{program.url}{path}")
    assert program.health()["rooms"].keys() == set(WORDS)
    assert 'id="rooms"' in requests.get(program.url, timeout=30).text
    assert requests.get(f"{program.url}/room/nowhere/", timeout=30).status_code == 404
    assert requests.get(f"{program.url}/health/live", timeout=30).json() == {"live": True}

    def both_ready() -> bool:
        metrics = requests.get(f"{program.url}/metrics", timeout=30).text
        return 'captions_state{state="ready"} 2.0' in metrics

    until(both_ready, "the end of both")  # which were told to stop a moment ago


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_each_room_is_shared_under_its_name(program, server):
    def shared() -> dict[str, str]:
        return {room["name"]: room["state"] for room in rooms(server.client)}

    until(lambda: shared() == dict.fromkeys(WORDS, "ready"), "the rooms in Redis")
