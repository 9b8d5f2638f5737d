"""Settings: what an operator may change.

They come from `settings.toml` beside `app.py`, then from environment variables
(`CAPTIONS_PORT=8080`), then from the command line; the later wins.
"""

import os
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, time
from pathlib import Path
from typing import Any

from utils.address import is_host, public_address
from utils.errors import ConfigError
from utils.untrusted import opened

ENVIRONMENT_PREFIX = "CAPTIONS_"
LONGEST_CLEAR_AFTER_MIN = 24 * 60
NUMBERS = {
    "port": "a number from 1 to 65535",
    "clear_after": "a number of minutes",
    "memory_limit": "a number of megabytes",
}
LARGEST = 10**9
WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
# How long words may wait for what follows, which makes them more accurate; "auto" lets the
# program choose by what this machine can do.
PACES = ("fastest", "balanced", "accurate")
OFFENDING = ("off", "first", "hidden")  # how words that offend are shown
YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class Settings:
    """What an operator may change.

    Parameters
    ----------
    host, port : where the page is served
    asr : recogniser: auto, nemo, whisper, vosk, or sr:NAME
    model : a .nemo file, the folder of a Whisper or of a Vosk model, or the name of a model;
        "" for the engine's own
    language : of the speech, as an ISO 639-1 code
    pace : how soon words come: auto, fastest, balanced or accurate
    phrases : a file of names and places to prefer, one a line; "" for none
    microphone : name or index of the input device; "" for the system's default
    source : a recording that stands in for the microphone; "" for the microphone
    address : name or address by which phones reach this machine; "" to find it
    proxy : address under which a proxy shows the page, such as https://captions.example/hall;
        "" where none stands before the program
    emotion : whether emotion is estimated at all
    offending : words that offend: off (as they were heard), first (their first letter), hidden
    clear_after : minutes without speech after which the lines are cleared; 0 is never
    memory_limit : megabytes, above which memory is given back and the presenter is told; 0 is none
    save : folder to which finished lines are written from the start; "" writes none
    offline : use no network: fetch no model, and refuse recognisers that are services
    listen : listen as soon as the program has started, without a press

    Raises
    ------
    ConfigError : a value that cannot be
    """

    host: str = "127.0.0.1"
    port: int = 5000
    asr: str = "auto"
    model: str = ""
    language: str = "en"
    pace: str = "auto"
    phrases: str = ""
    microphone: str = ""
    source: str = ""
    address: str = ""
    proxy: str = ""
    emotion: bool = True
    offending: str = "off"
    clear_after: int = 0
    memory_limit: int = 0
    save: str = ""
    offline: bool = False
    listen: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65_535:
            raise ConfigError(f"port {self.port}: expected a number from 1 to 65535")
        if not self.host:
            raise ConfigError("host is empty: give an address such as 127.0.0.1")
        if self.address and not is_host(self.address):
            raise ConfigError(
                f"address {self.address!r}: expected a name or an IP address alone, such as "
                "kiosk.local or 192.168.1.5"
            )
        if self.proxy:
            public_address(self.proxy)
        if self.pace not in ("auto", *PACES):
            raise ConfigError(f"pace {self.pace}: expected auto, {', '.join(PACES)}")
        if self.offending not in OFFENDING:
            raise ConfigError(f"offending {self.offending}: expected {', '.join(OFFENDING)}")
        if self.memory_limit < 0:
            raise ConfigError(f"memory_limit {self.memory_limit}: expected megabytes, or 0")
        if not 0 <= self.clear_after <= LONGEST_CLEAR_AFTER_MIN:
            raise ConfigError(
                f"clear_after {self.clear_after}: expected minutes, 0 to {LONGEST_CLEAR_AFTER_MIN}"
            )

    @property
    def microphone_device(self) -> str | int | None:
        """The microphone as `MicrophoneSource` takes it: index, name or None."""
        if not self.microphone:
            return None
        return int(self.microphone) if WHOLE.fullmatch(self.microphone) else self.microphone


def load(
    flags: Mapping[str, str | int | bool | None],
    path: Path,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Gather the settings.

    Parameters
    ----------
    flags : from the command line; None where not given
    path : the settings file, which need not exist

    Raises
    ------
    ConfigError : an unknown name, a value of the wrong kind, or an unreadable file
    """
    names = {field.name for field in fields(Settings)}
    given = {
        **_from_file(path, names),
        **{n: v for n in names if (v := environment.get(ENVIRONMENT_PREFIX + n.upper()))},
        **{n: v for n, v in flags.items() if n in names and v is not None},
    }
    typed: dict[str, Any] = {name: _typed(name, value) for name, value in given.items()}
    return replace(Settings(), **typed)


def _from_file(path: Path, names: set[str]) -> dict[str, object]:
    try:
        with opened(path) as file:
            table = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as err:  # ValueError: also a number without end
        reason = getattr(err, "strerror", None) or err
        raise ConfigError(f"{path}: cannot be read as TOML: {reason}") from err
    if unknown := sorted(table.keys() - names):
        raise ConfigError(
            f"{path}: unknown setting {', '.join(unknown)}; expected {', '.join(sorted(names))}"
        )
    return table


def _typed(name: str, value: object) -> str | int | bool:
    if name in {"emotion", "offline", "listen"}:
        return _yes_or_no(name, value)
    expected = NUMBERS.get(name, "text")
    # Not bool, which is an int to Python; and an int of 5,000 digits cannot even be shown.
    if type(value) not in (str, int) or type(value) is int and abs(value) > LARGEST:
        raise ConfigError(f"{name} {_shown(value)}: expected {expected}")
    text = str(value)
    if any(unicodedata.category(c) == "Cc" for c in text):
        raise ConfigError(f"{name} {_shown(value)}: expected {expected}, no control characters")
    if name not in NUMBERS:
        return text
    if not WHOLE.fullmatch(text.strip()):
        raise ConfigError(f"{name} {_shown(value)}: expected {expected}")
    return int(text)


def _shown(value: object) -> str:
    """A value as it was given, on one line, and not at any length."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return "of so many digits"
    return str(value) if isinstance(value, date | time) else f"{value!r:.80}"


def _yes_or_no(name: str, value: object) -> bool:
    text = str(value).lower()
    if isinstance(value, float) or text not in YES + NO:
        raise ConfigError(f"{name} {_shown(value)}: expected true or false")
    return text in YES
