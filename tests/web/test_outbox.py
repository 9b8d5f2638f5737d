"""What goes out to one page: frames as the standard has them, in a bounded outbox with pings."""

import queue

import pytest
from engineio.packet import PING
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from web.outbox import WAITING_EVENTS, Outbox, frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_frame_is_read_as_it_was_written(length):
    text = "말"[: length % 2] + "a" * (length - length % 2)
    browser = Connection(ConnectionType.CLIENT)
    browser.receive_data(frame(text))
    events = list(browser.events())
    assert all(isinstance(event, TextMessage) for event in events)
    assert "".join(event.data for event in events) == text and events[-1].message_finished


def test_things_come_out_in_order_and_then_nothing():
    outbox = Outbox(ping_s=1000)
    for i in range(3):
        outbox.put(i)
    assert [outbox.get() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(queue.Empty):
        outbox.get(block=False)


def test_what_a_page_does_not_read_ends_it_and_is_forgotten():
    outbox = Outbox(ping_s=1000)
    for i in range(WAITING_EVENTS + 1):
        outbox.put(i)
    assert outbox.get() is None
    with pytest.raises(queue.Empty):
        outbox.get(block=False)


def test_pings_come_when_nothing_else_does_and_between_other_things():
    outbox = Outbox(ping_s=0.01)
    assert outbox.get().packet_type == PING
    seen = []
    while len([one for one in seen if one != "event"]) < 3:
        outbox.put("event")
        seen.append(outbox.get())
    assert {getattr(one, "packet_type", None) for one in seen} <= {None, PING}
