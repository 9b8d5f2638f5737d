"""Attempts to break in, against the real program: refused, logged once, nothing disturbed."""

import http.client
import json
import os
import re
import signal
import socket
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import socketio
import websocket

from tests.program import Program, run
from tests.test_app import SPEECH, Client

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("saved")
    arguments = ["--asr", "whisper", "--no-emotion", "--host", "0.0.0.0", "--source", SPEECH]
    with Program([*arguments, "--save", folder]) as running:
        running.folder = folder
        running.wait_for("ready")
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors, running.errors[running.errors.index("Traceback") :]
    assert running.token not in running.errors + running.output
    lines = running.errors.splitlines()
    assert len(lines) == len(set(lines)), "a refusal was logged twice"
    for kind in (
        "'start' without the presenter's token", "a wrong token", "a foreign Host name",
        "a flood of events", "what is no Engine.IO packet", "not an accepted origin",
    ):  # fmt: skip
        assert sum(kind in line for line in lines) == 1, (kind, lines)


@pytest.fixture(scope="module", autouse=True)
def token(program) -> str:
    link = run(["link"], env={**os.environ, **program.environment})
    program.token = re.search(r"token=(\S+)", link.stdout)[1]
    return program.token


def request(
    program: Program, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict, str]:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=30)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    return answer.status, dict(answer.headers), answer.read().decode(errors="replace")


class Reader(Client):
    """A page on another device, as a proxy would bring it: it is not local, and has no token."""

    def __init__(self, program: Program, **headers: str) -> None:
        super().__init__(program, {"X-Forwarded-For": "10.0.0.1"} | headers)


def raw(program: Program, **headers: str) -> websocket.WebSocket:
    """A bare WebSocket that has been greeted."""
    page = websocket.create_connection(
        f"ws://127.0.0.1:{program.port}/socket.io/?EIO=4&transport=websocket", timeout=30, **headers
    )
    assert page.recv().startswith("0{")
    page.send("40")
    return page


def serves(program: Program) -> None:
    """Everyone else is served as before."""
    with Client(program) as client:
        client.wait("room", presenter=True)
        assert program.health()["state"] == "ready"


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("start", None), ("stop", None), ("clear", None), ("blank", {"on": True}),
        ("emotion", {"on": False}), ("clear_after", {"minutes": 1}), ("save", {"on": False}),
        ("phrases", {"list": ["x"]}), ("speak", {"text": "x", "language": "en"}),
    ],
)  # fmt: skip
def test_a_reader_only_reads(program, event, payload):
    with Reader(program) as reader, Client(program) as presenter:
        room = reader.wait("room")
        assert not room["presenter"] and not room["speech"]
        assert "folder" not in (room["saving"] or {})
        before = presenter.wait("room")
        assert room["phrases"] == before["phrases"] != []  # a reader, too, may answer in writing
        answer = reader.ask(event, payload)
        assert not answer["ok"] and answer["code"] == "refused.presenter" and answer["message"]
        assert reader.wait("refused")["code"] == "refused.presenter"
        assert presenter.wait("room") == before
        assert not [name for name, _ in presenter.events if name == "cleared"]
    assert program.health()["state"] == "ready"


def test_the_link_makes_a_device_the_presenters(program, token):
    status, headers, _ = request(program, f"/?token={token}")
    assert status == 303 and headers["Location"] == "/"
    cookie = headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    with Reader(program, Cookie=cookie.split(";")[0]) as device:
        assert device.wait("room")["presenter"]
        assert device.ask("blank", {"on": False}) == {"ok": True}


@pytest.mark.parametrize("wrong", ["x", "", "%00", "a" * 5000])
def test_a_wrong_token_is_refused(program, wrong):
    status, headers, _ = request(program, f"/?token={wrong}")
    assert status == 403 and "Set-Cookie" not in headers
    with Reader(program, Cookie=f"presenter_{program.port}=x{wrong[:100]}") as reader:
        assert not reader.wait("room")["presenter"]


def test_a_proxy_is_not_this_machines_own_browser(program):
    for header in ("X-Forwarded-For", "Forwarded", "X-Forwarded-Host"):
        with Client(program, {header: "10.0.0.1"}) as proxied:
            assert not proxied.wait("room")["presenter"], header


