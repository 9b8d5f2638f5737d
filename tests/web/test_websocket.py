"""One connection: its messages are read in turns, and nobody else waits for its end."""

import socket
import struct
import sys
import threading
from collections.abc import Iterator, Sequence

import pytest

from tests.attackers import masked
from tests.program import PATIENCE_S
from web import websocket
from web.outbox import CLOSE, PONG, TEXT, framed
from web.turns import turns
from web.websocket import PACKETS_AT_ONCE, WebSocket

LONGEST = 1000
BINARY, PING = 0x82, 0x89


def others_go_on() -> bool:
    """Whether somebody else gets a turn."""

    def go() -> None:
        turns.enter("another")
        turns.leave()

    another = threading.Thread(target=go, daemon=True)
    another.start()
    another.join(PATIENCE_S)
    return not another.is_alive()


class Ends:
    """Both ends of a connection: the server's, and the browser's bare socket."""

    def __init__(self) -> None:
        ours, self.browser = socket.socketpair()
        self.browser.settimeout(30)
        self.socket = ours
        self.server = WebSocket(ours, "203.0.113.7", LONGEST)

    def say(self, first: int, payload: bytes) -> None:
        """Let the browser send a frame."""
        self.browser.sendall(masked(first, payload))

    def read_while_sent(self, frames: Sequence[bytes], n_bytes: int) -> bytes:
        """Let the server send frames; the next bytes that the browser reads meanwhile."""
        sender = threading.Thread(target=self.server.send, args=(frames,))
        sender.start()
        got = b""
        while len(got) < n_bytes:
            got += self.browser.recv(n_bytes - len(got))
        sender.join()
        return got


@pytest.fixture
def ends() -> Iterator[Ends]:
    both = Ends()
    with both.socket, both.browser:
        yield both
    assert others_go_on()


def test_messages_come_whole_and_in_order_each_in_a_turn(ends: Ends) -> None:
    ends.say(0x01, b"he")  # the first piece of a message
    ends.say(0x80, b"llo")  # and its last
    ends.say(TEXT, "말".encode())
    assert ends.server.receive() == "hello"
    assert ends.server.receive() == "말"
    ends.browser.close()
    assert ends.server.receive() is None and others_go_on()


def test_who_is_let_go_in_his_turn_holds_nobody_up(ends: Ends) -> None:
    ends.say(TEXT, b"goodbye")
    assert ends.server.receive() == "goodbye"
    ends.server.end()
    assert ends.server.receive() is None and others_go_on()


def test_a_ping_is_answered(ends: Ends) -> None:
    ends.say(PING, b"are you there")
    ends.say(TEXT, b"x")
    assert ends.server.receive() == "x"
    pong = framed(PONG, b"are you there")
    assert ends.browser.recv(len(pong)) == pong
    ends.browser.close()
    assert ends.server.receive() is None


@pytest.mark.parametrize(
    "said",
    [
        masked(TEXT, b"x" * (LONGEST + 1)),
        masked(0x01, b"x" * LONGEST) + masked(0x80, b"x"),
        masked(BINARY, b"x"),
        masked(CLOSE, struct.pack("!H", 1000)),
        masked(TEXT, b"\xff"),  # no UTF-8
        b"\xff" * 100,
        masked(PING, b"") * (PACKETS_AT_ONCE + 1),
        masked(0x01, b"") + masked(0x00, b"") * PACKETS_AT_ONCE,
    ],
    ids=[
        "too long",
        "too long in pieces",
        "bytes",
        "the end",
        "text",
        "rubbish",
        "pings",
        "pieces",
    ],
)
def test_what_ends_a_connection(ends: Ends, said: bytes) -> None:
    ends.browser.sendall(said)
    assert ends.server.receive() is None
    assert ends.server.receive() is None


def test_frames_are_sent_as_they_are_and_the_end_is_told(ends: Ends) -> None:
    frames = [framed(TEXT, str(i).encode()) for i in range(1000)]  # more than go at once
    ends.server.send(frames)
    ends.server.close()
    received = b""
    while data := ends.browser.recv(1 << 16):
        received += data
    assert received == b"".join(frames) + framed(CLOSE, struct.pack("!H", 1000))


@pytest.mark.skipif(not websocket.LINUX, reason="elsewhere nothing is sent at once")
def test_what_the_network_does_not_take_at_once_is_left_whole_and_in_order(ends: Ends) -> None:
    frames = [framed(TEXT, b"a"), framed(TEXT, b"b" * 1_000_000), framed(TEXT, b"c")]
    wanted = b"".join(frames)
    left = list(ends.server.send_at_once(frames))
    assert left[1:] == frames[2:] and frames[1].endswith(left[0]) and left[0] != frames[1]
    got = ends.browser.recv(100_000)  # so that there is room again
    ends.say(PING, b"in the middle of a frame")  # no answer may come into it
    ends.say(TEXT, b"x")
    assert ends.server.receive() == "x"
    assert got + ends.read_while_sent(left, len(wanted) - len(got)) == wanted
    ends.say(PING, b"and now")
    ends.say(TEXT, b"y")
    assert ends.server.receive() == "y"
    pong = framed(PONG, b"and now")
    assert ends.browser.recv(len(pong)) == pong
    ends.browser.close()
    assert ends.server.receive() is None


def test_a_page_that_has_gone_leaves_all_of_it(ends: Ends) -> None:
    ends.browser.close()
    frames = [framed(TEXT, b"a"), framed(TEXT, b"b")]
    assert list(ends.server.send_at_once(frames)) == frames


class OfWindows:
    """A socket that has what Windows has: no `sendmsg`, and no flag that says not to wait."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real

    def __getattr__(self, name: str) -> object:
        if name == "sendmsg":
            raise AttributeError(name)
        return getattr(self._real, name)

    def send(self, data: bytes, flags: int) -> int:
        assert not flags
        return self._real.send(data)


@pytest.fixture
def on_windows(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> Ends:
    monkeypatch.setattr(websocket, "LINUX", False)
    monkeypatch.setattr(websocket, "DONT_WAIT", 0)
    monkeypatch.setattr(ends.server, "_socket", OfWindows(ends.socket))
    return ends


def test_where_a_call_cannot_be_told_not_to_wait_all_is_left_and_then_sent(
    on_windows: Ends,
) -> None:
    frames = [framed(TEXT, bytes([65 + k]) * 30_000) for k in range(20)]
    assert list(on_windows.server.send_at_once(frames)) == frames
    wanted = b"".join(frames)
    assert on_windows.read_while_sent(frames, len(wanted)) == wanted


def test_a_ping_is_answered_there_and_not_waited_for(on_windows: Ends) -> None:
    on_windows.say(PING, b"are you there")
    on_windows.say(TEXT, b"x")
    assert on_windows.server.receive() == "x"
    pong = framed(PONG, b"are you there")
    assert on_windows.browser.recv(len(pong)) == pong
    on_windows.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            on_windows.socket.send(b"a" * 1000)
    on_windows.socket.setblocking(True)
    on_windows.say(PING, b"and now that nothing is read")
    on_windows.say(TEXT, b"y")
    assert on_windows.server.receive() == "y"
    on_windows.browser.close()
    assert on_windows.server.receive() is None


def test_seconds_are_told_as_the_system_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert websocket._timeout(25) == struct.pack("ll", 25, 0)
    monkeypatch.setattr(sys, "platform", "win32")
    assert websocket._timeout(25) == 25_000
