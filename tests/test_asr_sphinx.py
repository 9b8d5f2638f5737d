"""The PocketSphinx transcriber, with the real engine and its real second process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import jiwer
import numpy as np
import pytest

from utils import audio
from utils.asr import sphinx
from utils.asr.sphinx import SphinxTranscriber
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError

ROOT = Path(__file__).resolve().parents[1]
CLIP = Path(__file__).parent / "data" / "speech.flac"
CLIP_TEXT = (Path(__file__).parent / "data" / "speech.txt").read_text().strip()
SHARED = ROOT.parent / "shared" / "speech" / "librispeech-dev-clean"


@pytest.fixture(scope="module")
def transcriber():
    transcriber = SphinxTranscriber()
    yield transcriber
    transcriber.close()


@pytest.fixture(scope="module")
def speech():
    return audio.load(CLIP)


def recognise(transcriber, samples, frame=512, pauses=(), n_samples=None):
    """Final transcription and every growing text on the way."""
    stream, texts = transcriber.stream(), []
    for start in range(0, len(samples), frame):
        texts.append(stream.accept(samples[start : start + frame]))
        if any(start < pause <= start + frame for pause in pauses):
            stream.work_ahead()
    return stream.finish(len(samples) if n_samples is None else n_samples), texts


@pytest.fixture(scope="module")
def whole(transcriber, speech):
    """The clip, recognised in one quiet run: what every other way must agree with."""
    return recognise(transcriber, speech)


def is_running(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_speech_gives_its_words(whole):
    final, _ = whole
    assert jiwer.wer(CLIP_TEXT, final.text.lower()) < 0.2
    assert final.text == " ".join(word.text for word in final.words)


def test_shared_speech_gives_its_words(transcriber):
    if not SHARED.is_dir():
        pytest.skip(f"no speech at {SHARED}")
    rows = (SHARED / "manifest.csv").read_text().splitlines()[1:41:8]
    references, texts = [], []
    for row in rows:
        name, _, text = row.split(",", 2)
        final, _ = recognise(transcriber, audio.load(SHARED / name))
        references.append(text.lower())
        texts.append(final.text.lower())
    assert jiwer.wer(references, texts) < 0.45


@pytest.mark.parametrize("frame", [160, 4_000, 10**6])
def test_frame_size_changes_nothing(transcriber, speech, whole, frame):
    final, texts = recognise(transcriber, speech, frame)
    assert final == whole[0]
    assert texts[-1] == whole[1][-1]


def test_text_grows_before_the_end(whole):
    _, texts = whole
    halfway = texts[len(texts) // 2]
    assert len(halfway.split()) >= 2
    assert len(texts[-1].split()) > len(halfway.split())


def test_text_does_not_depend_on_earlier_segments(transcriber, speech, whole):
    recognise(transcriber, 0.1 * speech[: len(speech) // 2 : -1])
    assert recognise(transcriber, speech) == whole


def test_words_lie_in_order_inside_the_segment(whole, speech):
    words = whole[0].words
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[0] >= 0 and times[-1] <= len(speech) / SAMPLE_RATE
    assert all(word.text and word.end_s > word.start_s for word in words)


@pytest.mark.parametrize("seconds", [1.5, 3.7])  # before and after it works ahead by itself
def test_finish_with_fewer_samples_forgets_the_rest(transcriber, speech, whole, seconds):
    n_samples = int(seconds * SAMPLE_RATE)
    final, _ = recognise(transcriber, speech, pauses=[len(speech)], n_samples=n_samples)
    assert all(word.end_s <= seconds for word in final.words)
    expected = sum(word.end_s <= seconds for word in whole[0].words)
    assert abs(len(final.words) - expected) <= 1


def test_unfinished_segment_is_forgotten(transcriber, speech, whole):
    transcriber.stream().accept(speech[: len(speech) // 2])
    assert recognise(transcriber, speech) == whole


def test_work_ahead_at_the_end_changes_nothing(transcriber, speech, whole):
    assert recognise(transcriber, speech, pauses=[len(speech)]) == whole


def test_work_ahead_loses_no_words_when_speech_goes_on(transcriber, speech):
    final, _ = recognise(transcriber, speech, pauses=[len(speech) // 2, 3 * len(speech) // 4])
    assert jiwer.wer(CLIP_TEXT, final.text.lower()) < 0.3


@pytest.mark.parametrize("n_samples", [0, 1, 800, 1_600])
def test_hardly_any_samples_are_no_words(transcriber, speech, n_samples):
    final, _ = recognise(transcriber, speech[:n_samples])
    assert final.text == "" and final.words == ()


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_is_no_words(transcriber, level):
    hiss = level * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE)
    final, texts = recognise(transcriber, hiss.astype(np.float32))
    assert final.text == "" and set(texts) == {""}


@pytest.mark.parametrize("ahead", [False, True])
def test_killed_process_is_replaced(transcriber, speech, whole, ahead):
    stream = transcriber.stream()
    stream.accept(speech)
    if ahead:
        stream.work_ahead()
    os.kill(transcriber.worker_pid, signal.SIGKILL)
    assert jiwer.wer(CLIP_TEXT, stream.finish(len(speech)).text.lower()) < 0.5
    assert recognise(transcriber, speech) == whole


def test_process_that_hangs_is_replaced(transcriber, speech, whole, monkeypatch):
    monkeypatch.setattr(sphinx, "PATIENCE_S", -len(speech) / SAMPLE_RATE + 0.2)
    stream = transcriber.stream()
    stream.accept(speech)
    os.kill(transcriber.worker_pid, signal.SIGSTOP)
    assert jiwer.wer(CLIP_TEXT, stream.finish(len(speech)).text.lower()) < 0.5
    monkeypatch.undo()
    assert recognise(transcriber, speech) == whole


def test_close_leaves_no_process():
    transcriber = SphinxTranscriber()
    pid = transcriber.worker_pid
    assert is_running(pid)
    transcriber.close()
    assert not is_running(pid)


def test_killed_program_leaves_no_process():
    program = (
        "import time; from utils.asr.sphinx import SphinxTranscriber\n"
        "print(SphinxTranscriber().worker_pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        pid = int(process.stdout.readline())
        assert is_running(pid)
        process.kill()
    for _ in range(200):  # it ends once it has seen the end of its input
        if not is_running(pid):
            break
        subprocess.run(["sleep", "0.05"], check=True)
    assert not is_running(pid)


def test_missing_engine_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(ModelError, match="pip install"):
        SphinxTranscriber()
