"""Several rooms of one program: the `[[room]]` tables of the settings file.

Each has a name, a microphone and what else is its own; all other settings are those of the program.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from utils import config
from utils.config import Gathered, Settings
from utils.errors import ConfigError
from utils.setup.choices import ABOVE
from utils.sources import devices_meant

# What a table may hold -> the setting that it is.
OWN = {"name": "room", "microphone": "microphone", "source": "source", "listen": "listen"}
ONE = ("room", "microphone", "source")  # given where the program is started: one room
NO_LETTERS = '/\\:*?"<>|'  # in a name: no folder can have them on every system


def rooms(found: Gathered) -> tuple[tuple[Settings, ...], tuple[str, ...]]:
    """The settings of each room, and what is wrong with tables, which are then left out.

    Both are empty where the file has no rooms. Who starts the program with one room's name or
    microphone, gets that one.
    """
    good: list[Settings] = []
    problems: list[str] = []
    given = [name for name in ONE if found.origins.get(name) in ABOVE]
    if found.tables and given:
        return (), (f"the rooms of the settings file are left out, as {given[0]} is given",)
    for number, table in enumerate(found.tables, 1):
        try:
            room = _room(found.settings, table)
            _check_apart(room, good)
        except ConfigError as err:
            called = table.get("name") if isinstance(table, Mapping) else None
            which = repr(called) if isinstance(called, str) and called else f"number {number}"
            problems.append(f"room {which:.80} is left out: {err}")
        else:
            good.append(room)
    apart, more = _by_device(good)
    return tuple(apart), (*problems, *more)


def _room(settings: Settings, table: object) -> Settings:
    """The settings of one room.

    Raises
    ------
    ConfigError : they cannot be
    """
    if not isinstance(table, Mapping):
        raise ConfigError("expected a table under [[room]]")
    if unknown := sorted(table.keys() - OWN.keys()):
        raise ConfigError(f"unknown {', '.join(unknown)}; expected {', '.join(OWN)}")
    values: dict[str, Any] = {"room": "", "microphone": "", "source": ""}
    for name, value in table.items():
        values[OWN[name]] = config.typed_as(OWN[name], value)
    _check_name(values["room"])
    if bool(values["microphone"].strip()) == bool(values["source"]):
        raise ConfigError(
            "expected its microphone, by a name that `app.py microphones` lists, or a recording "
            "that stands in for it as source"
        )
    return replace(settings, **values)


def _check_name(name: str) -> None:
    """Refuse a name that no address or folder can have."""
    if not name.strip() or name != name.strip():
        raise ConfigError("expected a name, without spaces around it")
    if any(letter in name for letter in NO_LETTERS) or name.startswith(".") or name.endswith("."):
        raise ConfigError(f"expected a name without {' '.join(NO_LETTERS)}, and no dot at its ends")


def _check_apart(room: Settings, others: list[Settings]) -> None:
    """Refuse what another room has already."""
    for other in others:
        if room.room.casefold() == other.room.casefold():
            raise ConfigError("another room has this name")
        if room.microphone and _written(room) == _written(other):
            raise ConfigError(f"room {other.room!r} hears its microphone {room.microphone!r}")


def _written(room: Settings) -> object:
    """A room's microphone as it is written, "03" as 3."""
    device = room.microphone_device
    return device.casefold() if isinstance(device, str) else device


def _by_device(good: list[Settings]) -> tuple[list[Settings], list[str]]:
    """Rooms whose microphones are different devices, and what is wrong with the others."""
    asked = [device for room in good if (device := room.microphone_device) is not None]
    if len(asked) < 2:
        return good, []
    meant = dict(zip(asked, devices_meant(asked), strict=True))
    apart: list[Settings] = []
    problems: list[str] = []
    heard: dict[object, Settings] = {}  # device -> the room that hears it
    for room in good:
        device = room.microphone_device
        found = None if device is None else meant[device]
        if found and (other := heard.setdefault(found, room)) is not room:
            problems.append(
                f"room {room.room!r} is left out: its microphone {room.microphone!r} is the device "
                f"that room {other.room!r} hears as {other.microphone!r}"
            )
        else:
            apart.append(room)
    return apart, problems
