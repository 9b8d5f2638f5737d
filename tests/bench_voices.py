"""Another voice: changes found and false dashes in made conversations, and when the dash comes."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from tests.hard_rooms import across_room, in_rain
from tests.measuring import SPEECH, frames, manifest, row, share, spread, table
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.segmenter import Segmenter
from utils.captions.vad import VoiceActivity
from utils.events import SpeechChunk
from utils.tags.voice_encoder import VoiceEncoder
from utils.tags.voices import VoicesTag

READERS = ("1988", "1993", "2035", "2078", "2086")  # thresholds were chosen on the other five
TURNS_S = 1.5, 8.0
PAUSES_S = 0.9, 1.6  # between turns, so that each begins a line
# Of a conversation; there is one of two, three and four readers from each of the five on.
N_TURNS = 12
ALONE = 60  # turns of each reader who speaks alone in several recordings, six minutes
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
CONDITIONS: dict[str, Change] = {
    "clean": lambda samples, rng: samples,
    "rain at 10 dB": lambda samples, rng: in_rain(samples, samples, 10, rng),
    "across a room, RT60 0.5 s": lambda samples, rng: across_room(samples, 0.5, 2.0, rng),
}


@dataclass(frozen=True)
class Turn:
    """Somebody speaks, from a sample on."""

    reader: str
    start: int


@dataclass(frozen=True)
class Dash:
    """A line that began with a dash, and the sample at which that was known first."""

    start: int
    known: int


def bench_voices() -> None:
    """Conversations of two to four readers, and single ones, for each condition."""
    for name, change in CONDITIONS.items():
        table(f"Another voice, {name}", [])
        model = AtOnce(VoiceEncoder())
        tag = VoicesTag(model, model.likeness)
        heard_s = together(tag, change) + alone(tag, change)
        row("processor time of telling voices", f"{share(model.work_s, heard_s)} of one core")
        tag.close()


def together(tag: VoicesTag, change: Change) -> float:
    """What is found where readers take turns; returns how long they speak, in s."""
    n_found = n_changes = n_false = n_samples = 0
    delays: list[float] = []
    for n_voices, first in product((2, 3, 4), range(len(READERS))):
        rng = np.random.default_rng((n_voices, first))
        readers = tuple(READERS[(first + i) % len(READERS)] for i in range(n_voices))
        samples, turns = conversation(readers, N_TURNS, rng)
        dashes = dashed(tag, change(samples, rng))
        found, changes, false, late = compared(turns, dashes)
        n_found, n_changes, n_false = n_found + found, n_changes + changes, n_false + false
        delays += late
        n_samples += len(samples)
        tag.forget()
    row("changes found", f"{share(n_found, n_changes)} of {n_changes}")
    row("dashes where the voice was the same", str(n_false))
    row("from the turn's start to its dash", spread(delays))
    return n_samples / SAMPLE_RATE


def alone(tag: VoicesTag, change: Change) -> float:
    """What is told of readers who speak alone; returns how long they speak, in s."""
    heard_s = 0.0
    for name, lines_of in {"one recording": longest_chapter, "several": any_lines}.items():
        n_dashes, length_s = 0, 0.0
        for reader in READERS:
            rng = np.random.default_rng(int(reader))
            samples, _ = joined([(reader, path) for path in lines_of(reader, rng)], rng)
            n_dashes += len(dashed(tag, change(samples, rng)))
            length_s += len(samples) / SAMPLE_RATE
            tag.forget()
        rate = f"{3600 * n_dashes / length_s:.1f} ({n_dashes} in {length_s / 60:.0f} minutes)"
        row(f"false dashes in an hour of one voice, {name}", rate)
        heard_s += length_s
    return heard_s


def longest_chapter(reader: str, rng: np.random.Generator) -> list[str]:
    """Paths of the lines that a reader read one after the other, most of them, in their order."""
    chapters: dict[str, list[str]] = {}
    for path in paths_of(reader):
        chapters.setdefault(path.rpartition("-")[0], []).append(path)
    return max(chapters.values(), key=len)


def any_lines(reader: str, rng: np.random.Generator) -> list[str]:
    """Paths of `ALONE` lines that were recorded on several days, mixed."""
    return [str(rng.choice(paths_of(reader))) for _ in range(ALONE)]


def paths_of(reader: str) -> list[str]:
    """Paths of all lines of a reader, chapter by chapter."""
    return sorted(x["path"] for x in manifest(1) if x["speaker_id"] == reader)


def conversation(
    readers: tuple[str, ...], n_turns: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[Turn]]:
    """Readers who take turns, never twice in a row."""
    lines, last = [], ""
    for _ in range(n_turns):
        last = str(rng.choice([reader for reader in readers if reader != last]))
        lines.append((last, str(rng.choice(paths_of(last)))))
    return joined(lines, rng)


def joined(
    lines: Iterable[tuple[str, str]], rng: np.random.Generator
) -> tuple[np.ndarray, list[Turn]]:
    """Lines of readers, cut to turns, with a pause before each."""
    parts, turns, at = [], [], 0
    for reader, path in lines:
        samples = audio.load(SPEECH / path)
        samples = samples[: int(rng.uniform(*TURNS_S) * SAMPLE_RATE)]
        level = 0.05 / max(float(np.sqrt(np.mean(np.square(samples)))), 1e-6)
        pause = np.zeros(int(rng.uniform(*PAUSES_S) * SAMPLE_RATE))
        parts += [pause, samples * level]
        turns.append(Turn(reader, at + len(pause)))
        at += len(pause) + len(samples)
    sound = np.concatenate([*parts, np.zeros(SAMPLE_RATE)])
    return (sound + rng.normal(0, 1e-4, len(sound))).astype(np.float32), turns


class AtOnce:
    """A model whose embeddings are there when they are asked for: sound has its own clock here.

    Attributes
    ----------
    work_s : processor time that they took
    """

    def __init__(self, model: VoiceEncoder) -> None:
        self._model = model
        self.likeness = model.likeness
        self.work_s = 0.0

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        """The embedding, worked out."""
        future: Future[np.ndarray] = Future()
        began = time.process_time()
        future.set_result(self._model.embedding(samples))
        self.work_s += time.process_time() - began
        return future

    def close(self) -> None:
        """Let the model go."""
        self._model.close()


def dashed(tag: VoicesTag, samples: np.ndarray) -> list[Dash]:
    """The lines that begin with a dash once they are final."""
    segmenter, dashes, open_line, known = Segmenter(VoiceActivity()), [], False, -1
    for chunk in all_chunks(segmenter, samples):
        if not open_line:
            tag.begin(live=True)
            open_line, known = True, -1
        if tag.grow(chunk.samples) and known < 0:
            known = chunk.end
        if chunk.last:
            if tag.after_text("words", chunk.samples):
                dashes.append(Dash(chunk.start, known if known >= 0 else chunk.end))
            open_line = False
    return dashes


def all_chunks(segmenter: Segmenter, samples: np.ndarray) -> Iterator[SpeechChunk]:
    """Speech in a recording."""
    for frame in frames(samples):
        yield from segmenter.push(frame)
    yield from segmenter.flush()


def compared(turns: list[Turn], dashes: list[Dash]) -> tuple[int, int, int, list[float]]:
    """Changes found, changes in all, dashes where none is due, and delays in s."""
    starts = np.array([turn.start for turn in turns])
    found: dict[int, float] = {}
    false = 0
    for dash in dashes:
        # a line begins 0.3 s before its speech
        turn = int(np.searchsorted(starts, dash.start + SAMPLE_RATE // 2, "right")) - 1
        begins = turn > 0 and dash.start - starts[turn] < SAMPLE_RATE
        if begins and turns[turn].reader != turns[turn - 1].reader and turn not in found:
            found[turn] = (dash.known - starts[turn]) / SAMPLE_RATE
        else:
            false += 1
    changes = sum(a.reader != b.reader for a, b in pairwise(turns))
    return len(found), changes, false, list(found.values())
