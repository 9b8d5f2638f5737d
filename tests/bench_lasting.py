"""What a kiosk goes through in a year: power that goes, processes that die, and time.

The microphone is a real sound server, into which read speech is played. What starts the program and
its browser again is `deploy.keep`, as on macOS and Windows; on Debian systemd does, after the same
delays.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from tests.disks import Powered
from tests.lasting import Reader, Speaker, metric, missing, power_cuts, saved, until
from tests.measuring import HOME, row, table, write_speech
from tests.process_tree import memory_mb, tree
from tests.program import APP, free_port
from tests.sound_server import SoundServer

SEED = 0
ENGINE = ("--asr", "whisper", "--offline")
SPEECH_MINUTES = 3.0
SOUND_AGAIN_S = 1.0  # after its end the sound server is started again, as its unit says
APART_S = (5.0, 20.0)  # between the return of captions and the next kill
HELPER_S = 10.0  # to find a process that the program has started
LAST_S = 60.0  # of patience; the goal is 15 s
FIRST_MINUTES = 10.0  # of a soak, with which the rest is compared


@contextmanager
def room() -> Iterator[tuple[SoundServer, Path]]:
    """A virtual microphone into which somebody speaks on, and a folder for the program."""
    with tempfile.TemporaryDirectory() as name, SoundServer() as server:
        recording = Path(name) / "speech.wav"
        write_speech(recording, SPEECH_MINUTES)
        with Speaker(server, recording):
            yield server, Path(name)


@contextmanager
def running(command: Sequence[object], server: SoundServer, folder: Path) -> Iterator[int]:
    """A process in the room; gives its id."""
    folders = {f"XDG_{name}_HOME": str(folder) for name in ("STATE", "CONFIG")}
    environment = {**os.environ, **server.env, **folders}
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            list(map(str, command)), cwd=HOME, env=environment, stdout=log, stderr=log
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()


# ---- power cuts


def bench_power(times: int) -> None:
    """The power goes in mid-sentence while it saves: the program is killed, the disk cut off."""
    table(f"The power goes in mid-sentence while it saves, {times} times (seed {SEED})", [])
    with room() as (server, folder), Powered(folder) as disk:
        found = power_cuts(times, SEED, disk, ENGINE, server.env)
    row("came back by itself", f"{found.came_back} of {times}")
    row("from the start to the first caption", seconds(found.again_s))
    row(
        "finished lines shown a second before or earlier; lost", f"{found.shown}; {len(found.lost)}"
    )
    row("finished lines shown in the last second; not saved", f"{found.late}; {found.late_lost}")
    row("saved lines that are damaged; files that were changed", f"{found.bad}; {found.changed}")
    for text in found.lost:
        row("lost", text)


def seconds(values: Sequence[float]) -> str:
    """How many, their median and the longest."""
    if not values:
        return "none"
    return f"median {np.median(values):.1f} s, longest {max(values):.1f} s ({len(values)})"


# ---- processes that die


def bench_kills(minutes: float) -> None:
    """Program, browser, sound server and helpers are killed at random."""
    table(f"Killed at random for {minutes:g} minutes, until captions come again (seed {SEED})", [])
    took: dict[str, list[float]] = defaultdict(list)
    with room() as (server, folder):
        port = free_port()
        wrap_browser(folder)
        command = [sys.executable, "-X", "utf8", "-m", "deploy.keep", *ENGINE, "--port", port]
        command += ["--save", folder / "saved"]
        with running(command, server, folder) as pid, Reader(f"http://127.0.0.1:{port}") as reader:
            killer = Killer(pid, server, reader, f"http://127.0.0.1:{port}")
            until(lambda: reader.events, "a caption")
            end_s, chance = time.monotonic() + 60 * minutes, random.Random(SEED)
            while time.monotonic() < end_s:
                time.sleep(chance.uniform(*APART_S))
                kind = chance.choice(list(killer.kinds))
                took[kind] += killer.kill(kind)
            shown = [text for _, text in reader.finished.values()]
        texts, bad = saved((folder / "saved").glob("*"))
    for kind in killer.kinds:
        row(kind, seconds(took[kind]))
    row("finished lines shown; not saved", f"{len(shown)}; {len(missing(shown, texts))}")
    row("saved lines that are damaged", f"{bad}")


def wrap_browser(folder: Path) -> None:
    """A browser that needs no screen, before the real one on the path."""
    browser = shutil.which("chromium")
    (folder / "chromium").write_text(
        f'#!/bin/sh\nexec {browser} --headless=new --no-sandbox "$@"\n'
    )
    (folder / "chromium").chmod(0o755)


class Killer:
    """Kills parts of a kiosk, and waits until captions come again.

    Parameters
    ----------
    pid : of what keeps program and browser running
    server : the sound server
    reader : to whom captions come
    url : of the program
    """

    def __init__(self, pid: int, server: SoundServer, reader: Reader, url: str) -> None:
        self._pid, self._server, self._reader, self._url = pid, server, reader, url
        self.kinds = {
            "program": self._program,
            "browser": self._browser,
            "sound server": self._sound,
            "helper of the program": self._helper,
        }

    def kill(self, kind: str) -> list[float]:
        """Kill one; how long it took until it was as before, in seconds, or [] if none was there."""
        before, began = self._reader.newest, time.monotonic()
        try:
            if self.kinds[kind]():
                until(lambda: self._reader.is_newer(before), f"captions after {kind}", LAST_S)
                return [time.monotonic() - began]
        except RuntimeError as err:
            row("not back", str(err))
            return [float("inf")]
        return []

    def _find(self, *words: str) -> int | None:
        """The first process of the kiosk with these words in its command."""
        for pid in tree(self._pid)[1:]:
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                if all(word in command for word in words):
                    return pid
        return None

    def _program(self) -> bool:
        pid = self._find("app.py")
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid is not None

    def _browser(self) -> bool:
        """A browser is back when its page has opened; captions never stopped."""
        opened, pid = metric(self._url, "captions_pages_opened_total"), self._find("--kiosk")
        if pid:
            os.kill(pid, signal.SIGKILL)
            more = "captions_pages_opened_total"
            until(lambda: metric(self._url, more) > opened, "the browser", LAST_S)
        return pid is not None

    def _sound(self) -> bool:
        name = "captions_microphone_reconnections_total"
        before = metric(self._url, name)
        self._server.kill()
        time.sleep(SOUND_AGAIN_S)
        self._server.start()
        until(lambda: metric(self._url, name) > before, "the microphone", LAST_S)
        return True

    def _helper(self) -> bool:
        """A process that the program has started, such as one that asks the sound server."""
        program, end_s = self._find("app.py"), time.monotonic() + HELPER_S
        while program and time.monotonic() < end_s:
            if helpers := tree(program)[1:]:
                with suppress(ProcessLookupError):
                    os.kill(helpers[-1], signal.SIGKILL)
                    return True
        return False


# ---- time


def bench_soak(minutes: float) -> None:
    """Memory, threads, files and delay of words, at the pace of speech, with one reader."""
    table(f"Somebody speaks for {minutes:g} minutes; one reader, saving on", [])
    with room() as (server, folder):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, APP, *ENGINE, "--port", port, "--listen", "--save", folder / "s"]
        with running(command, server, folder) as pid, Reader(url) as reader:
            until(lambda: reader.events, "a caption")
            look = Soak(pid, url)
            for minute in look_at(minutes):
                look.at(minute)
        shown = [text for _, text in reader.finished.values()]
        texts, bad = saved((folder / "s").glob("*"))
    row("memory at the end against the first of these", f"{look.grown:+.1%}")
    row(
        "finished lines shown; not saved; damaged",
        f"{len(shown)}; {len(missing(shown, texts))}; {bad}",
    )


def look_at(minutes: float) -> list[float]:
    """The minutes to look at: ten, then a dozen more until the end."""
    if minutes <= FIRST_MINUTES:
        return [minutes / 2, minutes]
    return [float(m) for m in np.linspace(FIRST_MINUTES, minutes, min(13, 2 + int(minutes / 10)))]


class Soak:
    """Looks at the program from its beginning on.

    Parameters
    ----------
    pid, url : of the program
    """

    def __init__(self, pid: int, url: str) -> None:
        self._pid, self._url = pid, url
        self._began = time.monotonic()
        self._memory_mb: list[float] = []
        self._delays = (0.0, 0.0)  # count and sum until the last look

    @property
    def grown(self) -> float:
        """How much more memory there is than at the first look, of that."""
        return self._memory_mb[-1] / self._memory_mb[0] - 1

    def at(self, minute: float) -> None:
        """Wait for a minute, and print what is then."""
        time.sleep(max(0.0, self._began + 60 * minute - time.monotonic()))
        self._memory_mb.append(memory_mb(self._pid))
        process = Path(f"/proc/{self._pid}")
        threads, files = (
            len(list((process / "task").iterdir())),
            len(list((process / "fd").iterdir())),
        )
        name = "captions_word_delay_seconds"
        count, total = metric(self._url, f"{name}_count"), metric(self._url, f"{name}_sum")
        delay_s = (total - self._delays[1]) / max(1.0, count - self._delays[0])
        self._delays = (count, total)
        row(
            f"{minute:.0f} min: memory; threads; files; mean delay of words since the last",
            f"{self._memory_mb[-1]:.0f} MB; {threads}; {files}; {delay_s:.2f} s",
        )
