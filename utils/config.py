"""Settings: what an operator may change.

They come from the settings file (`settings_file`), then from environment variables
(`CAPTIONS_PORT=8080`), then from the command line; the later wins.
"""

import os
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, time
from pathlib import Path
from typing import Any, Literal

from utils.address import is_host, public_address, redis_address
from utils.errors import ConfigError
from utils.folders import config_folder
from utils.language import two_letters
from utils.untrusted import read_text

FILE = "settings.toml"
ENVIRONMENT_PREFIX = "CAPTIONS_"
LONGEST_NAME = 60  # letters of the room's name
LONGEST_NAME_BYTES = 3 * LONGEST_NAME  # which is part of files' names, of 255 at most
LONGEST_CLEAR_AFTER_MIN = 24 * 60
NUMBERS = {
    "port": "a number from 1 to 65535",
    "clear_after": "a number of minutes",
    "memory_limit": "a number of megabytes",
}
PATHS = {"model", "phrases", "source", "emotion_model", "save"}
SECRET = {"redis"}  # what was given is in no message
LARGEST = 10**9
LONGEST_FILE = 1_000_000  # bytes
LANGUAGE = re.compile("[a-z]{2,3}")
COMPARED = {"room", "microphone"}
# They stand between letters of some scripts, and in emoji; at the ends of a name, for nothing.
JOINERS = "\u200c\u200d"
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
    emotion_model : a checkpoint of `python -m training train` that estimates it; "" for ours
    sounds : whether sounds that are no speech are told
    offending : words that offend: off (as they were heard), first (their first letter), hidden
    translate : languages that finished lines are translated to, as ISO 639-1 codes, such as fr,de;
        "" for none
    text_emotion : whether what the words of a finished line say is told, beside how it was said
    clear_after : minutes without speech after which the lines are cleared; 0 is never
    memory_limit : megabytes, above which memory is given back and the presenter is told; 0 is none
    save : folder to which finished lines are written from the start; "" writes none
    offline : use no network: fetch no model, and refuse recognisers that are services
    listen : listen as soon as the program has started, without a press
    locked : whether readers' controls lie behind a long press
    answers : whether readers' answers, too, go to the screen that faces whoever speaks
    room : its name, which every page shows; "" for none
    redis : address of the Redis server by which other computers' pages show the room too, such
        as redis://10.0.0.5:6379; "" where all stays in this program. It may hold a password, so it
        is in no message

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
    emotion_model: str = ""
    sounds: bool = True
    offending: str = "off"
    translate: str = ""
    text_emotion: bool = False
    clear_after: int = 0
    memory_limit: int = 0
    save: str = ""
    offline: bool = False
    listen: bool = False
    locked: bool = False
    answers: bool = False
    room: str = ""
    redis: str = ""

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
        if self.redis:
            redis_address(self.redis)
            if "/" in self.room:
                raise ConfigError(f"room {self.room!r:.80}: expected no / where redis is set")
        if self.pace not in ("auto", *PACES):
            raise ConfigError(f"pace {self.pace}: expected auto, {', '.join(PACES)}")
        if self.offending not in OFFENDING:
            raise ConfigError(f"offending {self.offending}: expected {', '.join(OFFENDING)}")
        self._check_languages()
        if self.memory_limit < 0:
            raise ConfigError(f"memory_limit {self.memory_limit}: expected megabytes, or 0")
        if len(self.room) > LONGEST_NAME:
            raise ConfigError(f"room {self.room!r:.80}: expected {LONGEST_NAME} letters at most")
        if (n_bytes := len(self.room.encode("utf-8", "replace"))) > LONGEST_NAME_BYTES:
            raise ConfigError(
                f"room {self.room!r:.80}: takes {n_bytes} bytes, expected {LONGEST_NAME_BYTES} at "
                "most, as files are called by it; shorten it"
            )
        if not 0 <= self.clear_after <= LONGEST_CLEAR_AFTER_MIN:
            raise ConfigError(
                f"clear_after {self.clear_after}: expected minutes, 0 to {LONGEST_CLEAR_AFTER_MIN}"
            )

    def _check_languages(self) -> None:
        if not self.language.strip():
            raise ConfigError("language is empty: expected a code such as en, ko or en-US")
        for code in self.translations:
            if not LANGUAGE.fullmatch(code):
                raise ConfigError(
                    f"translate {self.translate!r:.80}: expected languages by two letters each, "
                    "such as fr,de"
                )

    @property
    def translations(self) -> tuple[str, ...]:
        """The languages that lines are translated to, each once and none as it is spoken."""
        codes = [code.strip().lower() for code in self.translate.split(",") if code.strip()]
        return tuple(dict.fromkeys(code for code in codes if code != two_letters(self.language)))

    @property
    def microphone_device(self) -> str | int | None:
        """The microphone as `MicrophoneSource` takes it: index, name or None."""
        if not self.microphone:
            return None
        return int(self.microphone) if WHOLE.fullmatch(self.microphone) else self.microphone


Origin = Literal["built in", "file", "environment", "flag"]


