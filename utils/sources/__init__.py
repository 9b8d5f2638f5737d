"""Where sound comes from: a microphone or a recording, as the same stream of AudioFrame.

`file` plays a recording, `microphone` listens, `portaudio` finds and opens input devices,
`devices` lists them as people know them, and `frames` cuts sound of any rate into the program's
frames.
"""

from utils.sources.devices import InputDevice, devices_meant, input_devices
from utils.sources.file import FileSource
from utils.sources.frames import FRAME_SAMPLES, Source
from utils.sources.microphone import MicrophoneSource
from utils.sources.portaudio import Microphone, microphones

__all__ = [
    "FRAME_SAMPLES",
    "FileSource",
    "InputDevice",
    "Microphone",
    "MicrophoneSource",
    "Source",
    "devices_meant",
    "input_devices",
    "microphones",
]
