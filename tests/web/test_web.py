"""Attempts to break in, against the real program: refused, logged once, nothing disturbed."""

import http.client
import io
import json
import os
import re
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
import requests
import socketio
import websocket

from tests.command_line.test_app import SPEECH, Client
from tests.lasting import until
from tests.program import PATIENCE_S, Program, run

EVIL = "http://evil.example"


class Saving(Program):
    """The program, the folder that it saves to and the presenter's token."""

    folder: Path
    token: str


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Iterator[Saving]:
    folder = tmp_path_factory.mktemp("saved")
    arguments = ["--asr", "whisper", "--no-emotion", "--host", "0.0.0.0", "--source", SPEECH]
    running = Saving([*arguments, "--save", folder])
    with running:
        running.folder = folder
        running.token = key_file(running).read_text().strip()
        running.wait_for("ready")
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors, running.errors[running.errors.index("Traceback") :]
    assert running.token not in running.errors + running.output
    refused = refusals(running.errors)
    assert len(refused) == len(set(refused)), "a refusal was logged twice"


def refusals(errors: str) -> list[str]:
    """Of all that was logged, which a busy machine adds to, the refusals, but for their time."""
    return [line.partition(" ")[2] for line in errors.splitlines() if "(told once)" in line]


def request(
    program: Program, path: str, method: str = "GET", body: str | bytes = "", **headers: str
) -> tuple[int, dict, str]:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=30)
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    connection.request(method, path, body or None, named)
    answer = connection.getresponse()
    return answer.status, dict(answer.headers), answer.read().decode(errors="replace")


def key_file(program: Program) -> Path:
    """The file of the presenter's token."""
    return Path(program.home) / "recognition_helpers/presenter-key"


def links(program: Program, *arguments: str) -> str:
    """The link that `app.py link` prints."""
    printed = run(["link", *arguments], env={**os.environ, **program.environment})
    assert printed.returncode == 0, printed.stderr
    return printed.stdout.strip()


def hand_in(program: Program, link: str, **headers: str) -> tuple[int, str]:
    """Status and cookie that a browser gets for a link."""
    code = link.rpartition("#present=")[2]
    status, answer, _ = request(program, "/present", "POST", code, **headers)
    return status, answer.get("Set-Cookie", "")


class Reader(Client):
    """A page that shows no cookie of the presenter's, unless it is given."""

    def __init__(self, program: Program, **headers: str) -> None:
        super().__init__(program, headers)


def raw(program: Program, **headers: Any) -> websocket.WebSocket:
    """A bare WebSocket that has been greeted."""
    page = websocket.create_connection(
        f"ws://127.0.0.1:{program.port}/socket.io/?EIO=4&transport=websocket", timeout=30, **headers
    )
    assert str(page.recv()).startswith("0{")
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
        ("start", None),
        ("stop", None),
        ("clear", None),
        ("blank", {"on": True}),
        ("emotion", {"on": False}),
        ("clear_after", {"minutes": 1}),
        ("save", {"on": False}),
        ("phrases", {"list": ["x"]}),
        ("correct", {"segment": 0, "text": "x", "remember": ""}),
        ("restore", {"segment": 0}),
        ("name_voice", {"number": 1, "name": "Ada"}),
        ("speak", {"text": "x", "language": "en"}),
        ("lock", {"on": True}),
        ("answers", {"on": True}),
        ("answer", {"text": "x"}),
    ],
)
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


def test_a_link_makes_one_browser_the_presenters_once(program):
    link = links(program)
    assert program.token not in link
    status, cookie = hand_in(program, link)
    assert status == 204 and program.token not in cookie
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    with Reader(program, Cookie=cookie.split(";")[0]) as device:
        assert device.wait("room")["presenter"]
        assert device.ask("blank", {"on": False}) == {"ok": True}
    assert hand_in(program, link) == (403, "")  # out of a history, or off a screen
    kept = request(program, "/present", "POST", Cookie=cookie.split(";")[0])
    assert kept[0] == 204 and "Max-Age=2592000" in kept[1]["Set-Cookie"]


def test_two_links_open_each_for_itself(program):
    one, other = links(program, "--here"), links(program, "--here")
    assert one.startswith(f"{program.url}/#present=") and one != other
    assert hand_in(program, other)[0] == hand_in(program, one)[0] == 204


