"""A room in a real Redis: other computers show the same lines, whatever is killed meanwhile."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.program import PATIENCE_S
from tests.redis_server import PASSWORD, RedisServer, missing
from utils.captions.offending import OffendingWords, own_list
from utils.errors import RequestError
from utils.events import CaptionEvent, Emotion, Word
from utils.live.board import LATE_JOINER_LINES, Board
from utils.live.session import Told
from utils.live.sharing import mirror, waiting
from utils.live.sharing.mirror import Mirror
from utils.live.sharing.rooms import ROOMS, enlist, has
from utils.live.sharing.server import LIFE_S, Keys, connect
from utils.live.sharing.shared import Alone, Operated, share
from utils.live.sharing.sharing import TAKEN, Sharing
from utils.live.sharing.waiting import Waiting
from utils.live.status import Status
from utils.messages import say

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
ROOM = {"blank": False, "offending": "off", "name": "Hall"}
SAID = Emotion("happy", 0.9, {"happy": 0.9, "sad": 0.1}, "likely")


def line(segment: int, text: str = "", final: bool = True) -> CaptionEvent:
    """A line with all that may be known of it."""
    text = text or f"line {segment}"
    words = tuple(Word(word, segment + 0.1, segment + 0.2, 0.5) for word in text.split())
    tags = {"emotion": SAID, "loudness": "loud", "new_voice": True} if final else {}
    return CaptionEvent(segment, float(segment), segment + 1.0, text, final, tags, words)


class Page:
    """What somebody was told, to be waited for."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict]] = []
        self.changed = threading.Condition()

    def __call__(self, name: str, payload: dict) -> None:
        with self.changed:
            self.events.append((name, payload))
            self.changed.notify_all()

    def wait(self, found: Callable[[], object]) -> None:
        """Wait for what is looked at anew after each event, without a lock that others need."""
        while True:
            seen = len(self.events)
            if found():
                return
            with self.changed:
                more = self.changed.wait_for(lambda: len(self.events) > seen, PATIENCE_S)  # noqa: B023
            assert more, self.events[-5:]

    def of(self, name: str) -> list[dict]:
        return [payload for n, payload in list(self.events) if n == name]


class TheRoom:
    """The room's side: a board whose events go to Redis."""

    def __init__(self, server: RedisServer, name: str = "Hall") -> None:
        self.sharing = Sharing(connect(server.url), Keys(name))
        self.board = Board(self.sharing.publish)
        self.room = dict(ROOM)
        self.status = Status("listening", say("listening")).to_dict()
        self.status |= {"session": "one", "clears": 0}
        self.trouble, self.ordered = Page(), Page()
        self.watched: dict = {"delay_s": 0.5, "readers": 2, "notices": []}
        self.may_tell = threading.Event()  # all of it
        self.may_tell.set()

    def open(self) -> "TheRoom":
        self.sharing.open(
            Operated(
                self.whole,
                lambda told: self.trouble("trouble", {"told": told}),
                lambda: self.watched,
                {"blank": self.blank},
            )
        )
        return self

    def blank(self, on: bool) -> None:
        if self.room["name"] == "stubborn":
            raise RequestError(say("refused.loading"))
        self.room = {**self.room, "blank": on}
        self.ordered("blank", {"on": on})
        self.sharing.publish("room", self.room)

    def whole(self, tell: Callable[[Told], None]) -> None:
        assert self.may_tell.wait(PATIENCE_S)
        with self.board.lock:
            lines = [("caption", line.to_dict()) for line in self.board.everything()]
            tell([("status", dict(self.status)), *lines, ("room", self.room)])

    def clear(self) -> None:
        with self.board.lock:
            self.board.clear()
            self.status["clears"] += 1

    def say(self, *segments: int) -> None:
        for segment in segments:
            self.board.show(line(segment, "so far", final=False), self.board.cuts)
            self.board.show(line(segment), self.board.cuts)


class Node(Mirror):
    """A node's side, and what its pages are told."""

    def __init__(self, server: RedisServer, name: str = "Hall") -> None:
        self.told = Page()
        words = OffendingWords(own_list())
        super().__init__(
            connect(server.url),
            Keys(name),
            self.told,
            lambda: self.told("room", {}),
            words,
            None,
            lambda: 3,
        )

    def greeting(self) -> list[tuple[str, dict]]:
        """What a page that opens now is told."""
        told: list[tuple[str, dict]] = []
        self.greet(lambda events, blank: told.extend(events))
        return told

    def lines(self) -> list[dict]:
        told = [payload for name, payload in self.greeting() if name == "caption"]
        return json.loads(json.dumps(told))

    def status(self) -> dict:
        return self.greeting()[0][1]

    def wait_for_lines(self, *segments: int) -> None:
        self.told.wait(lambda: [e["segment"] for e in self.lines() if e["final"]] == list(segments))

    def wait_for_code(self, code: str) -> None:
        self.told.wait(lambda: self.status()["code"] == code)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture
