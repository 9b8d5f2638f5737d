"""Sounds that are no speech, live: what is told of ESC-10, falsely in speech and noise, and when."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.bench_noise import SOUNDS
from tests.made_noise import other_noise
from tests.measuring import SPEECH, frames, row, share, spread, table
from training.corpora.librispeech import read_aloud
from training.corpora.noise import read_noise
from training.inputs import encoder_here
from training.sounds import data
from training.sounds.fit import left_out, thresholds
from training.sounds.looks import Take, load
from utils import audio
from utils.asr import Tuning
from utils.asr.choose import open_embedded
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.events import CaptionEvent
from utils.sounds.head import MUSIC, EverydaySounds
from utils.sounds.music import Music

CACHE = Path(".cache/sounds")
GAP_S = 3.0  # of the room between two sounds
ROOM_DB = -70.0  # RMS of its noise
PEAK_DB = -12.0  # of each sound
QUIET_S = 120.0
MUSICAL, MUSIC_S = {".flac", ".mp3", ".oga", ".ogg", ".wav"}, 30
BABBLING = 40  # utterances, of which babble is made


@dataclass(frozen=True)
class Played:
    """A recording that was played: what it is, and from when to when, in s."""

    name: str
    label: str
    start_s: float
    end_s: float


def bench_sounds(every: int, folder: str = "") -> None:
    """ESC-10 by its folds, false sounds, delay and cost.

    Parameters
    ----------
    every : takes each so many'th recording
    folder : recordings of music, all of which is to be told; "" for none
    """
    encoder, music = encoder_here(), Music()
    takes = [*data.sounds(SOUNDS, CACHE, encoder), *data.others(SPEECH, CACHE, encoder)]
    table("ESC-10 as live events, each fold by a head and thresholds that others chose", [])
    judged: list[tuple[Played, list[CaptionEvent]]] = []
    spoken: list[CaptionEvent] = []
    spoken_s = 0.0
    heads, known = left_out(takes, data.LABELS, encoder.identity)
    captioner = Captioner(open_embedded("en", Tuning()))
    at = 0
    for fold in data.FOLDS:
        others = [judged for judged in known if judged.take.group != fold]
        least, as_speech = thresholds(others, data.LABELS)
        head = replace(heads[fold], least=least, least_as_speech=as_speech)
        captioner.sounds.model = EverydaySounds(head, encoder, music)
        paths = [path for path in read_noise(SOUNDS) if data.fold_of(path) == fold][::every]
        found, at = heard(captioner, in_turn(paths), at)
        judged += found
        events, length_s, at = speech_of(captioner, fold, takes, every, at)
        spoken += events
        spoken_s += length_s
    tell(judged)
    false = [event for event in spoken if event.sound and event.final]
    row(f"false sounds in {spoken_s / 3600:.2f} h of readers not heard", listed(false))
    captioner.sounds.model = EverydaySounds.open(encoder)
    at = noises(captioner, at)
    at = costs(captioner, at)
    if folder:
        played_music(captioner, Path(folder), at)
    captioner.close()


def in_turn(paths: Sequence[Path]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Recordings so that no sound follows its like: name, label, samples."""
    by_kind: dict[str, list[Path]] = {}
    for path in paths:
        by_kind.setdefault(path.parent.name, []).append(path)
    while any(by_kind.values()):
        for kind, left in by_kind.items():
            if left:
                path = left.pop(0)
                yield f"{kind}/{path.stem}", data.NAMES[kind], load(path)


def heard(
    captioner: Captioner, clips: Iterable[tuple[str, str, np.ndarray]], at: int
) -> tuple[list[tuple[Played, list[CaptionEvent]]], int]:
    """What is told of each clip in a room, from a sample index of the session on."""
    rng, found = np.random.default_rng(0), []
    for name, label, samples in clips:
        samples = samples * np.float32(10 ** (PEAK_DB / 20) / np.abs(samples).max())
        sound = np.concatenate([np.zeros(int(GAP_S * SAMPLE_RATE)), samples])
        sound += rng.normal(0, 10 ** (ROOM_DB / 20), len(sound))
        events = list(pushed(captioner, sound.astype(np.float32), at))
        start = at + len(sound) - len(samples)
        at += len(sound)
        found.append((Played(name, label, start / SAMPLE_RATE, at / SAMPLE_RATE), events))
    found[-1][1].extend(captioner.flush())
    return found, at


def pushed(captioner: Captioner, samples: np.ndarray, at: int) -> Iterator[CaptionEvent]:
    """Events of a recording, as fast as possible."""
    for frame in frames(samples, at):
        yield from captioner.push(frame)


