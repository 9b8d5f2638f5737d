"""Which device the sound server lets this program hear, as it calls it to people.

PortAudio only knows it as "default": the sound server chooses the device, and takes the stream
along when another one becomes the default. It is asked by its own command, in a process that
may hang or fail without harm.
"""

import logging
import os
import re
import subprocess

ANSWER_S = 2.0  # it answers within 10 ms
LONGEST = 60  # letters of a name
# Names that tell how sound comes, not from where.
WAYS = {"default", "sysdefault", "pulse", "pipewire", "jack", "dsnoop", "default microphone"}
HARDWARE = re.compile(r"\s*\(hw:[^)]*\)$")

log = logging.getLogger(__name__)


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
        source = None
        mine = f'application.process.id = "{os.getpid()}"'
        for text in _blocks(_ask("source-outputs")).values():  # the newest is the last
            if mine in text:
                source = _value(text, "Source") or source
        if source is None:
            return None
        if source != self._source:
            described = _blocks(_ask("sources")).get(source, "")
            self._source, self._name = source, _value(described, "Description")
        return self._name


def plain_name(device: str) -> str:
    """A device of PortAudio as people call it; "" where its name tells nothing."""
    return "" if device in WAYS else HARDWARE.sub("", device)[:LONGEST]


def is_routed(device: str) -> bool:
    """Whether a sound server may stand between a device of PortAudio and the hardware."""
    return not HARDWARE.search(device)


def _ask(kind: str) -> str:
    answer = subprocess.run(
        ["pactl", "list", kind],
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
    found = re.search(rf"^\t{name}: (.*)$", block, flags=re.MULTILINE)
    printable = "".join(c for c in found[1] if c.isprintable()) if found else ""
    return printable.strip()[:LONGEST]
