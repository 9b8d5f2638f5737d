"""The link that makes a browser the presenter's, and what it needs to be known."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from utils.address import ANY, is_loopback, public_address, reachable_address, url
from utils.config import Settings
from utils.errors import ConfigError
from utils.folders import write_whole
from web.access import LINK_S, Links, Token

NOTES = "serving-*.json"  # in the state folder, one of each program
PRESENT = "#present="  # behind the mark, which browsers send to nobody: no proxy logs a code
HOLDS = f"It opens once, within {LINK_S // 60} minutes."
HERE_ONLY = (
    "The program serves this computer alone, so no other device can open this. To let others in, "
    "start it with --host 0.0.0.0."
)


def note_serving(folder: Path, settings: Settings, run: str) -> None:
    """Leave word for `app.py link` where the program that runs now is served, and its run.

    Each program has a note of its own; those of programs that ended without a word go.

    Raises
    ------
    OSError : it cannot be written
    """
    serving = {
        "host": settings.host,
        "port": settings.port,
        "address": settings.address,
        "proxy": settings.proxy,
        "pid": os.getpid(),
        "run": run,
        "began": time.time(),
    }
    for path in folder.glob(NOTES):
        if not _read(path):
            path.unlink(missing_ok=True)
    write_whole(_note(folder), json.dumps(serving) + "\n")


def forget_serving(folder: Path) -> None:
    """Take that word back."""
    with suppress(OSError):
        _note(folder).unlink()


def _note(folder: Path) -> Path:
    return folder / f"serving-{os.getpid()}.json"


def _running(folder: Path, port: int) -> tuple[dict, list[int]]:
    """The program at a port, or else the newest that runs; and the ports of the others."""
    found = [note for note in map(_read, folder.glob(NOTES)) if note]
    found.sort(key=lambda note: note["began"], reverse=True)
    chosen = next((note for note in found if note["port"] == port), found[0] if found else {})
    return chosen, [note["port"] for note in found if note is not chosen]


def reader_url(settings: Settings, path: str = "/read") -> str | None:
    """Where phones read along; None where they cannot."""
    if settings.proxy:
        return public_address(settings.proxy).url(path)
    address = reachable_address(settings.host, settings.address)
    return url(address, settings.port, path) if address else None


def own_link(host: str, port: int, code: str) -> str:
    """The link for the browser of this computer itself."""
    return url("127.0.0.1" if host in ANY else host, port, f"/{PRESENT}{code}")


def link(folder: Path, port: int, token: Token, here: bool) -> tuple[str, str]:
    """A link for the program that runs, and what to say of it.

    Parameters
    ----------
    folder : where programs leave word
    port : of the program that is meant, where several run
    token : the presenter's
    here : for the browser of this computer, not for another device

    Raises
    ------
    ConfigError : no program runs, or it does not know of the token
    """
    running, others = _running(folder, port)
    if not running:
        raise ConfigError(
            "the program does not run, so there is nothing to link to; start it, then ask again"
        )
    if token.problem:
        raise ConfigError(f"no link can be made ({token.problem}, and start the program anew)")
    address, note = _link(running, token, here)
    for other in others:
        note += f" Another runs at port {other}: python app.py --port {other} link"
    return address, note


def _link(running: dict, token: Token, here: bool) -> tuple[str, str]:
    host, port = str(running["host"]), running["port"]
    code = Links(token, str(running["run"])).new()
    if here:
        return own_link(host, port, code), f"Open this on this computer. {HOLDS}"
    note = f"Open this on the device that shall present, and give it to nobody else. {HOLDS}"
    if running["proxy"]:
        return public_address(str(running["proxy"])).url(f"/{PRESENT}{code}"), note
    address = reachable_address(host, str(running["address"]))
    if address:
        return url(address, port, f"/{PRESENT}{code}"), note
    note = HERE_ONLY if is_loopback(host) else f"{note} Put in this computer's address."
    return own_link(host, port, code), note


def _read(path: Path) -> dict:
    """What a program that still runs has left."""
    try:
        serving = json.loads(path.read_text(encoding="utf-8"))
        os.kill(serving["pid"], 0)  # signal 0 only asks
        whole = {"host", "port", "address", "proxy", "run", "began"} <= serving.keys()
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return {}
    return serving if whole else {}
