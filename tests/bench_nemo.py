"""NeMo as the live engine, measured: a part of `make bench`."""

import difflib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile
import speech_recognition

from emotion_model import WEIGHTS, EmotionRecognizer
from tests.feeding import Fed
from tests.large_nemo import save_large
from tests.measuring import (
    HOME,
    SHARED,
    finals,
    frames,
    paced,
    row,
    spread,
    surrounded,
    table,
    utterances,
)
from tests.process_tree import cpu_s, memory_mb
from tests.program import PageSocket, Program
from utils import audio
from utils.asr.nemo.int8 import quantize_if_faster
from utils.asr.nemo.load import load
from utils.asr.nemo.stream import NemoStream, StreamingModel
from utils.asr.nemo.transcriber import NemoTranscriber, Tuning
from utils.asr.nemo.whole import WholeModel
from utils.asr.nemo.worker import Worker
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.captions.segmenter import HANG_OVER
from utils.captions.vad import WINDOW_SAMPLES
from utils.tags.emotion import EmotionTag

DIGITS = WEIGHTS.with_name("spoken_digits.nemo")
LARGE = HOME / ".cache" / "bench"
NAMES = "zero one two three four five six seven eight nine".split()
HANG_OVER_S = HANG_OVER * WINDOW_SAMPLES / SAMPLE_RATE


def bench_nemo(every: int) -> None:
    """All rows about NeMo; several minutes."""
    emotions = EmotionRecognizer.load()
    bench_equal(every)
    bench_word_delay(emotions)
    texts = [words for _, words in utterances(1)]
    paths = {size: save_large(size, LARGE, texts) for size in ("114M", "0.6B")}
    bench_cost(paths, emotions, every)
    bench_streams(paths["114M"])
    bench_takeover(paths["114M"])


# ---- streamed and whole


def bench_equal(every: int) -> None:
    """The text in steps against NeMo's own of the whole, and with weights of 8 bits."""
    import torch

    said = [(samples, " ".join(w for w, _ in ends)) for samples, ends in rows_of_digits(60, seed=1)]
    clips = [samples for samples, _ in utterances(every)] + [samples for samples, _ in said]
    model, worker = load(DIGITS), Worker()
    streaming, whole = StreamingModel(model, torch.float32), WholeModel(load(DIGITS), {})
    texts = [streamed(streaming, worker, samples) for samples in clips]
    equal = sum(a == whole.transcribe(b).text for a, b in zip(texts, clips, strict=True))
    quantize_if_faster(model.encoder, iter((2.0, 1.0)).__next__)
    rounded = [streamed(streaming, worker, samples) for samples in clips]
    worker.close()
    words = [text for _, text in said]
    table(
        "Streamed text against that of the whole file, digits model, chunks of random size",
        [
            ("clips with equal text", f"{equal} of {len(clips)}"),
            (
                "clips with equal text, streamed with 8-bit weights",
                f"{sum(map(str.__eq__, texts, rounded))} of {len(clips)}",
            ),
            (
                "word error rate on the digits, 32 bits and 8 bits",
                f"{jiwer.wer(words, texts[-len(said) :]):.3f}, "
                f"{jiwer.wer(words, rounded[-len(said) :]):.3f}",
            ),
        ],
    )


def streamed(model: StreamingModel, worker: Worker, samples: np.ndarray) -> str:
    """The text of a clip that comes in pieces of any size."""
    rng, at = np.random.default_rng(len(samples)), 0
    stream = Fed(NemoStream(model, worker, model.look_aheads[-1]))
    while at < len(samples):
        size = int(rng.integers(100, 20_000))
        stream.accept(samples[at : at + size])
        at += size
    return stream.finish(len(samples)).text


