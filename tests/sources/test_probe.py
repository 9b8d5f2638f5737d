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

# ALSA's library says this on stderr by itself, whoever has begun to listen, and whenever.
ASK_FOR_NOTHING = """
import ctypes, pyaudio
from utils.sources.probe import start
if {begun}:
    start(pyaudio)
alsa, found = ctypes.CDLL("libasound.so.2"), ctypes.c_void_p()
print(alsa.snd_pcm_open(ctypes.byref(found), b"nothing_of_this_name", 1, 0))
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


@pytest.mark.parametrize("begun", [False, True])
def test_alsa_says_nothing_by_itself(sound_server: SoundServer, begun: bool) -> None:
    code = [sys.executable, "-c", ASK_FOR_NOTHING.format(begun=begun)]
    ran = subprocess.run(code, cwd=APP.parent, capture_output=True, text=True)
    assert int(ran.stdout) < 0  # there is none
    # PortAudio looks for many a device that is not there, and the handler is set before it does.
    assert ("ALSA lib" in ran.stderr) is not begun
