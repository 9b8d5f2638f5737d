"""The log: one line an event, `name=value` apart from its text, and never what was said.

Where systemd's journal takes what the program writes, events go to it by its own protocol, so that
`journalctl -o json` has their fields. Else they go to a file that is begun anew before it grows
large, and, from warnings on, to standard error. A flood of one kind is counted.
"""

import json
import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any

from utils.monitoring.metrics import LOGGED
from utils.monitoring.of_room import ROOM, of_room
from utils.untrusted import private

FILE_BYTES, FILES = 1_000_000, 5
JOURNAL = "/run/systemd/journal/socket"
PRIORITIES = {  # of syslog(3), by the least level
    logging.CRITICAL: 2,
    logging.ERROR: 3,
    logging.WARNING: 4,
    logging.INFO: 6,
    logging.DEBUG: 7,
}
LONGEST = 30_000  # letters of a field; a datagram holds about 200 kB
OURS = ("app", "__main__", "utils", "web")  # whose events are kept from information on
FLOOD_EVENTS, FLOOD_S = 5, 60.0  # of a kind in so long that are told; more are counted
KINDS = 1000  # that are kept apart
_Key = tuple[str, str, int, str]  # room, logger, level, sentence


class Line(logging.Formatter):
    """An event on one line: `time=… level=warning from=web.gate event="…" error="…"`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        parts = [f"time={moment}.{int(record.msecs):03d}Z"]
        parts += [f"{name}={_value(value)}" for name, value in fields(record).items()]
        return " ".join(parts)


def fields(record: logging.LogRecord) -> dict[str, str]:
    """What is told of an event, by name; its room where the program has several."""
    told = {"level": record.levelname.lower(), "from": record.name, "event": record.getMessage()}
    if room := ROOM.get():
        told["room"] = room
    if record.exc_info and record.exc_info[0]:
        told["error"] = record.exc_info[0].__name__
        told["trace"] = logging.Formatter().formatException(record.exc_info)
    return {name: text[:LONGEST] for name, text in told.items()}


def _value(text: str) -> str:
    """A value on one line; in quotes where it is more than a word.

    >>> _value("web.gate"), _value("a b"), _value('two\\nlines "x"')
    ('web.gate', '"a b"', '"two\\\\nlines \\\\"x\\\\""')
    """
    plain = text and all(c.isalnum() or c in "._-:/" for c in text)
    return text if plain else json.dumps(text, ensure_ascii=False)


@dataclass
class _Kind:
    """How often an event of a kind has come of late."""

    since_s: float
    events: int = 0
    held_back: int = 0


class Flood(logging.Filter):
    """Lets some events of a kind through and counts the rest, which it then tells in one event.

    A kind is who logs, for which room, and the sentence before anything is put into it.

    Parameters
    ----------
    tell : takes the event that tells how many there were
    now_s : seconds that pass
    """

    def __init__(
        self,
        tell: Callable[[logging.LogRecord], object],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._tell, self._now_s = tell, now_s
        self._kinds: dict[_Key, _Kind] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the event is to be written."""
        key, now_s = (ROOM.get(), record.name, record.levelno, str(record.msg)), self._now_s()
        with self._lock:
            ended = self._ended(now_s)
            kind = self._kinds.setdefault(key, _Kind(now_s))
            kind.events += 1
            passes = kind.events <= FLOOD_EVENTS
            kind.held_back += not passes
        self._tell_all(ended)
        if passes:
            LOGGED.labels(record.levelname.lower()).inc()
        return passes

    def end(self) -> None:
        """Tell what was held back until now."""
        with self._lock:
            held_back, self._kinds = self._kinds, {}
        self._tell_all(held_back)

    def _ended(self, now_s: float) -> dict[_Key, _Kind]:
        """Kinds whose time is over, or all where there are too many; they begin anew."""
        if len(self._kinds) >= KINDS:
            ended, self._kinds = self._kinds, {}
            return ended
        ended = {k: kind for k, kind in self._kinds.items() if now_s - kind.since_s >= FLOOD_S}
        for key in ended:
            del self._kinds[key]
        return ended

    def _tell_all(self, ended: Mapping[_Key, _Kind]) -> None:
        for (room, name, level, sentence), kind in ended.items():
            if kind.held_back:
                LOGGED.labels(logging.getLevelName(level).lower()).inc(kind.held_back)
                told = "%d more like %r"
                values = (kind.held_back, sentence)
                with of_room(room):  # whoever notices that its time is over may be of another
                    self._tell(logging.LogRecord(name, level, "", 0, told, values, None))


