"""What is saved is there whole, whatever happens."""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.disks import fill, make_read_only, pull_out, small_disk
from utils.captions.transcript import FORMATS
from utils.errors import DataError
from utils.events import CaptionEvent, Emotion, Word
from utils.live.saved import read_saved
from utils.live.saving import SavedLines

ANGRY = Emotion("angry", 0.9, {"angry": 0.9, "neutral": 0.1})
HOME = Path(__file__).resolve().parents[2]


def line(segment: int, text: str = "안녕하세요 <b>\n--> world") -> CaptionEvent:
    words = (Word("world", segment + 0.5, segment + 0.9, 0.5),)
    return CaptionEvent(
        segment,
        segment,
        segment + 1.0,
        text,
        True,
        {"emotion": ANGRY, "loudness": "loud", "new_voice": True},
        words,
    )


def unexpected(reason: str = "moved") -> None:
    raise AssertionError(reason)


def saving(folder: Path) -> SavedLines:
    """Lines saved to a folder from which nothing is taken."""
    return SavedLines(folder, unexpected, unexpected, unexpected)


def wait(for_what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not for_what() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert for_what()


def test_finished_lines_come_back_as_they_were(tmp_path):
    saved = saving(tmp_path / "new" / "folder")
    saved.add(CaptionEvent(0, 0.0, 0.5, "grow", False))
    for segment in range(3):
        saved.add(line(segment))
    saved.add(CaptionEvent(3, 3.0, 4.0, "", True))
    saved.close()
    events, bad = read_saved(saved.path)
    assert bad == 0 and [e.text for e in events] == [line(0).text] * 3
    assert events[1].words == line(1).words and events[1].emotion == ANGRY
    assert events[1].tags == line(1).tags
    assert stat.S_IMODE(saved.path.stat().st_mode) == 0o600


def test_each_time_is_a_file_of_its_own_and_an_empty_one_goes(tmp_path):
    first, second, empty = (saving(tmp_path) for _ in range(3))
    first.add(line(0))
    second.add(line(1))
    for saved in (first, second, empty):
        saved.close()
    assert first.path != second.path and len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path):
    """A limit on the size of files fails in the middle of a line, as a full disk does."""
    told = []
    saved = SavedLines(tmp_path, unexpected, told.append, unexpected)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        for segment in range(10):
            saved.add(line(segment))
        saved.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert len(told) == 1 and "large" in told[0].lower()
    data = saved.path.read_bytes()
    assert 0 < len(data) <= 1000 and data.endswith(b"\n")
    assert read_saved(saved.path)[1] == 0


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be saved there"):
        saving(tmp_path / "file")
    with pytest.raises(DataError, match="cannot be saved there"):
        saving(tmp_path / "no\0path")


def test_where_the_file_is_taken_away_lines_go_on_in_another(tmp_path):
    moved = []
    saved = SavedLines(tmp_path, lambda: moved.append(saved.path), unexpected, unexpected)
    first = saved.path
    saved.add(line(0))
    wait(lambda: first.stat().st_size)
    first.unlink()
    saved.add(line(1))
    saved.close()
    [path] = moved
    assert [event.segment for event in read_saved(path)[0]] == [1]  # what was deleted stays so


def test_a_file_that_is_taken_away_is_seen_while_nobody_speaks(tmp_path):
    moved = []
    saved = SavedLines(tmp_path, lambda: moved.append(saved.path), unexpected, unexpected)
    saved.look()
    saved.path.rename(tmp_path / "elsewhere")
    wait(lambda: saved.look() or moved)
    saved.close()
    saved.look()


def test_a_folder_that_is_taken_away_is_told_at_once(tmp_path):
    told = []
    saved = SavedLines(tmp_path / "stick", unexpected, told.append, unexpected)
    shutil.rmtree(tmp_path / "stick")
    wait(lambda: saved.look() or told)
    saved.add(line(0))
    saved.close()
    assert len(told) == 1 and str(tmp_path / "stick") in told[0]
    assert not (tmp_path / "stick").exists()  # or lines would lie where a stick is put in again


