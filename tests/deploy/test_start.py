"""What is double-clicked on macOS and Windows, as far as it can be seen on Linux.

No PowerShell is at hand here: start.ps1 is read by a grammar of its language, and not run.
"""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import tree_sitter_powershell
from pygments.lexers import BatchLexer
from pygments.token import Error
from tree_sitter import Language, Node, Parser

from tests.command_line.test_app import SPEECH
from tests.program import free_port

HOME = Path(__file__).resolve().parents[2]
LISTS = ("requirements.txt", "utils/asr/whisper/weights.txt")
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


@pytest.mark.parametrize("name", ["start.command", "deploy/kiosk.command"])
def test_bash_can_read_it(name):
    command = HOME / name
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
    for end in (signal.SIGINT, signal.SIGKILL):
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
            started.send_signal(end)
        with pytest.raises(OSError, match="refused"):  # nothing is left that serves
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
        assert f"http://127.0.0.1:{port}" in printed
    installed = (project / "pip").read_text().splitlines()
    assert len(installed) == 2, "the second time everything is there"


def test_an_environment_whose_python_has_gone_is_made_anew(project, tmp_path):
    prepare(project)
    maker = tmp_path / "python3"  # makes an environment as the stand-in is one
    maker.write_text(
        f'#!/bin/sh\ncase "$*" in "-m venv --clear .venv") echo made >>"{tmp_path}/made"\n'
        f'rm -r .venv/bin; mv "{tmp_path}/fresh" .venv/bin; exit;; esac\nexec {sys.executable} "$@"\n'
    )
    maker.chmod(0o755)
    shutil.copytree(project / ".venv/bin", tmp_path / "fresh")
    text = "".join((project / name).read_text() for name in LISTS)
    mark = subprocess.run(["cksum"], input=text, capture_output=True, text=True).stdout.strip()
    (project / ".venv/.installed-by-start").write_text(f"{mark}\n")
    python = project / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/no/such/python3.11")
    environment = {**os.environ, "PYTHON": str(maker)}
    ran = subprocess.run(
        [str(project / "start.command"), "--port", "http"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (tmp_path / "made").read_text() == "made\n"
    assert "port" in ran.stderr and ran.returncode != 0, "the program itself was run"
    done = subprocess.run(
        [str(project / "start.command"), "--port", "http"], env=environment, capture_output=True
    )
    assert done.returncode != 0 and (tmp_path / "made").read_text() == "made\n", "once"


@pytest.mark.parametrize("there", [True, False])
def test_make_says_that_it_installs_only_where_something_is_missing(tmp_path, there):
    for name in ("Makefile", *LISTS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("pytest\n" if there else "no-such-package-is-here\n")
    shutil.copy(HOME / "Makefile", tmp_path / "Makefile")
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/install-packages").touch()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"  # the tests' own, with no index to install from
    python.write_text(f'#!/bin/sh\nexec env PIP_NO_INDEX=1 {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(["make", "setup"], cwd=tmp_path, capture_output=True, text=True)
    assert ("Installing the Python packages" in done.stdout) is not there, done.stderr
    assert (done.returncode == 0) is there
    assert (tmp_path / ".venv/.installed").exists() is there


def test_make_makes_it_anew_too(tmp_path):
    for name in ("Makefile", *LISTS, ".ci/install-packages"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HOME / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to("/no/such/python3.11")
    (tmp_path / ".venv/.installed").touch()
    command = ["make", "-n", "setup"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "venv --clear" in told.stdout
    (tmp_path / ".venv/bin/python").unlink()
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "venv" not in told.stdout, told.stdout


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


def faults(text: str) -> list[str]:
    """What is no PowerShell in a script."""
    language = Language(tree_sitter_powershell.language())

    def below(node: Node) -> list[str]:
        if node.is_error or node.is_missing:
            return [f"line {node.start_point.row + 1}: {node.type} {node.text!r:.60}"]
        return [fault for child in node.children for fault in below(child)]

    return below(Parser(language).parse(text.encode()).root_node)


def test_powershells_grammar_takes_it():
    assert not faults(POWERSHELL)
    assert faults(POWERSHELL.replace("if ($whole", "if $whole"))
    assert faults(POWERSHELL.rstrip()[:-1].rpartition("}")[0])
    POWERSHELL.encode("ascii")  # Windows PowerShell reads a file without a mark in its code page


@pytest.mark.parametrize("name", ["start.bat", "deploy/kiosk.bat"])
def test_a_batch_files_words_and_line_ends_are_windowss(name):
    data = (HOME / name).read_bytes()
    text = data.decode("ascii")
    assert not [value for kind, value in BatchLexer().get_tokens(text) if kind is Error]
    assert data.count(b"\n") == data.count(b"\r\n")


def test_every_file_that_it_names_is_there():
    for module in re.findall(r"'(deploy\.\w+)'", POWERSHELL):
        assert (HOME / f"{module.replace('.', '/')}.py").is_file()
    assert "'requirements.txt'" in POWERSHELL and (HOME / "requirements.txt").is_file()
    parts = re.search(r"'utils' \(Join-Path 'asr' \(Join-Path 'whisper' '(\S+)'\)\)", POWERSHELL)
    assert parts and (HOME / "utils/asr/whisper" / parts[1]).is_file()
    batch = (HOME / "start.bat").read_bytes()
    assert b'-File "%~dp0start.ps1" %*' in batch
    assert b'"%~dp0..\\start.bat" kiosk-%what%' in (HOME / "deploy/kiosk.bat").read_bytes()


def test_both_ask_the_same_of_python():
    question = "sys.exit(not (3, 11) <= sys.version_info)"
    command = (HOME / "start.command").read_text()
    assert question in POWERSHELL and question in command
    assert subprocess.run([sys.executable, "-c", f"import sys; {question}"]).returncode == 0
    for name in ("kiosk", "kiosk-install", "kiosk-remove", "keep", "login"):
        assert name in POWERSHELL and name in command
