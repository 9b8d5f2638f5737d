"""The log: one line an event, to the journal or to a file that does not grow, and no word of anybody."""

import json
import logging
import os
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.command_line.test_app import SPEECH, Client
from tests.program import Program
from utils.monitoring import logs
from utils.monitoring.logs import FLOOD_EVENTS, FLOOD_S, Errors, File, Flood, Journal, Line
from utils.monitoring.of_room import of_room, same_room

HOME = Path(__file__).resolve().parents[2]
TYPED = "nightingale umbrella"  # what somebody types to the person across
# The program with every event of every library.
LOUD = f"""
import logging, sys
sys.path.insert(0, {str(HOME)!r})
logging.getLogger().setLevel(1)
import app
sys.exit(app.run(app.main))
"""
JOURNALED = """
import logging, os, sys
from utils.monitoring import logs
found = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}" if sys.argv[2] == "ours" else "1:1"
end = logs.begin(None, sys.argv[1])
logging.getLogger("here").warning("lines %s", "a\\nb")
end()
"""


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger whose events go nowhere else."""
    logger = logging.getLogger("tests.events")
    logger.propagate = False
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def record(sentence: str, *values: object, name: str = "web.gate", error: bool = False):
    """An event."""
    trace = sys.exc_info() if error else None
    return logging.LogRecord(name, logging.WARNING, "", 0, sentence, values, trace)


def test_an_event_is_one_line_whatever_is_in_it():
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        line = Line().format(record('said "%s"', "three\nfour", error=True))
    assert "\n" not in line
    parts = r'time=\S+Z level=warning from=web\.gate event="said \\"three\\nfour\\"" '
    assert re.match(parts + r'error=ValueError trace="Traceback', line), line


def test_the_room_is_named_by_whichever_thread_works_for_it():
    lines: list[str] = []
    with of_room("Room 2"):
        thread = threading.Thread(
            target=same_room(lambda: lines.append(Line().format(record("a"))))
        )
    thread.start()
    thread.join()
    assert ' event=a room="Room 2"' in lines[0]
    assert "room=" not in Line().format(record("a"))


def test_a_flood_of_one_kind_is_counted_not_repeated():
    now_s, told = 0.0, []
    flood = Flood(told.append, lambda: now_s)
    passed = [flood.filter(record("lost %d", number)) for number in range(1000)]
    assert passed == [True] * FLOOD_EVENTS + [False] * (1000 - FLOOD_EVENTS)
    assert flood.filter(record("another %d", 1)), "another kind is none of the flood"
    assert told == []
    now_s = FLOOD_S
    assert flood.filter(record("lost %d", 1001))
    assert [one.getMessage() for one in told] == [f"{1000 - FLOOD_EVENTS} more like 'lost %d'"]


def test_what_was_held_back_is_told_at_the_end():
    told: list[logging.LogRecord] = []
    flood = Flood(told.append)
    for number in range(FLOOD_EVENTS + 2):
        flood.filter(record("lost %d", number))
    flood.end()
    assert [one.getMessage() for one in told] == ["2 more like 'lost %d'"]


def test_a_flood_of_one_room_neither_hides_nor_is_counted_for_another():
    now_s, told = 0.0, []
    flood = Flood(lambda one: told.append(Line().format(one)), lambda: now_s)
    with of_room("Hall"):
        for number in range(FLOOD_EVENTS + 3):
            flood.filter(record("lost %d", number))
    with of_room("Studio"):
        assert flood.filter(record("lost %d", 1))
        now_s = FLOOD_S
        flood.filter(record("another"))
    (line,) = told
    assert "3 more like" in line and line.endswith(" room=Hall")


def test_many_kinds_take_no_memory_without_end():
    flood = Flood(lambda _: None)
    for number in range(3 * logs.KINDS):
        flood.filter(record(f"kind {number}"))
    assert len(flood._kinds) <= logs.KINDS


def test_a_file_is_begun_anew_before_it_grows_large(tmp_path, log):
    path = tmp_path / "captions.log"
    handler = File(path, maxBytes=2000, backupCount=2)
    handler.setFormatter(Line())
    log.addHandler(handler)
    for number in range(200):
        log.warning("event %d", number)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["captions.log", "captions.log.1", "captions.log.2"]
    assert all(file.stat().st_size <= 2000 for file in files)
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    assert '"event 199"' in path.read_text()


def test_a_full_disk_ends_nothing(log, capfd):
    full = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115  # closing it fails
    handler = Errors(full)
    log.addHandler(handler)
    log.warning("an event")
    log.removeHandler(handler)
    with suppress(OSError):
        full.close()
    assert capfd.readouterr().err == ""


def journal(path: Path) -> socket.socket:
    """The socket of a journal."""
    taking = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    taking.bind(str(path))
    taking.settimeout(30)
    return taking


def entry(data: bytes) -> dict[str, str]:
    """The fields of an event, by the protocol."""
    found = {}
    while data:
        name, _, rest = data.partition(b"\n")
        (size,) = struct.unpack("<Q", rest[:8])
        found[name.decode()] = rest[8 : 8 + size].decode()
        data = rest[9 + size :]
    return found


def test_the_journal_gets_fields(tmp_path):
    with journal(tmp_path / "socket") as taking:
        sender = Journal(str(tmp_path / "socket"))
        sender.emit(record("refused %s", "a\nb"))
        sender.close()
        assert entry(taking.recv(200_000)) == {
            "MESSAGE": "refused a\nb",
            "PRIORITY": "4",
            "SYSLOG_IDENTIFIER": "captions",
            "CAPTIONS_FROM": "web.gate",
        }


@pytest.mark.parametrize(("whose", "there"), [("ours", True), ("ours", False), ("other", True)])
def test_the_journal_is_used_only_where_systemd_says_so_and_it_is_there(tmp_path, whose, there):
    path = tmp_path / "socket"
    with journal(path if there else tmp_path / "elsewhere") as taking:
        command = [sys.executable, "-c", JOURNALED, str(path), whose]
        ended = subprocess.run(command, cwd=HOME, capture_output=True, text=True)
        if whose == "ours" and there:
            assert ended.stderr == ""
            assert entry(taking.recv(200_000))["MESSAGE"] == "lines a\nb"
        else:
            assert 'from=here event="lines a\\nb"' in ended.stderr
            taking.setblocking(False)
            with pytest.raises(BlockingIOError):
                taking.recv(1)


def provoke(program: Program, page: Client) -> None:
    """Have everything logged that can be: wrong and right orders with what somebody typed."""
    orders: list[tuple[str, dict]] = [
        ("speak", {"text": TYPED, "language": "zz"}),
        ("speak", {"text": TYPED * 500, "language": "en"}),
        ("speak", {"text": [TYPED]}),
        ("phrases", {"list": [TYPED, 7]}),
        ("phrases", {"list": [TYPED * 200]}),
        ("phrases", {"list": [TYPED]}),
        ("blank", {"on": TYPED}),
        ("offending", {"how": TYPED}),
    ]
    for name, payload in orders:
        page.ask(name, payload)
    page.send(TYPED, {"text": TYPED})
    with Client(program, {}) as reader:
        reader.ask("speak", {"text": TYPED, "language": "en"})


def test_nothing_that_was_said_or_typed_is_ever_logged(tmp_path):
    script = tmp_path / "loud.py"
    script.write_text(LOUD, encoding="utf-8")
    flags = ["--asr", "whisper", "--source", SPEECH, "--save", tmp_path / "saved"]
    (tmp_path / "saved").mkdir()
    with Program(flags, script=script) as program, Client(program) as page:
        program.wait_for("ready")
        page.ask("start")
        page.wait("status", state="listening")
        provoke(program, page)
        page.wait("status", code="ready.ended")
        said = [line["text"] for line in page.of("caption") if line["final"]]
        folder = Path(program.home) / "recognition_helpers" / "log"
        files = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    logged = (program.errors + files).lower()
    assert len(program.errors.splitlines()) >= 3, "nothing was logged that could be looked at"
    assert "speak" in program.errors and "phrases" in program.errors
    assert len(" ".join(said).split()) > 10
    for text in [*said, TYPED]:
        words = re.findall(r"\w+", text.lower())
        for pair in zip(words, words[1:]):
            found = re.search(r"\W+".join(map(re.escape, pair)), logged)
            assert found is None, logged[found.start() - 300 : found.end() + 100]


def test_every_line_of_the_program_is_an_event(tmp_path):
    with Program(["--asr", "whisper", "--no-emotion", "--source", SPEECH]) as program:
        with Client(program, {}) as reader:
            reader.ask("start")
        folder = Path(program.home) / "recognition_helpers" / "log"
        assert "\"refused 'start' without" in (folder / "captions.log").read_text()
    lines = program.errors.splitlines()
    assert lines
    for line in lines:
        values = re.fullmatch(r'time=\S+Z level=\w+ from=\S+ event=("(?:[^"\\]|\\.)*"|\S+).*', line)
        assert values, line
        assert json.loads(values[1]) if values[1].startswith('"') else values[1]


def test_what_is_as_it_should_be_is_kept_and_disturbs_nobody_at_the_terminal(tmp_path, capsys):
    end = logs.begin(tmp_path / "log")
    ours, other = logging.getLogger("utils.live.listener"), logging.getLogger("library")
    for logger in (ours, other):
        logger.info("as it should be")
        logger.warning("as it should not be")
    end()
    kept = (tmp_path / "log/captions.log").read_text()
    assert kept.count("as it should be") == 1 and "level=info from=utils.live.listener" in kept
    assert kept.count("as it should not be") == 2
    assert "as it should be" not in capsys.readouterr().err
    assert not ours.isEnabledFor(logging.INFO), "as it was before"


def test_where_the_folder_cannot_be_made_events_go_to_standard_error(tmp_path, capsys):
    (tmp_path / "file").touch()
    end: Callable[[], None] = logs.begin(tmp_path / "file" / "log")
    logging.getLogger("here").warning("an event")
    end()
    assert "an event" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_waited_for(tmp_path, capsys, kind):
    path = tmp_path / "captions.log"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/full")
    else:
        path.mkdir()
    end = logs.begin(tmp_path)
    logging.getLogger("here").warning("an event")
    end()
    assert "an event" in capsys.readouterr().err