def test_a_stick_that_is_pulled_and_a_locked_one_are_told(tmp_path):
    told = []
    with small_disk(tmp_path / "stick", 64) as stick:
        saved = SavedLines(stick / "captions", unexpected, told.append, unexpected)
        pull_out(stick)
        saved.add(line(0))
        saved.close()
    assert len(told) == 1 and "captions" in told[0]
    with small_disk(tmp_path / "locked", 64) as stick:
        make_read_only(stick)
        with pytest.raises(DataError, match="may not be read or written to"):
            saving(stick / "captions")


def test_lines_wait_while_the_disk_is_full_and_are_saved_when_it_has_room(tmp_path):
    told = []
    with small_disk(tmp_path / "stick", 64) as stick:
        saved = SavedLines(stick, unexpected, unexpected, told.append)
        saved.add(line(0))
        wait(lambda: saved.path.stat().st_size)
        fill(stick)
        for segment in range(1, 60):  # more than the page of the first line has room for
            saved.add(line(segment))
        wait(lambda: told)
        assert told[0].startswith(f"the disk of {saved.path} is full")
        saved._thread.submit(
            bool
        ).result()  # each line tries, and takes back what it wrote of itself
        assert read_saved(saved.path)[1] == 0  # whole lines only
        (stick / "filling").unlink()
        wait(lambda: saved.look() or told[1:])
        saved.add(line(60))
        saved.close()
        assert told[1:] == [""]
        events, bad = read_saved(saved.path)
    assert [event.segment for event in events] == list(range(61)) and bad == 0


def test_what_waits_is_saved_at_the_end_if_there_is_room(tmp_path):
    with small_disk(tmp_path / "stick", 64) as stick:
        saved = SavedLines(stick, unexpected, unexpected, lambda reason: None)
        fill(stick)
        saved.add(line(0))
        wait(saved._thread.submit(lambda: True).result)
        (stick / "filling").unlink()
        saved.close()
        assert len(read_saved(saved.path)[0]) == 1


def test_a_disk_that_hangs_is_told_and_holds_nobody_up(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.live.saving.HANGS_S", 0.05)
    told, answers = [], threading.Event()
    saved = SavedLines(tmp_path, unexpected, unexpected, told.append)
    saved._thread.submit(answers.wait)
    saved.add(line(0))
    wait(lambda: saved.look() or told)
    assert told == [f"the disk of {saved.path} does not answer"]
    saved.close()
    answers.set()
    wait(lambda: read_saved(saved.path)[0] if saved.path.stat().st_size else [])


def test_a_kill_leaves_whole_lines(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests.live.test_saving import line; "
        "from utils.live.saving import SavedLines; saved = SavedLines(Path(sys.argv[1]), print, print, print); i = 0\n"
        "while True:\n  saved.add(line(i, 'word ' * 500)); i += 1; saved._thread.submit(int).result()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=HOME)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(path.stat().st_size > 50_000 for path in tmp_path.iterdir()):
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    [path] = tmp_path.iterdir()
    events, bad = read_saved(path)
    whole = path.read_bytes().count(b"\n")
    assert len(events) == whole > 10 and bad <= 1


def test_a_cut_line_at_the_end_is_left_out_and_counted(tmp_path):
    path = tmp_path / "cut.jsonl"
    whole = json.dumps(line(0).to_dict()) + "\n"
    path.write_text(whole + whole[:30])
    events, bad = read_saved(path)
    assert len(events) == 1 and bad == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"tags": {"emotion": "sad"}},
        {"tags": 7},
        {"tags": {"loudness": {}}},
        {"tags": {"emotion": {"label": "sad", "confidence": 1, "scores": [1]}}},
        {"tags": {"new_voice": "yes"}},
        {"start_s": 1e999},
        {"start_s": 10**400},
        {"start_s": -1},
        {"end_s": 0},
        {"end_s": 1e300},
        {"segment": 1e999},
        {"start_s": "1"},
        {"text": "\ud800"},
        {"text": 7},
        {"words": 7},
        {"words": [7]},
        {"words": [{"text": "a", "start_s": None, "end_s": 1}]},
        {"final": "yes"},
        {"sound": ["laughter"]},
    ],
)
def test_a_damaged_line_is_left_out_in_every_format(tmp_path, damage):
    path = tmp_path / "damaged.jsonl"
    entries = [line(1).to_dict(), line(2).to_dict() | damage, line(3).to_dict()]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    events, bad = read_saved(path)
    assert [event.segment for event in events] == [1, 3] and bad == 1
    for form in FORMATS.values():
        assert "".join(form(events)).encode()


