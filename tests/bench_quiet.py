"""What of soft and distant voices is taken for speech, and what of steady sounds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tests.bench_noise import DIGITS, SOUNDS, steady_sounds
from tests.hard_rooms import in_echo
from tests.measuring import SPEECH, frames, manifest, row, table
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.segmenter import Segmenter
from utils.captions.vad import VoiceActivity

OWN_NOISE_DB = -75.0  # RMS of a cheap microphone's own noise, relative to full scale
LEVELS_DB = (-60, -55, -50, -45, -40, -30, -20, -15)  # the loudest sample of each clip
ROOM_LEVELS_DB = (-45, -25)
ROOMS_S = (0.3, 0.6, 1.0, 2.0)  # RT60
DIRECT_DB = -5.0  # the direct sound, relative to the echo: beyond the critical distance
BETWEEN_S = 2.5
MINUTES = 10


@dataclass(frozen=True)
class Recording:
    """Clips one after the other, as a microphone hears them.

    Parameters
    ----------
    samples : float32 (n,), in 16 bits
    spans : first sample of each clip, and one past its last
    """

    samples: np.ndarray
    spans: list[tuple[int, int]]


def recorded(
    clips: Sequence[np.ndarray],
    levels_db: Sequence[float],
    rng: np.random.Generator,
    noise_db: float = OWN_NOISE_DB,
    echo: Callable[[np.ndarray], np.ndarray] = lambda clip: clip,
) -> Recording:
    """Clips in a microphone's own noise, with `BETWEEN_S` before each.

    Parameters
    ----------
    levels_db : of the loudest sample of the clips, in turn
    echo : what the room makes of a clip
    """
    parts, spans, at = [], [], 0
    gap = np.zeros(int(BETWEEN_S * SAMPLE_RATE))
    for i, clip in enumerate(clips):
        heard = echo(clip)
        peak = 10 ** (levels_db[i % len(levels_db)] / 20)
        parts += [gap, heard * (peak / np.abs(heard).max())]
        at += len(gap)
        spans.append((at, at + len(clip)))
        at += len(heard)
    sound = np.concatenate([*parts, gap])
    return Recording(in_16_bits(sound + rng.normal(0, 10 ** (noise_db / 20), len(sound))), spans)


def in_16_bits(samples: np.ndarray) -> np.ndarray:
    """Rounded as a sound card does, float32 (n,)."""
    return (np.round(samples * 32_768).clip(-32_768, 32_767) / 32_768).astype(np.float32)


def taken(detector: VoiceActivity, samples: np.ndarray) -> list[tuple[int, int]]:
    """First sample of each segment, and one past its last."""
    segmenter = Segmenter(detector)
    chunks = [chunk for frame in frames(samples) for chunk in segmenter.push(frame)]
    return [(c.start, c.end) for c in [*chunks, *segmenter.flush()] if c.last]


def missed(detector: VoiceActivity, recording: Recording) -> int:
    """Clips of which nothing is in any segment."""
    found = taken(detector, recording.samples)
    return sum(not any(a < end and b > start for a, b in found) for start, end in recording.spans)


def conditions(clips: Sequence[np.ndarray]) -> Iterator[tuple[str, Recording]]:
    """The same clips ever softer, in rooms, and in turn with loud ones."""
    for level_db in LEVELS_DB:
        yield f"{level_db} dB", recorded(clips, [level_db], np.random.default_rng(0))
    yield "in turn -20 and -50 dB", recorded(clips, [-20, -50], np.random.default_rng(0))
    for rt60_s in ROOMS_S:
        for level_db in ROOM_LEVELS_DB:
            rng = np.random.default_rng(0)
            echo = partial(in_echo, rt60_s=rt60_s, direct_db=DIRECT_DB, rng=rng)
            yield f"{level_db} dB, RT60 {rt60_s:g} s", recorded(clips, [level_db], rng, echo=echo)


def bench_quiet(every: int) -> None:
    """Digits and sentences that are missed whole by level and room; segments that nobody said.

    Parameters
    ----------
    every : takes each so many'th digit; of sentences and everyday sounds a set part
    """
    detector = VoiceActivity()
    kinds = {
        "digits": [audio.load(path) for path in sorted(DIGITS.glob("*.ogg"))[::every]],
        "sentences": [audio.load(SPEECH / r["path"]) for r in manifest(12)],
    }
    for kind, clips in kinds.items():
        table(f"Missed of {len(clips)} {kind}, own noise at {OWN_NOISE_DB:.0f} dB", [])
        for name, recording in conditions(clips):
            row(name, str(missed(detector, recording)))
    table("Segments in what nobody said", [])
    for name, samples in unsaid():
        row(name, str(len(taken(detector, samples))))


def unsaid() -> Iterator[tuple[str, np.ndarray]]:
    """Steady sounds and everyday ones, as they are and 30 dB softer in own noise."""
    n, rng = MINUTES * 60 * SAMPLE_RATE, np.random.default_rng(0)
    yield from steady_sounds(MINUTES)
    for noise_db in (-50, OWN_NOISE_DB):
        yield (
            f"white noise at {noise_db:.0f} dB",
            in_16_bits(rng.normal(0, 10 ** (noise_db / 20), n)),
        )
    clips = [audio.load(path) for path in sorted(SOUNDS.glob("*/*.ogg"))]
    gap = np.zeros(SAMPLE_RATE, np.float32)
    sounds = np.concatenate([part for clip in clips for part in (clip, gap)])
    minutes = len(sounds) / SAMPLE_RATE / 60
    yield f"everyday sounds, {minutes:.0f} minutes", sounds
    noise = rng.normal(0, 10 ** (OWN_NOISE_DB / 20), len(sounds))
    yield "… 30 dB softer", in_16_bits(10 ** (-30 / 20) * sounds + noise)