@pytest.mark.parametrize(
    ("forwarded", "command"),
    [
        ({}, ".venv/bin/python app.py link --here"),
        ({"X-Forwarded-For": "192.168.1.20"}, ".venv/bin/python app.py link"),
    ],
)
def test_a_link_that_holds_no_more_names_the_command_for_another(program, forwarded, command):
    _, _, body = request(program, "/present", "POST", b"x", **forwarded)
    assert json.loads(body)["values"] == {"command": command}
    assert json.loads(body)["message"].endswith(f": {command}")


@pytest.mark.parametrize(
    "wrong",
    ["x", "1.2.3", "9e9.x.x", ".", "nan..", "é", "\x00", "a" * 180, f"99999999999.a.{'A' * 43}"],
)
def test_a_wrong_link_is_refused(program, wrong):
    status, headers, body = request(program, "/present", "POST", wrong.encode())
    assert status == 403 and "Set-Cookie" not in headers
    assert json.loads(body)["code"] == "refused.link"
    cookie = f"presenter_{program.port}=x{wrong.encode('ascii', 'replace')!r}"
    with Reader(program, Cookie=cookie) as reader:
        assert not reader.wait("room")["presenter"]


def test_what_is_no_code_at_all_is_refused(program):
    assert request(program, "/present", "POST", "a" * 5000)[0] == 413
    assert request(program, "/present", "POST")[0] == 403
    assert request(program, f"/?token={program.token}")[1].get("Set-Cookie") is None


def test_nobody_presents_by_coming_from_this_computer(program):
    """Behind a bare `proxy_pass` everybody comes from 127.0.0.1, and asks for it."""
    for headers in (
        {},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "::1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
    ):
        with Reader(program, **headers) as stranger:
            assert not stranger.wait("room")["presenter"], headers
            assert stranger.ask("clear")["code"] == "refused.presenter"


def test_the_token_itself_is_no_cookie(program):
    with Reader(program, Cookie=f"presenter_{program.port}={program.token}") as reader:
        assert not reader.wait("room")["presenter"]


def test_each_kind_of_refusal_is_logged_once():
    with Program(["--asr", "whisper", "--no-emotion"]) as running:
        running.wait_for("ready")
        for _ in range(2):
            with Reader(running) as reader:
                reader.ask("start")
            request(running, "/present", "POST", "x")
            request(running, "/", Host="evil.example")
            with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
                raw(running, origin=EVIL)
            page = raw(running)
            page.send("x")
            page.shutdown()
            with Reader(running) as flood:
                flood.wait("room")
                for _ in range(50):
                    flood.send("nonsense")
                flood.wait("refused", code="refused.flood")
    for kind in (
        "'start' without the presenter's token",
        "a link that holds no more",
        "a foreign Host name",
        "a flood of events",
        "what is no Engine.IO packet",
        "a page of a foreign origin",
    ):
        assert running.errors.count(kind) == 1, (kind, running.errors)


@pytest.mark.parametrize("path", ["/", "/health", "/socket.io/?EIO=4&transport=websocket"])
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "10.255.255.1",
        "",
        "127.0.0.1%00.evil.example",
        "127.0.0.1,evil.example",
        "127.1",
        "[::]",
        "[127.0.0.1]",
    ],
)
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
    [
        "/export/../app.py",
        "/export/..%2fapp.py",
        "/export/%2e%2e/%2e%2e/etc/passwd",
        "/export/jsonl",
        "/export/",
        "/static/../app.py",
        "/static/..%2f..%2fapp.py",
        "/static//etc/passwd",
    ],
)
def test_no_path_leads_out(program, path):
    status, _, body = request(program, path)
    assert status in (404, 308) and "import" not in body and "root:" not in body


def test_every_page_forbids_what_is_not_ours(program):
    for path in (
        "/",
        "/read",
        "/health",
        "/qr.svg",
        "/export/txt",
        "/nothing",
        "/present",
        "/reach",
    ):
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
        until(lambda: not flood.connected, "the end of the connection")
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
    [
        "42[[[",
        "9",
        "",
        "x",
        "b4",
        "é",
        "4",
        "42",
        "451-[]",
        "42[1]",
        '42["start"',
        "40/admin,",
        "43[]",
        "4" * 50,
    ],
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
        ("blank", None),
        ("blank", {"on": "yes"}),
        ("blank", {"on": 1}),
        ("clear_after", {"minutes": -1}),
        ("clear_after", {"minutes": 10**9}),
        ("clear_after", {"minutes": True}),
        ("phrases", {"list": "x"}),
        ("phrases", {"list": [1]}),
        ("phrases", {"list": ["x" * 999]}),
        ("speak", {"text": "", "language": "en"}),
        ("speak", {"text": "x", "language": "../../x"}),
        ("speak", {"text": ["x"], "language": "en"}),
        ("emotion", {"on": True}),
        ("correct", {"segment": 10**40, "text": "x", "remember": ""}),
        ("correct", {"segment": 0, "text": "x" * 1001, "remember": ""}),
        ("correct", {"segment": 0, "text": " \u202e\n", "remember": ""}),
        ("correct", {"segment": 0, "text": "x"}),
        ("restore", {"segment": -1}),
        ("name_voice", {"number": 10**40, "name": "Ada"}),
        ("name_voice", {"number": 1, "name": None}),
    ],
)
def test_a_presenters_mistake_is_told(program, event, payload):
    with Client(program) as presenter:
        answer = presenter.ask(event, payload)
        assert not answer["ok"] and answer["code"].startswith("refused.") and answer["message"]


