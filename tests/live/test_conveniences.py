"""Captions come where nothing else can: no room on the disk, no home, another program beside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command_line.test_app import Client
from tests.disks import fill, make_read_only, small_disk
from tests.program import APP, PATIENCE_S, Program, free_port, run

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
LISTEN = ["--asr", "whisper", "--no-emotion", "--source", str(SPEECH)]
FOLDERS = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "TMPDIR")


def remark(client: Client, code: str) -> str:
    """Wait until the page shows a remark; its sentence."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for notice in client.of("status")[-1]["notices"]:
            if notice["code"] == code:
                return notice["message"]
        time.sleep(0.05)
    pytest.fail(f"no {code} in {client.of('status')[-1]}")


@pytest.fixture(params=["full", "read-only", "no folder"])
def no_room(request, tmp_path) -> Iterator[dict[str, str]]:
    """An environment whose folders cannot be written to, nor the one for temporary files."""
    if request.param == "no folder":
        (tmp_path / "file").write_text("")
        yield dict.fromkeys(FOLDERS, str(tmp_path / "file" / "folder"))
        return
    with small_disk(tmp_path / "disk", 64) as disk:
        (fill if request.param == "full" else make_read_only)(disk)
        yield dict.fromkeys(FOLDERS, str(disk))


def test_captions_come_where_nothing_can_be_written(no_room):
    place = no_room["XDG_STATE_HOME"]
    with Program([*LISTEN, "--save", f"{place}/saved"], no_room) as running:
        running.wait_for("ready")
        with Client(running, running.presenter) as client:
            assert client.ask("start") == {"ok": True}
            assert client.wait("caption", final=True)["text"]
            assert place in remark(client, "link.missing")
            full = Path(place, "filling").exists()  # which may pass
            assert place in remark(client, "saving.waiting" if full else "saving.failed")
            assert client.ask("phrases", {"list": ["Yes"]}) == {"ok": True}
            assert client.wait("room", phrases=["Yes"])
            assert place in remark(client, "phrases.not_kept")
        told = run(["link"], env={**os.environ, **running.environment})
        assert told.returncode == 1 and "Traceback" not in told.stderr
    assert running.process.returncode == 0 and "Traceback" not in running.errors, running.errors[
        -1500:
    ]


def test_captions_come_for_a_user_whom_the_system_does_not_know():
    """As in a container that is started with a number for a user."""
    nobody = ["unshare", "--map-user=54321"]
    if not shutil.which("unshare") or subprocess.run([*nobody, "true"]).returncode:
        pytest.skip("no user can be made up here")
    port = free_port()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    bare.pop("HOME", None)
    process = subprocess.Popen(
        [*nobody, sys.executable, APP, "--port", str(port), *LISTEN],
        env=bare,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert str(port) in process.stdout.readline()
        while (state := health(port)["state"]) == "loading":
            time.sleep(0.1)
    finally:
        process.terminate()
        _, errors = process.communicate()
    assert state == "ready" and "Traceback" not in errors and process.returncode == 0


def health(port: int) -> dict:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
        return json.load(answer)


def test_captions_come_where_nobody_reads_what_is_printed():
    """A terminal that is closed, or a pipe whose reader has gone, or a log on a full disk."""
    for output in ("> /dev/full", "| true", ">&-"):
        port = free_port()
        command = f"{sys.executable} {APP} --port {port} --asr whisper --no-emotion {output}"
        process = subprocess.Popen(
            ["bash", "-c", command], stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            while process.poll() is None:
                try:
                    if health(port)["state"] == "ready":
                        break
                except OSError:
                    time.sleep(0.2)
            assert process.poll() is None, output
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            assert "Traceback" not in process.communicate()[1], output


def test_two_programs_in_one_home_have_a_link_each():
    with Program(LISTEN) as first:
        environment = {**os.environ, **first.environment}
        with Program(LISTEN, home=first.home) as second:
            link = run(["--port", first.port, "link", "--here"], env=environment)
            assert f":{first.port}/" in link.stdout and f"--port {second.port}" in link.stderr
            link = run(["--port", second.port, "link", "--here"], env=environment)
            assert f":{second.port}/" in link.stdout
        link = run(["link", "--here"], env=environment)
        assert f":{first.port}/" in link.stdout and "Another" not in link.stderr


@contextmanager
def killed(program: Program) -> Iterator[Program]:
    with program as running:
        yield running
        running.process.kill()


def test_what_a_killed_program_left_is_not_taken_for_one_that_runs():
    with Program(LISTEN) as other:
        environment = {**os.environ, **other.environment}
        with killed(Program(LISTEN, home=other.home)) as gone:
            pass
        link = run(["--port", gone.port, "link", "--here"], env=environment)
        assert f":{other.port}/" in link.stdout and "Another" not in link.stderr
        with Program(LISTEN, home=other.home):
            assert len(list(Path(other.home).rglob("serving-*.json"))) == 2


def test_emotion_is_given_up_where_memory_is_short():
    """A limit that leaves room for the words, but not for PyTorch."""
    code = """
import resource
from pathlib import Path
from app import load_engines
from utils.config import Settings
left = {"loading.recogniser": 1_900_000_000, "loading.emotion": 250_000_000}
def progress(done, message):
    if message.code in left:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + left[message.code]
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
engines = load_engines(Settings(asr="whisper"), progress)
assert engines.captioner.tags.find("emotion") is None
print([str(message) for message in engines.missing])
"""
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=APP.parent, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    assert "Feelings are not shown: " in told.stdout and "memory" in told.stdout
