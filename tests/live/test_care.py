"""The program's watch on itself: what is told, what is mended, and when systemd hears no word."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.command_line.test_app import SPEECH
from tests.live.test_session import Page
from tests.made_tags import OneWord
from tests.program import PATIENCE_S, Program
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.folders import free_space
from utils.live import watch
from utils.live.board import Board
from utils.live.care import LOOK_S, LOST_S, QUIET_S, STANDS_S, Care
from utils.live.engines import Engines
from utils.live.session import Session
from utils.live.watch import DAY_S, Signs
from utils.messages import say
from utils.models.memory import resident_bytes
from utils.monitoring import systemd
from utils.sources import FileSource

MB = 1_000_000


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def pass_(self, seconds: float) -> None:
        self.now_s += seconds


class Systemd:
    """What the program says to systemd, by the real socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "30000000"}

    def wait_for_words(self) -> None:
        """Have `next` wait."""
        self._socket.settimeout(PATIENCE_S)

    def next(self) -> str:
        """What is said next."""
        return self._socket.recv(4096).decode()

    def heard(self) -> list[str]:
        """All that was said since the last time."""
        said = []
        self._socket.setblocking(False)
        while True:
            try:
                said.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return said

    def close(self) -> None:
        self._socket.close()


class Looked:
    """A session that listens, and the watch over it, with numbers that a test sets."""

    def __init__(self, session: Session, page: Page, folder: Path, systemd: Systemd) -> None:
        self.session, self.page, self.systemd = session, page, systemd
        self.clock = Clock()
        self.used, self.free, self.publishes = 500 * MB, 5000 * MB, True
        session._listener.signs = Signs(self.clock)
        self.care = Care(
            [session],
            lambda: self.publishes,
            folder,
            1000 * MB,
            systemd.environment,
            lambda: self.used,
            lambda _: self.free,
            self.clock,
        )

    def look(self) -> list[str]:
        """Look once; return what the page then says beside the state."""
        self.care.look()
        return [notice["code"] for notice in self.session.status["notices"]]

    def later(self, seconds: float = LOOK_S, hearing: bool | None = None) -> list[str]:
        """The same after some time, at whose end a frame came if `hearing` is given."""
        self.clock.pass_(seconds)
        if hearing is not None:
            self.session._listener.signs.frame(hearing)
        return self.look()


@pytest.fixture
def told(tmp_path) -> Iterator[Systemd]:
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


@pytest.fixture
def looked(tmp_path, told) -> Iterator[Looked]:
    """A session that waits for a start."""
    page = Page()
    engines = Engines(Captioner(OneWord()), say("ready"))
    board = Board(page.publish)
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(10 * SAMPLE_RATE, np.float32), SAMPLE_RATE)

    def source(start: int) -> FileSource:
        return FileSource(silence, realtime=True, start=start)

    with Session(lambda progress: engines, source, board, page.publish) as session:
        page.wait_for("ready")
        yield Looked(session, page, tmp_path, told)


@pytest.fixture
def listening(looked, monkeypatch) -> Looked:
    """The same as if it listened; frames come when the test says so."""
    monkeypatch.setattr(type(looked.session._listener), "listening", True)
    return looked


def test_all_is_well(looked, told):
    with looked.care:
        assert told.heard()[:1] == ["READY=1"]
        assert looked.look() == []
        assert "WATCHDOG=1" in told.heard()
    assert told.heard()[-1:] == ["STOPPING=1"]


def test_a_disk_that_fills_is_told_until_there_is_room(looked, told):
    assert looked.look() == []
    looked.free = 150 * MB
    assert looked.later() == ["disk.low"]
    assert looked.page.events[-1][1]["notices"][0]["values"] == {"free_mb": 150}
    looked.free = 250 * MB  # it does not come and go at the limit
    assert looked.later() == ["disk.low"]
    looked.free = 350 * MB
    assert looked.later() == []


def test_memory_over_the_limit_is_told_and_ends_in_a_new_start_when_nobody_speaks(listening, told):
    listening.used = 1500 * MB
    assert listening.later(hearing=True) == ["memory.high"]
    assert "WATCHDOG=1" in told.heard(), "somebody speaks"
    listening.later(QUIET_S / 2, hearing=False)
    assert "WATCHDOG=1" in told.heard()
    listening.later(QUIET_S, hearing=False)
    assert told.heard() == []
    listening.used = 900 * MB
    assert listening.later(hearing=False) == []
    assert "WATCHDOG=1" in told.heard()


def test_no_word_comes_while_the_worker_stands(listening, told):
    listening.later(STANDS_S + 1)
    assert told.heard() == []
    listening.later(1, hearing=False)
    assert told.heard() == ["WATCHDOG=1"]


