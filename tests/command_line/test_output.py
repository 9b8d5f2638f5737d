"""What commands print: nobody may read it, nothing may take it, and it may not be sayable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.test_saving import line

HOME = Path(__file__).resolve().parents[2]
SPEECH = HOME / "tests" / "data" / "speech.flac"


@pytest.fixture
def saved(tmp_path) -> Path:
    path = tmp_path / "saved.jsonl"
    path.write_text("".join(json.dumps(line(i).to_dict()) + "\n" for i in range(3000)))
    return path


def shell(command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=HOME,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
    )


COMMANDS = ["app.py export {saved}", "app.py models", f"emotion_model.py {SPEECH} {SPEECH}"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_is_no_error(saved, command):
    command = f"{sys.executable} {command.format(saved=saved)}"
    ended = shell(f"{command} | head -c 1")
    assert len(ended.stdout) == 1 and "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    ended = shell(f"{command} | true")  # gone before the first line
    assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_told_in_a_line(saved, command):
    ended = shell(f"{sys.executable} {command.format(saved=saved)} > /dev/full")
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "the output cannot be written" in ended.stderr and "full" in ended.stderr


def test_a_terminal_that_knows_no_korean_gets_what_it_knows(saved):
    ended = shell(f"{sys.executable} app.py export {saved}", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0 and "?????" in ended.stdout and "world" in ended.stdout
