"""The presenter mends lines: on every page, on disk, and for the recogniser."""

import pytest

from tests.live.test_board import line, lines, whole
from tests.live.test_room import board, codes, room, told  # noqa: F401  # fixtures
from utils.errors import RequestError
from utils.events import CaptionEvent
from utils.live.mending.remembered import MOST, Remembered
from utils.live.saved import read_saved


def saved(room):
    """The lines of the one file that was saved."""
    (path,) = room.history._folder.glob("*.jsonl")
    return read_saved(path)


def test_a_mended_line_is_exported_and_saved_so_and_survives_a_restart(room, board):
    room.set_saving(True)
    for segment in range(3):
        board.show(line(segment), board.cuts)
    room.corrections.correct(1, "other words", "")
    room.corrections.correct(1, "better words", "")
    board.show(line(1).tagged("hesitation", "glad"), board.cuts)  # comes late
    assert [e.text for e in lines(board)] == ["words", "better words", "words"]
    room.set_saving(False)
    events, bad = saved(room)
    assert bad == 0 and [e.text for e in events] == ["words", "better words", "words"]
    assert events[1].tags["mended"] is True and events[1].tags["hesitation"] == "glad"
    assert "[mended] [sad] better words" in whole(board, "txt")


def test_undone_it_is_on_disk_as_it_was_heard(room, board):
    room.set_saving(True)
    board.show(line(0), board.cuts)
    room.corrections.correct(0, "other words", "")
    room.corrections.restore(0)
    room.corrections.restore(0)  # twice does no harm
    room.set_saving(False)
    assert saved(room) == ([line(0)], 0) and lines(board) == [line(0)]


def test_what_was_said_before_saving_is_not_saved_by_mending_it(room, board):
    board.show(line(0), board.cuts)
    room.set_saving(True)
    board.show(line(1), board.cuts)
    room.corrections.correct(0, "private", "")
    room.set_saving(False)
    assert [e.text for e in saved(room)[0]] == ["words"]


def test_a_cleared_line_and_one_that_grows_or_is_a_sound_cannot_be_mended(room, board):
    board.show(line(0), board.cuts)
    room.clear()
    board.show(line(1, final=False), board.cuts)
    board.show(CaptionEvent(2, 2.0, 3.0, "", True, sound="music"), board.cuts)
    for segment in (0, 1, 2, 99):
        with pytest.raises(RequestError):
            room.corrections.correct(segment, "x", "")
    board.show(line(0), board.cuts)  # a session that begins anew
    assert lines(board)[-1].text == "words"


def test_behind_blank_screens_nothing_is_mended(room, board):
    board.show(line(0), board.cuts)
    room.set_blank(True)
    with pytest.raises(RequestError):
        room.corrections.correct(0, "x", "")


def test_words_that_offend_are_hidden_in_mended_lines_too(room, board):
    board.show(line(0), board.cuts)
    room.corrections.correct(0, "what a shit day", "")
    room.set_offending("first")
    assert "what a s*** day" in b"".join(room.export("txt")).decode()


def test_words_are_remembered_once_each_and_read_at_the_next_start(room, board, tmp_path):
    board.show(line(0), board.cuts)
    for _ in range(2):
        room.corrections.correct(0, "Ada\nLovelace", "Ada \x00Lovelace")
    room.corrections.correct(0, "도서관", "도서관")
    assert Remembered(tmp_path / "remembered.txt").phrases == ("Ada Lovelace", "도서관")


@pytest.mark.parametrize("words", ["x" * 101, "…", "\x1b"])
def test_what_cannot_be_remembered_is_told_and_the_line_is_mended(room, board, words):
    board.show(line(0), board.cuts)
    with pytest.raises(RequestError, match="remembered"):
        room.corrections.correct(0, "other", words)
    assert lines(board)[0].text == "other"


def test_where_they_cannot_be_kept_that_is_told(room, board, tmp_path):
    (tmp_path / "remembered.txt").mkdir()
    board.show(line(0), board.cuts)
    room.corrections.correct(0, "other", "other")
    assert "remembered.not_kept" in codes(room)


def test_a_list_that_is_none_is_told_kept_aside_and_does_not_stop_the_start(tmp_path):
    path = tmp_path / "remembered.txt"
    path.write_bytes(b"\xff\xfe")
    remembered = Remembered(path)
    assert remembered.phrases == () and remembered.problem
    remembered.add("Ada")
    assert path.read_text() == "Ada\n"
    assert path.with_suffix(".bad.txt").read_bytes() == b"\xff\xfe"


def test_there_are_no_more_than_help(tmp_path):
    path = tmp_path / "remembered.txt"
    path.write_text("".join(f"word{i}\n" for i in range(MOST)))
    with pytest.raises(RequestError):
        Remembered(path).add("one more")
