"""Real speech for the tests of Whisper, and ways to have it heard."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.scoring import normalised
from utils import audio
from utils.asr.whisper.model import Heard, WhisperModel, width
from utils.asr.whisper.stream import BEAM
from utils.words import align

DATA = Path(__file__).parent / "data"
SAID = (DATA / "speech.txt").read_text().split()
DIGITS_SAID = "".join(normalised((DATA / "digits.txt").read_text()))


def speech() -> np.ndarray:
    """A sentence with a pause in its middle, float32 (n,)."""
    return audio.load(DATA / "speech.flac")


def digits() -> np.ndarray:
    """Six digits with pauses between them, float32 (n,)."""
    return audio.load(DATA / "digits.flac")


def without_pauses(samples: np.ndarray, longest_s: float = 0.1) -> np.ndarray:
    """The same speech with its pauses cut down, so that no segment ends in it."""
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)  # of 10 ms
    quiet = np.abs(blocks).max(axis=1) < 0.04 * np.abs(samples).max()
    kept, run = [], longest_s
    for block, is_quiet in zip(blocks, quiet, strict=True):
        run = run + 0.01 if is_quiet else 0.0
        if run <= longest_s:
            kept.append(block)
    return np.concatenate(kept)


def hear(model: WhisperModel, samples: np.ndarray, beam: int = BEAM) -> Heard:
    """One pass over samples that come all at once."""
    mel = model.mel()
    mel.grow(samples)
    return model.hear(mel.features(len(samples), width(len(samples))), len(samples), beam)


def wrong(said: list[str], heard: str) -> int:
    """Words that are wrong, lost or too many; how numbers are written is no matter."""
    return sum(not step[0] for step in align(said, normalised(heard)))


def at_once(call: Callable[..., Heard], *args: object) -> "Future[Heard]":
    """Run a pass before it is asked for, in no time: the same on every machine."""
    future: Future[Heard] = Future()
    try:
        future.set_result(replace(call(*args), cost_s=0.0))
    except Exception as err:
        future.set_exception(err)
    return future
