"""What the parts of `make bench` share: recordings, their pace, the pipeline, the tables."""

import csv
import itertools
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from tests.scoring import LONGEST_S, aligned_words
from utils import audio
from utils.asr import Tuning
from utils.asr.choose import open_embedded
from utils.audio import SAMPLE_RATE
from utils.captions.ear import ON
from utils.captions.pipeline import Captioner
from utils.captions.vad import WINDOW_SAMPLES, VoiceActivity
from utils.events import AudioFrame, CaptionEvent
from utils.sources import FRAME_SAMPLES
from utils.tags.emotion import EmotionTag

HOME = Path(__file__).resolve().parents[1]
SHARED = HOME.parent / "shared"
SPEECH = SHARED / "speech" / "librispeech-dev-clean"
BEFORE_S, PAUSE_S = 1.0, 1.5  # of quiet before and after each utterance
ROOM = 1e-4  # RMS of that quiet: faint room noise


# ---- tables


def table(title: str, rows: Iterable[tuple[str, str]]) -> None:
    """Print a title, and a row for each name and value."""
    print(f"\n{title}", flush=True)
    for name, value in rows:
        row(name, value)


def row(name: str, value: str) -> None:
    """Print one row."""
    print(f"  {name:<66} {value}", flush=True)


def spread(values: list[float], unit: str = "s") -> str:
    """Median and 95th percentile."""
    if not values:
        return "none"
    return f"{np.median(values):.2f} {unit} (95th percentile {np.percentile(values, 95):.2f})"


def share(part: float, whole: float) -> str:
    """In percent; "none" of nothing."""
    return f"{part / whole:.1%}" if whole else "none"


# ---- recordings


def manifest(every: int, skip: int = 0) -> list[dict[str, str]]:
    """Path, speaker_id and text of every so many'th utterance."""
    with open(SPEECH / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))[skip::every]


def utterances(every: int, skip: int = 0) -> list[tuple[np.ndarray, str]]:
    """Every so many'th utterance with quiet around it, and its words in lower case."""
    rows = manifest(every, skip)
    return [(surrounded(audio.load(SPEECH / r["path"])), r["text"].lower()) for r in rows]


def surrounded(samples: np.ndarray) -> np.ndarray:
    """With faint room noise before and after, float32."""
    before, after = int(BEFORE_S * SAMPLE_RATE), int(PAUSE_S * SAMPLE_RATE)
    room = np.random.default_rng(0).normal(0, ROOM, before + after)
    return np.concatenate([room[:before], samples, room[before:]]).astype(np.float32)


def write_speech(path: Path, minutes: float) -> None:
    """A recording of read speech, of that length; utterances come again where they must."""
    left = int(60 * minutes * SAMPLE_RATE)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        for samples in itertools.cycle(samples for samples, _ in utterances(every=4)):
            file.write(samples[:left])
            left -= len(samples)
            if left <= 0:
                return


@dataclass(frozen=True)
class Take:
    """Sound, and what is said in it when, in seconds since it begins."""

    samples: np.ndarray
    text: str
    words: list[tuple[str, float]]  # with their ends
    begins_s: float
    ends_s: float


def takes(every: int, skip: int = 0) -> Iterator[Take]:
    """Utterances that are short enough to align, with the times of their words."""
    detector = VoiceActivity()
    for samples, text in utterances(every, skip):
        if len(samples) <= LONGEST_S * SAMPLE_RATE:
            words = [(word, end_s) for word, _, end_s in aligned_words(samples, text)]
            yield Take(samples, text, words, *speech_span_s(detector, samples))


def speech_span_s(detector: VoiceActivity, samples: np.ndarray) -> tuple[float, float]:
    """Where speech starts and ends in a recording, looked at as a whole."""
    detector.reset()
    whole = len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES
    windows = samples[:whole].reshape(-1, WINDOW_SAMPLES)
    speech = np.flatnonzero([detector.probability(w) >= ON for w in windows])
    return speech[0] * WINDOW_SAMPLES / SAMPLE_RATE, (speech[-1] + 1) * WINDOW_SAMPLES / SAMPLE_RATE


# ---- listening


@contextmanager
def listening(live: bool, tuning: Tuning = Tuning()) -> Iterator[Captioner]:
    """The whole pipeline with the embedded recogniser and emotion, as the program has it.

    Parameters
    ----------
    live : somebody reads along, see `Captioner`
    """
    from emotion_model import EmotionRecognizer  # imports torch, which not all parts need

    captioner = Captioner(open_embedded("en", tuning), [EmotionTag(EmotionRecognizer.load())])
    captioner.live = live
    try:
        yield captioner
    finally:
        captioner.close()


def frames(samples: np.ndarray, start: int = 0) -> Iterator[AudioFrame]:
    """The sound as a microphone gives it; `start` is its place in the session."""
    for at in range(0, len(samples), FRAME_SAMPLES):
        yield AudioFrame(start + at, samples[at : at + FRAME_SAMPLES])


def paced(samples: np.ndarray, start: int) -> Iterator[AudioFrame]:
    """Frames when they would have been heard."""
    began = time.monotonic()
    for frame in frames(samples, start):
        heard = (frame.start - start + len(frame.samples)) / SAMPLE_RATE
        time.sleep(max(0.0, began + heard - time.monotonic()))
        yield frame


def captioned(captioner: Captioner, samples: np.ndarray, start: int) -> list[CaptionEvent]:
    """All events of a recording, as fast as possible."""
    events: list[CaptionEvent] = []
    for frame in frames(samples, start):
        events += captioner.push(frame)
    return [*events, *captioner.flush()]


def finals(events: Iterable[CaptionEvent]) -> str:
    """The finished lines, in lower case."""
    return " ".join(event.text.lower() for event in events if event.final)