@pytest.mark.parametrize("path", ["/", "/health", "/socket.io/?EIO=4&transport=websocket"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.255.255.1", ""])
def test_a_foreign_name_is_refused(program, path, host):
    assert request(program, path, Host=host)[0] == 421


def test_a_foreign_origin_is_refused(program):
    for host in ("127.0.0.1", "localhost", socket.gethostname()):
        with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
            raw(program, origin=EVIL, host=f"{host}:{program.port}")
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        raw(program, origin=f"http://127.0.0.1:{program.port + 1}")
    serves(program)


def test_only_websocket_is_answered(program):
    assert request(program, "/socket.io/?EIO=4&transport=polling")[0] == 400
    for method in ("POST", "PUT", "DELETE"):
        assert request(program, "/", method)[0] == 405


@pytest.mark.parametrize(
    "path",
    ["/export/../app.py", "/export/..%2fapp.py", "/export/%2e%2e/%2e%2e/etc/passwd", "/export/jsonl",
     "/export/", "/static/../app.py", "/static/..%2f..%2fapp.py", "/static//etc/passwd"],
)  # fmt: skip
def test_no_path_leads_out(program, path):
    status, _, body = request(program, path)
    assert status in (404, 308) and "import" not in body and "root:" not in body


def test_every_page_forbids_what_is_not_ours(program):
    for path in ("/", "/read", "/health", "/qr.svg", "/export/txt", "/nothing", "/?token=x"):
        headers = request(program, path)[1]
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_a_flood_of_events_is_cut_off(program):
    with Reader(program) as flood:
        flood.wait("room")
        try:
            for _ in range(500):
                flood.send("nonsense", {"a": 1})
        except socketio.exceptions.SocketIOError:
            pass  # cut off
        flood.wait("refused", code="refused.flood")
        deadline = time.monotonic() + 30
        while flood.connected and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not flood.connected
        flood.shut()
    serves(program)


@pytest.mark.parametrize(
    "message", ["42[" + '"x",' * 100_000, "42" + "[" * 10_000, "2" * 20_000, "\x00" * 17_000]
)
def test_too_large_an_event_ends_its_connection(program, message):
    page = raw(program)
    page.send(message)
    page.settimeout(30)
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        while page.recv():
            pass
        raise websocket.WebSocketConnectionClosedException("closed")
    page.shutdown()
    serves(program)


@pytest.mark.parametrize(
    "message",
    ["42[[[", "9", "", "x", "b4", "é", "4", "42", "451-[]", "42[1]", '42["start"', "40/admin,", "43[]", "4" * 50],
)
def test_rubbish_disturbs_nobody(program, message):
    page = raw(program)
    page.send(message)
    page.shutdown()
    serves(program)


def test_bytes_that_are_no_websocket_end_the_connection(program):
    page = raw(program)
    page.sock.sendall(b"\xff" * 100)  # reserved bits set
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        while page.recv():
            pass
        raise websocket.WebSocketConnectionClosedException("closed")
    page.shutdown()
    serves(program)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("blank", None), ("blank", {"on": "yes"}), ("blank", {"on": 1}), ("clear_after", {"minutes": -1}),
        ("clear_after", {"minutes": 10**9}), ("clear_after", {"minutes": True}),
        ("phrases", {"list": "x"}), ("phrases", {"list": [1]}), ("phrases", {"list": ["x" * 999]}),
        ("speak", {"text": "", "language": "en"}), ("speak", {"text": "x", "language": "../../x"}),
        ("speak", {"text": ["x"], "language": "en"}), ("emotion", {"on": True}),
    ],
)  # fmt: skip
def test_a_presenters_mistake_is_told(program, event, payload):
    with Client(program) as presenter:
        answer = presenter.ask(event, payload)
        assert not answer["ok"] and answer["code"].startswith("refused.") and answer["message"]


def test_connections_that_send_nothing_are_ended(program):
    idle = [socket.create_connection(("127.0.0.1", program.port)) for _ in range(30)]
    for connection in idle[:10]:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: loc")  # and no more
    serves(program)
    for connection in idle:
        connection.settimeout(40)
        while connection.recv(1000):
            pass
        connection.close()


def test_a_reader_that_does_not_read_disturbs_nobody(program):
    page = raw(program)  # never reads again
    with Client(program) as presenter:
        assert presenter.ask("start")["ok"]
        presenter.wait("caption", final=True)
        presenter.wait("status", message="The recording has ended.")
    page.close()
    serves(program)


