"""What the program reaches on this machine: `make bench` prints one table after another.

Every figure comes from the program's own parts at work on `../shared`. Parts can be named:
`make bench ARGS="words noise"`; the hour of sound only runs when it is named.
"""

import argparse
import csv
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import soundfile
import speech_recognition

from emotion_model import EmotionRecognizer
from tests.program import Program
from utils import audio
from utils.asr.choose import open_embedded
from utils.audio import SAMPLE_RATE
from utils.captions import Captioner
from utils.events import AudioFrame, CaptionEvent, SpeechChunk
from utils.running_emotion import RunningEmotion
from utils.segmenter import HANG_OVER, ON, Segmenter
from utils.sources import FRAME_SAMPLES
from utils.steady import changed
from utils.vad import WINDOW_SAMPLES, VoiceActivity

SHARED = Path(__file__).resolve().parents[2] / "shared"
SPEECH = SHARED / "speech" / "librispeech-dev-clean"
PAUSE_S = 1.5  # of quiet after each utterance
ROOMS, READ_S = (1, 50, 200), 40.0  # readers at once, and for how long they read


def table(title: str, rows: Iterable[tuple[str, str]]) -> None:
    print(f"\n{title}", flush=True)
    for name, value in rows:
        row(name, value)


def row(name: str, value: str) -> None:
    print(f"  {name:<66} {value}", flush=True)


def spread(values: list[float], unit: str = "s") -> str:
    """Median and 95th percentile."""
    return f"{np.median(values):.2f} {unit} (95th percentile {np.percentile(values, 95):.2f})"


def utterances(every: int, skip: int = 0) -> list[tuple[np.ndarray, str]]:
    """Every so many'th utterance with quiet around it, and its words in lower case."""
    with open(SPEECH / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))[skip::every]
    return [(surrounded(audio.load(SPEECH / r["path"])), r["text"].lower()) for r in rows]


def surrounded(samples: np.ndarray) -> np.ndarray:
    """With a second of faint room noise before and `PAUSE_S` of it after."""
    room = np.random.default_rng(0).normal(0, 1e-4, int((1 + PAUSE_S) * SAMPLE_RATE))
    return np.concatenate([room[:SAMPLE_RATE], samples, room[SAMPLE_RATE:]]).astype(np.float32)


def frames(samples: np.ndarray, start: int = 0) -> Iterator[AudioFrame]:
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
    events = []
    for frame in frames(samples, start):
        events += captioner.push(frame)
    return [*events, *captioner.flush()]


def finals(events: Iterable[CaptionEvent]) -> str:
    return " ".join(event.text.lower() for event in events if event.final)


def speech_span_s(detector: VoiceActivity, samples: np.ndarray) -> tuple[float, float]:
    """Where speech starts and ends in a recording, looked at as a whole."""
    detector.reset()
    whole = len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES
    windows = samples[:whole].reshape(-1, WINDOW_SAMPLES)
    speech = np.flatnonzero([detector.probability(w) >= ON for w in windows])
    return speech[0] * WINDOW_SAMPLES / SAMPLE_RATE, (speech[-1] + 1) * WINDOW_SAMPLES / SAMPLE_RATE


# ---- as fast as possible: accuracy and cost


def bench_words(captioner: Captioner, every: int, skip: int) -> None:
    said, heard, streamed = [], [], []
    audio_s, began, cpu = 0.0, time.monotonic(), cpu_s()
    start = 0
    for samples, words in utterances(every, skip):
        events = captioned(captioner, samples, start)
        start += len(samples)
        audio_s += len(samples) / SAMPLE_RATE
        said.append(words)
        heard.append(finals(events))
        streamed.append(growing(events))
    wall_s = time.monotonic() - began
    table(
        f"Words: {len(said)} utterances of 10 readers, {audio_s / 60:.0f} minutes, whole pipeline",
        [
            ("word error rate of the final lines", f"{jiwer.wer(said, heard):.3f}"),
            ("word error rate of the growing lines, at their end", f"{jiwer.wer(said, streamed):.3f}"),
            ("real-time factor (wall clock)", f"{wall_s / audio_s:.2f}"),
            ("processor time per second of sound, both processes", f"{(cpu_s() - cpu) / audio_s:.2f} s"),
        ],
    )


