"""Readers who ask for too much: refused or cut off, told once, and nobody else is disturbed."""

import http.client
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.attackers import KINDS, Page, attack, get, masked
from tests.command_line.test_app import SPEECH, Client
from tests.full_program import line
from tests.process_tree import memory_mb
from tests.program import PATIENCE_S, Program
from tests.web.test_web import refusals
from utils.captions.transcript import FORMATS
from utils.live.board import LATE_JOINER_LINES
from web.pages import EXPORTS_AT_ONCE, EXPORTS_OF_AN_ADDRESS
from web.server import OWN_CONNECTIONS
from web.websocket import PACKETS_AT_ONCE

LINES = 5000
THREADS = 60  # as many as the limit of processes allows
FULL = Path(__file__).parents[1].joinpath("full_program.py")
FLOODS = {
    "acks": masked(0x81, b"430[]"),
    "no-ops": masked(0x81, b"6"),
    "connects": masked(0x81, b"40"),
    "events named connect": masked(0x81, b'42["connect"]'),
    "events named disconnect": masked(0x81, b'42["disconnect"]'),
    "other namespaces": masked(0x81, b"40/x,"),
    "answers to pings": masked(0x81, b"3"),
    "pings of WebSocket": masked(0x89, b"x"),
    "pongs of WebSocket": masked(0x8A, b""),
    "empty pieces": masked(0x01, b""),
    "bytes": masked(0x82, b"x"),
}


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    arguments = ["--asr", "whisper", "--no-emotion", "--source", SPEECH]
    with Program(arguments, {"LINES": str(LINES)}, script=FULL) as running:
        running.wait_for("ready")
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors, running.errors[running.errors.index("Traceback") :]
    refused = refusals(running.errors)
    assert len(refused) == len(set(refused)), "a refusal was logged twice"


def until(condition: Callable[[], bool]) -> bool:
    """Whether something becomes so."""
    deadline = time.monotonic() + PATIENCE_S
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def threads(program: Program) -> int:
    return len(list(Path(f"/proc/{program.process.pid}/task").iterdir()))


def serves(program: Program) -> None:
    """Another reader is greeted as ever."""
    with Client(program, {}) as reader:
        reader.wait("caption", segment=-1)
        came = [one["segment"] for one in reader.of("caption")]
        assert came == list(range(-LATE_JOINER_LINES, 0))  # each once, in order
    assert program.health()["state"] == "ready"


def ask_until(program: Program, path: str) -> bytes:
    """What is answered when it may be asked for again."""
    while (answer := ask(program, path))[0] == 429:
        assert answer[1] == b"Too many exports at once. Wait a moment.\n"
        time.sleep(0.2)
    assert answer[0] == 200
    return answer[1]


def status_of(connection: socket.socket) -> int:
    return int(connection.recv(12).split()[1])


def ask(program: Program, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE_S)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize("form", ["txt", "srt", "vtt", "json"])
def test_a_shared_export_is_what_one_made_for_one_reader_is(program, form):
    expected = "".join(FORMATS[form](line(segment) for segment in range(-LINES, 0))).encode()
    for _ in range(2):
        assert ask_until(program, f"/export/{form}") == expected


def test_who_asks_for_too_many_exports_waits(program):
    answers = [ask(program, "/export/srt")[0] for _ in range(EXPORTS_AT_ONCE * 10)]
    assert set(answers) == {200, 429}
    assert ask_until(program, "/export/srt")
    serves(program)


def test_slow_readers_of_an_export_hold_no_copy_each_and_are_not_more_than_a_few(program):
    size_mb = len(ask_until(program, "/export/json")) / 1e6
    before_mb = memory_mb(program.process.pid)
    slow: list[socket.socket] = []
    while len(slow) < EXPORTS_OF_AN_ADDRESS + 3:
        time.sleep(0.6)  # not to ask too often, which is another limit
        slow.append(get(program.port, "/export/json", PATIENCE_S))
    answers = [status_of(connection) for connection in slow]
    assert answers == [200] * EXPORTS_OF_AN_ADDRESS + [429] * 3
    assert memory_mb(program.process.pid) - before_mb < EXPORTS_OF_AN_ADDRESS * size_mb / 2
    serves(program)
    for connection in slow:
        connection.close()
    assert ask_until(program, "/export/txt")