def room(server, ending) -> TheRoom:
    found = TheRoom(server).open()
    ending.callback(found.sharing.close)
    return found


@pytest.fixture
def node(server, room, ending) -> Node:
    found = ending.enter_context(Node(server))
    found.wait_for_code("listening")
    return found


def test_a_room_that_is_long_gone_is_in_no_list(server):
    client = connect(server.url)
    client.zadd(ROOMS, {"gone": time.time() - LIFE_S - 1})
    enlist(client, "here")
    assert has(client, "here") and not has(client, "gone")


def test_a_late_reader_of_any_node_is_sent_what_the_room_itself_would_send(
    server, room, node, ending
):
    room.say(*range(LATE_JOINER_LINES + 5))
    room.board.show(line(300, "still growing", final=False), 0)
    node.told.wait(lambda: node.lines() and node.lines()[-1]["text"] == "still growing")
    lines, left_out = room.board.latest()
    expected = [room.board.payload(one) for one in lines]
    other = ending.enter_context(Node(server))
    other.wait_for_code("listening")
    for one in (node, other):
        assert one.lines() == json.loads(json.dumps(expected))
        assert one.status()["left_out"] == left_out
        assert b"".join(one.export("json")) == b"".join(room.board.export("json"))


def test_pages_are_told_each_line_in_order_and_once(room, node):
    room.say(*range(50))
    node.wait_for_lines(*range(50))
    final = [caption["segment"] for caption in node.told.of("caption") if caption["final"]]
    assert final == list(range(50))


def test_redis_is_killed_and_comes_back_with_its_data(server, room, node):
    room.say(*range(5))
    node.wait_for_lines(*range(5))
    server.kill()
    node.wait_for_code("sharing.lost")
    assert node.status()["state"] == "lost" and len(node.lines()) == 5
    assert not node.ready()
    room.say(*range(5, 12))
    room.trouble.wait(lambda: room.trouble.of("trouble") == [{"told": "Redis cannot be reached"}])
    server.start()
    node.wait_for_lines(*range(12))
    node.wait_for_code("listening")
    room.trouble.wait(lambda: room.trouble.of("trouble")[-1] == {"told": ""})
    final = [caption["segment"] for caption in node.told.of("caption") if caption["final"]]
    assert final == list(range(12))
    ids = [at for at, _ in server.client.xrange(Keys("Hall").events)]
    numbers = [int(at.partition("-")[2]) for at in ids]
    assert numbers == list(range(1, len(numbers) + 1)) and len({at[:13] for at in ids}) == 1


def test_redis_hangs_and_what_it_takes_late_changes_nothing(server, room, node):
    room.say(0)
    node.wait_for_lines(0)
    server.stop()
    room.board.show(line(1, "so far", final=False), 0)  # is on its way when Redis hangs
    room.trouble.wait(lambda: room.trouble.of("trouble") == [{"told": "Redis does not answer"}])
    room.say(1, 2)
    server.go_on()
    node.wait_for_lines(0, 1, 2)
    room.say(3)
    node.wait_for_lines(0, 1, 2, 3)
    assert [one["text"] for one in node.lines()] == ["line 0", "line 1", "line 2", "line 3"]


def test_lines_stand_in_their_order_where_one_was_taken_back(server, room, node, ending):
    room.say(0, 1, 2)
    room.board.show(replace(line(1), text="", words=()), 0)
    room.say(*range(3, 9))
    late = ending.enter_context(Node(server))
    late.wait_for_lines(0, *range(2, 9))


def test_redis_loses_its_data_and_gets_all_of_it_again(server, room, node, ending):
    room.say(*range(5))
    node.wait_for_lines(*range(5))
    server.client.flushall()
    room.say(5)
    late = ending.enter_context(Node(server))
    late.wait_for_lines(*range(6))
    node.wait_for_lines(*range(6))
    final = [caption["segment"] for caption in node.told.of("caption") if caption["final"]]
    assert final == list(range(6))  # what pages had was not sent again


def test_pages_keep_their_lines_until_the_room_has_written_anew_what_redis_lost(server, room, node):
    room.say(*range(5))
    node.wait_for_lines(*range(5))
    room.may_tell.clear()
    server.client.flushall()
    node.wait_for_code("sharing.lost")  # and not that nobody captions
    assert len(node.lines()) == 5 and not node.ready()
    room.say(5)
    room.may_tell.set()
    node.wait_for_lines(*range(6))
    node.wait_for_code("listening")
    final = [caption["segment"] for caption in node.told.of("caption") if caption["final"]]
    assert final == list(range(6))


