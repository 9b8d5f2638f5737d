"""The versions of the kiosk's program: copies of a git checkout, one of which runs."""

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from deploy.trial import KioskError

NEEDS = ("requirements.txt", "utils/asr/whisper/weights.txt")  # that decide on the packages
KEPT = 2  # versions: the one that runs and the one before it


class Releases:
    """Versions and their packages below one folder.

    Parameters
    ----------
    home : the folder
    source : the project's folder, a git checkout
    packages : installs what a version needs into a new folder, given that and the version
    """

    def __init__(self, home: Path, source: Path, packages: Callable[[Path, Path], None]) -> None:
        self.home = home
        self._source = source
        self._packages = packages

    @property
    def current(self) -> Path:
        """The link to the version that runs."""
        return self.home / "current"

    def new(self) -> Path:
        """A copy of the source as git knows it, with its packages; whole, or not there."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        part = self.home / "release.part"
        with readable():
            for folder in (self.home, self.home / "releases", self.home / "venvs"):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)  # one from before may be for root alone
            shutil.rmtree(part, ignore_errors=True)
            try:
                commit = git(self._source, "rev-parse", "--short", "HEAD")
                self._copy(part)
                (part / ".venv").symlink_to(self._environment(part))
                path = self.home / "releases" / f"{stamp}-{commit}"
                os.replace(part, path)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return path

    def switch(self, version: Path) -> None:
        """Make a version the one that runs from the next start on; all at once, or not at all."""
        link = self.home / "current.new"
        link.unlink(missing_ok=True)
        link.symlink_to(version)
        os.replace(link, self.current)

    def _copy(self, path: Path) -> None:
        """Copy what git knows, for all to read: the services run as users of their own."""
        for name in git(self._source, "ls-files", "-z").split("\0"):
            if name and (self._source / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._source / name, path / name)
                runs = os.access(self._source / name, os.X_OK)
                (path / name).chmod(0o755 if runs else 0o644)

    def _environment(self, version: Path) -> Path:
        """The folder of the packages that a version needs, installed if it is not there."""
        needs = hashlib.sha256(sys.version.encode())
        for name in NEEDS:
            needs.update((version / name).read_bytes())
        path = self.home / "venvs" / needs.hexdigest()[:16]
        if not ((path / ".complete").exists() and starts(path / "bin/python")):
            shutil.rmtree(path, ignore_errors=True)
            try:
                self._packages(path, version)
                (path / ".complete").touch()
            finally:
                if not (path / ".complete").exists():
                    shutil.rmtree(path, ignore_errors=True)
        return path

    def forget_old(self, before: Path) -> None:
        """Remove all but the version that runs, the one before and the newest."""
        versions = sorted((self.home / "releases").iterdir())
        kept = {self.current.resolve(), before, *versions[-KEPT:]}
        for version in set(versions) - kept:
            shutil.rmtree(version)
        used = {(version / ".venv").resolve() for version in kept if version.exists()}
        for environment in (self.home / "venvs").iterdir():
            if environment.resolve() not in used:
                shutil.rmtree(environment)


@contextmanager
def readable() -> Iterator[None]:
    """What is made meanwhile can be read by all, whatever umask root has."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def starts(python: Path) -> bool:
    """Whether an environment's Python runs: the system's, that it leads to, may have gone."""
    try:
        return subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def git(source: Path, *command: str) -> str:
    """What git prints, as whose checkout it is: nothing in it becomes root's.

    Raises
    ------
    KioskError : git fails; the message is its own
    """
    owner = source.stat()
    options: dict = {}
    if os.geteuid() == 0 and owner.st_uid != 0:
        options = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        with suppress(KeyError):  # a user whom the system does not know
            home = pwd.getpwuid(owner.st_uid).pw_dir
            options["env"] = {**os.environ, "HOME": home}
    ran = subprocess.run(["git", *command], cwd=source, capture_output=True, text=True, **options)
    if ran.returncode != 0:
        raise KioskError(f"git {command[0]} in {source}: {ran.stderr.strip()}")
    return ran.stdout.strip()


def new_environment(path: Path, version: Path) -> None:
    """Install the packages of a version into a new folder."""
    print("Installing the Python packages; the first time takes some minutes …", flush=True)
    subprocess.run([sys.executable, "-m", "venv", path], check=True)
    pip: list[str | Path] = [
        path / "bin/python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "-r", version / NEEDS[0]], check=True)
    subprocess.run([*pip, "--no-deps", "-r", version / NEEDS[1]], check=True)