def test_the_longest_list_of_phrases_is_taken_in_any_script(program):
    with Client(program) as presenter:
        before = presenter.wait("room")["phrases"]
        for letter in "한😀":
            longest = [f"{letter * 197}{i:03d}" for i in range(40)]
            assert presenter.ask("phrases", {"list": longest}) == {"ok": True}
            assert presenter.wait("room", phrases=longest)
        answer = presenter.ask("phrases", {"list": ["한" * 201]})
        assert not answer["ok"] and "200" in answer["message"]
        assert presenter.ask("phrases", {"list": before}) == {"ok": True}


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
        for form, begins in (
            ("txt", "00:"),
            ("srt", "1\n"),
            ("vtt", "WEBVTT"),
            ("json", '{"lines"'),
        ):
            status, headers, body = request(program, f"/export/{form}")
            assert status == 200 and body.startswith(begins) and final["text"].split()[0] in body
            name = headers["Content-Disposition"]
            assert re.fullmatch(rf'attachment; filename="captions-[\d-]+\.{form}"', name)
        assert json.loads(body)["lines"][-1]["text"]
        file = Path(saving["folder"]) / saving["file"]
        until(lambda: final["text"] in file.read_text(), "the line in the file")
        for path in ("/export/docx", f"/saved/{saving['file']}/docx"):
            made = requests.get(program.url + path, headers=program.presenter, timeout=60)
            assert made.headers["Content-Type"].endswith("wordprocessingml.document")
            assert final["text"] in docx.Document(io.BytesIO(made.content)).paragraphs[-1].text
        assert presenter.ask("clear")["ok"]
        reader.wait("cleared")
        assert json.loads(request(program, "/export/json")[2]) == {"lines": []}
    with Reader(program) as late:
        late.wait("status")
        assert not late.of("caption")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert final["text"] in [json.loads(line)["text"] for line in file.read_text().splitlines()]


def test_a_mended_line_comes_to_everyone_to_files_and_to_who_comes_late(program):
    clear(program)
    with Client(program) as presenter, Reader(program) as reader, Client(program) as other:
        presenter.ask("start")
        heard = reader.wait("caption", final=True)
        presenter.wait("status", message="The recording has ended.")
        mended = {"segment": heard["segment"], "text": "No\x1b word\nof that.", "remember": "Ödön"}
        assert presenter.ask("correct", mended) == {"ok": True}
        for page in (presenter, reader, other):
            line = page.wait("caption", text="No word of that.")
            assert line["tags"]["mended"] is True and line["end_s"] == heard["end_s"]
        with Reader(program) as late:
            late.wait("caption", text="No word of that.")
        text = request(program, "/export/txt")[2]
        assert "[mended] No word of that." in text and heard["text"] not in text
        other.ask("correct", mended | {"text": "The last one wins.", "remember": ""})
        presenter.wait("caption", text="The last one wins.")
        assert presenter.ask("restore", {"segment": heard["segment"]}) == {"ok": True}
        assert (
            "mended" not in reader.wait("caption", text=heard["text"], words=heard["words"])["tags"]
        )
        folder = Path(presenter.wait("room")["saving"]["folder"])
        path = folder / presenter.wait("room")["saving"]["file"]
        due = [heard["text"], "No word of that.", "The last one wins."]

        def written() -> bool:  # which may be a moment after they are shown
            lines = path.read_text().splitlines()[-3:]
            return [json.loads(line).get("corrects") for line in lines] == due

        until(written, "the mended lines in the file")
    remembered = Path(program.home) / "recognition_helpers/remembered.txt"
    assert remembered.read_text(encoding="utf-8") == "Ödön\n"


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
        assert request(program, "/export/txt")[0] == 403
        assert request(program, "/export/txt", **program.presenter)[0] == 200
        with Reader(program) as late:
            late.wait("status")
            presenter.wait("status", message="The recording has ended.")
            assert not late.of("caption") and len(reader.of("caption")) == n_lines
            presenter.ask("blank", {"on": False})
            late.wait("caption", final=True, text=reader.of("caption")[-1]["text"])
        presenter.ask("clear")