def test_a_room_whose_data_nobody_writes_anew_is_over(server, room, node, monkeypatch):
    monkeypatch.setattr(mirror, "EMPTY_S", 0)
    room.say(0)
    node.wait_for_lines(0)
    room.may_tell.clear()
    server.client.flushall()
    node.wait_for_code("sharing.none")
    room.may_tell.set()


def test_more_than_waits_is_told_anew_from_the_board(server, room, node, monkeypatch):
    room.say(0)
    node.wait_for_lines(0)
    monkeypatch.setattr(waiting, "MOST_KEPT", 5)
    server.kill()
    node.wait_for_code("sharing.lost")
    room.say(*range(1, 9))
    room.clear()
    for segment in range(9, 40):
        room.say(segment)
        assert room.sharing.waiting <= 5
    server.start()
    node.wait_for_lines(*range(9, 40))
    assert node.status()["clears"] == 1 and "line 0" not in server.everything()
    final = [caption["segment"] for caption in node.told.of("caption") if caption["final"]]
    assert final == [0, *range(9, 40)]


def test_what_waits_grows_with_the_lines_alone():
    waiting = Waiting()
    for number in range(1000):
        waiting.put("caption", {"segment": 7, "text": str(number)})
        waiting.put("status", {"number": number})
    assert waiting.batch(0) == [
        (("caption", 7), {"segment": 7, "text": "999"}),
        (("status", 0), {"number": 999}),
    ]
    waiting.put("caption", {"segment": 8, "text": "x"})
    waiting.put("cleared", {"clears": 1})
    waiting.put("caption", {"segment": 9, "text": "y"})
    assert [key for key, _ in waiting.batch(0)] == [("status", 0), ("cleared", 0), ("caption", 9)]


def test_what_is_told_anew_while_it_is_sent_is_sent_again():
    waiting = Waiting()
    waiting.put("caption", {"segment": 7, "text": "so"})
    batch = waiting.batch(0)
    waiting.put("caption", {"segment": 7, "text": "so far"})
    waiting.sent(batch)
    assert waiting.batch(0) == [(("caption", 7), {"segment": 7, "text": "so far"})]


def test_a_room_that_broke_off_goes_on_where_it_was(server, room, node, ending):
    room.say(0, 1, 2)
    room.board.show(line(3, "not to its end", final=False), 0)
    node.told.wait(lambda: len(node.lines()) == 4)
    earlier = TheRoom(server).sharing.earlier()  # as if by the next run of the program
    assert earlier and (earlier.session, earlier.clears, earlier.blank) == ("one", 0, False)
    assert [one.text for one in earlier.lines] == ["line 0", "line 1", "line 2", "not to its end"]
    assert all(one.final for one in earlier.lines)
    assert earlier.lines[:3] == (line(0), line(1), line(2))
    assert earlier.next_segment == 4 and earlier.elapsed_s >= 4
    ending.close()
    after = TheRoom(server)
    after.board.restore(earlier.lines)
    assert [one.segment for one in after.board.latest()[0]] == [0, 1, 2, 3]


def test_a_room_that_did_not_end_is_known_to_be_gone(server, room, node):
    room.say(0)
    node.wait_for_lines(0)
    room.sharing._closed.set()  # its thread ends, and takes no leave
    node.wait_for_code("sharing.gone")
    assert len(node.lines()) == 1


def test_a_cleared_line_is_nowhere_any_more(server, room, node):
    room.say(0, 1)
    node.wait_for_lines(0, 1)
    room.clear()
    node.told.wait(lambda: node.told.of("cleared") == [{}])
    assert "line 1" not in server.everything()
    room.say(2)
    node.wait_for_lines(2)
    assert node.status()["clears"] == room.status["clears"] == 1


def test_lines_that_are_cleared_while_redis_is_away_are_cleared_on_pages(server, room, node):
    room.say(0, 1)
    node.wait_for_lines(0, 1)
    server.kill()
    node.wait_for_code("sharing.lost")
    room.clear()
    room.clear()
    room.say(2)
    server.start()
    node.wait_for_lines(2)
    assert node.status()["clears"] == 2 and "line 1" not in server.everything()


def test_a_line_that_is_taken_back_goes_from_nodes_that_were_away(server, room, node, ending):
    room.say(0, 1)
    node.wait_for_lines(0, 1)
    room.board.show(replace(line(1), text="", words=()), 0)
    node.wait_for_lines(0)
    late = ending.enter_context(Node(server))
    late.wait_for_lines(0)


