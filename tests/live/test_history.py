"""Saved sessions are listed, read and deleted; nothing else of the folder is."""

import json
import os
from pathlib import Path

import pytest

from utils.errors import DataError
from utils.events import CaptionEvent
from utils.live.history import FIRST_WORDS, History
from utils.live.saving import SavedLines

OLD = "captions-2026-01-02-030405.jsonl"
NEW = "captions-2026-01-02-030405-2.jsonl"


def line(segment: int, text: str) -> CaptionEvent:
    return CaptionEvent(segment, 2.0 * segment, 2.0 * segment + 1.5, text, True)


def write(path: Path, *texts: str) -> None:
    lines = [json.dumps(line(i, text).to_dict()) for i, text in enumerate(texts)]
    path.write_text("".join(f"{entry}\n" for entry in lines), encoding="utf-8")


@pytest.fixture
def history(tmp_path) -> History:
    return History(tmp_path, lambda: "")


def test_what_was_saved_is_listed_the_newest_first(history, tmp_path):
    assert list(history.sessions()) == []
    write(tmp_path / OLD, "Good morning.", "안녕하세요.")
    write(tmp_path / NEW, "word " * 100)
    newer, older = history.sessions()
    assert older == {
        "name": OLD,
        "began": "2026-01-02T03:04:05",
        "length_s": 3.5,
        "lines": 2,
        "first": "Good morning. 안녕하세요.",
    }
    assert newer["name"] == NEW and len(newer["first"]) <= FIRST_WORDS
    write(tmp_path / OLD, "Good morning.", "안녕하세요.", "And more.")
    assert list(history.sessions())[1]["lines"] == 3  # it is being written


def test_what_saving_writes_is_listed_and_stays_while_it_is_written(tmp_path):
    saved = SavedLines(tmp_path, lambda: None, lambda reason: None, lambda reason: None)
    history = History(tmp_path, lambda: saved.path.name)
    saved.add(line(0, "Good morning."))
    saved.close()
    (session,) = history.sessions()
    assert session["first"] == "Good morning."
    with pytest.raises(DataError, match="being written"):
        history.delete(session["name"])
    assert saved.path.exists()


def test_a_session_is_read_and_deleted(history, tmp_path):
    write(tmp_path / OLD, "Good morning.")
    with history.lines(OLD) as lines:
        assert [event.text for event in lines] == ["Good morning."]
    history.delete(OLD)
    assert list(history.sessions()) == [] and not (tmp_path / OLD).exists()
    with pytest.raises(DataError, match="no saved session"):
        history.delete(OLD)


@pytest.mark.parametrize(
    "name", ["../secret.jsonl", "secret.jsonl", "", ".", f"{OLD}/", f"./{OLD}", f"{OLD}\n", "a\0b"]
)
def test_no_other_file_is_told_of_read_or_deleted(tmp_path, name):
    folder = tmp_path / "saved"
    folder.mkdir()
    for path in (tmp_path / "secret.jsonl", folder / "secret.jsonl", folder / OLD):
        write(path, "Secret.")
    history = History(folder, lambda: "")
    for ask in (history.lines, history.delete):
        with pytest.raises(DataError, match="no saved session"):
            ask(name)
    assert [session["name"] for session in history.sessions()] == [OLD]
    assert (tmp_path / "secret.jsonl").exists() and (folder / "secret.jsonl").exists()


def test_a_link_out_of_the_folder_and_what_is_no_file_are_left_alone(history, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, "Secret.")
    (tmp_path / OLD).symlink_to(elsewhere)
    os.mkfifo(tmp_path / NEW)
    (tmp_path / "captions-2026-01-02-030405-3.jsonl").write_text("no captions\n")
    assert list(history.sessions()) == []
    with pytest.raises(DataError, match="no saved session"):
        history.lines(OLD)


@pytest.mark.parametrize("when", ["2026-13-99-000000", "0000-01-01-000000", "2026-02-30-256199"])
def test_a_name_that_is_no_time_is_no_session_and_hides_none(history, tmp_path, when):
    odd = f"captions-{when}.jsonl"
    write(tmp_path / OLD, "Good morning.")
    write(tmp_path / odd, "Good morning.")
    assert [session["name"] for session in history.sessions()] == [OLD]
    for ask in (history.lines, history.delete):
        with pytest.raises(DataError, match="no saved session"):
            ask(odd)
    assert (tmp_path / odd).exists()
