"""The input devices of this computer, as people know them."""

import subprocess
from dataclasses import dataclass

from utils.sources.heard import SoundServer, plain_name
from utils.sources.portaudio import microphones


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
