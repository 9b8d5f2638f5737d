"""Make this computer a kiosk, take that back, or update it: `make kiosk`, `kiosk-remove`, `update`.

The program is copied, so that nothing depends on a home folder:

    /opt/recognition-helpers/releases/NAME   a version, never changed
    /opt/recognition-helpers/venvs/HASH      its packages; versions that need the same share them
    /opt/recognition-helpers/current         a link to the version that runs

Needs no package: it runs before any is installed.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
HOME = Path("opt/recognition-helpers")
UNITS = ("captions-sound.service", "captions.service", "captions-screen.service")
NEEDS = ("requirements.txt", "utils/asr/whisper/weights.txt")  # that decide on the packages
KEPT = 2  # versions: the one that runs and the one before it
COMES_UP_S = 180.0  # for a version to load its models
TRIAL = ("--asr", "whisper", "--no-emotion", "--offline", "--source", "tests/data/speech.flac")


class Kiosk:
    """What is installed below a root folder.

    Parameters
    ----------
    root : of the file system; another one than / in tests
    source : the project's folder, a git checkout
    command : runs a command of the system, such as systemctl
    packages : installs what a version needs into a new folder, given that and the version
    """

    def __init__(
        self,
        root: Path,
        source: Path,
        command: Callable[[Sequence[str]], None],
        packages: Callable[[Path, Path], None],
    ) -> None:
        self.home = root / HOME
        self.units = root / "etc/systemd/system"
        self.settings = root / "etc/captions.env"
        self._users = root / "usr/lib/sysusers.d/captions.conf"
        self._source = source
        self._command = command
        self._packages = packages

    @property
    def current(self) -> Path:
        """The link to the version that runs."""
        return self.home / "current"

    def install(self) -> None:
        """Copy the program, and have it start with the computer."""
        self.switch(self.release())
        self._users.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._source / "deploy/captions.sysusers", self._users)
        self._command(["systemd-sysusers", str(self._users)])
        if not self.settings.exists():
            self.settings.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self._source / "deploy/captions.env", self.settings)
        self._write_units()
        self._command(["systemctl", "enable", *UNITS])
        tell("The kiosk starts with the computer: reboot. Its settings are in /etc/captions.env.")

    def remove(self) -> None:
        """Take all of it away but settings and what people saved."""
        self._command(["systemctl", "disable", "--now", *UNITS])
        for unit in UNITS:
            (self.units / unit).unlink(missing_ok=True)
        self._users.unlink(missing_ok=True)
        self._command(["systemctl", "daemon-reload"])
        shutil.rmtree(self.home, ignore_errors=True)
        tell(
            "The kiosk is gone. /etc/captions.env and /var/lib/captions are left, for you to keep."
        )

    def update(self, up: Callable[[], bool]) -> bool:
        """Change over to the source as it is now, and back where that does not come up.

        Parameters
        ----------
        up : whether the program answers that it is ready, which may take some time
        """
        before, new = self.current.resolve(), self.release()
        if not comes_up(new):
            tell("The new version does not start; the old one goes on.")
            shutil.rmtree(new)
            return False
        self._change(new)
        if up():
            self._forget_old(before)
            tell(f"{new.name} runs.")
            return True
        tell("The new version does not come up as the kiosk; the old one is started again.")
        self._change(before)
        shutil.rmtree(new)
        if not up():
            tell("The old one does not come up either: journalctl -u captions says why.")
        return False

    def release(self) -> Path:
        """A copy of the source as git knows it, with its packages."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        commit = git(self._source, "rev-parse", "--short", "HEAD")
        path = self.home / "releases" / f"{stamp}-{commit}"
        for name in git(self._source, "ls-files", "-z").split("\0"):
            if name and (self._source / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self._source / name, path / name)
        (path / ".venv").symlink_to(self._environment(path))
        return path

    def switch(self, version: Path) -> None:
        """Make a version the one that runs from the next start on; all at once, or not at all."""
        link = self.home / "current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(version)
        os.replace(link, self.current)

    def _change(self, version: Path) -> None:
        self.switch(version)
        self._write_units()
        self._command(["systemctl", "restart", "captions.service"])

    def _write_units(self) -> None:
        """The units of the version that runs."""
        self.units.mkdir(parents=True, exist_ok=True)
        for unit in UNITS:
            text = (self.current / "deploy" / unit).read_text(encoding="utf-8")
            (self.units / unit).write_text(text.replace("@HOME@", f"/{HOME}"), encoding="utf-8")
        self._command(["systemctl", "daemon-reload"])

    def _environment(self, version: Path) -> Path:
        """The folder of the packages that a version needs, installed if it is not there."""
        needs = hashlib.sha256(sys.version.encode())
        for name in NEEDS:
            needs.update((version / name).read_bytes())
        path = self.home / "venvs" / needs.hexdigest()[:16]
        if not (path / ".complete").exists():
            shutil.rmtree(path, ignore_errors=True)
            self._packages(path, version)
            (path / ".complete").touch()
        return path

    def _forget_old(self, before: Path) -> None:
        versions = sorted((self.home / "releases").iterdir())
        kept = {self.current.resolve(), before, *versions[-KEPT:]}
        for version in set(versions) - kept:
            shutil.rmtree(version)
        used = {(version / ".venv").resolve() for version in kept if version.exists()}
        for environment in (self.home / "venvs").iterdir():
            if environment.resolve() not in used:
                shutil.rmtree(environment)


