"""What the drivers share: sound in at the pace of speech, JSON lines out of what was shown.

It runs with the Python of a peer's own environment, so it needs the standard library and NumPy
alone. A driver is started as `python DRIVER.py FOLDER MODEL`: a folder of 16 kHz mono WAV
files, the takes, and the folder of Whisper tiny.en. It prints

    {"loaded": seconds}
    {"take": number, "t": seconds since its sound began, "text": "…", "final": bool}, …
    {"heard": seconds of sound}

and ends when its standard input is closed.
"""

import json
import os
import sys
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

SAMPLE_RATE = 16_000
BLOCK = 512  # samples that are handed over at once: 32 ms
LATEST_S = 8.0  # of more quiet, for a peer that is not done with a take
ROOM = 1e-4  # deviation of the faint noise in that quiet


class Peer(Protocol):
    """One that hears."""

    def feed(self, block: np.ndarray) -> None:
        """Take the next sound, int16 (n,)."""

    def busy(self) -> bool:
        """Whether text for what it has heard may still come."""

    def end_take(self) -> None:
        """The take is over; what is shown from now on belongs to the next."""


class Page:
    """What a peer shows: an open line that changes until it is finished."""

    def __init__(self, out: Callable[[dict[str, object]], None]) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._take, self._began, self._open = -1, 0.0, ""

    def begin(self, take: int) -> None:
        with self._lock:
            self._take, self._began, self._open = take, time.monotonic(), ""

    def now(self) -> float:
        """Seconds since the take's sound began."""
        return time.monotonic() - self._began

    @property
    def line_is_open(self) -> bool:
        return bool(self._open)

    def show(self, text: str, final: bool, t: float | None = None) -> None:
        """Replace the open line; a final one is finished, and the next text begins another.

        Parameters
        ----------
        t : when it was shown, in seconds, where that was earlier
        """
        text = " ".join(text.split())
        with self._lock:
            if text == self._open and not (final and text):
                return
            shown = {"take": self._take, "t": self.now() if t is None else t, "text": text}
            self._out({**shown, "final": final})
            self._open = "" if final else text


def play(open_peer: Callable[[Page, str], Peer]) -> None:
    """Play all takes to a peer, which stays loaded, and end the process."""
    real_out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print goes to the log

    def out(line: dict[str, object]) -> None:
        print(json.dumps(line), file=real_out, flush=True)

    folder, model = sys.argv[1:3]
    page, began = Page(out), time.monotonic()
    peer = open_peer(page, model)
    out({"loaded": time.monotonic() - began})
    heard = 0
    for number, path in enumerate(sorted(Path(folder).glob("*.wav"))):
        heard += _play_take(page, peer, number, _read(path))
    out({"heard": heard / SAMPLE_RATE})
    sys.stdin.read()  # its figures are read from the running process
    os._exit(0)  # some peers leave threads and processes that do not end


def _read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def _play_take(page: Page, peer: Peer, number: int, samples: np.ndarray) -> int:
    """Play one take, and quiet for as long as the peer is not done; return the samples fed."""
    room = np.random.default_rng(0).normal(0, 32_768 * ROOM, int(LATEST_S * SAMPLE_RATE))
    sound = np.concatenate([samples, room.astype(np.int16)])
    page.begin(number)
    began = time.monotonic()
    for at in range(0, len(sound), BLOCK):
        if at >= len(samples) and not peer.busy():
            break
        block = sound[at : at + BLOCK]
        time.sleep(max(0.0, began + (at + len(block)) / SAMPLE_RATE - time.monotonic()))
        peer.feed(block)
    peer.end_take()
    return at
