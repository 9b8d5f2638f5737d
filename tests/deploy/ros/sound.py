"""Sound as ROS's messages bring it."""

from pathlib import Path

import av
import numpy as np
import soundfile

from tests.recordings import encode, speechlike
from utils.audio import SAMPLE_RATE, pcm16

HOME = Path(__file__).resolve().parents[3]
WORDS = "talking by the door"  # in angry.flac
PAUSE_S = 2.0  # after which a line has ended


def pcm(samples: np.ndarray, channels: int = 1) -> bytes:
    """float32 (n,) as 16-bit PCM, the same on each channel."""
    return np.repeat(pcm16(samples)[:, None], channels, axis=1).tobytes()


def said() -> np.ndarray:
    """Somebody who says `WORDS` angrily, and a pause, float32 (n,)."""
    speech, rate = soundfile.read(HOME / "tests/data/angry.flac", dtype="float32")
    assert rate == SAMPLE_RATE
    noise = np.random.default_rng(0).normal(0, 1e-3, round(PAUSE_S * rate))
    return np.concatenate([speech, noise.astype(np.float32)])


def mp3_messages(folder: Path) -> list[bytes]:
    """A second of sound as an encoder of MP3 hands it on."""
    path = encode(folder / "sound.mp3", speechlike(1, SAMPLE_RATE), SAMPLE_RATE, "mp3")
    with av.open(str(path)) as sound:
        return [bytes(packet) for packet in sound.demux(audio=0) if packet.size]