def comes_up(version: Path) -> bool:
    """Whether a version gets ready beside the one that runs, with a recording for a microphone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_STATE_HOME": folder, "XDG_CONFIG_HOME": folder}
        command = [version / ".venv/bin/python", "app.py", "--port", str(port), *TRIAL]
        trial = subprocess.Popen(
            [*map(str, command)], cwd=version, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            return is_ready(port, lambda: trial.poll() is None)
        finally:
            trial.kill()
            trial.wait()


def is_ready(port: int, runs: Callable[[], bool] = lambda: True) -> bool:
    """Wait until the program at a port is ready; False where it ends, or takes too long."""
    deadline = time.monotonic() + COMES_UP_S
    while runs() and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as got:
                if json.load(got)["ready"]:
                    return True
        except (OSError, ValueError, urllib.error.URLError):
            pass
        time.sleep(0.5)
    return False


def git(source: Path, *command: str) -> str:
    """What git prints."""
    safe = ["-c", f"safe.directory={source}"]  # the checkout is a user's, and this is root
    done = subprocess.run(
        ["git", *safe, *command], cwd=source, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def new_environment(path: Path, version: Path) -> None:
    """Install the packages of a version into a new folder."""
    tell("Installing the Python packages; the first time takes some minutes …")
    subprocess.run([sys.executable, "-m", "venv", path], check=True)
    pip = [
        str(path / "bin/python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "-r", str(version / NEEDS[0])], check=True)
    subprocess.run([*pip, "--no-deps", "-r", str(version / NEEDS[1])], check=True)


def port_of(settings: Path) -> int:
    """The port that the kiosk's settings name."""
    for line in settings.read_text(encoding="utf-8").splitlines() if settings.exists() else ():
        name, _, value = line.partition("=")
        if name.strip() == "CAPTIONS_PORT":
            return int(value)
    return 5000


def tell(text: str) -> None:
    """Say what is done."""
    print(text, flush=True)


def main() -> int:
    """Run the command line."""
    commands = argparse.ArgumentParser(description="Make this computer a kiosk.")
    commands.add_argument("command", choices=("install", "remove", "update"))
    command = commands.parse_args().command
    if os.geteuid() != 0:
        print("Only root can do this: sudo make kiosk", file=sys.stderr)
        return 1
    if Path(sys.base_prefix).parts[1] in {"home", "root"}:
        print(
            f"The services cannot read {sys.base_prefix}, a home folder: name the system's Python, "
            "make kiosk PYTHON=/usr/bin/python3",
            file=sys.stderr,
        )
        return 1
    kiosk = Kiosk(Path("/"), SOURCE, run, new_environment)
    try:
        if command == "install":
            kiosk.install()
        elif command == "remove":
            kiosk.remove()
        else:
            git(SOURCE, "pull", "--ff-only")
            return 0 if kiosk.update(lambda: is_ready(port_of(kiosk.settings))) else 1
    except (OSError, subprocess.CalledProcessError) as err:
        print(f"deploy/kiosk.py: {err}", file=sys.stderr)
        return 1
    return 0


def run(command: Sequence[str]) -> None:
    """Run a command of the system."""
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