class _Quiet:
    """Loses an event that cannot be written: a full disk is no reason to end."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing of it."""


class Errors(_Quiet, logging.StreamHandler):
    """Standard error: warnings, as on a terminal nobody asked for more."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        super().__init__(stream)
        self.setLevel(logging.WARNING)


class File(_Quiet, RotatingFileHandler):
    """A file of the user's own, `FILE_BYTES` long at the most, and some older ones."""

    def _open(self) -> Any:
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=private)

    def close(self) -> None:
        """Let go of the file; what a full disk does not take is lost, and ends nothing."""
        with suppress(OSError):
            super().close()


class Journal(_Quiet, logging.Handler):
    """systemd's journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).

    Parameters
    ----------
    path : of its socket

    Raises
    ------
    OSError : it cannot be reached
    """

    def __init__(self, path: str = JOURNAL) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def emit(self, record: logging.LogRecord) -> None:
        """Send an event."""
        told = fields(record)
        entry = {
            "MESSAGE": told["event"],
            "PRIORITY": str(_priority(record.levelno)),
            "SYSLOG_IDENTIFIER": "captions",
            "CAPTIONS_FROM": told["from"],
            "CAPTIONS_ROOM": told.get("room", ""),
            "CAPTIONS_ERROR": told.get("error", ""),
            "CAPTIONS_TRACE": told.get("trace", ""),
        }
        try:
            self._socket.send(b"".join(_field(name, text) for name, text in entry.items() if text))
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
        super().close()


def _field(name: str, text: str) -> bytes:
    """A field as the journal reads it, whatever is in it: its length before it."""
    data = text.encode("utf-8", "replace")
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"


def _priority(level: int) -> int:
    return next((number for least, number in PRIORITIES.items() if level >= least), 7)


def to_journal(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether standard error goes to the journal: systemd names the stream as stat(2) does."""
    stream = environment.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return stream == f"{found.st_dev}:{found.st_ino}"


def begin(folder: Path | None = None, journal: str = JOURNAL) -> Callable[[], None]:
    """Have all events written from now on; return what ends that.

    Parameters
    ----------
    folder : of the file, where the journal does not take them; None writes none
    journal : its socket
    """
    handlers: list[logging.Handler] = []
    if to_journal():
        with suppress(OSError):
            handlers = [Journal(journal)]
    if not handlers:
        handlers = [Errors()]
        if folder:
            with suppress(OSError):  # captions come first
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                path = folder / "captions.log"
                handlers.append(File(path, maxBytes=FILE_BYTES, backupCount=FILES, delay=False))
    return _install(handlers)


def _install(handlers: list[logging.Handler]) -> Callable[[], None]:
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(Line())

    def write(record: logging.LogRecord) -> None:
        for handler in handlers:
            if record.levelno >= handler.level:
                handler.handle(record)

    gate = _Gate(write)
    root.addHandler(gate)
    ours = [logging.getLogger(name) for name in OURS]
    ours = [logger for logger in ours if logger.getEffectiveLevel() > logging.INFO]
    for logger in ours:
        logger.setLevel(logging.INFO)

    def end() -> None:
        gate.flood.end()
        root.removeHandler(gate)
        for logger in ours:
            logger.setLevel(logging.NOTSET)
        for handler in handlers:
            handler.close()

    return end


class _Gate(logging.Handler):
    """The one handler of the root: a flood is held back once, before all that write."""

    def __init__(self, write: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._write = write
        self.flood = Flood(write)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event, unless it is of a flood."""
        if self.flood.filter(record):
            self._write(record)