def growing(events: list[CaptionEvent]) -> str:
    """The last growing text of each segment."""
    last = {event.segment: event.text for event in events if not event.final}
    return " ".join(last.values()).lower()


def bench_churn(captioner: Captioner, every: int, skip: int) -> None:
    """How much of the text that was shown is changed: as the recogniser has it, and steadied."""
    rows = []
    for name, live in (("as recognised", False), ("as shown", True)):
        captioner.live = live
        growing_changes = final_changes = n_words = start = 0
        said, heard = [], []
        for samples, words in utterances(every, skip):
            events = captioned(captioner, samples, start)
            start += len(samples)
            shown: dict[int, list[str]] = {}
            for event in events:
                n_changed = changed(shown.get(event.segment, []), event.text.split())
                shown[event.segment] = event.text.split()
                if event.final:
                    final_changes += n_changed
                    n_words += len(event.text.split())
                else:
                    growing_changes += n_changed
            said.append(words)
            heard.append(finals(events))
        rows += [
            (f"{name}: words changed after being shown, over words shown",
             f"{(growing_changes + final_changes) / n_words:.1%}"),
            (f"{name}: of these by finished lines", f"{final_changes / n_words:.1%}"),
            (f"{name}: word error rate of the finished lines", f"{jiwer.wer(said, heard):.3f}"),
        ]  # fmt: skip
    captioner.live = True
    table(f"Churn: {len(said)} utterances; words added at the end are no change", rows)


def cpu_s() -> float:
    """Processor time of this process and its children, also running ones."""
    ticks = 0
    for pid in [os.getpid(), *children()]:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def children() -> list[int]:
    return [
        int(pid)
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    ]


# ---- at the pace of speech: how soon words appear


@dataclass(frozen=True)
class Delays:
    """When things happened with one utterance, in seconds since its recording began."""

    begins_s: float
    ends_s: float
    first_s: float
    final_s: float


def bench_delay(captioner: Captioner, every: int) -> None:
    detector = VoiceActivity()
    seen, start = [], 0
    for samples, _ in utterances(every):
        first_s, final_s = ours(captioner, samples, start)
        seen.append(Delays(*speech_span_s(detector, samples), first_s, final_s))
        start += len(samples)
    hang_over_s = HANG_OVER * WINDOW_SAMPLES / SAMPLE_RATE
    table(
        f"Delay: {len(seen)} utterances at the pace of speech",
        [
            ("first growing words after speech starts", spread([d.first_s - d.begins_s for d in seen])),
            (
                f"final line after speech ends, {hang_over_s:.2f} s of it hang-over",
                spread([d.final_s - d.ends_s for d in seen]),
            ),
        ],
    )


def ours(captioner: Captioner, samples: np.ndarray, start: int) -> tuple[float, float]:
    """When the first growing words and the last final line came."""
    began = time.monotonic()
    shown = []
    for frame in paced(samples, start):
        shown += [(time.monotonic() - began, event.final) for event in captioner.push(frame)]
    shown += [(time.monotonic() - began, event.final) for event in captioner.flush()]
    return shown[0][0], shown[-1][0]


class PacedSource(speech_recognition.AudioSource):
    """Samples as SpeechRecognition reads a microphone."""

    CHUNK, SAMPLE_RATE, SAMPLE_WIDTH = 1024, SAMPLE_RATE, 2

    def __init__(self, samples: np.ndarray) -> None:
        self._pcm = (samples * 32_767).astype("<i2")
        self._at, self._began = 0, time.monotonic()
        self.stream = self

    def read(self, size: int) -> bytes:
        block = self._pcm[self._at : self._at + size]
        self._at += len(block)
        time.sleep(max(0.0, self._began + self._at / SAMPLE_RATE - time.monotonic()))
        return block.tobytes()


# ---- what is not speech


