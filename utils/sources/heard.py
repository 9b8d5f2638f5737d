"""Which device the sound server lets this program hear, and which others it has.

PortAudio only knows it as "default": the sound server chooses the device, and takes the stream
along when another one becomes the default, or when it is told to. It is asked by its own command,
in a process that may hang or fail without harm.
"""

import logging
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from utils.errors import CaptureError

SOURCE = "PULSE_SOURCE"  # environment variable by which libpulse is told of a device
ANSWER_S = 2.0  # it answers within 10 ms
LONGEST = 60  # letters of a name
# Names that tell how sound comes, not from where.
WAYS = {"default", "sysdefault", "pulse", "pipewire", "jack", "dsnoop", "default microphone"}
# Channels that a stream of as many gets; numbered ones (AUX) go to who takes all that is offered.
PLAIN = {"mono": 1, "front-left,front-right": 2}
HARDWARE = re.compile(r"\s*\(hw:[^)]*\)$")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Routed:
    """A device behind the sound server.

    Parameters
    ----------
    name : the server's own, which stays over a restart
    called : by people, "Jabra SPEAK 510 Mono"
    default : what is heard where none is chosen
    plays : it is what this computer plays, no microphone
    channels : of it; 0 where whoever takes fewer than are offered may hear nothing of them
    """

    name: str
    called: str
    default: bool
    plays: bool
    channels: int = 0


class SoundServer:
    """Asks PulseAudio, or PipeWire in its place, with `pactl`.

    Parameters
    ----------
    stream : the number of the stream of this process that is meant; "" for the newest
    """

    def __init__(self, stream: str = "") -> None:
        self.stream = stream
        self._source = ""  # number of the one that `_name` is of
        self._name = ""

    def heard(self) -> str | None:
        """Name of the device that the stream hears; None if there is no such stream.

        Raises
        ------
        OSError : there is no `pactl`, or no process can be had
        subprocess.SubprocessError : no answer
        """
        _, source = self._own()
        if not source:
            return None
        if source != self._source:
            described = _blocks(_ask("sources")).get(source, "")
            self._source, self._name = source, _value(described, "Description")
        return self._name

    def devices(self) -> list[Routed]:
        """What it has, microphones first.

        Raises
        ------
        OSError, subprocess.SubprocessError : as `heard`
        """
        default = _field(_run("info"), "Default Source", "")
        found = []
        for text in _blocks(_ask("sources")).values():
            name, of_sink = _value(text, "Name"), _value(text, "Monitor of Sink")
            called = _value(text, "Description") or name
            plays = of_sink not in ("", "n/a")
            channels = PLAIN.get(_value(text, "Channel Map"), 0)
            found.append(Routed(name, called, name == default, plays, channels))
        return sorted(found, key=lambda device: device.plays)

    def lead(self, device: Routed) -> bool:
        """Have the stream hear a device, unless it does; whether it was moved.

        Raises
        ------
        OSError, subprocess.SubprocessError : as `heard`, or there is no such device
        """
        stream, source = self._own()
        if not stream or _value(_blocks(_ask("sources")).get(source, ""), "Name") == device.name:
            return False
        _run("move-source-output", stream, device.name)
        return True

    def _own(self) -> tuple[str, str]:
        """The stream and its source, by their numbers; "" where there is none."""
        streams = _own_streams()
        stream = self.stream or next(reversed(streams), "")
        return (stream, streams[stream]) if stream in streams else ("", "")


def _own_streams() -> dict[str, str]:
    """This process's streams, the newest last, and their sources, by their numbers."""
    mine = f'application.process.id = "{os.getpid()}"'
    every = _blocks(_ask("source-outputs")).items()
    return {number: _value(text, "Source") for number, text in every if mine in text}


