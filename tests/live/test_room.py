"""What the presenter sets holds for everyone, and is told to everyone."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disks import fill, small_disk
from tests.live.test_board import line, lines
from tests.live.test_voice import wait
from utils.captions.offending import OffendingWords
from utils.config import LONGEST_CLEAR_AFTER_MIN
from utils.errors import CaptureError, DataError, ModelError, RequestError
from utils.live.answering.phrases import Phrases
from utils.live.board import Board
from utils.live.engines import Engines
from utils.live.mending.remembered import Remembered
from utils.live.room import Room
from utils.live.saved import read_saved
from utils.live.saving import SavedLines
from utils.live.session import Session
from utils.sources import Source


def no_engines(progress: object) -> Engines:
    raise ModelError("none is needed here")


def no_source(start: int) -> Source:
    raise CaptureError("none is needed here")


def codes(room: Room) -> set[str]:
    """Of the remarks that pages show."""
    told: list[tuple[str, dict]] = []
    room.greet(lambda events, blank: told.extend(events))
    return {notice["code"] for notice in told[0][1]["notices"]}


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def board(told) -> Board:
    return Board(lambda name, payload: told.append(name))


@pytest.fixture
def room(told, board, tmp_path) -> Iterator[Room]:
    session = Session(no_engines, no_source, board, lambda name, payload: told.append(name))
    with Room(
        session,
        board,
        lambda: told.append("room"),
        Phrases(tmp_path / "phrases.json", "en"),
        Remembered(tmp_path / "remembered.txt"),
        OffendingWords(tmp_path / "offending.txt"),
        tmp_path / "saved",
        "http://10.0.0.5:5000/read",
        "en",
    ) as room:
        yield room


def test_readers_see_less_of_the_room_than_the_presenter(room):
    room.set_saving(True)
    presenter, reader = room.state(True), room.state(False)
    assert Path(presenter["saving"]["folder"]).name == "saved" and presenter["phrases"]
    assert "folder" not in reader["saving"] and reader["phrases"] == presenter["phrases"]
    assert presenter.keys() == reader.keys()


def test_the_microphones_name_is_told_when_it_changes_to_the_presenter_alone(
    room, told, monkeypatch
):
    told.clear()
    monkeypatch.setattr(Session, "microphone", "Anna's headset")
    wait(lambda: "room" in told)
    assert room.state(True)["microphone"] == "Anna's headset"
    assert room.state(False)["microphone"] == ""


def test_each_change_is_told_to_everyone(room, told):
    for change in (
        lambda: room.set_blank(True),
        lambda: room.set_clear_after(5),
        lambda: room.set_saving(True),
        lambda: room.set_phrases(["Yes"]),
        lambda: room.set_emotion(False),
        lambda: room.set_sounds(False),
    ):
        told.clear()
        change()
        assert told.count("room") == 1
    state = room.state(True)
    assert state["blank"] and state["clear_after_min"] == 5 and state["phrases"] == ["Yes"]
    assert not state["emotion"] and state["saving"]


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_a_voice_that_goes_missing_is_told_and_is_not_offered(room, told, monkeypatch, tmp_path):
    assert room.state(True)["speech"] and not room.state(False)["speech"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not room.state(True)["speech"]
    told.clear()
    with pytest.raises(DataError, match="espeak-ng is not installed on the computer that shows"):
        room.speak("Hello.", "en")
    assert told == ["room"]


@pytest.mark.parametrize("minutes", [-1, LONGEST_CLEAR_AFTER_MIN + 1])
def test_a_time_that_cannot_be_is_refused(room, minutes):
    with pytest.raises(RequestError, match="expected 0 to"):
        room.set_clear_after(minutes)


def test_words_that_offend_are_exported_as_the_room_has_them_or_a_reader_asks(room, board):
    board.show(line(0, "Oh shit."), board.cuts)
    assert room.state(False)["offending"] == "off"
    room.set_offending("first")
    assert room.state(True)["offending"] == "first"
    for how, text in [(None, "s***."), ("hidden", "***."), ("off", "shit."), ("first", "s***.")]:
        for form in ("txt", "srt", "vtt", "json"):
            exported = b"".join(room.export(form, how)).decode()
            assert text in exported and ("shit" in exported) == (how == "off"), (how, form)
    assert lines(board)[0].text == "Oh shit."  # pages get what was heard
    with pytest.raises(RequestError, match="expected off, first, hidden"):
        room.set_offending("bleep")


def test_lines_are_cleared_once_nobody_has_spoken_for_long(room, board, told, monkeypatch):
    board.show(line(0), board.cuts)
    now = time.monotonic
    room.set_clear_after(1)
    time.sleep(1.5)
    assert lines(board) and "cleared" not in told
    monkeypatch.setattr("utils.live.board.time.monotonic", lambda: now() + 61)
    wait(lambda: "cleared" in told)
    assert not lines(board) and told.count("cleared") == 1


def test_a_file_that_is_taken_away_is_told_while_nobody_speaks(room, board, told):
    room.set_saving(True)
    folder = Path(room.state(True)["saving"]["folder"])
    told.clear()
    (folder / room.state(True)["saving"]["file"]).unlink()
    wait(lambda: codes(room) & {"saving.moved"} and "room" in told)
    shutil.rmtree(folder.rename(folder.with_name("away")))  # at once: or a file is made in it
    wait(lambda: "saving.failed" in codes(room) and room.state(True)["saving"] is None)
    board.show(line(0), board.cuts)  # which nobody keeps
    folder.mkdir()
    room.set_saving(True)
    assert not codes(room) & {"saving.moved", "saving.failed"}


def test_a_full_disk_is_told_until_it_has_room(room, board, tmp_path):
    with small_disk(tmp_path / "saved", 64) as disk:
        room.set_saving(True)
        fill(disk)
        board.show(line(0), board.cuts)
        wait(lambda: "saving.waiting" in codes(room))
        assert room.state(True)["saving"]
        (disk / "filling").unlink()
        wait(lambda: "saving.waiting" not in codes(room))  # by itself, while nobody speaks
        assert len(read_saved(disk / room.state(True)["saving"]["file"])[0]) == 1
        room.set_saving(False)


def test_phrases_that_cannot_be_kept_are_told(room, tmp_path):
    (tmp_path / "phrases.json").mkdir()
    (tmp_path / "phrases.json" / "in the way").write_text("")
    room.set_phrases(["Yes"])
    assert room.state(False)["phrases"] == ["Yes"] and "phrases.not_kept" in codes(room)
    shutil.rmtree(tmp_path / "phrases.json")
    room.set_phrases(["No"])
    assert "phrases.not_kept" not in codes(room)


def test_what_an_older_file_tells_late_is_not_of_the_new_one(room, board):
    room.set_saving(True)
    older = room._saved
    room.set_saving(False)
    room.set_saving(True)
    older._failed("the disk gave up")
    older._tell_waiting("the disk is full")
    assert not any(code.startswith("saving.") for code in codes(room))
    board.show(line(0, "kept"), board.cuts)
    path = room._saved.path
    room.set_saving(False)
    assert [e.text for e in read_saved(path)[0]] == ["kept"]


def test_a_file_is_being_written_until_its_saving_has_ended(room, board, monkeypatch):
    refused, close = [], SavedLines.close

    def slowly(saved: SavedLines) -> None:
        with pytest.raises(DataError, match="being written") as caught:
            room.history.delete(saved.path.name)
        refused.append(caught.value)
        close(saved)

    monkeypatch.setattr(SavedLines, "close", slowly)
    room.set_saving(True)
    path = room._saved.path
    board.show(line(0, "kept"), board.cuts)
    room.set_saving(False)
    assert refused and room.state(True)["saving"] is None
    room.history.delete(path.name)
    assert not path.exists()


def test_lines_are_saved_while_that_is_on(room, board):
    board.show(line(0, "before"), board.cuts)
    room.set_saving(True)
    path = Path(room.state(True)["saving"]["folder"]) / room.state(True)["saving"]["file"]
    board.show(line(1, "while"), board.cuts)
    room.clear()
    room.set_saving(False)
    board.show(line(2, "after"), board.cuts)
    assert [e.text for e in read_saved(path)[0]] == ["while"]
    assert room.state(True)["saving"] is None


def test_lines_are_still_cleared_after_a_look_that_failed(room, told, board, monkeypatch):
    failed = threading.Event()

    def fail(_: Session) -> str:
        failed.set()
        raise OSError("the device is gone")

    monkeypatch.setattr(Session, "microphone", property(fail))
    board.show(line(0), board.cuts)
    room.set_clear_after(1)
    assert failed.wait(60)
    monkeypatch.setattr(Session, "microphone", "")
    now = time.monotonic
    monkeypatch.setattr("utils.live.board.time.monotonic", lambda: now() + 61)
    wait(lambda: "cleared" in told)
