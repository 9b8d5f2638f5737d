"""What goes out to one page: frames as the standard has them, in a bounded outbox with pings."""

from collections.abc import Sequence

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from web.outbox import PING, WAITING_EVENTS, Outbox, frame


def nothing(frames: Sequence[bytes]) -> Sequence[bytes]:
    """A network that takes nothing at once."""
    return frames


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_frame_is_read_as_it_was_written(length: int) -> None:
    text = "말"[: length % 2] + "a" * (length - length % 2)
    browser = Connection(ConnectionType.CLIENT)
    browser.receive_data(frame(text))
    events = [event for event in browser.events() if isinstance(event, TextMessage)]
    assert "".join(event.data for event in events) == text and events[-1].message_finished


def test_all_that_waits_comes_out_at_once_and_in_order() -> None:
    outbox = Outbox(1000, nothing)
    outbox.put(b"a", b"b")
    outbox.put(b"c")
    assert outbox.get() == [b"a", b"b", b"c"]


def test_what_the_network_takes_at_once_waits_for_nobody_and_overtakes_nothing() -> None:
    sent: list[bytes] = []
    room = [3]  # frames that the network has room for

    def network(frames: Sequence[bytes]) -> Sequence[bytes]:
        taken = frames[: room[0]]
        room[0] -= len(taken)
        sent.extend(taken)
        return frames[len(taken) :]

    outbox = Outbox(1000, network)
    outbox.put(b"a")
    outbox.put(b"b")
    assert sent == [b"a", b"b"]
    outbox.put(b"c", b"d")
    room[0] = 10
    outbox.put(b"e")  # d goes before it
    assert sent == [b"a", b"b", b"c"] and outbox.get() == [b"d", b"e"]
    outbox.put(b"f")  # whoever got these is sending them still
    assert sent == [b"a", b"b", b"c"] and outbox.get() == [b"f"]
    outbox.end()
    outbox.put(b"too late")
    assert outbox.get() == [] and sent == [b"a", b"b", b"c"]


def test_what_waits_at_the_end_comes_out_and_nothing_follows() -> None:
    outbox = Outbox(0, nothing)
    outbox.put(b"a")
    outbox.end()
    outbox.put(b"too late")
    assert outbox.get() == [b"a"]
    assert outbox.get() == outbox.get() == []


def test_what_a_page_does_not_read_ends_it_and_is_forgotten() -> None:
    outbox = Outbox(1000, nothing)
    for _ in range(WAITING_EVENTS + 2):
        outbox.put(b"a")
    assert outbox.get() == []


def test_pings_come_when_nothing_else_does_and_between_other_things() -> None:
    outbox = Outbox(0.01, nothing)
    assert outbox.get() == [PING]
    seen: list[bytes] = []
    while seen.count(PING) < 3:
        outbox.put(b"event")
        seen += outbox.get()
    assert set(seen) == {b"event", PING}
