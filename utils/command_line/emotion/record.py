"""`python emotion_model.py record`: from the microphone to how it was spoken."""

import io
import sys
import wave

import numpy as np

from utils.audio import SAMPLE_RATE, level_db, pcm16
from utils.command_line.emotion.bars import bar, bars
from utils.command_line.emotion.chunks import Chunk, Ear
from utils.command_line.emotion.kept import Kept
from utils.command_line.emotion.recognizer import Recognizer
from utils.command_line.output import note, put
from utils.errors import AudioError
from utils.sources import FRAME_SAMPLES, MicrophoneSource

METER, FLOOR_DB = 20, -60.0  # characters of the level's bar, and the level at which it is empty
EVERY = 3  # frames between two looks at the level: 0.1 s


def record(
    recognizer: Recognizer, seconds: float, device: str | None = None, out: Kept | None = None
) -> None:
    """Record, tell the emotion with its grade and a bar for each class, and keep the sound.

    Parameters
    ----------
    device : as `MicrophoneSource` takes it
    out : where it is kept as WAV

    Raises
    ------
    CaptureError : no microphone, or it was lost; nothing is kept
    AudioError : it gave nothing but zeros; nothing is kept
    DataError : it cannot be kept, after all was told
    """
    ear = Ear(recognizer)
    samples = listen(seconds, device)
    chunk = ear.hear(samples)
    put(told(chunk))
    if out:
        out.write(to_wav(samples))
        note(f"kept in {out.path}")


def listen(seconds: float, device: str | None) -> np.ndarray:
    """So many seconds from the microphone, float32 (n,), with a countdown on a terminal.

    Raises
    ------
    CaptureError, AudioError : as `record`
    """
    wanted = round(seconds * SAMPLE_RATE)
    frames: list[np.ndarray] = []
    with MicrophoneSource(device) as microphone:
        for frame in microphone:
            if not frames:  # only now it is known which device is heard
                note(f"Speak now: {seconds:g} s are recorded from {_name(microphone)}.")
            frames.append(frame.samples)
            if len(frames) % EVERY == 0:
                left = max(0, wanted - len(frames) * FRAME_SAMPLES)
                _show(left / SAMPLE_RATE, level_db(np.concatenate(frames[-EVERY:])))
            if sum(map(len, frames)) >= wanted:
                break
    _show(None, 0.0)
    samples = np.concatenate([*frames, np.zeros(0, np.float32)])[:wanted]
    if not samples.any():
        raise AudioError(
            f"{_name(microphone)} gave no sound at all: is it muted or unplugged? "
            "`python app.py microphones` lists the others, for --microphone"
        )
    return samples


def told(chunk: Chunk) -> str:
    """How it was spoken, and a bar for each class."""
    if chunk.scores is None:
        return "no speech: none is heard in it; come closer, or speak louder\n"
    if chunk.emotion is None:
        return f"unsure: nothing is clear enough to be told\n{bars(chunk.scores)}"
    return f"{chunk.named}\n{bars(chunk.scores)}"


def to_wav(samples: np.ndarray) -> bytes:
    """A WAV of one channel, 16 bits and 16 kHz, of float32 (n,) in [-1, 1]."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(pcm16(samples).tobytes())
    return file.getvalue()


def _name(microphone: MicrophoneSource) -> str:
    name = microphone.heard or microphone.name
    return "the default microphone" if name == "default" else name


def _show(left_s: float | None, level: float) -> None:
    """The countdown and the level on a terminal; None takes them away."""
    if not sys.stderr.isatty():
        return
    line = "" if left_s is None else f"{left_s:5.1f} s  {bar(1 - level / FLOOR_DB, METER)}"
    print(f"\r{line:<{METER + 10}}", end="" if line else "\r", file=sys.stderr, flush=True)
