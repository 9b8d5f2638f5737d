"""Remarks beside the state: none hides another, the worst stands first, each ends by itself."""

import threading

import pytest

from utils.live import status as module
from utils.live.status import Status, StatusLine, for_readers
from utils.messages import SENTENCES, rank, say


class Published:
    """What pages were told."""

    def __init__(self) -> None:
        self.statuses: list[Status] = []
        self.changed = threading.Condition()

    def __call__(self, status: Status) -> None:
        with self.changed:
            self.statuses.append(status)
            self.changed.notify_all()

    def wait_until_none(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: not self.statuses[-1].notices, timeout=60)


@pytest.fixture
def told() -> Published:
    return Published()


@pytest.fixture
def line(told) -> StatusLine:
    return StatusLine(Status("ready", say("ready")), told, threading.RLock())


def codes(line: StatusLine) -> list[str]:
    return [notice.code for notice in line.status.notices]


def test_a_passing_remark_stands_beside_a_lasting_one_and_behind_it(line):
    line.remark("speech.failed", reason="no voice")
    line.notice(say("saving.failed", reason="the disk is full"))
    assert codes(line) == ["saving.failed", "speech.failed"]
    line.withdraw("speech.failed")
    line.withdraw("pace.down")
    assert codes(line) == ["saving.failed"]
    line.set(Status("listening", say("listening")))
    assert codes(line) == ["saving.failed"]  # for a page that opens later, too


def test_what_became_of_a_thing_takes_the_place_of_what_was_said_of_it(line):
    line.notice(say("engine.fetching", done_mb=1, total_mb=2))
    line.notice(say("engine.loading", name="X"))
    line.remark("pace.down")
    line.remark("pace.up")
    assert sorted(codes(line)) == ["engine.loading", "pace.up"]
    line.withdraw("engine.fetching")  # which is there no more
    assert "engine.loading" in codes(line)


def test_a_remark_on_what_is_over_goes_by_itself_and_takes_none_along(line, told, monkeypatch):
    monkeypatch.setattr(module, "NOTICE_S", 0.05)
    line.remark("pace.down")
    told.wait_until_none()
    line.remark("speech.failed", reason="first")
    monkeypatch.setattr(module, "NOTICE_S", 3600.0)
    line.remark("speech.failed", reason="second")
    ended = threading.Event()
    threading.Timer(0.2, ended.set).start()
    ended.wait()
    assert [str(notice) for notice in line.status.notices] == ["The text was not spoken: second."]


def test_an_equal_remark_is_published_once(line, told):
    for _ in range(3):
        line.notice(say("saving.failed", reason="the disk is full"))
    assert len(told.statuses) == 1


def test_lost_sound_matters_most():
    beside = [code for code in SENTENCES if code.split(".")[0] in ("saving", "engine", "pace")]
    assert rank("sound.lost") < min(map(rank, beside))


@pytest.mark.parametrize(
    ("code", "values", "readers"),
    [
        ("listening.silent", {}, "listening.nothing"),
        ("listening.hum", {}, "listening.unclear"),
        ("lost", {"reason": "Anna's headset is unplugged"}, "lost.waiting"),
        ("failed", {"reason": "/home/anna is full"}, "failed.waiting"),
        ("listening.late", {"late_s": 4}, "listening.late"),
        ("listening", {}, "listening"),
    ],
)
def test_readers_are_told_what_concerns_them(told, code, values, readers):
    offer = {"name": "a", "size_mb": 1, "busy": False}
    line = StatusLine(
        Status("listening", say(code, **values), offer=offer), told, threading.RLock()
    )
    line.notice(say("saving.failed", reason="/home/anna is full"))
    line.notice(say("sound.lost", lost_s=2))
    all_of_it = line.status.to_dict()
    theirs = for_readers(all_of_it)
    assert theirs["code"] == readers and theirs["state"] == "listening"
    assert [notice["code"] for notice in theirs["notices"]] == ["sound.lost"]
    assert theirs["offer"] is None and "anna" not in str(theirs).lower()
    assert all_of_it["offer"] == offer and len(all_of_it["notices"]) == 2


def test_one_fact_is_told_once(line, told):
    late = Status("listening", say("listening.late", late_s=4))
    line.notice(say("pace.down"))
    line.notice(say("sound.lost", lost_s=2))
    line.set(late)
    assert [notice.code for notice in line.status.notices] == ["sound.lost"]
    line.set(Status("listening", say("listening")))
    assert [notice.code for notice in line.status.notices] == ["sound.lost", "pace.down"]
