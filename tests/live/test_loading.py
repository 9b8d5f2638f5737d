"""What captions are made with, as the program loads it."""

import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]

ALL = """
import sys

import numpy as np
import soundfile

import app
from utils.config import Settings
from utils.events import AudioFrame

engines = app.load_engines(Settings(), lambda *_: None)
assert not engines.missing, engines.missing
speech, _ = soundfile.read("tests/data/speech.flac", dtype="float32")
heard = []
for start in range(0, len(speech), 512):
    heard += engines.captioner.push(AudioFrame(start, speech[start : start + 512]))
heard += engines.captioner.flush()
assert any(event.final for event in heard), heard
print(*{"torch._dynamo", "sympy", "sklearn", "librosa", "numba", "matplotlib"} & set(sys.modules))
"""


def test_nothing_is_imported_that_captions_do_without():
    # Of torch, its compiler alone takes two seconds and 65 MB; one call on the meta device did.
    done = subprocess.run([sys.executable, "-c", ALL], cwd=HOME, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