def test_a_microphone_that_is_lost_is_waited_for_before_a_new_start(listening, told):
    for _ in range(int(LOST_S / 20) - 1):
        listening.clock.pass_(20)
        listening.session._listener.signs.attempt()
        listening.look()
        assert told.heard() == ["WATCHDOG=1"]
    listening.clock.pass_(25)
    listening.session._listener.signs.attempt()
    listening.look()
    assert told.heard() == []


class Other:
    """The session of another room, that listens."""

    def __init__(self, signs: Signs) -> None:
        self.signs = signs

    def alive(self) -> bool:
        return True

    def withdraw(self, code: str) -> None:
        raise AssertionError(code)


def test_a_room_that_stands_waits_for_a_new_start_while_another_one_works(listening, told):
    other: Any = Other(Signs(listening.clock))
    listening.care._sessions = [listening.session, other]
    listening.clock.pass_(STANDS_S + 1)
    other.signs.frame(False)
    listening.look()
    assert told.heard() == ["WATCHDOG=1"]
    listening.later(STANDS_S + 1)
    assert told.heard() == []


def test_no_word_comes_while_captions_do_not_go_out(looked, told):
    looked.publishes = False
    looked.look()
    assert told.heard() == []


def test_nobody_heard_for_a_day_is_told_until_somebody_speaks(listening, told):
    assert listening.later(DAY_S / 2, hearing=False) == []
    assert listening.later(DAY_S / 2 + 1, hearing=False) == ["microphone.day"]
    assert listening.later(hearing=True) == []


def test_after_a_day_the_microphone_is_opened_anew_once_a_day():
    clock = Clock()
    signs = Signs(clock)
    clock.pass_(DAY_S - 1)
    signs.frame(False)
    assert not signs.renew()
    clock.pass_(2)
    assert signs.renew() and not signs.renew()
    clock.pass_(DAY_S / 2)
    assert not signs.renew()
    signs.frame(True)
    clock.pass_(DAY_S / 2 + 1)
    assert not signs.renew(), "somebody spoke half a day ago"


def test_a_source_without_speech_is_opened_again(tmp_path, monkeypatch, looked):
    monkeypatch.setattr(watch, "DAY_S", 3.0)  # more than the pause before it is opened again
    looked.session._listener.signs = Signs()
    looked.session.start()
    looked.page.wait(lambda page: page.states.count("lost") >= 1)
    looked.page.wait(lambda page: page.states[page.states.index("lost") :].count("listening") >= 1)
    looked.session.stop()


def test_a_process_and_a_disk_are_measured(tmp_path):
    assert 10 * MB < resident_bytes() < 100_000 * MB
    assert free_space(tmp_path / "not" / "yet")[1] > 0


@pytest.mark.parametrize(
    ("environment", "watched"),
    [
        ({}, False),
        ({"WATCHDOG_USEC": "30000000"}, True),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, False),
        ({"WATCHDOG_USEC": "0"}, False),
        ({"WATCHDOG_USEC": "x"}, False),
    ],
)
def test_whether_systemd_watches(environment: dict[str, str], watched: bool):
    assert systemd.watched(environment) is watched


@pytest.mark.parametrize("path", ["", "relative", "/no/such/socket"])
def test_where_nobody_listens_nothing_is_told(path):
    assert not systemd.notify("READY=1", {"NOTIFY_SOCKET": path})


def test_a_systemd_that_does_not_listen_holds_nobody_up(told):
    for _ in range(1000):  # more than the socket holds
        systemd.notify("WATCHDOG=1", told.environment)
    assert 0 < len(told.heard()) < 1000


def test_a_name_in_no_file_system_is_reached(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taking:
        name = f"captions-{tmp_path.name}-{id(taking)}"
        taking.bind(f"\0{name}")
        assert systemd.notify("READY=1", {"NOTIFY_SOCKET": f"@{name}"})
        assert taking.recv(100) == b"READY=1"


def test_the_program_says_that_it_serves_and_then_that_it_goes_on(told):
    told.wait_for_words()
    flags = ["--asr", "whisper", "--no-emotion", "--source", SPEECH, "--listen"]
    with Program(flags, told.environment) as program:
        assert told.next() == "READY=1"
        assert told.next() == "WATCHDOG=1"  # while it loads
        program.wait_for("listening")
        told.heard()
        told.wait_for_words()
        assert told.next() == "WATCHDOG=1"
        said = [told.next()]
        program.process.send_signal(signal.SIGTERM)
        while said[-1] != "STOPPING=1":
            said.append(told.next())
    assert program.process.returncode == 0


def test_the_publisher_shows_that_it_sends() -> Any:
    from flask import Flask

    from web.access import Token
    from web.events import Events

    events = Events(Flask(__name__), Token(Path("/nonexistent/key")))
    assert events.sends()
    events._publisher._asked_s -= 60  # nobody does what was asked a minute ago
    assert not events.sends()
    events._publisher.start()
    events._publisher._passed.wait(60)
    assert events.sends()
