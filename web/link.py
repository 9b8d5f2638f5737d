"""The link that makes another device the presenter's, and what it needs to be known."""

import json
import os
from pathlib import Path

from utils.address import is_loopback, reachable_address, url
from utils.config import Settings
from utils.folders import write_whole

HERE_ONLY = (
    "The program serves this computer alone, so no other device can open this. To let others in, "
    "start it with --host 0.0.0.0."
)


def note_serving(path: Path, host: str, port: int, address: str) -> None:
    """Leave word for `app.py link` where the program that runs now is served."""
    serving = {"host": host, "port": port, "address": address, "pid": os.getpid()}
    write_whole(path, json.dumps(serving) + "\n")


def forget_serving(path: Path) -> None:
    """Take that word back, if it is of this program."""
    if _read(path).get("pid") == os.getpid():
        path.unlink(missing_ok=True)


def link(settings: Settings, serving: Path, token: str) -> tuple[str, str]:
    """The presenter's link, and what to say of it.

    A program that runs is asked where it is served; else the settings tell.
    """
    running = _read(serving)
    host = str(running.get("host", settings.host))
    port = int(running.get("port", settings.port))
    address = reachable_address(host, str(running.get("address", settings.address)))
    note = (
        "Open this on the device that shall present, and give it to nobody else. It holds until "
        "`python app.py link --new`."
    )
    if address is None:
        note = HERE_ONLY if is_loopback(host) else f"{note} Put in this computer's address."
    if not running:
        note += " (The program does not run now.)"
    return url(address or "127.0.0.1", port, f"/?token={token}"), note


def _read(path: Path) -> dict:
    """What a program that still runs has left."""
    try:
        serving = json.loads(path.read_text(encoding="utf-8"))
        os.kill(serving["pid"], 0)  # signal 0 only asks
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return serving