@pytest.mark.parametrize("kind", FLOODS)
def test_packets_of_every_kind_count(program, kind):
    with Page(program.port) as page:
        page.send("40")
        page.socket.settimeout(PATIENCE_S)
        with pytest.raises(OSError):
            page.socket.sendall(FLOODS[kind] * PACKETS_AT_ONCE * 2)
            while page.socket.recv(1 << 16):
                pass
            raise ConnectionResetError("ended in order")
    serves(program)


def test_a_page_that_reads_nothing_of_its_floods_answers_is_cut_off_too(program):
    with Page(program.port) as page:
        page.send("40")
        page.socket.settimeout(PATIENCE_S)
        with pytest.raises(OSError):
            while True:
                page.socket.sendall(FLOODS["pings of WebSocket"] * 1000)
    serves(program)


def test_a_page_is_two_threads_and_none_when_it_has_gone(program):
    assert until(lambda: threads(program) == threads(program))
    before = threads(program)
    pages = [Page(program.port) for _ in range(50)]
    for page in pages:
        page.send("40")
    assert all(page.status == 101 for page in pages)
    assert threads(program) <= before + 2 * len(pages) + 5
    for page in pages:
        page.socket.close()
    assert until(lambda: threads(program) <= before + 5)


@pytest.mark.parametrize("version", ["12", "0", "", "13, 8", "x" * 1000])
def test_a_websocket_of_another_version_is_refused(program, version):
    for _ in range(3):
        with Page(program.port, version) as page:
            assert page.status == 400
    serves(program)


def test_five_hundred_silent_connections_leave_room_for_health(program):
    silent = []
    for _ in range(OWN_CONNECTIONS + 500):
        silent.append(socket.create_connection(("127.0.0.1", program.port), timeout=PATIENCE_S))
        if len(silent) % 100 == 0:
            assert program.health()["state"] == "ready"
    serves(program)
    for connection in silent:
        connection.close()


def test_a_request_that_comes_slowly_holds_nobody_up(program):
    slow = [socket.create_connection(("127.0.0.1", program.port)) for _ in range(20)]
    for i, connection in enumerate(slow):
        body = b"Content-Length: 70\r\n\r\nhalf" if i % 2 else b""
        connection.sendall(b"POST /present HTTP/1.1\r\nHost: 127.0.0.1\r\n" + body)
    serves(program)
    for connection in slow:
        connection.close()


def test_a_body_in_pieces_is_refused(program):
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE_S)
    connection.request("POST", "/present", iter([b"x"]), {"Transfer-Encoding": "chunked"})
    assert connection.getresponse().status == 411


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without processes")
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv (util-linux)")
def test_at_the_limit_of_threads_a_line_is_logged_and_what_is_there_goes_on():
    limited = [
        "setpriv",
        "--reuid=61234",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "prlimit",
        f"--nproc={THREADS}",
    ]
    arguments = ["--asr", "whisper", "--no-emotion"]
    with Program(arguments, {"LINES": "10"}, script=FULL, before=limited) as program:
        program.wait_for("ready")
        with Client(program, {}) as reader, ExitStack() as pages:
            for _ in range(THREADS):
                with suppress(OSError, IndexError):  # refused
                    pages.enter_context(Page(program.port)).send("40")
            assert reader.connected
            pages.close()
            assert until(lambda: threads(program) < THREADS - 20)
            assert reader.connected and program.health()["state"] == "ready"
    assert "Traceback" not in program.errors
    assert 1 <= program.errors.count("thread") <= 2


def test_captions_come_through_attacks_of_every_kind():
    arguments = ["--asr", "whisper", "--no-emotion", "--source", SPEECH]
    with Program(arguments, {"LINES": str(LINES)}, script=FULL) as program:
        program.wait_for("ready")
        with Client(program) as presenter, Client(program, {}) as reader:
            attackers = [
                threading.Thread(target=attack, args=(program.port, kind, 1, 10)) for kind in KINDS
            ]
            for attacker in attackers:
                attacker.start()
            assert presenter.ask("start") == {"ok": True}
            final = reader.wait("caption", segment=0, final=True)
            assert final["text"]
            for attacker in attackers:
                attacker.join()
    assert "Traceback" not in program.errors
    refused = refusals(program.errors)
    assert len(refused) == len(set(refused)) and len(refused) < 3 * len(KINDS)
