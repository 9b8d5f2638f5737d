"""Whether a version of the program gets ready, as the kiosk or beside it on trial."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

COMES_UP_S = 180.0  # for a version to load its models
LOOK_S = 0.5
ANSWER_S = 10.0
PORT = 5000  # where the settings name none
TRIAL = ("--asr", "whisper", "--no-emotion", "--offline", "--source", "tests/data/speech.flac")
# What is asked is this computer: a proxy that the environment names has no say in it.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class KioskError(Exception):
    """What cannot be done, and what to do about it."""


def comes_up(version: Path) -> bool:
    """Whether a version gets ready beside the one that runs, with a recording for a microphone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: v for name, v in os.environ.items() if not name.startswith("CAPTIONS_")}
        folders = [f"XDG_{name}_HOME" for name in ("STATE", "CONFIG", "DATA", "CACHE")]
        command = [version / ".venv/bin/python", "app.py", "--port", str(port), *TRIAL]
        trial = subprocess.Popen(
            [*map(str, command)],
            cwd=version,
            env=kept | dict.fromkeys(folders, folder),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return is_ready(port, lambda: trial.poll() is None)
        finally:
            with suppress(ProcessLookupError):  # with all that it has started
                os.killpg(trial.pid, signal.SIGKILL)
            trial.wait()


def is_ready(port: int, runs: Callable[[], bool] = lambda: True) -> bool:
    """Wait until the program at a port is ready; False where it ends, or takes too long."""
    deadline = time.monotonic() + COMES_UP_S
    while runs() and time.monotonic() < deadline:
        if says(port, "ready"):
            return True
        time.sleep(LOOK_S)
    return False


def says(port: int, what: str) -> bool:
    """Whether the program at a port says that it is "live" or "ready"."""
    address = f"http://127.0.0.1:{port}/health/{what}"
    # ValueError: no JSON; HTTPException: another program that speaks no HTTP
    try:
        with DIRECTLY.open(address, timeout=ANSWER_S) as answer:
            told = json.load(answer)
            return isinstance(told, dict) and told.get(what) is True
    except (OSError, ValueError, http.client.HTTPException):
        return False


def port_of(settings: Path) -> int:
    """The port that the kiosk's settings name, read as systemd reads them (EnvironmentFile=).

    Raises
    ------
    KioskError : what they name is none
    """
    value = ""
    lines = settings.read_text("utf-8", "replace").splitlines() if settings.exists() else []
    for line in lines:  # one that begins with # or ; has another name
        name, _, given = line.partition("=")
        if name.strip() == "CAPTIONS_PORT":
            value = re.sub(r"^(['\"])(.*)\1$", r"\2", given.strip()).strip()
    if not value:
        return PORT
    if not (re.fullmatch("[0-9]{1,5}", value) and 0 < int(value) < 65536):
        raise KioskError(f"{settings}: CAPTIONS_PORT={value!r} is no port; write 1 to 65535")
    return int(value)
