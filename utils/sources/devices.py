"""The input devices of this computer, as people know them."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from utils.errors import CaptureError
from utils.sources.heard import Routed, SoundServer, device_called, plain_name
from utils.sources.portaudio import Microphone, choose, microphones


@dataclass(frozen=True)
class InputDevice:
    """What can be listened to.

    Parameters
    ----------
    name : that `MicrophoneSource` takes, and people read
    default : what is heard where none is chosen
    plays : it is what this computer plays, no microphone
    """

    name: str
    default: bool
    plays: bool = False


def input_devices() -> list[InputDevice]:
    """The sound server's devices, microphones first; without one, those of PortAudio.

    Raises
    ------
    CaptureError : there is no sound server, and PortAudio cannot tell
    """
    try:
        behind = SoundServer().devices()
    except (OSError, subprocess.SubprocessError):
        found = [InputDevice(plain_name(mic.name), mic.default) for mic in microphones()]
        return list(dict.fromkeys(device for device in found if device.name))
    return [InputDevice(device.called, device.default, device.plays) for device in behind]


def devices_meant(asked: Sequence[str | int]) -> list[Routed | Microphone | None]:
    """The device that `MicrophoneSource` would open for each, now; None where it finds none.

    Parameters
    ----------
    asked : names, parts of names, or indices
    """
    found: list[Routed | Microphone | None]
    found = [device_called(device) if isinstance(device, str) else None for device in asked]
    if all(found):
        return found
    try:
        those = microphones()
    except CaptureError:
        those = []
    return [device or _chosen(name, those) for name, device in zip(asked, found, strict=True)]


def _chosen(device: str | int, found: Sequence[Microphone]) -> Microphone | None:
    try:
        return choose(device, found)
    except CaptureError:
        return None
