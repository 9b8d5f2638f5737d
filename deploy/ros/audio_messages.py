"""Audio messages of the packages that are called `audio_common_msgs`, read alike.

ros-drivers/audio_common has AudioData (bytes), AudioDataStamped and AudioInfo; the package of that
name by mgonzs13, for ROS 2, has AudioStamped, which holds samples of a type and tells their rate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deploy.ros.pcm import Audio
from utils.errors import ConfigError

INT16 = 8  # PortAudio's paInt16
PORTAUDIO = {1: "32-bit floats", 2: "32 bits", 4: "24 bits", 16: "8 bits", 32: "8 bits, unsigned"}


@dataclass(frozen=True)
class Heard:
    """What a message brings.

    Parameters
    ----------
    stamp_s : the sender's time of the first sample; 0.0 where it tells none
    frame : where it was heard; "" where that is not told
    form : rate, channels, samples and coding as `Audio.describe` takes them; None where not told
    """

    data: bytes
    stamp_s: float = 0.0
    frame: str = ""
    form: tuple[int, int, str, str] | None = None


def plain(message: Any) -> Heard:
    """An AudioData."""
    return Heard(bytes(message.data))


def stamped(message: Any) -> Heard:
    """An AudioDataStamped."""
    header = message.header
    return Heard(bytes(message.audio.data), seconds(header.stamp), header.frame_id)


def described(message: Any) -> Heard:
    """An AudioStamped."""
    header, info = message.header, message.audio.info
    samples = "S16LE" if info.format == INT16 else PORTAUDIO.get(info.format, str(info.format))
    data = np.asarray(message.audio.audio_data.int16_data, "<i2").tobytes()
    form = info.rate, info.channels, samples, "wave"
    return Heard(data, seconds(header.stamp), header.frame_id, form)


def seconds(stamp: Any) -> float:
    """A time of ROS 1 or of ROS 2."""
    if hasattr(stamp, "nanosec"):
        return stamp.sec + stamp.nanosec / 1e9
    return stamp.secs + stamp.nsecs / 1e9


def kind(messages: Any, with_stamps: bool) -> tuple[type, Callable[[Any], Heard]]:
    """The type of message to subscribe to, and what reads it.

    Parameters
    ----------
    messages : the module `audio_common_msgs.msg`
    with_stamps : AudioDataStamped is asked for

    Raises
    ------
    ConfigError : there is no such type
    """
    if hasattr(messages, "AudioStamped"):
        return messages.AudioStamped, described
    if not with_stamps:
        return messages.AudioData, plain
    if not hasattr(messages, "AudioDataStamped"):
        raise ConfigError(
            "stamped is set, and the audio_common_msgs that is installed has no AudioDataStamped: "
            "get a newer one, or leave stamped out"
        )
    return messages.AudioDataStamped, stamped


def info_kind(messages: Any) -> type | None:
    """AudioInfo, where there is one that a topic of its own brings."""
    found = getattr(messages, "AudioInfo", None)
    return found if found and hasattr(found(), "coding_format") else None


class Ear:
    """Takes messages to an `Audio`.

    Parameters
    ----------
    read : reads a message
    now : the present time by ROS's clock, in seconds, for messages without a stamp

    Attributes
    ----------
    frame : where the last was heard
    """

    def __init__(self, audio: Audio, read: Callable[[Any], Heard], now: Callable[[], float]):
        self.frame = ""
        self._audio, self._read, self._now = audio, read, now

    def hear(self, message: Any) -> None:
        """Take sound."""
        heard = self._read(message)
        self.frame = heard.frame
        if heard.form:
            self._audio.describe(*heard.form)
        stamp_s = heard.stamp_s or self._now() - self._audio.seconds(heard.data)
        self._audio.put(heard.data, stamp_s)

    def describe(self, info: Any) -> None:
        """Take an AudioInfo."""
        self._audio.describe(
            info.sample_rate, info.channels, info.sample_format, info.coding_format
        )
