"""What keeps the program and its browser running where there is no systemd, with the real program."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import keep
from deploy.browser import find
from deploy.keep import Keeper, Kept
from deploy.trial import says
from tests.program import PATIENCE_S, free_port

SPEECH = Path(__file__).parents[1] / "data/speech.flac"


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(keep, "AGAIN_S", 0.0)


def until(keeper: Keeper | Kept, seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline, "it did not happen"
        keeper.look()


def test_program_and_browser_come_back_whatever_ends_them(at_once, tmp_path, monkeypatch):
    for name in ("STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path))
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\nfor a; do :; done\necho "$a" >>"{tmp_path}/shown"\nexec sleep 999\n'
    )
    browser.chmod(0o755)
    port = free_port()
    flags = ["--port", str(port), "--asr", "whisper", "--no-emotion", "--source", str(SPEECH)]
    keeper = Keeper(flags, str(browser))
    try:
        for kept in (keeper.screen, keeper.program, keeper.screen):
            until(keeper, lambda: says(port, "live") and keeper.screen.process)
            until(keeper, (tmp_path / "shown").exists)
            assert kept.process
            (tmp_path / "shown").unlink()
            pid = kept.process.pid
            kept.process.send_signal(signal.SIGKILL)
            until(keeper, lambda kept=kept, pid=pid: kept.process and kept.process.pid != pid)
            if kept is keeper.program:
                until(keeper, lambda: says(port, "ready"))
                (tmp_path / "shown").touch()  # the browser stays, and finds it again by itself
    finally:
        keeper.screen.end()
        keeper.program.end()
    assert not says(port, "live")


def test_one_that_does_not_answer_is_started_anew(at_once, monkeypatch, capfd):
    monkeypatch.setattr(keep, "STANDS_S", 0.0)
    monkeypatch.setattr(keep, "BEGINS_S", 0.0)
    answers = [True]
    kept = Kept("it", lambda: [sys.executable, "-c", "input()"], lambda: answers[0])
    until(kept, lambda: kept.process)
    assert kept.process
    first = kept.process.pid
    kept.look()
    answers[0] = False
    until(kept, lambda: kept.process and kept.process.pid != first)
    kept.end()
    assert "does not answer" in capfd.readouterr().err


def test_what_cannot_be_started_is_tried_again(at_once, capfd):
    kept = Kept("it", lambda: ["/no/such/program"])
    kept.look()
    kept.look()
    assert capfd.readouterr().err.count("cannot be started") == 2 and kept.process is None
    kept.end()


def test_told_to_end_it_ends_what_it_keeps(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "deploy.keep", "--port", str(port), "--asr", "whisper"]
    folders = {f"XDG_{name}_HOME": str(tmp_path) for name in ("STATE", "CONFIG", "CACHE")}
    (tmp_path / "chromium").write_text(f"#!/bin/sh\necho $$ >{tmp_path}/browser\nexec sleep 999\n")
    (tmp_path / "chromium").chmod(0o755)
    environment = {**os.environ, **folders, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    home = Path(keep.__file__).parents[1]
    with subprocess.Popen(
        [*command, "--no-emotion", "--source", str(SPEECH)], env=environment, cwd=home
    ) as keeper:
        while not ((tmp_path / "browser").exists() and (tmp_path / "browser").read_text()):
            assert keeper.poll() is None
        keeper.terminate()
    assert keeper.returncode == 0 and not says(port, "live")
    assert not Path(f"/proc/{(tmp_path / 'browser').read_text().strip()}").exists()


def test_browsers_are_found_where_each_system_has_them():
    windows = {"PATH": "", "ProgramFiles(x86)": "C:/Program Files (x86)"}
    edge = "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe"
    assert find(windows, lambda path: path == edge) == edge
    chrome = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    assert find({"PATH": ""}, lambda path: path == chrome) == chrome
    assert find({"PATH": ""}, lambda path: False) is None
