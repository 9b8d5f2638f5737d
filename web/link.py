"""The link that makes a browser the presenter's, and what it needs to be known."""

import json
import os
import shlex
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from utils.address import ANY, is_loopback, public_address, reachable_address, url
from utils.config import Settings
from utils.errors import ConfigError
from utils.faults import cause
from utils.folders import state_folder, write_whole
from utils.live.session import Session
from web.access import LINK_S, Links, Token

NOTES = "serving-*.json"  # in the state folder, one of each program
BELOW = "/room/"  # the rooms, where there are several
PRESENT = "#present="  # behind the mark, which browsers send to nobody: no proxy logs a code
OPERATE = "rooms#operate="
HOLDS = f"It opens once, within {LINK_S // 60} minutes."
HERE_ONLY = (
    "The program serves this computer alone, so no other device can open this. To let others in, "
    "start it with --host 0.0.0.0."
)


def below(room: str) -> str:
    """The path of a room among several; "" for the only one."""
    return f"{BELOW}{spelled(room)}" if room else ""


def spelled(room: str) -> str:
    """A room's name in an address, just as JavaScript's encodeURIComponent spells it.

    A browser sends a cookie below one spelling of a path alone.

    >>> spelled("Anna's (2)!")
    "Anna's%20(2)!"
    """
    return quote(room, safe="!'()*")


def note_serving(folder: Path, settings: Settings, run: str, rooms: Sequence[str] = ()) -> None:
    """Leave word for `app.py link` where the program that runs now is served, and its run.

    Each program has a note of its own; those of programs that ended without a word go.

    Parameters
    ----------
    rooms : their names, where they are several

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
        "rooms": list(rooms),
    }
    for path in folder.glob(NOTES):
        if not _read(path):
            path.unlink(missing_ok=True)
    write_whole(_note(folder), json.dumps(serving) + "\n")


def tell_where(
    settings: Settings, run: str, sessions: Iterable[Session], rooms: Sequence[str] = ()
) -> None:
    """Leave word as `note_serving`; where it cannot be written, captions come first.

    Parameters
    ----------
    sessions : whose presenters are told of that
    """
    folder = state_folder()
    try:
        note_serving(folder, settings, run, rooms)
    except OSError as err:
        for session in sessions:
            session.notice("link.missing", reason=cause(err, str(folder)))


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


def own_link(host: str, port: int, path: str = "") -> str:
    """The link for the browser of this computer itself, of what is served at a host."""
    return url("127.0.0.1" if host in ANY else host, port, path)


def to_present(links: Links, room: str = "") -> str:
    """The path of a new link, by which a browser presents a room; of several it is one."""
    return f"{below(room)}/{PRESENT}{links.new()}"


def command(room: str = "", here: bool = True, operate: bool = False) -> str:
    """What prints a link like one that was used.

    >>> command("Room 2")
    ".venv/bin/python app.py --room 'Room 2' link --here"

    Parameters
    ----------
    room : of several; "" for the only one
    here : for the browser of this computer, not for another device
    operate : all rooms
    """
    parts = ["--room", shlex.quote(room)] if room else []
    parts += ["link", *(["--rooms"] if operate else []), *(["--here"] if here else [])]
    return " ".join([".venv/bin/python app.py", *parts])


def to_operate(code: str) -> str:
    """The path of a link, by which a browser operates all rooms of a program or of one Redis."""
    return f"/{OPERATE}{code}"


def has_rooms(folder: Path, port: int, elsewhere: bool) -> bool:
    """Whether the program that runs at a port has several rooms.

    Parameters
    ----------
    elsewhere : or, where none runs there, the newest that runs
    """
    running, _ = _running(folder, port)
    return bool(running.get("rooms")) and (elsewhere or running["port"] == port)


def link(
    folder: Path, settings: Settings, token: Token, here: bool, operate: bool = False
) -> tuple[str, str]:
    """A link for the program that runs, and what to say of it.

    Parameters
    ----------
    folder : where programs leave word
    settings : port of the program that is meant, where several run; room, where that has several
    token : the presenter's
    here : for the browser of this computer, not for another device
    operate : all rooms of a program that has several

    Raises
    ------
    ConfigError : no program runs, it does not know of the token, or has no such room
    """
    running, others = _running(folder, settings.port)
    if not running:
        raise ConfigError(
            "the program does not run, so there is nothing to link to; start it, then ask again"
        )
    if token.problem:
        raise ConfigError(f"no link can be made ({token.problem}, and start the program anew)")
    path = _path(running, settings.room, token, operate)
    address, note = _link(running, path, here)
    for other in others:
        note += f" Another runs at port {other}: python app.py --port {other} link"
    return address, note


def _path(running: dict, room: str, token: Token, operate: bool) -> str:
    """The path of a link to what is meant of a program that runs."""
    run, rooms = str(running["run"]), running.get("rooms") or []
    if operate:
        return to_operate(Links(token, run).new())
    if not rooms:
        return to_present(Links(token, run))
    if room not in rooms:
        raise ConfigError(
            f"several rooms are captioned: name one with --room ({', '.join(map(str, rooms))}), or "
            "operate all of them with link --rooms"
        )
    return to_present(Links(Token(token.path, room), run), room)


def _link(running: dict, path: str, here: bool) -> tuple[str, str]:
    host, port = str(running["host"]), running["port"]
    own = own_link(host, port, path)
    if here:
        return own, f"Open this on this computer. {HOLDS}"
    note = f"Open this on the device that shall present, and give it to nobody else. {HOLDS}"
    if running["proxy"]:
        return public_address(str(running["proxy"])).url(path), note
    address = reachable_address(host, str(running["address"]))
    if address:
        return url(address, port, path), note
    note = HERE_ONLY if is_loopback(host) else f"{note} Put in this computer's address."
    return own, note


def _read(path: Path) -> dict:
    """What a program that still runs has left."""
    try:
        serving = json.loads(path.read_text(encoding="utf-8"))
        os.kill(serving["pid"], 0)  # signal 0 only asks
        whole = {"host", "port", "address", "proxy", "run", "began"} <= serving.keys()
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return {}
    return serving if whole else {}
