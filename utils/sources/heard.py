"""Which device the sound server lets this program hear, and which others it has.

PortAudio only knows it as "default": the sound server chooses the device, and takes the stream
along when another one becomes the default, or when it is told to. It is asked by its own command,
in a process that may hang or fail without harm.
"""

import logging
import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from utils.errors import CaptureError

ANSWER_S = 2.0  # it answers within 10 ms
LONGEST = 60  # letters of a name
# Names that tell how sound comes, not from where.
WAYS = {"default", "sysdefault", "pulse", "pipewire", "jack", "dsnoop", "default microphone"}
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
    """

    name: str
    called: str
    default: bool
    plays: bool


class SoundServer:
    """Asks PulseAudio, or PipeWire in its place, with `pactl`."""

    def __init__(self) -> None:
        self._source = ""  # number of the one that `_name` is of
        self._name = ""

    def heard(self) -> str | None:
        """Name of the device that this process's newest stream hears; None if it has none.

        Raises
        ------
        OSError : there is no `pactl`, or no process can be had
        subprocess.SubprocessError : no answer
        """
        _, source = _own_stream()
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
            found.append(Routed(name, called, name == default, of_sink not in ("", "n/a")))
        return sorted(found, key=lambda device: device.plays)

    def lead(self, device: Routed) -> bool:
        """Have this process's newest stream hear a device, unless it does; whether it was moved.

        Raises
        ------
        OSError, subprocess.SubprocessError : as `heard`, or there is no such device
        """
        stream, source = _own_stream()
        if not stream or _value(_blocks(_ask("sources")).get(source, ""), "Name") == device.name:
            return False
        _run("move-source-output", stream, device.name)
        return True


def _own_stream() -> tuple[str, str]:
    """This process's newest stream and its source, by their numbers; "" where there is none."""
    stream = source = ""
    mine = f'application.process.id = "{os.getpid()}"'
    for number, text in _blocks(_ask("source-outputs")).items():  # the newest is the last
        if mine in text:
            stream, source = number, _value(text, "Source") or source
    return stream, source


class Lead:
    """Keeps this process's stream at the device that is asked for, where the sound server has it.

    Parameters
    ----------
    device : its name, as people or the server call it; anything else is PortAudio's to find

    Attributes
    ----------
    opens : what PortAudio is to open
    """

    def __init__(self, device: str | int | None) -> None:
        self._route = _device_called(device) if isinstance(device, str) else None
        self.opens = None if self._route else device

    def begin(self) -> bool:
        """Lead the stream there; whether it heard another device until now.

        Raises
        ------
        CaptureError : that cannot be
        """
        try:
            return self._route is not None and SoundServer().lead(self._route)
        except (OSError, subprocess.SubprocessError) as err:
            called = self._route.called if self._route else ""
            raise CaptureError(f"microphone {called!r} cannot be heard; connect it") from err

    def keep(self, server: SoundServer) -> None:
        """Lead it there again, if it went elsewhere and the device is there.

        Raises
        ------
        OSError, subprocess.SubprocessError : the server does not answer
        """
        if self._route:
            with suppress(subprocess.CalledProcessError):  # it is gone: another one is heard
                server.lead(self._route)


def _device_called(called: str) -> Routed | None:
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
