"""The program over a long time: somebody who speaks on, a reader who stays, what is on the disk."""

import json
import random
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import socketio

from tests.disks import Powered
from tests.program import PATIENCE_S, PageSocket, Program, free_port
from tests.sound_server import SoundServer

LOOK_S = 0.05


class Speaker:
    """Plays a recording into a virtual microphone again and again, whatever becomes of the server."""

    def __init__(self, server: SoundServer, recording: Path) -> None:
        self._server, self._recording = server, recording
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def __enter__(self) -> "Speaker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _speak(self) -> None:
        while not self._over.wait(LOOK_S):
            # the server was killed: it is spoken into the next
            with suppress(OSError, RuntimeError, ValueError, subprocess.SubprocessError):
                self._server.play(self._recording)


class Reader:
    """A page that stays open and comes back: what it was shown.

    Attributes
    ----------
    finished : lines that are over, by session and segment: when they came, and their text
    newest : the last line's session and segment, and whether it is over
    events : captions that came, growing ones too
    """

    def __init__(self, url: str) -> None:
        self.finished: dict[tuple[str, int], tuple[float, str]] = {}
        self.newest: tuple[str, int, bool] = ("", -1, True)
        self.events = 0
        self._session = ""
        self._socket = PageSocket(reconnection_delay=0.2, reconnection_delay_max=0.5)
        self._socket.on("status", self._status)
        self._socket.on("caption", self._caption)
        until(lambda: self._connects(url), "a connection")

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown()

    def _connects(self, url: str) -> bool:
        try:
            self._socket.connect(url, transports=["websocket"])
        except socketio.exceptions.ConnectionError:  # it does not serve yet, or is held up
            return False
        return True

    def _status(self, status: dict) -> None:
        self._session = status["session"]

    def _caption(self, line: dict) -> None:
        key = (self._session, line["segment"])
        if line["final"] and line["text"]:
            self.finished.setdefault(key, (time.monotonic(), line["text"]))
        self.newest = (*key, line["final"])
        self.events += 1

    def is_newer(self, than: tuple[str, int, bool]) -> bool:
        """Whether a line has begun since a moment, which is told by `newest` of then."""
        session, segment, _ = self.newest
        return segment >= 0 and (session != than[0] or segment > than[1])


def until(seen: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> float:
    """Wait until something is seen; return the seconds that it took.

    Raises
    ------
    RuntimeError : it did not come in time
    """
    began = time.monotonic()
    while not seen():
        if time.monotonic() - began > patience_s:
            raise RuntimeError(f"{what} did not come in {patience_s:.0f} s")
        time.sleep(LOOK_S)
    return time.monotonic() - began


def saved(paths: Iterable[Path]) -> tuple[list[str], int]:
    """Texts of all lines in files, and how many lines are no whole ones."""
    texts, bad = [], 0
    for line in b"\n".join(path.read_bytes() for path in paths).split(b"\n"):
        try:
            if line:
                texts.append(json.loads(line)["text"])
        except (ValueError, KeyError):
            bad += 1
    return texts, bad


def missing(shown: Iterable[str], on_disk: Iterable[str]) -> list[str]:
    """Lines that were shown and are not saved, each as often as it was said."""
    left = list(on_disk)
    lost = []
    for text in shown:
        if text in left:
            left.remove(text)
        else:
            lost.append(text)
    return lost


def metric(url: str, name: str) -> float:
    """The sum of a metric over its labels, as /metrics has it now; 0 where nothing answers."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return 0.0
    found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


# ---- power cuts

SHOWN_S = 1.0  # before the cut: a line that came earlier has to be on the disk
LONGEST_EVENTS = 4  # captions, until the cut
LATE_S = 600.0  # of patience, on a machine that falls behind


@dataclass
class Cuts:
    """What became of lines and files, over all cuts."""

    came_back: int = 0
    again_s: list[float] = field(default_factory=list)  # from the start to the first caption
    shown: int = 0
    lost: list[str] = field(default_factory=list)  # of them
    late: int = 0  # shown in the last moment
    late_lost: int = 0
    bad: int = 0  # lines on the disk that are no whole ones
    changed: int = 0  # files of earlier runs that are not as they were


def power_cuts(
    times: int, seed: int, disk: Powered, arguments: Sequence[object], environment: dict[str, str]
) -> Cuts:
    """Cut the power in mid-sentence so many times, and look at what is on the disk.

    Parameters
    ----------
    disk : has the program's home, and what it saves
    arguments : of the program, which listens by itself as in a kiosk
    environment : that it hears in
    """
    chance, found, port, folder = random.Random(seed), Cuts(), free_port(), disk.at
    words = [*arguments, "--no-emotion", "--save", folder / "saved", "--listen"]
    for _ in range(times):
        before = {path: path.read_bytes() for path in (folder / "saved").glob("*")}
        began = time.monotonic()
        with (
            Program(words, environment, port, home=str(folder)) as program,
            Reader(program.url) as reader,
        ):
            until(lambda reader=reader: reader.events, "a caption")  # type: ignore[misc]
            found.again_s.append(time.monotonic() - began)
            found.came_back += 1
            _wait_for_sentence(reader, chance)
            program.process.kill()
            cut_s = time.monotonic()
            program.process.wait()
            disk.cut()
        _judge(found, reader, cut_s, folder / "saved", before)
    return found


def _wait_for_sentence(reader: Reader, chance: random.Random) -> None:
    """Wait until a line is over, and for some of what comes next while somebody speaks on.

    Mostly that is a line that grows; a machine that falls behind shows finished ones alone.
    """
    until(lambda: reader.finished, "a finished line", LATE_S)
    due = reader.events + chance.randrange(LONGEST_EVENTS)
    until(lambda: reader.events >= due, "captions", LATE_S)


def _judge(
    found: Cuts, reader: Reader, cut_s: float, folder: Path, before: dict[Path, bytes]
) -> None:
    """Compare what was shown with what is on the disk."""
    lines = list(reader.finished.values())
    earlier = [text for at_s, text in lines if at_s < cut_s - SHOWN_S]
    texts, bad = saved(set(folder.glob("*")) - set(before))
    lost = missing(earlier, texts)
    found.shown += len(earlier)
    found.lost += lost
    found.late += len(lines) - len(earlier)
    found.late_lost += len(missing([text for _, text in lines], texts)) - len(lost)
    found.bad += bad
    found.changed += sum(path.read_bytes() != data for path, data in before.items())
