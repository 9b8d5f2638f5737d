"""Keep the program and its browser running where there is no systemd: macOS, Windows, a desktop.

    python -X utf8 -m deploy.keep [what the program takes]

Each is started again whatever ends it; the program also when it says that only a new start helps,
or does not answer. It is the login item or scheduled task of `deploy.login` that starts this.
"""

import ctypes
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from deploy.browser import command, find
from deploy.trial import says
from utils.command_line.ending import ENDING_S

HOME = Path(__file__).resolve().parents[1]
AGAIN_S = 2.0  # after the end, until the next start
BEGINS_S = 90.0  # for the program to load, on a slow machine
STANDS_S = 30.0  # without a good answer, after which it is ended
LOOK_S = 1.0
ADDRESS = re.compile(r"Captions are at (http://\S+?:(\d+))\s")
AWAKE = 0x80000003  # of SetThreadExecutionState: neither the system nor its screen sleeps


class Kept:
    """A process that runs, whatever ends it.

    Parameters
    ----------
    name : for what is told
    words : its command; None for as long as it cannot be started yet
    well : whether it does what it is for
    printed : takes each line of its standard output; None leaves that alone
    """

    def __init__(
        self,
        name: str,
        words: Callable[[], Sequence[str] | None],
        well: Callable[[], bool] = lambda: True,
        printed: Callable[[str], None] | None = None,
    ) -> None:
        self.process: subprocess.Popen | None = None
        self._name, self._words, self._well, self._printed = name, words, well, printed
        self._due_s = 0.0  # when it is to be started
        self._patient_until_s = 0.0

    def look(self) -> None:
        """Start it, or end it, where that is due."""
        now_s = time.monotonic()
        if self.process and self.process.poll() is not None:
            tell(f"{self._name} has ended with status {self.process.returncode}")
            self.process, self._due_s = None, now_s + AGAIN_S
        if self.process is None:
            if now_s >= self._due_s and (words := self._words()):
                self._start(words, now_s)
        elif self._well():
            self._patient_until_s = now_s + STANDS_S
        elif now_s > self._patient_until_s:
            tell(f"{self._name} does not answer any more, and is started anew")
            self.process.kill()

    def end(self) -> None:
        """Let it end in order, and make it where it does not."""
        if self.process is None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(ENDING_S + 2)
        self.process.kill()
        self.process.wait()

    def _start(self, words: Sequence[str], now_s: float) -> None:
        self._patient_until_s = now_s + BEGINS_S
        output = subprocess.PIPE if self._printed else None
        try:
            self.process = subprocess.Popen(words, stdout=output, encoding="utf-8", cwd=HOME)
        except OSError as err:
            tell(f"{self._name} cannot be started: {err}")
            self._due_s = now_s + AGAIN_S
            return
        if self._printed:
            threading.Thread(target=self._follow, args=(self.process,), daemon=True).start()

    def _follow(self, process: subprocess.Popen) -> None:
        if process.stdout and self._printed:
            with process.stdout as lines:
                for line in lines:
                    self._printed(line)


class Keeper:
    """The program, and the browser that shows it once it has said where.

    Parameters
    ----------
    arguments : of the program
    browser : its file; None shows no browser
    """

    def __init__(self, arguments: Sequence[str], browser: str | None) -> None:
        self._browser = browser
        self._address: str | None = None
        self._port = 0
        words = [sys.executable, "-X", "utf8", str(HOME / "app.py"), "--listen", *arguments]
        self.program = Kept("the program", lambda: words, self._lives, self._printed)
        self.screen = Kept("the browser", self._screen)
        self._over = threading.Event()

    def run(self) -> None:
        """Keep both until `stop`."""
        try:
            while not self._over.wait(LOOK_S):
                self.look()
        finally:
            self.screen.end()
            self.program.end()

    def look(self) -> None:
        """Look at both once."""
        self.program.look()
        self.screen.look()

    def stop(self) -> None:
        """End both, soon; from any thread, or a signal."""
        self._over.set()

    def _printed(self, line: str) -> None:
        print(line, end="", flush=True)
        if found := ADDRESS.search(line):
            self._address, self._port = found[1], int(found[2])

    def _lives(self) -> bool:
        return says(self._port, "live") if self._port else False

    def _screen(self) -> list[str] | None:
        if self._browser is None or self._address is None:
            return None
        return command(self._browser, f"{self._address}/read")


def tell(text: str) -> None:
    """Say what has happened, beside what the program prints."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Keep the kiosk running until this process is told to end."""
    browser = find()
    if browser is None:
        tell("no Chromium, Chrome or Edge is installed: captions are served, and shown nowhere")
    keeper = Keeper(arguments, browser)

    def end(number: int, frame: FrameType | None) -> None:
        keeper.stop()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetThreadExecutionState(AWAKE)
    keeper.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