def test_what_was_said_is_saved_exported_and_cleared_for_everyone(program):
    with Client(program) as presenter, Reader(program) as reader:
        saving = presenter.wait("room")["saving"]
        assert saving["folder"] == str(program.folder)
        assert reader.wait("room")["saving"] == {"file": saving["file"]}
    clear(program)
    with Client(program) as presenter, Reader(program) as reader:
        presenter.ask("start")
        final = reader.wait("caption", final=True)
        assert final["emotion"] is None and not reader.of("level") and presenter.of("level")
        presenter.wait("status", message="The recording has ended.")
        for form, begins in (("txt", "00:"), ("srt", "1\n"), ("vtt", "WEBVTT"), ("json", '{"lines"')):
            status, headers, body = request(program, f"/export/{form}")
            assert status == 200 and body.startswith(begins) and final["text"].split()[0] in body
            name = headers["Content-Disposition"]
            assert re.fullmatch(rf'attachment; filename="captions-[\d-]+\.{form}"', name)
        assert json.loads(body)["lines"][-1]["text"]
        assert presenter.ask("clear")["ok"]
        reader.wait("cleared")
        assert json.loads(request(program, "/export/json")[2]) == {"lines": []}
    with Reader(program) as late:
        late.wait("status")
        assert not late.of("caption")
    path = Path(saving["folder"]) / saving["file"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert final["text"] in [json.loads(line)["text"] for line in path.read_text().splitlines()]


def clear(program: Program) -> None:
    """Forget what earlier tests have said."""
    with Client(program) as presenter:
        presenter.ask("stop")
        presenter.ask("clear")


def test_blank_hides_from_everyone_and_from_exports(program):
    clear(program)
    with Client(program) as presenter, Reader(program) as reader:
        presenter.ask("start")
        reader.wait("caption")
        assert presenter.ask("blank", {"on": True})["ok"]
        reader.wait("room", blank=True)
        n_lines = len(reader.of("caption"))
        assert request(program, "/export/txt", X_Forwarded_For="10.0.0.1")[0] == 403
        with Reader(program) as late:
            late.wait("status")
            presenter.wait("status", message="The recording has ended.")
            assert not late.of("caption") and len(reader.of("caption")) == n_lines
            presenter.ask("blank", {"on": False})
            late.wait("caption", final=True, text=reader.of("caption")[-1]["text"])
        presenter.ask("clear")


def test_a_new_link_ends_the_old_ones_power_at_once(program, token):
    cookie = f"presenter_{program.port}={token}"
    with Reader(program, Cookie=cookie) as device:
        device.wait("room", presenter=True)
        renewed = run(["link", "--new"], env={**os.environ, **program.environment})
        assert token not in renewed.stdout and str(program.port) in renewed.stdout
        assert device.ask("clear")["code"] == "refused.presenter"
        device.wait("room", presenter=False)


def test_the_qr_code_leads_to_the_readers_page(program):
    status, headers, svg = request(program, "/qr.svg")
    with Client(program) as presenter:
        address = presenter.wait("room")["reader_url"]
    if address is None:
        pytest.skip("this machine has no address that others reach")
    assert status == 200 and headers["Content-Type"].startswith("image/svg+xml")
    assert address in svg and address.endswith("/read") and "<script" not in svg


def test_a_kill_while_saving_leaves_a_file_that_can_be_exported(tmp_path):
    arguments = ["--asr", "whisper", "--no-emotion", "--source", SPEECH, "--save", tmp_path]
    with Program(arguments) as running:
        running.wait_for("ready")
        with Client(running) as presenter:
            presenter.ask("start")
            text = presenter.wait("caption", final=True)["text"]
            time.sleep(1)
            os.kill(running.process.pid, signal.SIGKILL)
    [path] = tmp_path.iterdir()
    ended = run(["export", path, "--format", "srt"])
    assert ended.returncode == 0 and ended.stdout.startswith("1\n00:00:")
    assert text.split()[0] in ended.stdout


def test_a_place_that_cannot_be_saved_to_is_told_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    ended = run(["--port", "5998", "--save", tmp_path / "file"])
    assert ended.returncode == 1 and "cannot be saved there" in ended.stderr
    assert "Traceback" not in ended.stderr