def rows_of_digits(n: int, seed: int) -> Iterator[tuple[np.ndarray, list[tuple[str, float]]]]:
    """Two to six digits by one voice, with the moment at which each word ends, in seconds."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        voice = rng.choice(["george", "jackson", "lucas", "nicolas", "theo", "yweweler"])
        parts, ends, at = [], [], 0
        for digit in rng.integers(0, 10, rng.integers(2, 7)):
            path = SHARED / "speech/spoken-digits" / f"{digit}_{voice}_{rng.integers(50)}.ogg"
            clip = trimmed(audio.load(path))
            pause = rng.normal(0, 1e-4, int(rng.uniform(0.1, 0.3) * SAMPLE_RATE))
            parts += [clip, pause]
            ends.append((NAMES[digit], 1.0 + (at + len(clip)) / SAMPLE_RATE))
            at += len(clip) + len(pause)
        yield surrounded(np.concatenate(parts).astype(np.float32)), ends


def trimmed(samples: np.ndarray) -> np.ndarray:
    """From the first to the last 10 ms that are within 30 dB of the loudest."""
    hop = SAMPLE_RATE // 100
    power = np.square(samples[: len(samples) // hop * hop].reshape(-1, hop)).mean(1)
    loud = np.flatnonzero(power > power.max() * 1e-3)
    return samples[loud[0] * hop : (loud[-1] + 1) * hop]


# ---- from a word's end to the page


def bench_word_delay(emotions: EmotionRecognizer) -> None:
    """At the pace of speech, beside recording first and transcribing then, in turn."""
    transcriber = NemoTranscriber(str(DIGITS))
    captioner = Captioner(transcriber, [EmotionTag(emotions)])
    model = load(DIGITS)
    shown, last, usual, start = [], [], [], 0
    for samples, ends in rows_of_digits(25, seed=2):
        seen, final_s = ours(captioner, samples, start)
        shown += [at - end for at, end in matched(seen, ends)]
        last.append(final_s - ends[-1][1])
        came_s = record_then_transcribe(model, emotions, samples)
        usual += [came_s - end for _, end in ends]
        start += len(samples)
    chunk_s = transcriber.chunk_s
    captioner.close()
    beyond = [max(0.0, delay - chunk_s) for delay in shown]
    table(
        "Delay of words: 25 rows of digits at the pace of speech, both ways in turn",
        [
            (f"from a word's end to its appearance, steps of {chunk_s:.2f} s", spread(shown)),
            ("the same beyond the step", spread(beyond)),
            ("final line after speech ends", spread(last)),
            (
                f"the same beyond the hang-over of {HANG_OVER_S:.2f} s",
                spread([max(0.0, delay - HANG_OVER_S) for delay in last]),
            ),
            ("record, then transcribe(): from a word's end to its appearance", spread(usual)),
            ("words come sooner by a factor of", f"{np.median(usual) / np.median(shown):.1f}"),
        ],
    )


def ours(
    captioner: Captioner, samples: np.ndarray, start: int
) -> tuple[list[tuple[str, float]], float]:
    """The words with the moment when each was first shown, and that of the last final line."""
    began, final_s = time.monotonic(), 0.0
    seen: list[tuple[str, float]] = []
    line: list[tuple[str, float]] = []
    for frame in paced(samples, start):
        for event in captioner.push(frame):
            now_s = time.monotonic() - began
            words = event.text.split()
            same = 0
            while same < min(len(words), len(line)) and words[same] == line[same][0]:
                same += 1
            line[same:] = [(word, now_s) for word in words[same:]]
            if event.final:
                seen, line, final_s = seen + line, [], now_s
    return seen, final_s


def matched(
    seen: list[tuple[str, float]], said: list[tuple[str, float]]
) -> Iterator[tuple[float, float]]:
    """For each word that was understood: when it was shown, and when it had been said."""
    matcher = difflib.SequenceMatcher(None, [w for w, _ in seen], [w for w, _ in said], False)
    for block in matcher.get_matching_blocks():
        for i in range(block.size):
            yield seen[block.a + i][1], said[block.b + i][1]


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


def record_then_transcribe(model: Any, emotions: EmotionRecognizer, samples: np.ndarray) -> float:
    """Record until 0.8 s of pause, write a WAV, `transcribe()` it; when its words were there."""
    recogniser = speech_recognition.Recognizer()
    recogniser.dynamic_energy_threshold = False
    recogniser.energy_threshold = 30  # low enough for every voice here
    source, began = PacedSource(samples), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "utterance.wav"
        recording = recogniser.listen(source)
        path.write_bytes(recording.get_wav_data())
        model.transcribe([audio.load(path)], batch_size=1, verbose=False)
        model.eval()
        emotions.predict(audio.load(path))
        return time.monotonic() - began


# ---- what large models cost


def bench_cost(paths: dict[str, Path], emotions: EmotionRecognizer, every: int) -> None:
    """Whole pipeline as fast as possible: detector, words, emotion, events."""
    clips = [samples for samples, _ in utterances(every)][:12]
    table("Cost: random weights of the real size, whole pipeline, 2 threads", [])
    for size, paces in (("114M", (0, 1, 6)), ("0.6B", (6, 13))):
        began = time.monotonic()
        transcriber = NemoTranscriber(str(paths[size]), tuning=Tuning("balanced"))
        row(f"{size}: loads in", f"{time.monotonic() - began:.1f} s")
        for right in paces:
            transcriber._engine._look_ahead = right  # type: ignore[union-attr] # it streams
            captioner = Captioner(transcriber, [EmotionTag(emotions)])
            seconds, began, start = 0.0, time.monotonic(), 0
            for samples in clips:
                for frame in frames(samples, start):
                    finals(captioner.push(frame))
                start += len(samples)
                seconds += len(samples) / SAMPLE_RATE
            finals(captioner.flush())
            factor = (time.monotonic() - began) / seconds
            row(
                f"{size}: real-time factor in steps of {transcriber.chunk_s:.2f} s", f"{factor:.2f}"
            )
        row(f"{size}: memory of this process", f"{memory_mb(os.getpid()):.0f} MB")
        transcriber.close()


def bench_streams(path: Path) -> None:
    """Four streams that share a model, against one after the other."""
    transcriber = NemoTranscriber(str(path), tuning=Tuning("balanced"))
    noise = np.random.default_rng(0).normal(0, 0.05, 20 * SAMPLE_RATE).astype(np.float32)

    def one() -> None:
        stream = Fed(transcriber.stream())
        for at in range(0, len(noise), 4096):
            stream.accept(noise[at : at + 4096])
        stream.finish(len(noise))

    def together(n: int) -> float:
        threads = [threading.Thread(target=one) for _ in range(n)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - began

    ratios = [together(4) / together(1) for _ in range(5)]
    transcriber.close()
    table("Streams", [("114M: cost of four streams against one", spread(ratios, "times"))])


# ---- the program


def bench_takeover(path: Path) -> None:
    """The program with a large model on disk: when it listens, when NeMo does, and its memory."""
    speech = np.concatenate([samples for samples, _ in utterances(8)])[: 600 * SAMPLE_RATE]
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "speech.wav"
        soundfile.write(recording, speech, SAMPLE_RATE)
        began = time.monotonic()
        with Program(
            ["--asr", "nemo", "--model", str(path), "--source", str(recording)]
        ) as program:
            program.wait_for("ready")
            ready_s = time.monotonic() - began
            while "NeMo" not in program.health()["engine"]:
                time.sleep(0.1)
            rows = [
                (
                    "114M on disk: button is ready, NeMo has taken over",
                    f"{ready_s:.1f} s, {time.monotonic() - began:.1f} s",
                ),
            ]
            page = PageSocket()
            page.connect(program.url, program.presenter, transports=["websocket"])
            page.emit("start")
            cpu, began = cpu_s(program.process.pid), time.monotonic()
            for minutes in (1, 2, 4):
                time.sleep(max(0.0, began + 60 * minutes - time.monotonic()))
                memory = f"{memory_mb(program.process.pid):.0f} MB"
                rows.append((f"memory after {minutes} min of speech", memory))
            used = (cpu_s(program.process.pid) - cpu) / (time.monotonic() - began)
            rows += [
                ("processor time per second of sound, of two processors", f"{used:.2f} s"),
                ("sound waiting at the end", f"{program.health()['queue_depth']} frames"),
            ]
            page.disconnect()
    table("The program with a large model", rows)
