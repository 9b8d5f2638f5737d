"""Make this computer a kiosk, take that back, or update it: `make kiosk`, `kiosk-remove`, `update`.

The program is copied, so that nothing depends on a home folder:

    /opt/recognition-helpers/releases/NAME   a version, never changed
    /opt/recognition-helpers/venvs/HASH      its packages; versions that need the same share them
    /opt/recognition-helpers/current         a link to the version that runs

Needs no package: it runs before any is installed.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from deploy.releases import Releases, git, new_environment, readable
from deploy.trial import KioskError, comes_up, is_ready, port_of

SOURCE = Path(__file__).resolve().parents[1]
HOME = Path("opt/recognition-helpers")
UNITS = ("captions-sound.service", "captions.service", "captions-screen.service")
FAILURES = (OSError, subprocess.CalledProcessError)


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
        self._releases = Releases(self.home, source, packages)

    @property
    def current(self) -> Path:
        """The link to the version that runs."""
        return self._releases.current

    def install(self) -> None:
        """Copy the program, and have it start with the computer; again where that broke off."""
        before = self.current.resolve()
        self._releases.switch(self._releases.new())
        with readable():
            self._users.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._source / "deploy/captions.sysusers", self._users)
            self._command(["systemd-sysusers", str(self._users)])
            if not self.settings.exists():
                self.settings.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._source / "deploy/captions.env", self.settings)
        self._write_units()
        self._command(["systemctl", "enable", *UNITS])
        done(partial(self._releases.forget_old, before))
        tell("The kiosk starts with the computer: reboot. Its settings are in /etc/captions.env.")

    def remove(self) -> bool:
        """Take all of it away but settings and what people saved, as much of it as is there.

        Returns
        -------
        whether nothing of it is left
        """
        units = [unit for unit in UNITS if (self.units / unit).exists()]
        steps = [partial(self._command, ["systemctl", "disable", "--now", unit]) for unit in units]
        steps += [partial((self.units / unit).unlink) for unit in units]
        steps += [
            partial(self._users.unlink, missing_ok=True),
            partial(self._command, ["systemctl", "daemon-reload"]),
            partial(self._remove_home),
        ]
        went = [done(step) for step in steps]  # each, whatever became of those before
        if not all(went):
            tell("Some of the kiosk may be left, see above; make kiosk-remove tries again.")
            return False
        tell(
            "The kiosk is gone. /etc/captions.env and /var/lib/captions are left, for you to keep."
        )
        return True

    def check(self) -> None:
        """See that there is a kiosk.

        Raises
        ------
        KioskError : there is none, or a half of one
        """
        if not (self.current / "app.py").is_file():
            raise KioskError(f"no kiosk is installed in /{HOME}; make kiosk installs one")

    def update(self, up: Callable[[], bool]) -> bool:
        """Change over to the source as it is now, and back where that does not come up.

        Parameters
        ----------
        up : whether the program answers that it is ready, which may take some time

        Raises
        ------
        KioskError : there is no kiosk
        """
        self.check()
        before, new = self.current.resolve(), self._releases.new()
        runs = False
        try:
            if not comes_up(new):
                tell("The new version does not start.")
            else:
                runs = done(partial(self._change, new)) and up()
        finally:  # also where somebody breaks it off
            if not runs:
                self._go_back(before, new, up)
        if runs:
            done(partial(self._command, ["systemctl", "try-restart", "captions-screen.service"]))
            done(partial(self._releases.forget_old, before))
            tell(f"{new.name} runs.")
        return runs

    def _change(self, version: Path) -> None:
        self._releases.switch(version)
        self._write_units()
        self._command(["systemctl", "restart", "captions.service"])

    def _go_back(self, before: Path, new: Path, up: Callable[[], bool]) -> None:
        """Have the version before run, whatever fails on the way, and forget the new one."""
        if self.current.resolve() == before:
            tell("The old version goes on.")
        else:
            tell("The new version does not come up as the kiosk; the old one is started again.")
            done(partial(self._releases.switch, before))
            done(self._write_units)
            restart = partial(self._command, ["systemctl", "restart", "captions.service"])
            if not (done(restart) and up()):
                tell("The old one does not come up either: journalctl -u captions says why.")
        done(partial(shutil.rmtree, new))

    def _write_units(self) -> None:
        """The units of the version that runs."""
        with readable():
            self.units.mkdir(parents=True, exist_ok=True)
            for unit in UNITS:
                text = (self.current / "deploy" / unit).read_text(encoding="utf-8")
                new = self.units / f"{unit}.new"
                new.write_text(text.replace("@HOME@", f"/{HOME}"), encoding="utf-8")
                os.replace(new, self.units / unit)
        self._command(["systemctl", "daemon-reload"])

    def _remove_home(self) -> None:
        if self.home.exists():
            shutil.rmtree(self.home)


def done(step: Callable[[], object]) -> bool:
    """Take a step; a failure is told, and holds nothing up."""
    try:
        step()
    except FAILURES as err:
        tell(f"{err}")
        return False
    return True


def tell(text: str) -> None:
    """Say what is done."""
    print(text, flush=True)


def main() -> int:
    """Run the command line."""
    commands = argparse.ArgumentParser(prog="make", description="Make this computer a kiosk.")
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
        return 0 if order(kiosk, command) else 1
    except (KioskError, *FAILURES) as err:
        print(f"deploy/kiosk.py: {err}", file=sys.stderr)
        return 1


def order(kiosk: Kiosk, command: str) -> bool:
    """Carry a command out; return whether it has come to what was wanted."""
    if command == "install":
        kiosk.install()
        return True
    if command == "remove":
        return kiosk.remove()
    kiosk.check()
    port = port_of(kiosk.settings)
    git(SOURCE, "pull", "--ff-only")
    return kiosk.update(partial(is_ready, port))


def run(command: Sequence[str]) -> None:
    """Run a command of the system."""
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
