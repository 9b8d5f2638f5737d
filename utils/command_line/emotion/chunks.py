"""Sound chunk by chunk, and what the emotion network says of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.audio import SAMPLE_RATE, level_db
from utils.captions.vad import VoiceActivity
from utils.command_line.emotion.recognizer import Recognizer, answer
from utils.emotion.place import Place
from utils.emotion.windows import MIN_S
from utils.errors import AudioError
from utils.events import Emotion

LEVEL_S = 0.1  # from one level to the next


@dataclass(frozen=True, eq=False)
class Chunk:
    """A stretch of sound, and how it was spoken.

    Parameters
    ----------
    start_s, end_s : its place
    samples : float32 (n,), mono, 16 kHz
    emotion : None where the network is not sure, or there is no speech
    scores : class -> probability; None where there is no speech
    """

    start_s: float
    end_s: float
    samples: np.ndarray
    emotion: Emotion | None
    scores: dict[str, float] | None

    @property
    def named(self) -> str:
        """What is told of it: "happy, sure", "unsure" or "no speech"."""
        if self.scores is None:
            return "no speech"
        return f"{self.emotion.label}, {self.emotion.grade}" if self.emotion else "unsure"

    def levels_db(self) -> np.ndarray:
        """Its level every `LEVEL_S`, (n_levels,), dB relative to full scale."""
        n = max(1, round(len(self.samples) / (LEVEL_S * SAMPLE_RATE)))
        return np.array([level_db(part) for part in np.array_split(self.samples, n)])

    def to_dict(self, path: str) -> dict[str, Any]:
        """As a JSON line: plain types only, named as those of whole recordings."""
        return {
            "path": path,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "speech": self.scores is not None,
            **answer(self.emotion, self.scores),
        }


class Ear:
    """Hears chunks of one microphone and room, each against how the speech before sounded there.

    Parameters
    ----------
    recognizer : tells the emotion

    Raises
    ------
    ModelError : the voice activity detector cannot be loaded
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._voice = VoiceActivity()
        self._place = Place()

    def hear(self, samples: np.ndarray, start: int = 0) -> Chunk:
        """What is told of float32 (n,) whose first sample has that index."""
        times = (start / SAMPLE_RATE, (start + len(samples)) / SAMPLE_RATE)
        if not self._voice.hears_speech(samples):
            return Chunk(*times, samples, None, None)
        told = self._recognizer.estimate(samples, self._place, learn=[self._place])
        return Chunk(*times, samples, *told)

    def along(self, blocks: Iterable[np.ndarray], chunk_s: float) -> Iterator[Chunk]:
        """Sound, heard chunk by chunk as it comes.

        Raises
        ------
        AudioError : too short to say anything about; or as `blocks`, after all that came before
        """
        start = 0
        for samples in cut(blocks, chunk_s):
            yield self.hear(samples, start)
            start += len(samples)


def cut(blocks: Iterable[np.ndarray], chunk_s: float) -> Iterator[np.ndarray]:
    """Sound in chunks; the last takes a rest along that would be too short to be heard alone.

    Raises
    ------
    AudioError : all of it is too short; or as `blocks`, after all that came before
    """
    size, least = round(chunk_s * SAMPLE_RATE), round(MIN_S * SAMPLE_RATE)
    rest, error = np.zeros(0, np.float32), None
    n_chunks = 0
    source = iter(blocks)
    while error is None:
        try:
            rest = np.concatenate([rest, next(source)])
        except StopIteration:
            break
        except AudioError as err:  # what could be read counts
            error = err
        while len(rest) >= size + least:
            yield rest[:size]
            rest, n_chunks = rest[size:], n_chunks + 1
    if len(rest) >= least:
        yield rest
    elif error is None and n_chunks == 0:
        raise AudioError(
            f"{len(rest) / SAMPLE_RATE:.3f} s of audio, expected at least {MIN_S} s; give a longer "
            "recording"
        )
    if error is not None:
        raise error
