"""What is not speech and brings words, and what is speech and short: single digits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.hard_rooms import by_telephone, through_codec
from tests.measuring import (
    SHARED,
    captioned,
    finals,
    frames,
    listening,
    row,
    share,
    surrounded,
    table,
)
from tests.scoring import normalised
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.captions.segmenter import Segmenter
from utils.captions.vad import VoiceActivity

MINUTES = 10
HUM_HZ, HUM = 50, 0.1  # the mains, and its amplitude
WHITE = 0.05  # RMS, -26 dB
SOUNDS = SHARED / "noise" / "esc10"
DIGITS = SHARED / "speech" / "spoken-digits"
SOFT_DB = -30.0  # relative to full scale
CODEC = "GSM 6.10"


@dataclass
class Invented:
    """Lines that nobody said."""

    lines: list[tuple[str, str]]  # in which clip, and the text
    vanished: int  # growing lines that were taken back

    def __str__(self) -> str:
        words = sum(len(text.split()) for _, text in self.lines)
        return f"{words} in {len(self.lines)} lines; growing lines taken back: {self.vanished}"


def bench_noise(every: int, minutes: float = MINUTES) -> None:
    """Words invented, by kind of sound, and the lines themselves.

    Parameters
    ----------
    every : takes each so many'th clip of everyday sounds
    minutes : of silence, hum and white noise each
    """
    table("Words invented", [])
    everyday, everyday_s = Invented([], 0), 0.0
    with listening(live=True) as captioner:
        for name, samples in steady_sounds(minutes):
            tell(f"{name}, {minutes:g} minutes", invented(captioner, [(name, samples)]))
        for folder in sorted(SOUNDS.iterdir()):
            paths = sorted(folder.glob("*.ogg"))[::every]
            clips = [(f"{folder.name}/{path.stem}", audio.load(path)) for path in paths]
            length_s = sum(len(samples) for _, samples in clips) / SAMPLE_RATE
            found = invented(captioner, clips)
            tell(f"{folder.name}, {length_s / 60:.1f} minutes", found)
            everyday.lines += found.lines
            everyday.vanished += found.vanished
            everyday_s += length_s
    row(f"all everyday sounds, {everyday_s / 60:.0f} minutes", str(everyday))


def tell(name: str, found: Invented) -> None:
    """A row, and the lines below it."""
    row(name, str(found))
    for clip, text in found.lines:
        print(f"    {clip}: {text}", flush=True)


def steady_sounds(minutes: float) -> Iterator[tuple[str, np.ndarray]]:
    """Silence, hum and white noise, float32, one after the other."""
    n = int(minutes * 60 * SAMPLE_RATE)
    yield "digital silence", np.zeros(n, np.float32)
    phase = 2 * np.pi * HUM_HZ * np.arange(n) / SAMPLE_RATE
    parts = [np.float32(HUM / k) * np.sin(k * phase).astype(np.float32) for k in (1, 2, 3, 5, 7)]
    hum = np.sum(parts, axis=0)
    yield "mains hum with harmonics", hum
    noise = np.random.default_rng(0).normal(0, WHITE, n).astype(np.float32)
    yield f"white noise at {20 * np.log10(WHITE):.0f} dB", noise


def invented(captioner: Captioner, clips: list[tuple[str, np.ndarray]]) -> Invented:
    """The lines that clips bring, heard one after the other with a second of silence between."""
    gap = np.zeros(SAMPLE_RATE, np.float32)
    samples = np.concatenate([part for _, clip in clips for part in (clip, gap)])
    starts = np.cumsum([0, *(len(clip) + len(gap) for _, clip in clips)]) / SAMPLE_RATE
    events = captioned(captioner, samples, 0)
    lines = [event for event in events if event.final and event.text]
    gone = {event.segment for event in events} - {event.segment for event in lines}
    places = [int(np.searchsorted(starts, event.start_s, "right")) - 1 for event in lines]
    return Invented(
        [(clips[i][0], event.text) for i, event in zip(places, lines, strict=True)], len(gone)
    )


# ---- short words


def softly(samples: np.ndarray) -> np.ndarray:
    """With its loudest sample at `SOFT_DB`."""
    return samples * np.float32(10 ** (SOFT_DB / 20) / np.abs(samples).max())


# A digit, 8 kHz as it was recorded, as it arrives with quiet around it.
ARRIVING: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as recorded, 8 kHz": surrounded,
    f"softly, loudest sample at {SOFT_DB:.0f} dB": lambda x: surrounded(softly(x)),
    f"through the codec {CODEC}": lambda x: through_codec(surrounded(x), CODEC),
    f"by telephone, 300 to 3400 Hz, {CODEC}": lambda x: by_telephone(surrounded(x), CODEC),
}


def bench_digits(every: int) -> None:
    """How many single digits are taken for speech, bring a line, and are written right."""
    paths = sorted(DIGITS.glob("*.ogg"))[::every]
    table(f"Single digits: {len(paths)}, each with quiet around it", [])
    with listening(live=False) as captioner:
        for name, change in ARRIVING.items():
            found, lines, right, lost = digits_heard(captioner, paths, change)
            row(f"{name}: taken for speech", share(found, len(paths)))
            row(f"{name}: a line came", share(lines, len(paths)))
            row(f"{name}: the digit was written", share(right, len(paths)))
            if lost:
                print(f"    no line: {', '.join(lost)}", flush=True)


def digits_heard(
    captioner: Captioner, paths: list[Path], change: Callable[[np.ndarray], np.ndarray]
) -> tuple[int, int, int, list[str]]:
    """How many were taken for speech, brought a line, were right; and those without a line."""
    detector, start = VoiceActivity(), 0
    found = right = 0
    lost = []
    for path in paths:
        samples = change(audio.load(path))
        found += is_speech(detector, samples)
        text = finals(captioned(captioner, samples, start))
        start += len(samples)
        right += path.stem.split("_")[0] in normalised(text)
        if not text:
            lost.append(path.stem)
    return found, len(paths) - len(lost), right, lost


def is_speech(detector: VoiceActivity, samples: np.ndarray) -> bool:
    """Whether the segmenter lets anything of it through."""
    segmenter = Segmenter(detector)
    return any(chunk for frame in frames(samples) for chunk in segmenter.push(frame))
