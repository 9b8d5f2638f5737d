"""The program itself: how soon it is there, its memory, and an hour of sound at once."""

import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.measuring import row, table, write_speech
from tests.process_tree import Watch, cpu_s, memory_mb
from tests.program import APP, PageSocket, Program

SPOKEN_MINUTES = (1, 2, 4)
HOUR_MINUTES, REPORT_MINUTES = 60, 10
ENGINE = ("--asr", "whisper", "--offline")  # on every machine the same


def bench_start(minutes: tuple[float, ...] = SPOKEN_MINUTES) -> None:
    """When the page answers and the button is ready; memory then, and while somebody speaks."""
    table("Start of the program, and its memory (the whole tree; what is shared counted once)", [])
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "speech.wav"
        write_speech(recording, max(minutes) + 1)
        for name, listen in (("first start", ()), ("second start", minutes)):
            began = time.monotonic()
            with Program([*ENGINE, "--source", recording]) as program:
                program.health()
                page_s = time.monotonic() - began
                program.wait_for("ready")
                ready_s = time.monotonic() - began
                row(f"{name}: page answers, button is ready", f"{page_s:.1f} s, {ready_s:.1f} s")
                if listen:
                    _listen(program, listen)


def _listen(program: Program, minutes: tuple[float, ...]) -> None:
    """Press Start; what the program takes after so many minutes of speech."""
    pid = program.process.pid
    row("memory when the button is ready", f"{memory_mb(pid):.0f} MB")
    page = PageSocket()
    page.connect(program.url, program.presenter, transports=["websocket"])
    page.emit("start")
    cpu, began = cpu_s(pid), time.monotonic()
    for minute in minutes:
        time.sleep(max(0.0, began + 60 * minute - time.monotonic()))
        row(f"memory after {minute:g} min of speech", f"{memory_mb(pid):.0f} MB")
    used = (cpu_s(pid) - cpu) / (time.monotonic() - began)
    health = program.health()
    row("processor time per second of sound, whole program", f"{used:.2f} s")
    row(
        "sound waiting at the end; dropped",
        f"{health['queue_depth']} frames; {health['dropped_frames']}",
    )
    page.disconnect()


# ---- an hour at once


def bench_hour(minutes: int = HOUR_MINUTES) -> None:
    """`app.py caption` over an hour of speech: whether it ends well, how long, its memory."""
    table(f"{minutes} minutes of speech at once through app.py caption", [])
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "hour.wav"
        write_speech(recording, minutes)
        began, lines, words, end_s = time.monotonic(), 0, 0, 0.0
        report = itertools.count(REPORT_MINUTES, REPORT_MINUTES)
        due = next(report)
        command = [sys.executable, str(APP), *ENGINE, "caption", str(recording)]
        with (
            open(Path(folder) / "errors", "w+") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
            _watch(process.pid) as watch,
        ):
            for line in process.stdout or ():
                event = json.loads(line)
                lines, words = lines + 1, words + len(event["text"].split())
                end_s = event["end_s"]
                if end_s >= 60 * due:
                    row(f"memory after {due} minutes of sound", f"{memory_mb(process.pid):.0f} MB")
                    due = next(report)
            status = process.wait()
            errors.seek(0)
            told = errors.read().strip().splitlines()
    row("ended with status", f"{status}" + (f" ({told[-1]})" if status and told else ""))
    row("last line ends at; lines; words", f"{end_s / 60:.1f} min; {lines}; {words}")
    row("most memory", f"{watch.most_mb:.0f} MB")
    row("time in all", f"{(time.monotonic() - began) / 60:.1f} minutes")


@contextlib.contextmanager
def _watch(pid: int):
    watch = Watch(pid)
    try:
        yield watch
    finally:
        watch.kill()