@dataclass(frozen=True)
class Gathered:
    """The settings, and where each is from.

    Parameters
    ----------
    origins : of each by its name
    problems : what is wrong with the file, whose other settings hold
    unknown : names in it that are no settings, and are left alone
    tables : the file's `[[room]]`, as they stand there, where it has several rooms
    """

    settings: Settings
    origins: Mapping[str, Origin] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    tables: tuple[object, ...] = ()


NAMES = tuple(each.name for each in fields(Settings))
SWITCHES = frozenset(each.name for each in fields(Settings) if each.type is bool)


def settings_file(beside: Path) -> Path:
    """The one file of settings: in a folder where there is one, else in the user's own.

    Parameters
    ----------
    beside : the folder of the program, whose file is an operator's
    """
    own = beside / FILE
    return own if own.exists() else config_folder() / FILE


def load(
    flags: Mapping[str, str | int | bool | None],
    path: Path,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings of a command, which is not begun with a file that is wrong.

    Parameters
    ----------
    flags : from the command line; None where not given
    path : the settings file, which need not exist

    Raises
    ------
    ConfigError : an unknown name, a value of the wrong kind, or an unreadable file
    """
    table = _from_file(path)
    _take_tables(table)
    if unknown := sorted(table.keys() - set(NAMES)):
        raise ConfigError(
            f"{path}: unknown setting {', '.join(unknown)}; expected {', '.join(sorted(NAMES))}"
        )
    above = {name: value for name, (value, _) in _above(flags, environment).items()}
    typed: dict[str, Any] = {name: typed_as(name, v) for name, v in (table | above).items()}
    return replace(Settings(), **typed)


def gather(
    flags: Mapping[str, str | int | bool | None],
    path: Path,
    environment: Mapping[str, str] = os.environ,
) -> Gathered:
    """The settings of the program, which starts with what can be used of its file.

    Parameters
    ----------
    flags, path, environment : as in `load`

    Raises
    ------
    ConfigError : a flag or an environment variable cannot be
    """
    problems: list[str] = []
    try:
        table = _from_file(path)
    except ConfigError as err:
        table, problems = {}, [str(err)]
    tables = _take_tables(table)
    above = _above(flags, environment)
    typed: dict[str, Any] = {name: typed_as(name, value) for name, (value, _) in above.items()}
    settings = replace(Settings(), **typed)
    origins = {name: origin for name, (_, origin) in above.items()}
    for name in NAMES:
        try:
            if name in table:
                value: Any = check(name, table[name])
                if name not in above:  # beside the others, which may forbid it
                    settings, origins[name] = replace(settings, **{name: value}), "file"
        except ConfigError as err:
            problems.append(f"{path}: {err}")
    unknown = tuple(sorted(table.keys() - set(NAMES)))
    return Gathered(settings, origins, tuple(problems), unknown, tables)


def _take_tables(table: dict[str, object]) -> tuple[object, ...]:
    """Take the `[[room]]` out of a file that has several rooms."""
    found = table.get("room")
    if not isinstance(found, list):
        return ()
    del table["room"]
    return tuple(found)


def check(name: str, value: object) -> str | int | bool:
    """A setting as its type asks for.

    Raises
    ------
    ConfigError : it cannot be
    """
    typed: Any = typed_as(name, value)
    replace(Settings(), **{name: typed})
    return typed


def _above(
    flags: Mapping[str, str | int | bool | None], environment: Mapping[str, str]
) -> dict[str, tuple[str | int | bool, Origin]]:
    """What wins over the file, and where it is from."""
    found: dict[str, tuple[str | int | bool, Origin]] = {}
    for name in NAMES:
        if value := environment.get(ENVIRONMENT_PREFIX + name.upper()):
            found[name] = value, "environment"
        if (flag := flags.get(name)) is not None:
            found[name] = flag, "flag"
    return found


def _from_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(read_text(path, LONGEST_FILE))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as err:  # ValueError: also a number without end
        reason = getattr(err, "strerror", None) or err
        raise ConfigError(f"{path}: cannot be read as TOML: {reason}") from err


def typed_as(name: str, value: object) -> str | int | bool:
    """A value as its setting's type asks for.

    Raises
    ------
    ConfigError : it is of another
    """
    if name in SWITCHES:
        return _yes_or_no(name, value)
    expected = NUMBERS.get(name, "text in UTF-8")
    # Not bool, which is an int to Python; and an int of 5,000 digits cannot even be shown.
    if type(value) not in (str, int) or type(value) is int and abs(value) > LARGEST:
        raise ConfigError(f"{name} {_shown(value)}: expected {expected}")
    text = str(value)
    # Letters that are not seen, or set a direction, would call a room as another one looks. Bytes
    # that are not UTF-8 come as Cs: files are called so, but no page can show them.
    bad = {"Cc"} | ({"Cf"} if name == "room" else set()) | (set() if name in PATHS else {"Cs"})
    ends = name == "room" and text.strip(JOINERS) != text
    if ends or any(unicodedata.category(c) in bad and c not in JOINERS for c in text):
        given = name if name in SECRET else f"{name} {_shown(value)}"
        also = ", nor letters that are not seen" if name == "room" else ""
        raise ConfigError(f"{given}: expected {expected}, no control characters{also}")
    if name not in NUMBERS:
        # one name, however its accents were typed: it is compared, and files are called by it
        return unicodedata.normalize("NFC", text) if name in COMPARED else text
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
