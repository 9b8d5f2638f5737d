"""The real program, killed and stopped: it goes on listening, and tells what has happened."""

import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.program import PATIENCE_S, PageSocket, Program
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.live.pulse import STILL_S
from web.events import PING_S, PONG_S

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
LONG_S = 600  # longer than a test


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """Of a program that hears speech, and then faint noise for long."""
    noise = np.random.default_rng(0).normal(0, 1e-3, LONG_S * SAMPLE_RATE).astype(np.float32)
    soundfile.write(tmp_path / "long.flac", np.r_[audio.load(SPEECH), noise], SAMPLE_RATE)
    return ["--asr", "whisper", "--no-emotion", "--source", str(tmp_path / "long.flac")]


def wait_until(seen) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


class Told:
    """Everything that a page is told of the state; it connects anew by itself."""

    def __init__(self, program: Program) -> None:
        self.statuses: list[dict] = []
        self._socket = PageSocket()
        self._socket.on("status", self.statuses.append)
        self._socket.connect(program.url, transports=["websocket"], wait_timeout=PATIENCE_S)

    def __enter__(self) -> "Told":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.hang_up()

    @property
    def codes(self) -> set[str]:
        """Codes of states and remarks until now."""
        notices = [notice for status in self.statuses for notice in status["notices"]]
        return {said["code"] for said in [*self.statuses, *notices]}

    @property
    def pings_s(self) -> tuple[float, float]:
        eio = self._socket.eio
        return eio.ping_interval, eio.ping_timeout


def test_it_goes_on_listening_after_a_crash_and_forgets_that_at_an_orderly_end(arguments):
    with Program([*arguments, "--listen"]) as first:
        first.wait_for("listening")  # and nobody has pressed
        note = Path(first.home) / "recognition_helpers" / f"listening-{first.port}"
        wait_until(note.exists)
        with Told(first) as page:
            wait_until(lambda: page.statuses)
            session = page.statuses[0]["session"]
            assert page.pings_s == (PING_S, PONG_S)
        first.process.kill()
        first.process.wait()
        assert note.exists()
        with Program(arguments, port=first.port, home=first.home) as second:
            second.wait_for("listening")
            with Told(second) as page:
                wait_until(lambda: page.statuses)
                assert page.statuses[0]["session"] != session
        assert not note.exists()
    assert second.process.returncode == 0 and "Traceback" not in second.errors


def test_a_sleep_is_not_called_too_slow(arguments):
    with Program([*arguments, "--listen"]) as program, Told(program) as page:
        program.wait_for("listening")
        program.process.send_signal(signal.SIGSTOP)
        threading.Event().wait(STILL_S + 3)
        program.process.send_signal(signal.SIGCONT)
        wait_until(lambda: "sound.still" in page.codes)
        wait_until(lambda: program.health()["queue_depth"] == 0)
        wait_until(lambda: page.statuses[-1]["code"] in {"listening", "listening.nothing"})
        wrong = {"listening.late", "sound.lost", "pace.down", "lost"}
        assert not page.codes & wrong
