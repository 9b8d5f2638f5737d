"""Recordings as the whole program takes them: captioned to the end, played again, judged."""

import json
import time
from pathlib import Path

import pytest
import soundfile

from tests.command_line.test_app import SPEECH, Client
from tests.program import PATIENCE_S, Program, run
from tests.recordings import encode, without_xing


def captions(path: Path) -> tuple[str, int, str]:
    """All that is written of a recording, the exit status, and what is said beside."""
    ended = run(["--no-emotion", "caption", path, "--asr", "whisper"])
    assert "Traceback" not in ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    text = " ".join(line["text"] for line in lines if line["final"])
    return text, ended.returncode, ended.stderr


@pytest.fixture(scope="module")
def spoken() -> str:
    return captions(SPEECH)[0]


@pytest.mark.parametrize("name", ["pipe.mp3", "a.m4a", "turned.mkv", "crashed.wav"])
def test_every_word_of_it_is_written(name: str, spoken: str, tmp_path: Path) -> None:
    samples, rate = soundfile.read(SPEECH, dtype="float32", always_2d=True)
    path = tmp_path / name
    if name == "pipe.mp3":
        soundfile.write(path, samples, rate, format="MP3", bitrate_mode="VARIABLE")
        path.write_bytes(without_xing(path.read_bytes()))
    elif name == "crashed.wav":  # its writer ended before it could say how long it is
        soundfile.write(path, samples, rate)
        data = bytearray(path.read_bytes())
        data[40:44] = bytes(4)
        path.write_bytes(data)
    else:
        samples = samples @ [[1.0, -1.0]] if name == "turned.mkv" else samples
        encode(path, samples, rate, "aac", video=name == "turned.mkv")
    text, status, _ = captions(path)
    assert status == 0
    assert text.split()[-4:-1] == spoken.split()[-4:-1]  # the last is hard to hear
    assert len(text.split()) >= 0.9 * len(spoken.split())


def test_what_is_there_is_written_and_the_missing_end_is_told(spoken: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    samples, rate = soundfile.read(SPEECH)
    soundfile.write(path, samples, rate)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    text, status, said = captions(path)
    assert status == 1 and "get the whole file again" in said
    assert text.split()[:3] == spoken.split()[:3]


def test_a_source_started_twice_has_two_times() -> None:
    with Program(["--asr", "whisper", "--no-emotion", "--source", SPEECH]) as running:
        running.wait_for("ready")
        with Client(running) as client:
            client.wait("status", state="ready")
            ends = []
            for n_played in (1, 2):
                client.ask("start")
                client.wait("status", state="listening")
                wait_for_endings(client, n_played)
                ends.append(max(event["end_s"] for event in client.of("caption")))
    lines = [event for event in client.of("caption") if event["final"]]
    assert min(event["start_s"] for event in lines if event["end_s"] > ends[0]) >= ends[0]
    assert ends[1] > 1.5 * ends[0]


def wait_for_endings(client: Client, n_times: int) -> None:
    """Until the recording has been played so often."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        ended = [status for status in client.of("status") if status["code"] == "ready.ended"]
        if len(ended) >= n_times:
            return
        time.sleep(0.1)
    pytest.fail(f"the recording did not end {n_times} times")