def bench_noise(captioner: Captioner) -> None:
    minutes = 10
    n = minutes * 60 * SAMPLE_RATE
    time_s = np.arange(n) / SAMPLE_RATE
    generator = np.random.default_rng(0)
    sounds = {
        "digital silence": np.zeros(n, np.float32),
        "mains hum with harmonics": sum(
            np.float32(0.1 / k) * np.sin(2 * np.pi * 50 * k * time_s).astype(np.float32)
            for k in (1, 2, 3, 5, 7)
        ),
        "white noise at -26 dB": generator.normal(0, 0.05, n).astype(np.float32),
    }
    rows = [(f"{name}, {minutes} minutes", invented(captioner, [x])) for name, x in sounds.items()]
    for folder in sorted((SHARED / "noise" / "esc10").iterdir()):
        clips = [audio.load(path) for path in sorted(folder.glob("*.ogg"))]
        length_s = sum(map(len, clips)) / SAMPLE_RATE
        rows.append((f"{folder.name}, {length_s / 60:.1f} minutes", invented(captioner, clips)))
    table("Words invented", rows)
    digits = sorted((SHARED / "speech" / "spoken-digits").glob("*.ogg"))[::10]
    detector = VoiceActivity()
    found = sum(any(segments(detector, surrounded(audio.load(path)))) for path in digits)
    table(
        f"Short words: {len(digits)} single digits over a telephone",
        [("taken for speech", f"{found / len(digits):.0%}")],
    )


def segments(detector: VoiceActivity, samples: np.ndarray) -> Iterator[SpeechChunk]:
    segmenter = Segmenter(detector)
    yield from segmenter.push(AudioFrame(0, samples))
    yield from segmenter.flush()


def invented(captioner: Captioner, clips: list[np.ndarray]) -> str:
    gap = np.zeros(SAMPLE_RATE, np.float32)
    samples = np.concatenate([part for clip in clips for part in (clip, gap)])
    events = []
    for frame in frames(samples):
        events += captioner.push(frame)
    events += captioner.flush()
    lines = [event.text for event in events if event.final and event.text]
    gone = {e.segment for e in events} - {e.segment for e in events if e.final and e.text}
    words = sum(len(line.split()) for line in lines)
    return f"{words} in {len(lines)} lines; growing lines that came and went: {len(gone)}"


# ---- emotion, start-up, an hour


def bench_emotion(emotions: EmotionRecognizer, every: int) -> None:
    samples = audio.load(next(SPEECH.glob("*.ogg")))[: 3 * SAMPLE_RATE]
    times_ms = []
    for _ in range(50):
        began = time.perf_counter()
        emotions.predict(samples)
        times_ms.append(1000 * (time.perf_counter() - began))
    segments = running_labels(emotions, every)
    tagged = [shown for shown in segments if any(shown[:-1])]
    changes = sum(map(changes_while_growing, tagged))
    kept = sum(shown[-1] == shown[-2] for shown in tagged)
    table(
        "Emotion",
        [
            ("a 3 s segment, features and network", spread(times_ms, "ms")),
            ("segments with a tag before their end", f"{len(tagged)} of {len(segments)}"),
            ("changes of such a tag while its segment grows", f"{changes} in {len(tagged)}"),
            ("such tags that are the final ones", f"{kept} of {len(tagged)}"),
        ],
    )


def running_labels(emotions: EmotionRecognizer, every: int) -> list[list[str | None]]:
    """What each segment showed after each of its chunks, and in the end."""
    segmenter, start, found = Segmenter(VoiceActivity()), 0, []
    for samples, _ in utterances(every):
        chunks = [chunk for frame in frames(samples, start) for chunk in segmenter.push(frame)]
        chunks += segmenter.flush()
        start += len(samples)
        for _, segment in itertools.groupby(chunks, key=lambda chunk: chunk.segment):
            running, segment = RunningEmotion(emotions), list(segment)
            shown = [running.accept(chunk.samples) for chunk in segment]
            shown.append(running.finish(segment[-1].end - segment[0].start))
            found.append([emotion.label if emotion else None for emotion in shown])
    return found


def changes_while_growing(shown: list[str | None]) -> int:
    """How often what was shown changed after a first label, the final estimate left out."""
    growing = list(itertools.dropwhile(lambda label: label is None, shown[:-1]))
    return sum(a != b for a, b in itertools.pairwise(growing))


def bench_start() -> None:
    rows = []
    for name in ("first start", "second start"):
        began = time.monotonic()
        with Program(["--asr", "whisper"]) as program:
            program.health()
            page_s = time.monotonic() - began
            program.wait_for("ready")
            ready_s = time.monotonic() - began
        rows.append((f"{name}: page answers, button is ready", f"{page_s:.1f} s, {ready_s:.1f} s"))
    table("Start of the program", rows)


