"""The program with lines on its board: `python tests/full_program.py ARGUMENTS…`.

As many as `LINES` in the environment says stand there before it serves. With `TICKS=1` a line
grows every 100 ms beside them, without a microphone: its end is when it was due, in seconds
of the machine's clock.
"""

import os
import sys
import threading
import time
from pathlib import Path

from flask import Flask

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import app
from utils.config import Gathered
from utils.events import CaptionEvent, Emotion, Word
from utils.live.board import Board

SAID = "so this is what somebody has said in a line of the usual length"
SURE = Emotion("neutral", 0.9, {"neutral": 0.9, "happy": 0.05, "sad": 0.05})
LINE_S, TICK_S = 4.0, 0.1


def line(segment: int) -> CaptionEvent:
    """A finished line, with all that may be known of it."""
    words = SAID.split()
    start_s = abs(segment) * LINE_S
    times = [start_s + i * 0.25 for i in range(len(words))]
    timed = tuple(Word(w, at, at + 0.2, 0.9) for w, at in zip(words, times, strict=True))
    return CaptionEvent(segment, start_s, start_s + LINE_S, SAID, True, {"emotion": SURE}, timed)


def fill(board: Board, n_lines: int) -> None:
    """Put finished lines on a board, before the first of the session."""
    for segment in range(-n_lines, 0):
        board.show(line(segment), board.cuts)


def tick(board: Board) -> None:
    """Caption on and on: hear 100 ms as the program does, and let a line grow."""
    import numpy as np

    from utils.captions.vad import WINDOW_SAMPLES, VoiceActivity

    detector, due_s = VoiceActivity(), time.monotonic()
    sound = np.random.default_rng(0).normal(0, 0.01, (3, WINDOW_SAMPLES)).astype(np.float32)
    while True:
        due_s += TICK_S
        time.sleep(max(0.0, due_s - time.monotonic()))
        for window in sound:
            detector.probability(window)
        board.show(CaptionEvent(1, 0.0, due_s, SAID, False), board.cuts)


if __name__ == "__main__":
    create = app.create_app

    def create_full(found: Gathered) -> Flask:
        full = create(found)
        board = full.extensions["board"]
        fill(board, int(os.environ["LINES"]))
        if os.environ.get("TICKS"):
            threading.Thread(target=tick, args=(board,), daemon=True).start()
        return full

    app.create_app = create_full
    sys.exit(app.main())
