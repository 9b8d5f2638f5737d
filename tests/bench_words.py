"""How right the finished lines are: read speech as it is, and as it often arrives."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from tests.hard_rooms import CODECS, across_room, by_telephone, in_rain
from tests.measuring import (
    SPEECH,
    captioned,
    finals,
    listening,
    manifest,
    row,
    share,
    surrounded,
    table,
)
from tests.process_tree import cpu_s
from tests.scoring import word_errors
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner

RAIN_DB = 10.0
RT60_S, DISTANCE_M = 0.5, 2.0

Change = Callable[[np.ndarray, int], np.ndarray]  # an utterance and its number: as it arrives


@dataclass
class Errors:
    """Words wrong and words said, reader by reader."""

    wrong: dict[str, int] = field(default_factory=dict)
    said: dict[str, int] = field(default_factory=dict)

    def add(self, reader: str, said: str, heard: str) -> None:
        """Count an utterance."""
        wrong, n = word_errors(said, heard)
        self.wrong[reader] = self.wrong.get(reader, 0) + wrong
        self.said[reader] = self.said.get(reader, 0) + n

    @property
    def rate(self) -> str:
        """Of all readers together."""
        return share(sum(self.wrong.values()), sum(self.said.values()))

    def __str__(self) -> str:
        """The rate, and those of the best and the worst reader."""
        readers = sorted(self.said, key=lambda reader: self.wrong[reader] / self.said[reader])
        best, worst = readers[0], readers[-1]
        return (
            f"{self.rate}; best reader {share(self.wrong[best], self.said[best])} ({best}), "
            f"worst {share(self.wrong[worst], self.said[worst])} ({worst})"
        )


# ---- as it is, and as it often arrives


def bench_words(every: int, skip: int) -> None:
    """Word error rates of the finished lines, and what they cost; as fast as possible."""
    rows = manifest(every, skip)
    readers = len({r["speaker_id"] for r in rows})
    table(f"Words: {len(rows)} utterances of {readers} readers, whole pipeline, finished lines", [])
    with listening(live=False) as captioner:
        cpu, began = cpu_s(os.getpid()), time.monotonic()
        errors, sound_s = heard_errors(captioner, rows, as_it_is)
        wall_s, cpu = time.monotonic() - began, cpu_s(os.getpid()) - cpu
        row("word error rate", str(errors))
        row(f"real-time factor (wall clock), {sound_s / 60:.0f} minutes", f"{wall_s / sound_s:.2f}")
        row("processor time per second of sound", f"{cpu / sound_s:.2f} s")
        for name, change in CHANGES.items():
            errors, _ = heard_errors(captioner, rows, change)
            row(f"word error rate {name}", str(errors))


def heard_errors(
    captioner: Captioner, rows: list[dict[str, str]], change: Change
) -> tuple[Errors, float]:
    """Errors in utterances of the manifest, and how many seconds of sound they are."""
    errors, start = Errors(), 0
    for number, r in enumerate(rows):
        samples = change(audio.load(SPEECH / r["path"]), number)
        heard = finals(captioned(captioner, samples, start))
        start += len(samples)
        errors.add(r["speaker_id"], r["text"].lower(), heard)
    return errors, start / SAMPLE_RATE


def as_it_is(samples: np.ndarray, number: int) -> np.ndarray:
    """With quiet around it."""
    return surrounded(samples)


def _rain(samples: np.ndarray, number: int) -> np.ndarray:
    return in_rain(surrounded(samples), samples, RAIN_DB, np.random.default_rng(number))


def _room(samples: np.ndarray, number: int) -> np.ndarray:
    room = np.random.default_rng(number)
    return across_room(surrounded(samples), RT60_S, DISTANCE_M, room)


def _telephone(codec: str, samples: np.ndarray, number: int) -> np.ndarray:
    return by_telephone(surrounded(samples), codec)


CHANGES: dict[str, Change] = {
    f"in rain at {RAIN_DB:.0f} dB": _rain,
    **{f"by telephone, {codec}": partial(_telephone, codec) for codec in CODECS},
    f"in a room, {DISTANCE_M:.0f} m away, RT60 {RT60_S} s": _room,
}