def bench_hour(captioner: Captioner) -> None:
    clips = itertools.cycle(samples for samples, _ in utterances(every=4))
    start, report = 0, iter((1, 10, 20, 30, 40, 50, 60))
    next_minutes = next(report)
    table("Memory of both processes over an hour of sound", [])
    for samples in clips:
        for frame in frames(samples, start):
            for _ in captioner.push(frame):
                pass
        start += len(samples)
        if start >= next_minutes * 60 * SAMPLE_RATE:
            row(f"after {next_minutes} minutes", f"{memory_mb():.0f} MB")
            next_minutes = next(report, None)
            if next_minutes is None:
                break


def memory_mb() -> float:
    """Resident memory of this process and its children."""
    pages = sum(
        int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in [os.getpid(), *children()]
    )
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# ---- a room of readers


def bench_readers(every: int) -> None:
    """How far readers are behind the presenter's page, and what each costs the server."""
    rows, alone_mb = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        speech = np.concatenate([samples for samples, _ in utterances(every)])
        soundfile.write(path, speech[: int(READ_S) * SAMPLE_RATE], SAMPLE_RATE)
        for n in ROOMS:
            with Program(["--asr", "whisper", "--source", path]) as program:
                program.wait_for("ready")
                seen, most_mb = watch_room(program, n)
            medians_ms = [1000 * float(np.median(lags)) for lags in seen["lags_s"]]
            all_ms = [1000 * lag for lags in seen["lags_s"] for lag in lags]
            rows += [
                (f"{n} readers: median lag of the median reader, of the slowest",
                 f"{np.median(medians_ms):.0f} ms, {max(medians_ms):.0f} ms"),
                (f"{n} readers: 95th and 99th percentile of all lags",
                 f"{np.percentile(all_ms, 95):.0f} ms, {np.percentile(all_ms, 99):.0f} ms"),
                (f"{n} readers: captions each, missed, connections lost, frames waiting",
                 f"{seen['captions']}, {seen['missed']}, {seen['lost']}, {seen['late_frames']}"),
            ]  # fmt: skip
            alone_mb = alone_mb or most_mb
            if n > 1:
                rows.append(
                    (f"{n} readers: memory for each", f"{(most_mb - alone_mb) / (n - 1):.2f} MB")
                )
    table(f"Readers: {READ_S:.0f} s of speech, server and readers on this machine", rows)


def watch_room(program: Program, n_readers: int) -> tuple[dict, float]:
    """What a room of readers saw, and the most memory that the server took for it."""
    command = [sys.executable, "-m", "tests.readers", program.url, str(n_readers), str(READ_S)]
    home = Path(__file__).resolve().parents[1]
    most_mb = 0.0
    with tempfile.TemporaryFile("w+") as answer:  # more than a pipe would hold
        room = subprocess.Popen(command, cwd=home, stdout=answer)
        while room.poll() is None:
            status = Path(f"/proc/{program.process.pid}/statm").read_text()
            most_mb = max(most_mb, int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
            time.sleep(0.5)
        answer.seek(0)
        return json.load(answer), most_mb


PARTS = ("start", "emotion", "noise", "words", "churn", "delay", "readers", "nemo", "hour")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--every", type=int, default=10, help="take each N'th utterance (10)")
    parser.add_argument("--skip", type=int, default=0, help="begin after so many (0)")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}; choose of {', '.join(PARTS)}")
    if not SHARED.is_dir():
        parser.error(f"{SHARED} does not exist: the recordings to measure with are not here")
    parts = args.parts or PARTS[:-1]
    if "start" in parts:
        bench_start()
    if "readers" in parts:
        bench_readers(args.every)
    if "nemo" in parts:
        from tests.bench_nemo import bench_nemo  # it uses this module

        bench_nemo(args.every)
    if not set(parts) - {"start", "readers", "nemo"}:
        return 0
    emotions = EmotionRecognizer.load()
    transcriber = open_embedded()
    captioner = Captioner(transcriber, emotions)
    print(f"\nEngine: {transcriber.name}; {os.cpu_count()} processors")
    try:
        for part in parts:
            if part == "emotion":
                bench_emotion(emotions, args.every)
            elif part == "noise":
                bench_noise(captioner)
            elif part == "words":
                bench_words(captioner, args.every, args.skip)
            elif part == "churn":
                bench_churn(captioner, args.every, args.skip)
            elif part == "delay":
                bench_delay(captioner, args.every)
            elif part == "hour":
                bench_hour(captioner)
    finally:
        transcriber.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
