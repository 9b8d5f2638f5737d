"""Starting PortAudio, which ends the whole process where ALSA is set up without a single device.

Its check (`devIdx < numDeviceNames`, pa_linux_alsa.c) is an assert, which nobody can catch. So
another process starts it first; where that one is ended, this one goes on and says so. And what
goes wrong later, while a microphone is read, is said by the error that follows, in our words.
"""

import ctypes
import subprocess
import sys
import threading
from contextlib import suppress
from types import ModuleType
from typing import Any

from utils.errors import CaptureError

# Takes 0.1 s, and ten times as long on a busy computer.
TRIAL = "import pyaudio; pyaudio.PyAudio()"
# More, and it hangs, as PortAudio does where a sound server is suspended: it does not end.
PATIENCE_S = 8.0

# (file, line, function, error, format, …): whoever takes fewer than C gives leaves the rest alone.
_SAY_NOTHING = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)(lambda *_: None)

_starts = threading.Event()  # it has started once: what is set up does not change while we run


def start(pyaudio: ModuleType) -> Any:
    """A `pyaudio.PyAudio`.

    Raises
    ------
    CaptureError : PortAudio would end this process
    """
    if sys.platform == "linux":
        if not _starts.is_set():
            _try()
        _hush_alsa()
    return pyaudio.PyAudio()


def _hush_alsa() -> None:
    """Have ALSA's library write nothing: it told each overrun of a busy computer on stderr."""
    with suppress(OSError):  # no such library, and so nobody who writes
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_SAY_NOTHING)


def _try() -> None:
    command = [sys.executable, "-c", TRIAL]
    silent = subprocess.DEVNULL
    try:
        ended = subprocess.run(
            command, stdin=silent, stdout=silent, stderr=silent, timeout=PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired):  # no process can be had, or it hangs
        return
    if ended.returncode < 0:
        raise CaptureError(
            "the sound system offers no device at all, and cannot be asked for any; start the "
            "sound server (PulseAudio or PipeWire), or see how ALSA is set up (ALSA_CONFIG_PATH, "
            "/etc/asound.conf)"
        )
    _starts.set()
