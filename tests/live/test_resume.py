"""The note that says to the next start that this one was listening."""

import os
import stat
import time

import pytest

from utils.live import resume as module
from utils.live.resume import RESUME_S, Resume


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "listening-5000"


def test_it_is_there_while_the_program_listens(path):
    resume = Resume(path)
    assert not resume.wanted()
    resume.keep(False)
    assert not path.exists()
    resume.keep(True)
    assert Resume(path).wanted() and path.read_bytes() == b""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    resume.keep(False)
    assert not path.exists() and not Resume(path).wanted()


def test_a_note_of_long_ago_or_of_a_wrong_clock_counts_for_nothing(path):
    Resume(path).keep(True)
    for at in (time.time() - RESUME_S - 1, time.time() + 3600):
        os.utime(path, (at, at))
        assert not Resume(path).wanted()


def test_it_is_renewed_now_and_then_while_it_listens(path, monkeypatch):
    resume = Resume(path)
    resume.keep(True)
    os.utime(path, (1, 1))
    resume.keep(True)
    assert path.stat().st_mtime == 1
    monkeypatch.setattr(module, "RENEW_S", -1.0)
    resume.keep(True)
    assert Resume(path).wanted()


def test_a_start_that_crashes_before_it_listens_leaves_the_note(path):
    Resume(path).keep(True)
    Resume(path).keep(False)
    assert Resume(path).wanted()
    Resume(path).forget()
    assert not path.exists()


def test_without_a_folder_it_says_so_once_and_nothing_ends(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    resume = Resume(tmp_path / "file" / "listening-5000")
    for listening in (True, True, False):
        resume.keep(listening)
    assert not resume.wanted()
    assert [r.message for r in caplog.records if "after a crash" in r.message].__len__() == 1
    Resume(None).keep(True)
