"""PortAudio where it would end the process: with ALSA set up without a single device."""

import os
import subprocess
import sys

import pytest

from tests.program import APP, run
from tests.sound_server import SoundServer

LISTEN = """
from utils.errors import CaptureError
from utils.sources import MicrophoneSource
try:
    with MicrophoneSource():
        print("opened")
except CaptureError as err:
    print(err)
"""


@pytest.fixture
def bare(sound_server: SoundServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sound server answers, and ALSA knows of nothing."""
    sound_server.kill()
    monkeypatch.setenv("ALSA_CONFIG_PATH", os.devnull)


def test_a_computer_without_any_device_ends_no_program(bare):
    code = [sys.executable, "-c", LISTEN]
    ran = subprocess.run(code, cwd=APP.parent, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "no device at all" in ran.stdout and not ran.stderr


def test_the_list_of_microphones_says_so(bare):
    ran = run(["microphones"])
    assert ran.returncode == 1 and "see how ALSA is set up" in ran.stderr


def test_portaudio_alone_would_end_the_process(bare):
    """The reason for another process; where this fails, PortAudio was mended."""
    code = [sys.executable, "-c", "import pyaudio; pyaudio.PyAudio()"]
    assert subprocess.run(code, capture_output=True).returncode < 0
