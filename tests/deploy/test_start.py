"""What is double-clicked on macOS and Windows, as far as it can be seen on Linux.

No PowerShell is at hand here: of start.ps1 the words and the paths are looked at, and not that it runs.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pygments.lexers import BatchLexer, PowerShellLexer
from pygments.token import Error

from tests.command_line.test_app import SPEECH
from tests.program import free_port

HOME = Path(__file__).resolve().parents[2]
POWERSHELL = (HOME / "start.ps1").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path) -> Path:
    """The project's folder, without an environment."""
    folder = tmp_path / "a project"  # with a space, as people name folders
    folder.mkdir()
    for name in ("app.py", "emotion_model.py", "requirements.txt", "start.command"):
        shutil.copy(HOME / name, folder / name)
    for name in ("utils", "web", "static", "templates", "deploy", "model_state_dict"):
        (folder / name).symlink_to(HOME / name)
    return folder


def prepare(project: Path) -> None:
    """Have what is installed here stand for what the script installs."""
    (project / ".venv/bin").mkdir(parents=True)
    python = project / ".venv/bin/python"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *"pip install"*) echo "$@" >>"{project}/pip"; exit;; esac\n'
        f'exec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)


def browser(tmp_path: Path) -> Path:
    """A browser that notes what it is to open."""
    path = tmp_path / "browser"
    path.write_text(f'#!/bin/sh\necho "$1" >"{tmp_path}/opened"\n')
    path.chmod(0o755)
    return path


def test_bash_can_read_it():
    command = HOME / "start.command"
    assert subprocess.run(["bash", "-n", str(command)]).returncode == 0
    assert command.stat().st_mode & stat.S_IXUSR, "a double click starts nothing without"


def test_it_installs_once_serves_and_opens_the_browser_as_the_presenters(project, tmp_path):
    prepare(project)
    port = free_port()
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "BROWSER": str(browser(tmp_path)),
        "XDG_STATE_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    flags = ["--port", str(port), "--asr", "whisper", "--no-emotion", "--source", str(SPEECH)]
    command = [str(project / "start.command"), *flags]
    for _ in range(2):
        with subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as started:
            assert started.stdout
            printed = ""
            while "To present" not in printed:
                assert (line := started.stdout.readline()), printed
                printed += line
            while not (tmp_path / "opened").exists():
                assert started.poll() is None
            (tmp_path / "opened").unlink()
            started.send_signal(2)
        assert f"http://127.0.0.1:{port}" in printed
    installed = (project / "pip").read_text().splitlines()
    assert len(installed) == 2, "the second time everything is there"


def test_without_a_python_it_says_where_to_get_one(project):
    tools = project / "tools"
    tools.mkdir()
    for name in ("bash", "cat", "cksum", "dirname", "uname"):
        (tools / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [str(shutil.which("bash")), str(project / "start.command")],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1 and "Python 3.11 or later is needed" in done.stderr


@pytest.mark.parametrize("name", ["start.ps1", "start.bat"])
def test_the_words_are_those_of_the_language(name):
    text = (HOME / name).read_text(encoding="utf-8")
    lexer = PowerShellLexer() if name.endswith("ps1") else BatchLexer()
    assert not [value for kind, value in lexer.get_tokens(text) if kind is Error]
    text.encode("ascii")  # Windows PowerShell reads a file without a mark as of its own code page


def test_what_is_opened_is_closed_again():
    bare = re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", POWERSHELL)
    for left, right in ("()", "{}", "[]"):
        assert bare.count(left) == bare.count(right)


def test_every_file_that_it_names_is_there():
    assert "Join-Path 'deploy' 'start.py'" in POWERSHELL and (HOME / "deploy/start.py").is_file()
    assert "'requirements.txt'" in POWERSHELL and (HOME / "requirements.txt").is_file()
    parts = re.search(r"'utils' \(Join-Path 'asr' \(Join-Path 'whisper' '(\S+)'\)\)", POWERSHELL)
    assert parts and (HOME / "utils/asr/whisper" / parts[1]).is_file()
    batch = (HOME / "start.bat").read_bytes()
    assert b'-File "%~dp0start.ps1" %*' in batch
    assert batch.count(b"\n") == batch.count(b"\r\n"), "a batch file needs Windows's line ends"


def test_both_ask_the_same_of_python():
    question = "import sys; sys.exit(not (3, 11) <= sys.version_info)"
    assert question in POWERSHELL and question in (HOME / "start.command").read_text()
    assert subprocess.run([sys.executable, "-c", question]).returncode == 0
