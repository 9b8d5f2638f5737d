"""Installing, updating and removing the kiosk, below a root of the test's own, with the real program."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from deploy.kiosk import SOURCE, UNITS, Kiosk
from deploy.releases import git
from deploy.trial import TRIAL, KioskError, comes_up, is_ready, port_of
from tests.program import free_port

BROKEN = "raise SystemExit('broken')\n"
# Fine on trial, but not as the kiosk.
BROKEN_HERE = "import os\nif 'CAPTIONS_LISTEN' in os.environ:\n    raise SystemExit('broken')\n"


class Machine:
    """Stands for systemd, which no test may order about: starts the program as its unit does."""

    def __init__(self, root: Path, source: Path) -> None:
        self.asked: list[Sequence[str]] = []
        self.refuses: set[str] = set()  # words of systemctl that fail
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
        if self.refuses & set(command):
            raise subprocess.CalledProcessError(1, command)
        if command[:2] == ["systemctl", "restart"]:
            self.restart()

    def restart(self) -> None:
        """What `systemctl restart captions` does."""
        self.stop()
        home = self.kiosk.current
        folders = {f"XDG_{name}_HOME": str(self._root) for name in ("STATE", "CONFIG", "DATA")}
        flags = ["--port", str(self.port), *TRIAL]
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
    for name in git(SOURCE, "ls-files", "-co", "--exclude-standard", "-z").split("\0"):
        kept = name.startswith(
            ("utils/", "web/", "static/", "templates/", "deploy/", "model_state")
        )
        if (kept or "/" not in name or name == "tests/data/speech.flac") and (
            SOURCE / name
        ).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(SOURCE / name, folder / name)
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
    git(folder, "commit", "-q", "--allow-empty", "-m", why)


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


def test_a_restart_that_systemd_refuses_goes_back(machine, source):
    kiosk = machine.kiosk
    kiosk.install()
    machine.restart()
    before = kiosk.current.resolve()
    commit(source, "newer")
    tries: list[bool] = []

    def up() -> bool:
        tries.append(machine.up())
        return tries[-1]

    machine.refuses = {"restart"}
    assert not kiosk.update(up)
    assert kiosk.current.resolve() == before and not tries
    assert list((kiosk.home / "releases").iterdir()) == [before]
    assert machine.asked[-1] == ["systemctl", "restart", "captions.service"]
    machine.refuses = {"daemon-reload"}  # which holds up no way back
    assert not kiosk.update(up)
    assert kiosk.current.resolve() == before and tries == [True]


def test_an_update_that_is_broken_off_goes_back(machine, source):
    machine.kiosk.install()
    before = machine.kiosk.current.resolve()
    commit(source, "newer")
    tries: list[Path] = []

    def up() -> bool:
        tries.append(machine.kiosk.current.resolve())
        if len(tries) == 1:
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        machine.kiosk.update(up)
    assert tries[0] != before and tries[1] == before == machine.kiosk.current.resolve()


def test_where_no_kiosk_is_an_update_says_so_and_does_nothing(machine):
    with pytest.raises(KioskError, match="make kiosk installs one"):
        machine.kiosk.update(lambda: pytest.fail("nothing was changed over"))
    assert not machine.kiosk.home.exists() and not machine.asked


def test_every_user_can_read_it_whatever_umask_and_checkout_have(machine, source):
    for path in source.rglob("*"):
        if ".git" not in path.parts and path.is_dir():
            path.chmod(0o700)
    rewrite(source / "LICENSE", "ours\n")
    (source / "LICENSE").chmod(0o600)
    machine.kiosk.home.mkdir(mode=0o700, parents=True)
    before = os.umask(0o077)
    try:
        machine.kiosk.install()
        assert os.umask(0o077) == 0o077, "root's own is as it was"
    finally:
        os.umask(before)
    kiosk = machine.kiosk
    written = [*kiosk.units.iterdir(), kiosk.settings, kiosk.home, *kiosk.home.rglob("*")]
    for path in written:
        least = 0o055 if path.is_dir() else 0o044
        assert path.stat().st_mode & least == least, path
    assert (kiosk.current / "start.command").stat().st_mode & 0o111 == 0o111


def test_what_breaks_off_leaves_no_half_version(machine, source):
    def full(path: Path, version: Path) -> None:
        (path / "bin").mkdir(parents=True)
        raise OSError(28, "No space left on device")

    kiosk = Kiosk(machine.kiosk.home.parents[1], source, machine.kiosk._command, full)
    with pytest.raises(OSError, match="No space"):
        kiosk.install()
    assert sorted(path.name for path in kiosk.home.rglob("*")) == ["releases", "venvs"]
    (kiosk.home / "release.part").mkdir()  # of one that was killed
    machine.kiosk.install()
    assert not (kiosk.home / "release.part").exists()
    machine.kiosk.install()
    machine.kiosk.install()
    assert len(list((kiosk.home / "releases").iterdir())) == 2, "old ones are forgotten"


def test_half_of_a_kiosk_is_removed_and_what_fails_is_told(machine, capfd):
    kiosk = machine.kiosk
    machine.refuses = {"systemd-sysusers"}
    with pytest.raises(subprocess.CalledProcessError):
        kiosk.install()
    machine.refuses = set()
    assert kiosk.remove()
    assert not kiosk.home.exists() and ["systemctl", "disable"] not in [
        a[:2] for a in machine.asked
    ]
    assert kiosk.remove(), "where nothing is, nothing is left"
    kiosk.install()
    machine.refuses = {"disable"}
    assert not kiosk.remove()
    assert not kiosk.home.exists() and "may be left" in capfd.readouterr().out


def test_packages_whose_python_has_gone_are_installed_anew(machine):
    machine.kiosk.install()
    python = machine.kiosk.current / ".venv/bin/python"
    environment = python.parent.resolve()
    python.unlink()
    python.symlink_to("/no/such/python")
    machine.kiosk.install()
    assert (environment / "python").is_file() and machine.kiosk.current.resolve().exists()


def test_a_proxy_of_the_environment_is_not_asked_for_this_computer(machine, monkeypatch):
    machine.kiosk.install()
    machine.restart()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert machine.up()


def test_another_program_at_the_port_is_not_taken_for_ours():
    answers = [b'{"ready": "yes"}', b'{"ready": 1}', b"[1]", b"HTTP/9 what", b""]
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def runs() -> bool:
            return bool(answers)

        def answer() -> None:
            while answers:
                client, _ = server.accept()
                with client:
                    client.recv(9999)
                    body = answers.pop()
                    head = b"HTTP/1.0 200 OK\r\n\r\n" if body[:1] in b"{[" else b""
                    client.sendall(head + body)

        thread = threading.Thread(target=answer)
        thread.start()
        assert not is_ready(server.getsockname()[1], runs)
        thread.join()


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("", 5000),
        ("CAPTIONS_PORT=\n", 5000),
        ('CAPTIONS_PORT="8080"\n', 8080),
        ("  CAPTIONS_PORT = '8080'  \n", 8080),
        ("#CAPTIONS_PORT=1\n;CAPTIONS_PORT=2\nCAPTIONS_PORT=3\nCAPTIONS_PORT=4", 4),
        ("CAPTIONS_ADDRESS=caf\xe9\nCAPTIONS_PORT=8080\n", 8080),
    ],
)
def test_the_port_is_read_as_systemd_reads_it(tmp_path, text, port):
    (tmp_path / "env").write_text(text, encoding="latin-1")
    assert port_of(tmp_path / "env") == port
    assert port_of(tmp_path / "none") == 5000


@pytest.mark.parametrize("value", ["http", "0", "65536", "8080 # ours", "-1", "٨"])
def test_what_is_no_port_is_named(tmp_path, value):
    (tmp_path / "env").write_text(f"CAPTIONS_PORT={value}\n")
    with pytest.raises(KioskError, match="is no port"):
        port_of(tmp_path / "env")


def test_a_folder_that_is_no_checkout_is_named(tmp_path):
    with pytest.raises(KioskError, match="not a git repository"):
        git(tmp_path, "rev-parse", "HEAD")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_git_works_as_whose_checkout_it_is():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        checkout = Path(folder) / "checkout"
        checkout.mkdir()
        os.chown(checkout, 65534, 65534)
        git(checkout, "init", "-q")
        assert {path.stat().st_uid for path in (checkout / ".git").rglob("*")} == {65534}


def test_a_program_that_is_not_there_does_not_come_up(tmp_path):
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to("/bin/false")
    assert not comes_up(tmp_path)