def test_a_new_token_ends_all_power_at_once():
    with Program(["--asr", "whisper", "--no-emotion"]) as running:
        running.wait_for("ready")
        unused = links(running)
        with Client(running) as device:
            device.wait("room", presenter=True)
            renewed = links(running, "--new")
            device.wait("room", presenter=False)  # by itself, before it asks for anything
            assert device.ask("clear")["code"] == "refused.presenter"
        assert hand_in(running, unused)[0] == 403
        assert hand_in(running, renewed)[0] == 204


def test_a_link_ends_with_the_program_that_it_is_for():
    arguments = ["--asr", "whisper", "--no-emotion"]
    with Program(arguments) as first:
        link = links(first)
        cookie = first.presenter
        with_home = {**os.environ, **first.environment}
        first.process.terminate()
        first.process.wait()
        none = run(["link"], env=with_home)
        assert none.returncode == 1 and "does not run" in none.stderr
        with Program(arguments, port=first.port, home=first.home) as second:
            assert hand_in(second, link)[0] == 403
            with Client(second, cookie) as device:  # a browser stays what it is
                assert device.wait("room")["presenter"]


ODD_HEADERS = {
    "latin": "x=\xe9\xff",
    "utf-8": "name=Jürgen".encode().decode("latin-1"),
    "control": "x=\x01\x7f",
    "quoted": 'x="\\377\\"',
    "next line": "x=\x85y",
}


@pytest.mark.parametrize(
    "name", ["Cookie", "User-Agent", "X-Forwarded-For", "Accept-Language", "X(odd"]
)
@pytest.mark.parametrize("odd", ODD_HEADERS.values(), ids=ODD_HEADERS)
def test_headers_in_any_letters_are_answered(program, name, odd):
    own = program.presenter["Cookie"]
    sent = f"{own}; {odd}" if name == "Cookie" else odd
    ask = f"Host: 127.0.0.1:{program.port}\r\n{name}: {sent}\r\n"
    for path in ("/", "/export/txt", "/static/favicon.svg"):
        with socket.create_connection(("127.0.0.1", program.port), timeout=30) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\n{ask}\r\n".encode("latin-1"))
            assert connection.recv(100).split()[1] == b"200", path
    upgrade = (
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{ask}\r\n"
    )
    with socket.create_connection(("127.0.0.1", program.port), timeout=30) as connection:
        connection.sendall(upgrade.encode("latin-1"))
        assert connection.recv(100).split()[1] == b"101"
        connection.sendall(b"\x81\x82\0\0\0\x0040")  # Socket.IO's "connect", masked with zeros
        answer = b""
        while b'42["status"' not in answer:
            answer += (some := connection.recv(65536))
            assert some, answer
    if name == "Cookie":  # what stands beside it takes nothing from the presenter's
        assert b'"presenter":true' in answer


@pytest.mark.parametrize(
    "line",
    [
        "GET //[ HTTP/1.1",
        "GET http://[::1/x HTTP/1.1",
        "GET /\xff%ff?\xff=%ff HTTP/1.1",
        "G\xe9T / HTTP/1.1",
    ],
)
def test_an_odd_request_line_disturbs_nobody(program, line):
    with socket.create_connection(("127.0.0.1", program.port), timeout=30) as connection:
        connection.sendall(f"{line}\r\nHost: 127.0.0.1\r\n\r\n".encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    serves(program)


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
            deadline = time.monotonic() + PATIENCE_S
            while not any(text in path.read_text() for path in tmp_path.iterdir()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            os.kill(running.process.pid, signal.SIGKILL)
    [path] = tmp_path.iterdir()
    ended = run(["export", path, "--format", "srt"])
    assert ended.returncode == 0 and ended.stdout.startswith("1\n00:00:")
    assert text.split()[0] in ended.stdout


def test_strangers_are_not_told_what_devices_are_called(program):
    with Client(program) as presenter:
        presenter.ask("start")
        presenter.wait("status", state="listening")
        told = program.health()
        status, _, strangers = request(program, "/health", X_Forwarded_For="203.0.113.7")
        presenter.ask("stop")
        assert told["microphone"] == SPEECH.name
        assert status == 200 and SPEECH.name not in strangers
        assert json.loads(strangers).keys() == told.keys()
        program.wait_for("ready")
