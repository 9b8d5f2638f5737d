"""No command sends a packet, asks for a name, or leaves a file outside the program's folders."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import APP, PATIENCE_S
from utils.environment import SILENT
from utils.folders import NAME
from utils.models.hub import OFFLINE

HOME = APP.parent
SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
OURS = (f".local/state/{NAME}/", f".config/{NAME}/", f".local/share/{NAME}/", f".cache/{NAME}/")
# ONNX Runtime first asked for its maker's address some 10 s after it was loaded.
LISTEN_S = 20
SESSION = f"""
import sys, time
from tests.program import PageSocket, Program
own = {{name: "" for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}}
with Program(sys.argv[1:], own) as program:
    program.wait_for("ready")
    page = PageSocket()
    page.connect(program.url, headers=program.presenter, transports=["websocket"], wait_timeout={PATIENCE_S})
    print(page.call("start"))
    time.sleep({LISTEN_S})
    page.disconnect()
print(program.errors)
"""


def _alone() -> list[str] | None:
    """How to run in a network of one's own; None where this system lets nobody."""
    for how in (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]):
        if shutil.which("unshare") and shutil.which("ip"):
            look = "ip link add near type veth peer name far"
            if subprocess.run([*how, *look.split()], capture_output=True).returncode == 0:
                return how
    return None


ALONE = _alone()
pytestmark = pytest.mark.skipif(
    ALONE is None, reason="no network namespace: needs iproute2 and the right to make one"
)


def alone(folder: Path, *command: object) -> dict:
    """Run a command where it reaches nothing; what it did there."""
    bare = {
        n: text for n, text in os.environ.items() if n not in {*SILENT, OFFLINE, "MPLCONFIGDIR"}
    }
    silent = [sys.executable, "-m", "tests.silent", folder]
    assert ALONE is not None
    run = subprocess.run(
        [*ALONE, *map(str, [*silent, *command])],
        capture_output=True,
        text=True,
        cwd=HOME,
        env=bare,
        timeout=3 * PATIENCE_S,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def strange(files: list[str]) -> list[str]:
    """Those that are in no folder of the program."""
    return [name for name in files if not name.startswith(OURS)]


def test_a_packet_a_look_up_and_a_strange_file_are_seen(tmp_path):
    code = (
        "import contextlib, pathlib, socket\n"
        "with contextlib.suppress(OSError): socket.getaddrinfo('example.org', 80)\n"
        "with contextlib.suppress(OSError): socket.create_connection(('192.0.2.7', 443), timeout=1)\n"
        "(pathlib.Path.home() / 'strange').touch()\n"
    )
    did = alone(tmp_path, sys.executable, "-c", code)
    assert "example" in " ".join(did["seen"])
    assert "protocol 6 to 192.0.2.7:443" in did["seen"]
    assert strange(did["files"]) == ["strange"]


@pytest.mark.parametrize(
    "command",
    [
        ["app.py", "microphones"],
        ["app.py", "models"],
        ["app.py", "link"],
        ["app.py", "caption", SPEECH],
        ["app.py", "caption", SPEECH, "--language", "ko"],
        ["emotion_model.py", SPEECH],
        ["-m", "training", "--help"],
    ],
    ids=lambda command: " ".join(str(part) for part in command if part != SPEECH),
)
def test_a_command_sends_nothing_and_leaves_nothing(tmp_path, command):
    did = alone(tmp_path, sys.executable, *command)
    assert did["seen"] == [], did
    assert strange(did["files"]) == [], did


def test_a_recording_that_is_drawn_sends_nothing_and_leaves_the_picture(tmp_path, tmp_path_factory):
    picture = tmp_path_factory.mktemp("drawn") / "a.png"
    command = ["emotion_model.py", "analyze", SPEECH, "--plot", picture]
    did = alone(tmp_path, sys.executable, *command)
    assert picture.is_file() and did["seen"] == [] and strange(did["files"]) == [], did


@pytest.mark.parametrize("offline", [True, False])
def test_a_session_sends_nothing_and_leaves_nothing(tmp_path, whisper, offline):
    flags = ["--asr", "whisper", "--source", SPEECH, *["--offline"] * offline]
    did = alone(tmp_path, sys.executable, "-c", SESSION, *flags)
    assert did["status"] == 0 and "'ok': True" in did["output"], did
    assert did["seen"] == [], did
    assert strange(did["files"]) == [], did