@pytest.mark.parametrize(
    "damage",
    [
        {"emotion": "sad"},
        {"emotion": {"label": "sad", "confidence": 1, "scores": [1]}},
        {"loudness": {}},
        {"new_voice": "yes"},
    ],
)
def test_a_damaged_line_of_an_older_file_is_left_out(tmp_path, damage):
    path = tmp_path / "older.jsonl"
    entries = [line(segment).to_dict() for segment in (1, 2)]
    for entry in entries:
        del entry["tags"]
    path.write_text("".join(json.dumps(e) + "\n" for e in (entries[0], entries[1] | damage)))
    events, bad = read_saved(path)
    assert bad == 1 and events == [line(1)]


def test_a_line_that_was_sent_again_with_a_late_tag_is_one_line(tmp_path):
    saved = saving(tmp_path)
    amended = line(0).tagged("loudness", None).tagged("text_emotion", "glad")
    for event in (line(0), line(1), amended, CaptionEvent(2, 2.0, 3.0, "", True, sound="music")):
        saved.add(event)
    saved.close()
    events, bad = read_saved(saved.path)
    assert bad == 0 and [e.segment for e in events] == [0, 1, 2]
    assert events[0] == amended and events[2].sound == "music"


def test_two_sessions_in_one_file_keep_all_lines(tmp_path):
    path = tmp_path / "both.jsonl"
    first, second = line(0), replace(line(0), text="the other session's first words", words=())
    path.write_text("".join(json.dumps(e.to_dict()) + "\n" for e in (first, second)))
    assert read_saved(path) == ([first, second], 0)


def test_what_a_power_cut_leaves_is_left_out(tmp_path):
    path = tmp_path / "cut.jsonl"
    whole, other = (json.dumps(line(n).to_dict()).encode() + b"\n" for n in (0, 1))
    path.write_bytes(whole + bytes(5000) + b"\n" + b"[" * 100_000 + b"\n" + other)
    events, bad = read_saved(path)
    assert len(events) == 2 and bad == 2


def test_what_has_no_end_is_not_read_to_it():
    with pytest.raises(DataError, match="holds no captions"):
        read_saved(Path("/dev/zero"))


@pytest.mark.parametrize("text", ["no json\n", "[]\n", '{"segment": 1}\n', "\x00\xff"])
def test_what_is_no_saved_session_is_refused(tmp_path, text):
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(DataError, match="holds no captions"):
        read_saved(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_saved(tmp_path / "missing")


def test_what_nobody_has_foreseen_is_told_like_a_broken_disk(tmp_path):
    told: list[str] = []
    saved = SavedLines(tmp_path, unexpected, told.append, unexpected)
    saved.add(line(0))
    saved.add(replace(line(1), tags={"odd": object()}))
    saved.add(line(2))
    wait(lambda: told)
    assert "not JSON serializable" in told[0] and len(told) == 1
    saved.close()
    assert [e.segment for e in read_saved(saved.path)[0]] == [0]
