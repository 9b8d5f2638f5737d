"""Voices have numbers from the last clear on, and the names that the presenter gives them."""

import json

import pytest

from tests.live.test_board import lines, whole
from tests.live.test_room import board, codes, room, told  # noqa: F401  # fixtures
from utils.errors import RequestError
from utils.events import CaptionEvent
from utils.live.board import LATE_JOINER_LINES, Board
from utils.live.mending.voice_names import LONGEST
from utils.live.saved import read_saved


def line(segment: int, voice: int | None = None, final: bool = True) -> CaptionEvent:
    """A line of a voice, by the pipeline's number."""
    tags = {} if voice is None else {"speaker": {"number": voice, "voice": voice}}
    return CaptionEvent(segment, float(segment), segment + 1.0, "words", final, tags)


def speakers(board) -> list[dict | None]:
    return [event.tags.get("speaker") for event in lines(board)]


def test_numbers_count_from_the_last_clear(room, board):
    for segment, voice in enumerate((None, 5, 9, 5)):
        board.show(line(segment, voice), board.cuts)
    assert speakers(board) == [None, {"number": 1}, {"number": 2}, {"number": 1}]
    room.clear()
    board.show(line(7, 9), board.cuts)
    assert speakers(board) == [{"number": 1}]


def test_a_name_stands_on_every_line_of_its_voice_on_those_that_come_and_in_exports(room, board):
    for segment, voice in enumerate((1, 2, 1)):
        board.show(line(segment, voice), board.cuts)
    room.corrections.name_voice(1, " A\x1bda ")
    board.show(line(3, 1, final=False), board.cuts)
    board.show(line(3, 1), board.cuts)
    ada = {"number": 1, "name": "A da"}
    assert speakers(board) == [ada, {"number": 2}, ada, ada]
    assert whole(board, "txt").splitlines()[:2] == ["00:00  A da: words", "00:01  Voice 2: words"]
    found = json.loads(whole(board, "json"))["lines"]
    assert [entry["tags"]["speaker"] for entry in found] == speakers(board)
    for form in ("srt", "vtt", "docx"):
        assert "A da:" in whole(board, form) and "Voice 2:" in whole(board, form)
    room.corrections.name_voice(1, "")
    assert speakers(board)[0] == {"number": 1}
    assert "A da" not in whole(board, "txt")


def test_a_name_outlives_mending_and_a_late_tag(room, board):
    board.show(line(0, 3), board.cuts)
    room.corrections.name_voice(1, "Ada")
    room.corrections.correct(0, "other", "")
    board.show(line(0, 3).tagged("translation", {"text": "x"}), board.cuts)
    assert lines(board)[0].text == "other"
    assert speakers(board) == [{"number": 1, "name": "Ada"}]


def test_voices_of_before_the_program_broke_off_keep_number_and_name(room, board):
    board.show(line(0, 1), board.cuts)
    board.show(line(1, 2), board.cuts)
    room.corrections.name_voice(2, "Ada")
    again = Board(lambda name, payload: None)
    again.restore(board.everything())
    again.show(line(2, 1), again.cuts)  # the first that is heard now is somebody else, it may be
    again.name_voice(1, "Ben")
    said = [event.tags["speaker"] for event in again.latest()[0]]
    assert said == [{"number": 1, "name": "Ben"}, {"number": 2, "name": "Ada"}, {"number": 3}]


def test_a_board_that_shows_what_another_one_tells_counts_nothing_anew(board):
    mirror = Board(lambda name, payload: None)
    board.show(line(0, 5), board.cuts)
    board.show(line(1, 4), board.cuts)
    for event in reversed(board.everything()):
        mirror.show(event, mirror.cuts)
    assert {e.segment: e.tags["speaker"]["number"] for e in mirror.everything()} == {0: 1, 1: 2}


def test_names_are_gone_with_a_clear(room, board):
    board.show(line(0, 1), board.cuts)
    room.corrections.name_voice(1, "Ada")
    room.clear()
    with pytest.raises(RequestError):
        room.corrections.name_voice(1, "Ada")
    board.show(line(1, 1), board.cuts)
    assert speakers(board) == [{"number": 1}]


def test_only_voices_that_there_are_and_that_can_be_seen_get_short_names(room, board):
    board.show(line(0, 1), board.cuts)
    for number, name in ((2, "Ada"), (0, "Ada"), (-1, "Ada"), (1, "x" * (LONGEST + 1))):
        with pytest.raises(RequestError):
            room.corrections.name_voice(number, name)
    room.set_blank(True)
    with pytest.raises(RequestError):
        room.corrections.name_voice(1, "Ada")
    room.set_blank(False)
    assert speakers(board) == [{"number": 1}]


def test_saved_lines_get_the_name_and_earlier_ones_are_not_saved_by_it(room, board):
    board.show(line(0, 1), board.cuts)
    room.set_saving(True)
    board.show(line(1, 1), board.cuts)
    board.show(line(2, 2), board.cuts)
    room.corrections.name_voice(1, "Ada")
    room.set_saving(False)
    (path,) = room.history._folder.glob("*.jsonl")
    events, bad = read_saved(path)
    assert bad == 0
    assert [e.tags["speaker"] for e in events] == [{"number": 1, "name": "Ada"}, {"number": 2}]


def test_pages_are_sent_no_more_lines_again_than_when_they_open(room, board, told):
    for segment in range(LATE_JOINER_LINES + 50):
        board.show(line(segment, 1), board.cuts)
    told.clear()
    room.corrections.name_voice(1, "Ada")
    assert told == ["caption"] * LATE_JOINER_LINES
    assert whole(board, "txt").count("Ada:") == LATE_JOINER_LINES + 50