@contextmanager
def heard_from_the_start(source: str) -> Iterator[None]:
    """Have a stream that is opened meanwhile hear a source, and not another until it is led there.

    One at a time may do this, as an environment is of the whole process.

    Parameters
    ----------
    source : the server's name of it; "" leaves the choice to the server
    """
    before = os.environ.get(SOURCE)
    if source:
        os.environ[SOURCE] = source
    try:
        yield
    finally:
        if source and before is None:
            del os.environ[SOURCE]
        elif source and before is not None:
            os.environ[SOURCE] = before


class NewStream:
    """Finds which stream of this process is opened while its context lasts.

    Attributes
    ----------
    number : of the stream; "" where the sound server cannot tell
    """

    def __init__(self) -> None:
        self.number = ""

    def __enter__(self) -> Self:
        self._before = _own_streams_if_told()
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None and (now := _own_streams_if_told()) is not None:
            self.number = next(reversed([one for one in now if one not in self._before]), "")


def _own_streams_if_told() -> dict[str, str] | None:
    try:
        return _own_streams()
    except (OSError, subprocess.SubprocessError):
        return None


class Lead:
    """Keeps a stream at the device that is asked for, where the sound server has it.

    Parameters
    ----------
    device : its name, as people or the server call it; anything else is PortAudio's to find
    only : no other device is to be heard in its place

    Attributes
    ----------
    opens : what PortAudio is to open
    source : the server's name of the device; "" where it is PortAudio's to find
    channels : of it; 0 for all that PortAudio offers
    """

    def __init__(self, device: str | int | None, only: bool = False) -> None:
        self._route = device_called(device) if isinstance(device, str) else None
        self._only = only
        self.opens = None if self._route else device
        self.source = self._route.name if self._route else ""
        self.channels = self._route.channels if self._route else 0

    def begin(self, stream: str) -> bool:
        """Lead the stream there; whether it heard another device until now.

        Raises
        ------
        CaptureError : that cannot be
        """
        if not self._route:
            return False
        gone = CaptureError(f"microphone {self._route.called!r} cannot be heard; connect it")
        if self._only and not stream:  # the newest may be another room's
            raise gone
        try:
            return SoundServer(stream).lead(self._route)
        except (OSError, subprocess.SubprocessError) as err:
            raise gone from err

    def keep(self, server: SoundServer) -> None:
        """Lead it there again, if it went elsewhere and the device is there.

        Raises
        ------
        CaptureError : the device is gone, and no other is to be heard
        OSError, subprocess.SubprocessError : the server does not answer
        """
        if not self._route:
            return
        try:
            server.lead(self._route)
        except subprocess.CalledProcessError as err:  # it is gone: another one is heard
            if self._only:
                raise CaptureError(
                    f"microphone {self._route.called!r} was lost; connect it again"
                ) from err


def device_called(called: str) -> Routed | None:
    """The sound server's device of a name, its own or people's; None where it has none."""
    try:
        found = SoundServer().devices()
    except (OSError, subprocess.SubprocessError):
        return None
    return next((device for device in found if called in (device.called, device.name)), None)


def plain_name(device: str) -> str:
    """A device of PortAudio as people call it; "" where its name tells nothing."""
    return "" if device in WAYS else HARDWARE.sub("", device)[:LONGEST]


def is_routed(device: str) -> bool:
    """Whether a sound server may stand between a device of PortAudio and the hardware."""
    return not HARDWARE.search(device)


def _ask(kind: str) -> str:
    return _run("list", kind)


def _run(*words: str) -> str:
    answer = subprocess.run(
        ["pactl", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=ANSWER_S,
        env={**os.environ, "LC_ALL": "C"},
    )
    return answer.stdout.decode(errors="replace")


def _blocks(text: str) -> dict[str, str]:
    """What stands under each heading such as "Source #3", by the number, in its order."""
    _, *parts = re.split(r"^[A-Z][A-Za-z ]* #(\d+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _value(block: str, name: str) -> str:
    return _field(block, name, "\t")[:LONGEST]


def _field(text: str, name: str, indent: str) -> str:
    found = re.search(rf"^{indent}{name}: (.*)$", text, flags=re.MULTILINE)
    return "".join(c for c in found[1] if c.isprintable()).strip() if found else ""
