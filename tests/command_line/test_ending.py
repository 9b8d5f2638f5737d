"""However the program is told to end, it does, and keeps the last words."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line.test_app import Client
from tests.program import PATIENCE_S, Program
from utils.live.saved import read_saved

HOME = Path(__file__).resolve().parents[2]
HANGING = """
import signal, threading
from utils.command_line import ending
ending.ENDING_S = 1
ending.end_on_signals()
try:
    print("ready", flush=True)
    signal.pause()
except KeyboardInterrupt:
    print("ending", flush=True)
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_last_words_are_saved(tmp_path, unbroken, number):
    arguments = ["--asr", "whisper", "--no-emotion", "--source", unbroken, "--save", tmp_path]
    # where the tests themselves run under nohup, it would heed none of it
    with Program(arguments, before=["env", "--default-signal"]) as running:
        running.wait_for("ready")
        with Client(running, running.presenter) as client:
            assert client.ask("start") == {"ok": True}
            growing = client.wait("caption", final=False)
        os.kill(running.process.pid, number)
        os.kill(running.process.pid, number)  # a terminal that closes sends it more than once
        assert running.process.wait(PATIENCE_S) == 0
    [path] = tmp_path.glob("*.jsonl")
    lines, bad = read_saved(path)
    assert bad == 0 and lines[-1].segment >= growing["segment"]
    assert lines[0].text.split()[0] == growing["text"].split()[0]
    assert "Traceback" not in running.errors


@pytest.mark.parametrize("program", [["app.py"], ["emotion_model.py"], ["-m", "training"]])
def test_ctrl_c_while_it_still_imports_says_nothing(program):
    command = [sys.executable, "-X", "importtime", *program]  # which tells of each import
    with subprocess.Popen(command, cwd=HOME, stderr=subprocess.PIPE, text=True) as process:
        while process.stderr.readline().split()[-1] not in ("argparse", "numpy"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130 and "Traceback" not in said


def test_what_nohup_lets_stay_stays():
    code = "import signal; from utils.command_line.ending import end_on_signals; end_on_signals(); "
    code += "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    told = subprocess.run(
        ["nohup", sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True
    )
    assert told.stdout.strip() == "True"


def test_an_ending_that_hangs_is_ended():
    command = [sys.executable, "-c", HANGING]
    with subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "ending\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == -signal.SIGALRM


LOADING = """
import sys, threading
import app
from utils.command_line.ending import leave
from utils.config import Settings
reached = threading.Event()
def progress(done, message):
    if message.code == sys.argv[1]:
        reached.set()
threading.Thread(target=app.load_engines, args=(Settings(), progress), daemon=True).start()
assert reached.wait(100)
leave(3)
"""


@pytest.mark.parametrize("part", ["loading.recogniser", "loading.detector", "loading.emotion"])
def test_its_end_while_models_load_is_no_crash(part):
    command = [sys.executable, "-c", LOADING, part]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (3, "")
