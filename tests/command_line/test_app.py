"""The command line and the server, in a process of their own, as a user meets them."""

import json
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.program import PATIENCE_S, PageSocket, Program, run

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"


@pytest.fixture(scope="module")
def program(unbroken) -> Iterator[Program]:
    with Program(["--asr", "whisper", "--source", unbroken]) as running:
        running.wait_for("ready")
        yield running
    assert running.process.returncode == 0
    assert "Traceback" not in running.errors


class Client:
    """A Socket.IO client that keeps what it is sent; the presenter's, where no headers are given.

    Parameters
    ----------
    below : path of the page, where it is a room of several
    """

    def __init__(
        self, program: Program, headers: dict[str, str] | None = None, below: str = ""
    ) -> None:
        self.events: list[tuple[str, dict]] = []
        self._changed = threading.Condition()
        self._socket = PageSocket(reconnection=False)
        self._socket.on("*", self._keep)
        headers = program.presenter if headers is None else headers
        path = f"{below}/socket.io"
        self._socket.connect(
            program.url,
            headers,
            transports=["websocket"],
            socketio_path=path,
            wait_timeout=PATIENCE_S,
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.hang_up()

    def _keep(self, name: str, payload: dict) -> None:
        with self._changed:
            self.events.append((name, payload))
            self._changed.notify_all()

    def send(self, *event: object) -> None:
        self._socket.emit(event[0], event[1:] or None)

    def ask(self, name: str, payload: dict | None = None) -> dict:
        """Send an event and wait for what the server answers."""
        return self._socket.call(name, payload, timeout=PATIENCE_S)

    @property
    def connected(self) -> bool:
        return self._socket.connected

    def shut(self) -> None:
        """Let go of a connection that the server has ended."""
        if self._socket.eio.ws:
            self._socket.eio.ws.shutdown()

    def of(self, name: str) -> list[dict]:
        """All events of a name until now."""
        return [payload for n, payload in self.events if n == name]

    def wait(self, name: str, **expected: object) -> dict:
        """The first event of a name whose payload holds what is expected."""

        def found() -> list[dict]:
            return [p for n, p in self.events if n == name and expected.items() <= p.items()]

        return self.wait_for(found, f"{name} with {expected}")[0]

    def wait_for(self, found: Callable[[], list[dict]], what: str) -> list[dict]:
        """What is found among the events, as soon as that is something."""
        with self._changed:
            if not self._changed.wait_for(found, PATIENCE_S):
                pytest.fail(f"no {what} among {self.events[-5:]}")
            return found()


def test_a_session_over_the_wire(program):
    with Client(program) as one, Client(program) as other:
        status = one.wait("status", state="ready")
        assert status["engine"] == "Whisper tiny.en" and status["progress"] is None
        assert status["offer"] is None  # whoever names an engine wants that one
        assert status["code"] == "ready.asked" and status["notices"] == []
        assert status["values"] == {"engine": "Whisper tiny.en", "option": "--asr whisper"}
        room = one.wait("room")
        assert room["presenter"] and room["emotion"] and not room["blank"]
        assert one.ask("start") == {"ok": True}
        for client in (one, other):
            client.wait("status", state="listening")
            assert -120 <= client.wait("level")["db"] <= 0
            growing = client.wait("caption", final=False)
            final = client.wait("caption", final=True)
        assert growing["segment"] == final["segment"]
        assert growing["start_s"] < final["end_s"] and final["text"]
        if emotion := final["emotion"]:
            assert sum(emotion["scores"].values()) == pytest.approx(1, abs=1e-3)
            assert emotion["confidence"] == emotion["scores"][emotion["label"]]
        one.wait("status", message="The recording has ended.")
    with Client(program) as late:
        assert late.wait("caption", final=True) == final


def test_rubbish_from_a_client_disturbs_nothing(program):
    with Client(program) as client:
        client.wait("status", state="ready")
        for event in [("nonsense",), ("", {}), ("start", {"a": [1]}, "x"), ("start", None)]:
            client.send(*event)
        client.wait("status", state="listening")
        client.send("stop", ["again"], 2)
        client.wait("status", state="ready", message="Ready.")
    with Client(program) as client:
        client.send("start", "x" * 100_000)  # beyond the limit: this connection is closed
    program.wait_for("ready")


def test_health_is_json_with_what_a_monitor_needs(program):
    health = program.wait_for("ready")
    assert health["engine"] == "Whisper tiny.en"
    assert health["queue_depth"] == health["dropped_frames"] == 0
    assert {"microphone", "last_frame_age_s", "message"} <= health.keys()


def test_the_page_lets_nothing_foreign_in(program):
    with urllib.request.urlopen(program.url, timeout=30) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        text = answer.read().decode()
    assert "://" not in text.replace("http://www.w3.org", "")
    foreign = urllib.request.Request(
        f"{program.url}/socket.io/?EIO=4&transport=polling",
        headers={"Origin": "http://evil.example"},
    )
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(foreign, timeout=30)


def test_a_port_in_use_is_told(program):
    ended = run(["--port", program.port])
    assert ended.returncode == 1
    assert f"cannot serve at 127.0.0.1:{program.port}" in ended.stderr
    assert "--port" in ended.stderr and "Traceback" not in ended.stderr


def test_caption_gives_every_event_as_a_line_of_json():
    ended = run(["caption", SPEECH, "--asr", "whisper"])
    assert ended.returncode == 0, ended.stderr
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert events[-1]["final"]
    assert events[-1]["words"][0].keys() == {"text", "start_s", "end_s", "confidence"}
    assert {"segment", "start_s", "end_s", "text", "final", "emotion"} <= events[0].keys()


@pytest.mark.parametrize(
    ("form", "begins"), [("txt", "00:0"), ("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0")]
)
def test_caption_formats(form, begins):
    ended = run(["caption", SPEECH, "--format", form, "--asr", "whisper"])
    assert ended.returncode == 0 and ended.stdout.startswith(begins)
    said = " ".join(ended.stdout.split())  # cues may be cut at any phrase
    assert "I can assure you" in said and "that this is a modern" in said


def test_caption_of_silence_is_empty_and_a_stereo_96_khz_file_is_no_trouble(tmp_path):
    path = tmp_path / "quiet.wav"
    soundfile.write(path, np.zeros((3 * 96_000, 2)), 96_000)
    ended = run(["caption", path, "--format", "txt", "--asr", "whisper"])
    assert (ended.returncode, ended.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["caption", "missing.wav"], "no such file"),
        (["caption", "README.md"], "not a readable recording"),
        (["--source", "missing.wav"], "no such file"),
        (["--asr", "siri"], "auto, nemo, whisper, vosk or sr:NAME"),
        (["--model", "tiny.en", "--language", "ko"], "--model tiny.en knows en, not ko"),
        (["--asr", "sphinx"], "choose --asr sr:sphinx"),
        (["--asr", "sr:foo"], "--asr sr:foo: no such engine; choose from "),
        (["--asr", "sr:wit"], "sr:wit needs the environment variable WIT_KEY"),
        (["--asr", "sr:google", "--offline"], "--offline forbids"),
        (["--asr", "vosk"], "--asr vosk knows Korean, not en; choose --language ko"),
        (["--asr", "vosk", "--model", "."], "is no folder of a Vosk model: it has no am/final.mdl"),
        (["--port", "0"], "1 to 65535"),
        (["--host", "no.such.host.invalid", "--port", "5999"], "cannot serve at"),
        (["caption", SPEECH, "--asr", "nemo", "--model", "missing.nemo"], "missing.nemo"),
    ],
)
def test_bad_input_gets_one_clear_line(arguments, expected, tmp_path):
    (tmp_path / "README.md").write_text("words")
    ended = run(arguments, cwd=tmp_path)
    assert ended.returncode == 1
    assert expected in ended.stderr and ended.stderr.splitlines()[-1].startswith("app.py: ")
    assert "Traceback" not in ended.stderr


def test_a_damaged_recording_gives_what_came_before_and_an_error(tmp_path):
    samples, rate = soundfile.read(SPEECH)
    samples[-100] = np.nan
    path = tmp_path / "nan.wav"
    soundfile.write(path, samples, rate, subtype="FLOAT")
    ended = run(["caption", path, "--asr", "whisper"])
    assert ended.returncode == 1 and "NaN" in ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["final"]


def test_microphones_says_what_is_there(sound_server):
    ended = run(["microphones"])
    assert ended.returncode == 0 and "default" in ended.stdout
    assert ended.stderr == ""


def test_an_unknown_microphone_is_told_on_the_page(sound_server):
    with Program(["--asr", "whisper", "--microphone", "no such thing"]) as running:
        running.wait_for("ready")
        with Client(running) as client:
            client.send("start")
            lost = client.wait("status", state="lost")
            client.send("stop")
            client.wait("status", state="ready", message="Ready.")
        assert "no such thing" in lost["message"]
    assert running.process.returncode == 0


def test_ctrl_c_ends_it_and_its_processes():
    with Program(["--asr", "whisper"]) as running:
        running.wait_for("ready")
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(PATIENCE_S) == 0
