"""Turns: one at a time, the one who has used least first, and no more than a share in all."""

import threading
import time

import pytest

from web.turns import Turns


def work(seconds: float) -> None:
    """Keep a processor busy."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_one_at_a_time_and_who_has_used_least_comes_first():
    turns, order, ready = Turns(share=100.0), [], threading.Semaphore(0)

    def one(account: str) -> None:
        ready.release()
        turns.enter(account)
        order.append(account)
        work(0.02)
        turns.leave()

    turns.enter("flood")
    work(0.02)
    threads = [threading.Thread(target=one, args=(a,)) for a in ["flood"] * 5 + ["reader"]]
    for thread in threads:
        thread.start()
        ready.acquire()
    while sum(map(len, turns._waiting.values())) < len(threads):
        time.sleep(0.01)
    turns.leave()
    for thread in threads:
        thread.join()
    assert order == ["reader"] + ["flood"] * 5


def test_ever_another_peer_of_a_site_is_not_new():
    turns, order = Turns(share=100.0), []

    def one(account: str) -> None:
        turns.enter(account)
        order.append(account)
        turns.leave()

    turns.enter("203.0.113.7 packets")
    work(0.01)
    turns.leave()
    for i in range(10):
        turns.enter(f"2001:db8:1:{i:x}::/64 packets")
        work(0.02)
        turns.leave()
    turns.enter("another")
    accounts = ["2001:db8:1:ffff::/64 packets", "203.0.113.7 packets"]
    threads = [threading.Thread(target=one, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    while sum(map(len, turns._waiting.values())) < len(threads):
        time.sleep(0.01)
    turns.leave()
    for thread in threads:
        thread.join()
    assert order == accounts[::-1]


def test_all_together_use_no_more_than_their_share():
    turns = Turns(share=0.2, saved_s=0.05)
    began = time.monotonic()
    for i in range(20):
        turns.enter(f"reader {i}")
        work(0.02)
        turns.leave()
    # 0.4 s of work: 0.05 were saved, the last is not waited for, and 0.2 s come in each second
    assert time.monotonic() - began >= (0.4 - 0.05 - 0.02 - 0.01) / 0.2


def test_only_who_has_the_turn_ends_it_and_entering_twice_is_one_turn():
    turns, passed = Turns(), threading.Event()
    turns.enter("a")
    turns.enter("a")

    def other() -> None:
        turns.leave()  # not its own
        turns.enter("b")
        passed.set()
        turns.leave()

    thread = threading.Thread(target=other)
    thread.start()
    assert not passed.wait(0.2)
    turns.leave()
    thread.join()
    assert passed.is_set()
    turns.leave()


def test_a_long_work_lets_others_between_its_pieces():
    turns = Turns(share=100.0)
    turns.enter("long")
    pieces = turns.pieces("long", iter(range(1, 4)))
    for number in range(1, 4):
        assert next(pieces) == number
        between = threading.Thread(target=lambda: (turns.enter("other"), turns.leave()))
        between.start()
        between.join(30)
        assert not between.is_alive(), "the others wait for all of it"
    assert list(pieces) == []


def test_a_piece_that_fails_holds_no_turn():
    turns = Turns(share=100.0)
    with pytest.raises(ZeroDivisionError):
        list(turns.pieces("long", (1 / n for n in (1, 0))))
    assert turns._holder is None