def test_a_room_that_ends_leaves_nothing_in_redis(server, room, node):
    room.say(0)
    node.wait_for_lines(0)
    room.board.show(line(1, "the last words"), 0)
    room.sharing.close()
    node.wait_for_code("sharing.none")
    assert node.status()["state"] == "ready" and node.lines() == []
    assert [c["text"] for c in node.told.of("caption")][-1] == "the last words"
    assert not server.client.exists(Keys("Hall").lines, Keys("Hall").state, Keys("Hall").alive)
    assert 0 < server.client.ttl(Keys("Hall").events) <= 10


def test_all_that_is_kept_has_a_life_time(server, room, node):
    room.say(0)
    node.wait_for_lines(0)
    for key in server.client.scan_iter():
        assert 0 < server.client.ttl(key) <= 3600, key


def test_blank_screens_are_blank_everywhere(room, node):
    room.say(0)
    node.wait_for_lines(0)
    room.room["blank"] = True
    room.sharing.publish("room", dict(room.room))
    node.told.wait(lambda: node.blank)
    assert node.lines() == []
    room.sharing.publish("room", dict(ROOM))
    node.wait_for_lines(0)


def test_readers_elsewhere_get_no_more_than_readers_here(server, room, node):
    private = say("lost", reason="Anna's headset was unplugged")
    told = {**room.status, "state": "lost", **private.to_dict(), "offer": {"name": "secret"}}
    room.sharing.publish("level", {"db": -20})
    room.sharing.publish("setup", {"folder": "/home/anna"})
    room.sharing.publish("status", told)
    node.wait_for_code("lost.waiting")
    kept = server.everything()
    assert not any(word in kept for word in ("Anna", "anna", "secret"))
    assert not node.told.of("level") and not node.told.of("setup")


def test_rooms_of_one_redis_do_not_see_each_other(server, room, node, ending):
    other = TheRoom(server, "Hall}:events").open()
    ending.callback(other.sharing.close)
    other.say(7)
    elsewhere = ending.enter_context(Node(server, "Hall}:events"))
    elsewhere.wait_for_lines(7)
    room.say(0)
    node.wait_for_lines(0)
    assert [one["segment"] for one in elsewhere.lines()] == [7]


def test_two_programs_do_not_caption_one_room(server, ending):
    server.client.set(Keys("Hall").alive, "another-computer 1 1")
    room = TheRoom(server)
    assert room.sharing.earlier() is None
    ending.callback(room.open().sharing.close)
    room.trouble.wait(lambda: room.trouble.of("trouble") == [{"told": TAKEN}])
    assert not server.client.exists(Keys("Hall").events)
    server.client.delete(Keys("Hall").alive)
    room.trouble.wait(lambda: room.trouble.of("trouble")[-1] == {"told": ""})


def test_what_is_no_room_is_told_and_waited_out(server, room, node):
    room.say(0)
    node.wait_for_lines(0)
    keys = Keys("Hall")
    server.client.xadd(keys.events, {"caption": "{"}, id=_next(server, keys))
    node.wait_for_code("sharing.lost")
    room.say(1)  # the room's own program puts it right
    node.wait_for_lines(0, 1)
    node.wait_for_code("listening")


def _next(server: RedisServer, keys: Keys) -> str:
    began, _, number = server.client.xrevrange(keys.events, count=1)[0][0].partition("-")
    return f"{began}-{int(number) + 1}"


def test_the_password_is_in_no_log(server, caplog):
    caplog.set_level(logging.DEBUG)
    wrong = server.url.replace(PASSWORD, f"{PASSWORD}-wrong")
    for address in (server.url, wrong, wrong.replace(str(server.port), "1")):
        room = TheRoom(server)
        room.sharing = Sharing(connect(address), Keys("Hall"))
        room.sharing.earlier()
        room.open()
        if address != server.url:
            room.trouble.wait(lambda told=room.trouble: told.events)
            assert PASSWORD not in str(room.trouble.events)
        room.sharing.close()
    assert "Redis" in caplog.text and PASSWORD not in caplog.text


def test_without_redis_all_stays_in_the_program():
    alone = share("", "Hall")
    assert isinstance(alone, Alone) and alone.earlier() is None
    alone.open(Operated(pytest.fail, pytest.fail, dict, {}))
    alone.publish("caption", line(0).to_dict())
    alone.close()


def test_a_mended_line_is_mended_everywhere(room, node):
    room.say(0)
    node.wait_for_lines(0)
    room.board.mend(0, "other words")
    node.told.wait(lambda: node.lines()[0]["text"] == "other words")
    assert node.lines()[0]["tags"]["mended"] is True
    with pytest.raises(RequestError):
        room.board.mend(1, "no such line")
