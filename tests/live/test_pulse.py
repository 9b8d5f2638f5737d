"""A program that stood still notices it; one that works does not."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from utils.live.pulse import STILL_S

HOME = Path(__file__).resolve().parents[2]
BEATING = """
import sys
from utils.live.pulse import Pulse
def beat(still_s):
    print("stood still" if still_s else "beat", pulse.just_woke(), flush=True)
    if len(sys.argv) > 1:
        raise ValueError("broken")
pulse = Pulse(beat)
pulse.start()
sys.stdin.read()
pulse.close()
print("closed", flush=True)
"""


def beats(*arguments: str) -> subprocess.Popen:
    """A program that does nothing but beat; it ends with its input."""
    return subprocess.Popen(
        [sys.executable, "-c", BEATING, *arguments],
        cwd=HOME,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def program() -> Iterator[subprocess.Popen]:
    with beats() as program:
        yield program
        assert program.stdin and program.stdout
        program.stdin.close()
        assert "closed" in program.stdout.read()


def stop_for(program: subprocess.Popen, seconds: float) -> None:
    program.send_signal(signal.SIGSTOP)
    threading.Event().wait(seconds)
    program.send_signal(signal.SIGCONT)


def test_a_program_that_was_stopped_knows_it_for_a_moment(program):
    assert program.stdout.readline() == "beat False\n"
    stop_for(program, STILL_S + 2)
    lines = iter(program.stdout.readline, "")
    assert "stood still True\n" in lines  # after those of the time before it was stopped
    assert "beat False\n" in lines  # and no more, later


def test_a_beat_that_fails_does_not_end_the_pulse():
    with beats("fail") as program:
        assert program.stdout.readline() == program.stdout.readline() == "beat False\n"
        _, errors = program.communicate()
    assert "ValueError: broken" in errors


def test_the_clock_counts_sleep_where_the_system_tells():
    code = "import time; from utils.live.pulse import now_s; print(now_s() - time.monotonic() > -1)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True)
    assert ended.stdout == "True\n", (ended.stderr, os.name)