def tell(judged: list[tuple[Played, list[CaptionEvent]]]) -> None:
    """What was found of the sounds, what was right, and when."""
    began: dict[int, CaptionEvent] = {}
    for _, events in judged:
        for event in events:
            if event.sound:
                began.setdefault(event.segment, event)
    ended = {e.segment: e for _, events in judged for e in events if e.sound and e.final}
    told = list(ended.values())
    found, right, once, delays, lengths, lines = 0, 0, 0, [], [], []
    kinds: dict[str, list[int]] = {}
    for played, _ in judged:
        own = [e for e in told if played.start_s - 0.5 <= e.start_s < played.end_s + 1.0]
        good = [e for e in own if e.sound == played.label]
        counts = kinds.setdefault(played.label, [0, 0, 0])
        counts[0] += bool(good)
        counts[1] += 1
        counts[2] += len(own) - len(good)
        found += bool(good)
        right += len(good)
        once += len(good) == 1
        if good:
            delays.append(max(0.0, began[good[0].segment].end_s - played.start_s))
            lengths.append(abs(good[-1].end_s - played.end_s))
    for label, (n_found, n, wrong) in sorted(kinds.items()):
        row(label, f"{n_found} of {n} found; other sounds told: {wrong}")
    row("found", share(found, len(judged)))
    row("right, of all that was told", share(right, len(told)))
    row("told once, of those found", share(once, found))
    row("from the sound's start to its bracket", spread(delays))
    row("its end, off by", spread(lengths))
    lines = [e.text for _, events in judged for e in events if e.final and e.text]
    row("words in it", f"{sum(len(line.split()) for line in lines)}: {'; '.join(lines)}")


def speech_of(
    captioner: Captioner, fold: str, takes: Sequence[Take], every: int, at: int
) -> tuple[list[CaptionEvent], float, int]:
    """What is told of readers whom the fold's head did not hear: events, their length, the end."""
    readers = sorted({clip.speaker for clip in read_aloud(SPEECH)})
    own = [r for i, r in enumerate(readers) if data.FOLDS[i % len(data.FOLDS)] == fold]
    events: list[CaptionEvent] = []
    begin = at
    for clip in [c for c in read_aloud(SPEECH) if c.speaker in own][::every]:
        samples = np.concatenate([audio.load(clip.path), np.zeros(SAMPLE_RATE, np.float32)])
        events += pushed(captioner, samples, at)
        at += len(samples)
    events += captioner.flush()
    return events, (at - begin) / SAMPLE_RATE, at


def noises(captioner: Captioner, at: int) -> int:
    """False sounds in noise that the head did not hear; where the session is then."""
    speech = [audio.load(clip.path) for clip in read_aloud(SPEECH)[:BABBLING]]
    for name, samples in other_noise(speech):
        events = [*pushed(captioner, samples, at), *captioner.flush()]
        at += len(samples)
        false = [event for event in events if event.sound and event.final]
        row(f"false sounds in {name}, {len(samples) / SAMPLE_RATE / 60:.1f} minutes", listed(false))
    return at


def played_music(captioner: Captioner, folder: Path, at: int) -> None:
    """Of recordings of music: in how many it is told, how soon, and what else is."""
    found, n, delays, others = 0, 0, [], []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in MUSICAL):
        samples = audio.load(path)[: MUSIC_S * SAMPLE_RATE]
        clips = [(path.stem, MUSIC, samples)]
        ((played, events),), at = heard(captioner, clips, at)
        own = [e for e in events if e.sound == MUSIC]
        others += [e for e in events if e.sound and e.final and e.sound != MUSIC]
        found, n = found + bool(own), n + 1
        if own:
            delays.append(max(0.0, own[0].end_s - played.start_s))
    row(f"music told, of {n} recordings", share(found, n))
    row("from its start to its bracket", spread(delays))
    row("other sounds told of it", listed(others))


def costs(captioner: Captioner, at: int) -> int:
    """What listening costs while it is quiet, and while something sounds."""
    rng = np.random.default_rng(77)
    room = rng.normal(0, 10 ** (ROOM_DB / 20), int(QUIET_S * SAMPLE_RATE)).astype(np.float32)
    row("cost of sounds in a quiet room, of a core", cost(captioner, room, at))
    for kind in ("rain", "dog-bark"):
        gap = np.zeros(int(GAP_S * SAMPLE_RATE), np.float32)
        paths = sorted((SOUNDS / kind).glob("*.ogg"))
        sound = np.concatenate([part for path in paths[:15] for part in (gap, load(path))])
        at += 2 * len(room)
        row(f"… while it sounds: {kind}", cost(captioner, np.resize(sound, len(room)), at))
    return at + 2 * len(room)


def cost(captioner: Captioner, samples: np.ndarray, at: int) -> str:
    """Processor time that sounds add, of a second of sound."""
    model, spent_s = captioner.sounds.model, []
    for there in (None, model):
        captioner.sounds.model = there
        began_s = time.process_time()
        for _ in pushed(captioner, samples, at):
            pass
        list(captioner.flush())
        spent_s.append(time.process_time() - began_s)
        at += len(samples)
    return f"{max(0.0, spent_s[1] - spent_s[0]) / (len(samples) / SAMPLE_RATE):.1%}"


def listed(events: Sequence[CaptionEvent]) -> str:
    """How many, and which."""
    return f"{len(events)} {', '.join(f'[{event.sound}]' for event in events)}"
