"""Another voice: changes found and false dashes in made conversations, and when the dash comes;
lines that end where the voice changes without a pause."""

import time
from collections.abc import Callable, Iterator
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
GAPS_S = 0.0, 0.2  # between those that do not
SPOKEN_DB = 30.0  # under the loud parts of a recording: softer ones at its ends are left out
NEAR_S = 1.0  # of a change, in which a line that was split begins
N_TURNS = (
    12  # of a conversation; there is one of two, three and four readers from each of the five on
)
ALONE_S = 300.0  # of each reader who reads on
FRAME = 320  # samples, 20 ms
ALONE = 60  # turns of each reader who speaks alone, six minutes
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


@dataclass(frozen=True)
class Split:
    """The sample at which a line was split for another voice, and when; if a dash was told."""

    start: int
    known: int
    dash: bool


def bench_voices() -> None:
    """Conversations of two to four readers, and half an hour of single ones, for each condition."""
    for name, change in CONDITIONS.items():
        table(f"Another voice, {name}", [])
        model = AtOnce(VoiceEncoder())
        tag = VoicesTag(model, model.likeness)
        heard_s = together(tag, change) + alone(tag, change) + within(tag, change)
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
        dashes = heard(tag, change(samples, rng))[0]
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
    n_dashes, length_s = 0, 0.0
    for reader in READERS:
        rng = np.random.default_rng(int(reader))
        samples, _ = conversation((reader,), ALONE, rng)
        dashes = heard(tag, change(samples, rng))[0]
        n_dashes, length_s = n_dashes + len(dashes), length_s + len(samples) / SAMPLE_RATE
        tag.forget()
    rate = f"{3600 * n_dashes / length_s:.1f} ({n_dashes} in {length_s / 60:.0f} minutes)"
    row("false dashes in an hour of one voice", rate)
    return length_s


def within(tag: VoicesTag, change: Change) -> float:
    """Lines that are split where readers take turns without a pause, and where one reads on alone;
    returns how long they speak, in s."""
    n_changes, n_false, n_alone, length_s, alone_s = 0, 0, 0, 0.0, 0.0
    found: list[tuple[float, float, bool]] = []
    for n_voices, first in product((2, 3), range(len(READERS))):
        rng = np.random.default_rng((n_voices, first, 0))
        readers = tuple(READERS[(first + i) % len(READERS)] for i in range(n_voices))
        samples, turns = conversation(readers, N_TURNS, rng, GAPS_S)
        right, false = placed(turns, heard(tag, change(samples, rng))[1])
        found, n_false, n_changes = found + right, n_false + false, n_changes + len(turns) - 1
        length_s += len(samples) / SAMPLE_RATE
        tag.forget()
    for reader in READERS:
        rng = np.random.default_rng(int(reader))
        samples = read_on(reader)
        n_alone += len(heard(tag, change(samples, rng))[1])
        alone_s += len(samples) / SAMPLE_RATE
        tag.forget()
    row(
        "without a pause: lines split, of changes", f"{share(len(found), n_changes)} of {n_changes}"
    )
    row("... with a dash before what follows", share(sum(dash for *_, dash in found), len(found)))
    row("... known after the change", spread([late_s for late_s, *_ in found]))
    row("... from the change to the split", spread([abs(off_s) for _, off_s, _ in found]))
    row("... split elsewhere", f"{n_false} in {length_s / 60:.0f} minutes")
    rate = f"{3600 * n_alone / alone_s:.1f} ({n_alone} in {alone_s / 60:.0f} minutes)"
    row("lines of one voice split in an hour", rate)
    return length_s + alone_s


def read_on(reader: str) -> np.ndarray:
    """One reader's recordings, in their order, `ALONE_S` of them."""
    parts = [np.zeros(SAMPLE_RATE)]
    for number in (x for x in manifest(1) if x["speaker_id"] == reader):
        parts.append(_level(audio.load(SPEECH / number["path"])))
        if sum(map(len, parts)) > ALONE_S * SAMPLE_RATE:
            break
    sound = np.concatenate(parts)
    return (sound + np.random.default_rng(0).normal(0, 1e-4, len(sound))).astype(np.float32)


def placed(turns: list[Turn], splits: list[Split]) -> tuple[list[tuple[float, float, bool]], int]:
    """Of changes at which a line was split: delay and distance in s, and if a dash was told; and
    how many were split elsewhere."""
    starts = np.array([turn.start for turn in turns[1:]])
    found: dict[int, tuple[float, float, bool]] = {}
    false = 0
    for split in splits:
        turn = int(np.argmin(np.abs(starts - split.start)))
        late_s = (split.known - starts[turn]) / SAMPLE_RATE
        off_s = (split.start - starts[turn]) / SAMPLE_RATE
        if abs(off_s) < NEAR_S and turn not in found:
            found[turn] = late_s, off_s, split.dash
        else:
            false += 1
    return list(found.values()), false


def conversation(
    readers: tuple[str, ...],
    n_turns: int,
    rng: np.random.Generator,
    pauses_s: tuple[float, float] = PAUSES_S,
) -> tuple[np.ndarray, list[Turn]]:
    """Readers who take turns, never twice in a row where there are others."""
    rows = manifest(1)
    paths = {r: [x["path"] for x in rows if x["speaker_id"] == r] for r in readers}
    parts, turns, at, last = [], [], 0, ""
    for _ in range(n_turns):
        reader = str(rng.choice([r for r in readers if r != last or len(readers) == 1]))
        samples = audio.load(SPEECH / str(rng.choice(paths[reader])))
        if pauses_s[1] < PAUSES_S[0]:
            samples = _spoken(samples)
        samples = samples[: int(rng.uniform(*TURNS_S) * SAMPLE_RATE)]
        pause = np.zeros(int(rng.uniform(*pauses_s) * SAMPLE_RATE))
        parts += [pause, _level(samples)]
        turns.append(Turn(reader, at + len(pause)))
        at += len(pause) + len(samples)
        last = reader
    sound = np.concatenate([*parts, np.zeros(SAMPLE_RATE)])
    return (sound + rng.normal(0, 1e-4, len(sound))).astype(np.float32), turns


def _level(samples: np.ndarray) -> np.ndarray:
    return samples * (0.05 / max(float(np.sqrt(np.mean(np.square(samples)))), 1e-6))


def _spoken(samples: np.ndarray) -> np.ndarray:
    """Without the quiet at both ends."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    level_db = 10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12)
    loud = np.flatnonzero(level_db > np.percentile(level_db, 95) - SPOKEN_DB)
    return samples[loud[0] * FRAME : (loud[-1] + 1) * FRAME]


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


def heard(tag: VoicesTag, samples: np.ndarray) -> tuple[list[Dash], list[Split]]:
    """The lines that begin with a dash once they are final, and those that go on from a split."""
    segmenter, open_line, known, now = Segmenter(VoiceActivity()), False, -1, 0
    dashes, splits, turned = [], [], -1
    for chunk in all_chunks(segmenter, samples):
        if not open_line:
            tag.begin(live=True)
            open_line, known = True, -1
        now = max(now, chunk.end)
        if not chunk.last and tag.grow(chunk.samples) and known < 0:
            known = now
        if between := tag.ends():
            segmenter.split(*between)
        if chunk.last:
            tag.finish(chunk.samples)
            dash = bool(tag.after_text("words", chunk.samples))
            if dash:
                dashes.append(Dash(chunk.start, known if known >= 0 else now))
            if turned >= 0:
                splits.append(Split(chunk.start, turned, dash))
            turned = now if between and now > chunk.end else -1
            open_line = False
    return dashes, splits


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
