"""Installing, updating and removing the kiosk, below a root of the test's own, with the real program."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from deploy import kiosk as deploy
from deploy.kiosk import UNITS, Kiosk, comes_up, git, is_ready, port_of
from tests.program import free_port

HOME = Path(__file__).resolve().parents[2]
BROKEN = "raise SystemExit('broken')\n"
# Fine on trial, but not as the kiosk.
BROKEN_HERE = "import os\nif 'CAPTIONS_LISTEN' in os.environ:\n    raise SystemExit('broken')\n"


class Machine:
    """Stands for systemd, which no test may order about: starts the program as its unit does."""

    def __init__(self, root: Path, source: Path) -> None:
        self.asked: list[Sequence[str]] = []
        self.port = free_port()
        self.kiosk = Kiosk(root, source, self._run, self._packages)
        self.program: subprocess.Popen | None = None
        self._root = root

    def _packages(self, path: Path, version: Path) -> None:
        """The packages that are here already."""
        (path / "bin").mkdir(parents=True)
        (path / "bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (path / "bin/python").chmod(0o755)

    def _run(self, command: Sequence[str]) -> None:
        self.asked.append(command)
        if command[:2] == ["systemctl", "restart"]:
            self.restart()

    def restart(self) -> None:
        """What `systemctl restart captions` does."""
        self.stop()
        home = self.kiosk.current
        folders = {f"XDG_{name}_HOME": str(self._root) for name in ("STATE", "CONFIG", "DATA")}
        flags = ["--port", str(self.port), *deploy.TRIAL]
        self.program = subprocess.Popen(
            [home / ".venv/bin/python", home / "app.py", *flags],
            cwd=home,
            env={**os.environ, **folders, "CAPTIONS_LISTEN": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        if self.program:
            self.program.send_signal(signal.SIGKILL)
            self.program.wait()

    def up(self) -> bool:
        program = self.program
        return is_ready(self.port, lambda: program is not None and program.poll() is None)


@pytest.fixture
def source(tmp_path) -> Path:
    """A checkout of the project as it is in this folder."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in git(HOME, "ls-files", "-co", "--exclude-standard", "-z").split("\0"):
        kept = name.startswith(
            ("utils/", "web/", "static/", "templates/", "deploy/", "model_state")
        )
        if (kept or "/" not in name or name == "tests/data/speech.flac") and (
            HOME / name
        ).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(HOME / name, folder / name)
    for command in (["init", "-q"], ["config", "user.email", "a@b"], ["config", "user.name", "a"]):
        git(folder, *command)
    commit(folder, "first")
    return folder


@pytest.fixture
def machine(tmp_path, source) -> Iterator[Machine]:
    machine = Machine(tmp_path / "root", source)
    yield machine
    machine.stop()


def commit(folder: Path, why: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", why)


def rewrite(path: Path, text: str) -> None:
    """Write a file anew, not into the one that it is a link to."""
    path.unlink()
    path.write_text(text, encoding="utf-8")


def test_it_is_installed_and_goes_without_a_trace_but_what_is_the_peoples(machine):
    kiosk = machine.kiosk
    kiosk.install()
    assert (kiosk.current / "app.py").is_file() and not (kiosk.current / ".git").exists()
    for unit in UNITS:
        text = (kiosk.units / unit).read_text()
        assert "@HOME@" not in text
    assert (
        "ExecStart=/opt/recognition-helpers/current/.venv"
        in (kiosk.units / "captions.service").read_text()
    )
    assert ["systemctl", "enable", *UNITS] in machine.asked
    kiosk.settings.write_text("CAPTIONS_PORT=8080\nCAPTIONS_LISTEN=1\n")
    kiosk.install()  # again: settings stay
    assert port_of(kiosk.settings) == 8080
    kiosk.remove()
    assert not kiosk.home.exists() and not any((kiosk.units / unit).exists() for unit in UNITS)
    assert kiosk.settings.exists()


def test_a_version_that_does_not_start_is_not_taken(machine, source):
    machine.kiosk.install()
    before = machine.kiosk.current.resolve()
    rewrite(source / "app.py", BROKEN)
    commit(source, "broken")
    asked = len(machine.asked)
    assert not machine.kiosk.update(lambda: pytest.fail("nothing was changed over"))
    assert machine.kiosk.current.resolve() == before and len(machine.asked) == asked
    assert list((machine.kiosk.home / "releases").iterdir()) == [before]


def test_an_update_runs_and_one_that_does_not_come_up_goes_back(machine, source):
    kiosk = machine.kiosk
    kiosk.install()
    machine.restart()
    assert machine.up()
    code = (source / "app.py").read_text()
    rewrite(source / "app.py", code + "# newer\n")
    commit(source, "newer")
    assert kiosk.update(machine.up)
    newer = kiosk.current.resolve()
    assert (newer / "app.py").read_text().endswith("# newer\n")
    rewrite(source / "app.py", BROKEN_HERE + code)
    commit(source, "broken here")
    tries: list[bool] = []

    def up() -> bool:
        tries.append(machine.up())
        return tries[-1]

    assert not kiosk.update(up)
    assert tries == [False, True], "the old version was started again, and came up"
    assert kiosk.current.resolve() == newer


def test_a_program_that_is_not_there_does_not_come_up(tmp_path):
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to("/bin/false")
    assert not comes_up(tmp_path)
