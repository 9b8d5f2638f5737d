"""Test a recogniser of digits on one voice, through the whole live pipeline."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.asr.compose import join, load_noises
from training.asr.digits import Digit
from training.asr.steps import word_errors
from training.asr.train import TEST_NOISE
from training.sound.augmentation import mix
from utils import audio
from utils.asr import Transcriber
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.events import AudioFrame, Word

QUIET_S = 1.2  # of room between two utterances: each becomes a segment of its own
ROOM = 1e-4  # level of an empty room's noise
LONGEST_S = 0.5  # pause between two digits in a row
SNR_DB = 15.0  # of the noisy test, over the whole utterance
FRAME = 1600  # samples that arrive at a time


@dataclass(frozen=True)
class Score:
    """What was heard of some utterances.

    Parameters
    ----------
    words, sub, ins, del_ : words spoken, and those wrong, too many and missing
    late_s : for each right word of a right utterance, by how much its time lies after the
        end of the word (negative: before it)
    """

    name: str
    words: int
    sub: int
    ins: int
    del_: int
    late_s: tuple[float, ...]

    @property
    def wer(self) -> float:
        """Word error rate."""
        return (self.sub + self.ins + self.del_) / max(self.words, 1)


@dataclass(frozen=True, eq=False)
class Spoken:
    """Samples (n,) of an utterance, its words and where they are, as sample indices."""

    samples: np.ndarray
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


def conditions(
    recordings: Sequence[Digit], noises: Sequence[Path]
) -> Iterator[tuple[str, list[Spoken]]]:
    """Each recording alone; all in rows of two to eight; the same in noise.

    Every recording stands in each test once. Levels are as recorded.

    Parameters
    ----------
    noises : recordings of ESC-10, of which the fifth fold is used, that no training heard
    """
    sounds = {digit: audio.load(digit.path) for digit in recordings}
    yield "single digits", [_utterance([d], sounds, ()) for d in recordings]
    rng = np.random.default_rng(0)
    rows = list(_rows([recordings[k] for k in rng.permutation(len(recordings))], rng))
    pauses = [tuple(rng.uniform(0.0, LONGEST_S, len(row) - 1)) for row in rows]
    connected = [_utterance(row, sounds, gaps) for row, gaps in zip(rows, pauses)]
    yield "two to eight in a row", connected
    unheard = load_noises([path for path in noises if path.stem.startswith(TEST_NOISE)])
    if unheard:
        noisy = [Spoken(_noisy(u.samples, unheard, rng), u.words, u.spans) for u in connected]
        yield f"the same, noise at {SNR_DB:.0f} dB", noisy


def _rows(order: Sequence[Digit], rng: np.random.Generator) -> Iterator[list[Digit]]:
    at = 0
    while at < len(order):
        n = int(rng.integers(2, 9))
        yield list(order[at : at + n])
        at += n


def _utterance(
    row: Sequence[Digit], sounds: dict[Digit, np.ndarray], gaps: Sequence[float]
) -> Spoken:
    samples, spans = join([sounds[d] for d in row], 0.0, gaps, 0.0)
    return Spoken(samples, tuple(d.word for d in row), spans)


def _noisy(
    samples: np.ndarray, noises: Sequence[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    noise = np.resize(noises[int(rng.integers(len(noises)))], len(samples))
    return mix(samples, noise, SNR_DB).astype(np.float32)


def score(
    name: str,
    utterances: Sequence[Spoken],
    transcriber: Transcriber,
    progress: Callable[[int], None],
) -> Score:
    """Stream utterances, with quiet around each, through speech detection and recogniser.

    Parameters
    ----------
    progress : called with 1 after each utterance
    """
    captioner, room = Captioner(transcriber), np.random.default_rng(1)
    truth, found, late_s = [], [], []
    for spoken in utterances:
        quiet_samples = int(QUIET_S * SAMPLE_RATE)
        samples = np.pad(spoken.samples, quiet_samples)
        samples = samples + room.normal(0, ROOM, len(samples)).astype(np.float32)
        text, words = hear(samples, captioner)
        truth.append(" ".join(spoken.words))
        found.append(text)
        if text == truth[-1] and len(words) == len(spoken.spans):
            ends_s = [(quiet_samples + end) / SAMPLE_RATE for _, end in spoken.spans]
            late_s += [word.end_s - end_s for word, end_s in zip(words, ends_s)]
        progress(1)
    counts = word_errors(truth, found)
    return Score(name, counts["words"], counts["sub"], counts["ins"], counts["del"], tuple(late_s))


def hear(samples: np.ndarray, captioner: Captioner) -> tuple[str, list[Word]]:
    """Final text of all captions of (n,) samples that arrive in steps, and its words."""
    texts: list[str] = []
    words: list[Word] = []
    frames = [AudioFrame(at, samples[at : at + FRAME]) for at in range(0, len(samples), FRAME)]
    events = [event for frame in frames for event in captioner.push(frame)]
    for event in [*events, *captioner.flush()]:
        if event.final and event.text:
            texts.append(event.text)
            words += event.words
    return " ".join(texts), words
