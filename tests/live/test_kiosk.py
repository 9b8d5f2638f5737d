"""The lock on readers' controls, and the answer on the screen that faces whoever speaks."""

import pytest

from utils.errors import DataError, RequestError
from utils.live import kiosk as module
from utils.live.board import Board
from utils.live.kiosk import ANSWER_S, ELSEWHERE, HERE, LONGEST_ANSWER, Kiosk


@pytest.fixture
def told() -> list:
    return []


@pytest.fixture
def board(told) -> Board:
    return Board(lambda name, payload: told.append((name, payload)))


@pytest.fixture
def kiosk(told, board) -> Kiosk:
    return Kiosk(board.tell, lambda: told.append("room"), lambda: board.blank)


def test_an_answer_stands_when_pages_are_told_of_it(board):
    stood = []
    kiosk = Kiosk(
        lambda name, payload: stood.append(kiosk.shown()), lambda: None, lambda: board.blank
    )
    kiosk.answer("Yes")
    kiosk.take_away()
    assert stood == [[("answer", {"text": "Yes"})], []]


def test_an_answer_is_told_to_every_page_and_to_those_that_come(kiosk, told):
    assert kiosk.shown() == []
    kiosk.answer("  Which platform?\n")
    kiosk.answer("Which platform?")
    assert told == kiosk.shown() == [("answer", {"text": "Which platform?"})]
    kiosk.answer("")
    assert told[1:] == [("answer", {"text": ""})] and kiosk.shown() == []


def test_an_answer_that_is_too_long_is_refused_without_repeating_it(kiosk, told):
    kiosk.answer("x" * LONGEST_ANSWER)
    with pytest.raises(RequestError, match="501 letters; expected 500"):
        kiosk.answer("x" * LONGEST_ANSWER + "y")
    assert len(told) == 1


def test_nothing_is_answered_on_blank_screens(kiosk, board, told):
    board.set_blank(True)
    with pytest.raises(RequestError) as caught:
        kiosk.answer("Hello.")
    assert caught.value.message.code == "refused.blank"
    kiosk.answer("")  # taking away is allowed
    assert told == []


def test_an_answer_goes_by_itself_before_somebody_else_comes(kiosk, told, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    kiosk.answer("Hello.")
    now[0] += ANSWER_S - 1
    kiosk.answer("Hello.")  # said again, it stays for as long again
    now[0] += ANSWER_S - 1
    kiosk.look()
    assert kiosk.shown()
    now[0] += 1
    kiosk.look()
    assert told[-1] == ("answer", {"text": ""}) and not kiosk.shown()


@pytest.mark.parametrize("name", ["locked", "answers"])
def test_what_is_set_is_kept_for_the_next_start_and_told(kiosk, told, name):
    kept = {}
    kiosk.begin(locked=False, answers=False, keep=kept.update)
    getattr(kiosk, f"set_{name}")(True)
    assert kept == {name: True} and told == ["room"]
    assert kiosk.state() == {"locked": False, "answers": False, "facing": ""} | {name: True}


def test_what_cannot_be_kept_holds_all_the_same(kiosk, caplog):
    def fail(values):
        raise DataError("the disk is full")

    kiosk.begin(locked=False, answers=True, keep=fail)
    kiosk.set_locked(True)
    assert kiosk.locked and "the disk is full" in caplog.text


def test_where_a_screen_faces_is_told_as_the_nearest_comes_and_the_last_goes(kiosk, told):
    changes = [(ELSEWHERE, 1, ELSEWHERE), (HERE, 1, HERE), (HERE, 1, HERE), (ELSEWHERE, -1, HERE)]
    for place, by, facing in [*changes, (HERE, -1, HERE), (HERE, -1, "")]:
        kiosk.count_screen(place, by)
        assert kiosk.state()["facing"] == facing
    assert told == ["room"] * 3
