"""Whisper as an engine: its paces, its threads, and folders and languages that it refuses."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.feeding import Fed
from tests.whisper_models import whisper as random_whisper
from tests.whisper_models import write
from tests.whisper_speech import SAID, speech, wrong
from utils.asr import Tuning
from utils.asr.whisper import transcriber as module
from utils.asr.whisper.transcriber import AGAIN_S, MOST_THREADS, SLOWER_S, WhisperTranscriber
from utils.config import PACES
from utils.environment import N_THREADS
from utils.errors import ModelError
from utils.models import memory


@pytest.fixture(scope="module")
def shared_one(whisper) -> Iterator[WhisperTranscriber]:
    engine = WhisperTranscriber(whisper)
    yield engine
    engine.close()


@pytest.fixture
def transcriber(shared_one) -> WhisperTranscriber:
    """Loaded once; each test finds it at its first step."""
    while shared_one.step_up():
        pass
    return shared_one


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return speech()


def text_of(transcriber: WhisperTranscriber, samples: np.ndarray) -> str:
    stream = Fed(transcriber.stream())
    for start in range(0, len(samples), 1600):
        stream.accept(samples[start : start + 1600])
    return stream.finish(len(samples)).text


def test_it_is_called_as_people_know_it_and_takes_nothing_back(transcriber):
    assert transcriber.name == "Whisper tiny.en"
    assert transcriber.settle_s == 0.0


def test_segment_after_segment_comes_out_right(transcriber, samples):
    texts = {text_of(transcriber, samples) for _ in range(3)}
    assert len(texts) == 1
    assert wrong(SAID[:-1], " ".join(texts.pop().split()[:-1])) == 0


def test_every_step_hears_the_same_and_the_steps_have_ends(transcriber, samples):
    n_down, texts = 0, {text_of(transcriber, samples)}
    while transcriber.step_down():
        n_down += 1
        texts.add(text_of(transcriber, samples))
    assert n_down == len(SLOWER_S)
    assert len(texts) == 1
    assert not transcriber.step_down()  # and stays there
    n_up = 0
    while transcriber.step_up():
        n_up += 1
    assert n_up == n_down and not transcriber.step_up()
    assert transcriber.step_down()  # and once more


def test_a_step_holds_from_the_next_segment_on(transcriber, samples):
    before = Fed(transcriber.stream())
    while transcriber.step_down():
        pass
    after = Fed(transcriber.stream())
    assert after.accept(samples) == ""
    # The one that was open goes on as it began, and both end with the same.
    before.accept(samples)
    assert before.finish(len(samples)).text == after.finish(len(samples)).text


def test_paces_are_those_of_the_settings_each_slower_than_the_one_before():
    assert set(AGAIN_S) == set(PACES)
    waits = [*(AGAIN_S[pace] for pace in ("fastest", "balanced", "accurate"))]
    steps = [*waits, *(step for step in SLOWER_S if step is not None)]
    assert steps == sorted(set(steps)) and steps[0] > 0
    assert SLOWER_S[-1] is None


@pytest.mark.parametrize("pace", [*PACES, "auto"])
def test_every_pace_opens(whisper, samples, pace):
    engine = WhisperTranscriber(whisper, "en", Tuning(pace=pace))
    try:
        assert wrong(SAID[:10], text_of(engine, samples[:46_000])) == 0
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("cores", "threads"),
    [(1, 1), (2, 1), (3, 2), (MOST_THREADS + 1, MOST_THREADS), (64, MOST_THREADS)],
)
def test_a_core_is_left_to_the_rest(monkeypatch, cores, threads):
    monkeypatch.delenv(N_THREADS, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    assert module._threads() == threads


@pytest.mark.parametrize(
    ("told", "threads"), [("1", 1), ("3", 3), ("64", MOST_THREADS), ("", 4), ("0", 4), ("x", 4)]
)
def test_a_process_that_is_to_take_fewer_cores_takes_fewer(monkeypatch, told, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setenv(N_THREADS, told)
    assert module._threads() == threads


@pytest.mark.parametrize("cores", [None, 1, 8])
def test_cores_are_counted_where_the_system_has_no_affinity(monkeypatch, cores):
    monkeypatch.delenv(N_THREADS, raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert module._threads() == max(1, min((cores or 1) - 1, MOST_THREADS))


@pytest.mark.parametrize("language", ["en-US", "EN", "en-GB"])
def test_a_tag_of_the_language_will_do(whisper, language):
    WhisperTranscriber(whisper, language).close()


@pytest.mark.parametrize("language", ["ko", "ko-KR", "de", "xx"])
def test_a_language_that_it_lacks_is_refused(whisper, language):
    with pytest.raises(ModelError, match=f"knows English only, not {language}.*--language"):
        WhisperTranscriber(whisper, language)


def test_phrases_are_preferred(whisper, samples):
    engine = WhisperTranscriber(whisper, "en", Tuning(phrases=("modern phase",)))
    try:
        assert "modern phase" in text_of(engine, samples)
    finally:
        engine.close()


def test_a_model_that_does_not_fit_is_refused(whisper, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 100_000_000)
    with pytest.raises(ModelError, match="Whisper tiny.en is too large"):
        WhisperTranscriber(whisper)


def test_it_lets_go_of_its_thread(whisper, samples):
    before = threading.active_count()
    engine = WhisperTranscriber(whisper)
    Fed(engine.stream()).accept(samples)
    engine.close()
    engine.close()  # once more does no harm
    assert threading.active_count() == before


@pytest.mark.parametrize("call", ["accept", "work_ahead", "finish"])
def test_a_stream_that_is_open_when_the_model_is_closed_says_so(whisper, samples, call):
    engine = WhisperTranscriber(whisper)
    stream, waiting = Fed(engine.stream()), [Fed(engine.stream()) for _ in range(3)]
    for each in (stream, *waiting):
        each.accept(samples[:40_000])  # a pass begins; those of the others wait
    engine.close()
    calls = {
        "accept": lambda: [stream.accept(samples) for _ in range(3)],
        "work_ahead": lambda: stream.work_ahead(),
        "finish": lambda: stream.finish(40_000),
    }
    with pytest.raises(ModelError, match="closed"):
        calls[call]()
    for each in waiting:
        with pytest.raises(ModelError, match="closed"):
            each.finish(40_000)


def folder_with(folder: Path, whole: Path, name: str, data: bytes) -> Path:
    """The packaged model with another file in it."""
    folder.mkdir()
    for path in whole.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.bin", b"nothing"),
        ("config.json", b"{}"),
        ("vocabulary.txt", b"one\ntwo\n"),
        ("vocabulary.txt", b"".join(b"word%d\n" % i for i in range(51_864))),
        ("tokenizer.json", b'{"model": {}}'),
        ("tokenizer.json", b"{}"),
        ("preprocessor_config.json", b'{"feature_size": 128}'),
        ("preprocessor_config.json", b'{"feature_size": "many"}'),
        ("preprocessor_config.json", b'{"n_fft": 0}'),
        ("preprocessor_config.json", b"[]"),
    ],
)
def test_a_damaged_folder_is_a_model_error(whisper, tmp_path, name, data):
    with pytest.raises(ModelError, match="broken-model"):
        WhisperTranscriber(folder_with(tmp_path / "broken-model", whisper, name, data))


def test_a_tokenizer_without_whispers_own_tokens_is_a_model_error(whisper, tmp_path):
    tokens = json.loads((whisper / "tokenizer.json").read_text())
    tokens["added_tokens"] = []
    data = json.dumps(tokens).encode()
    with pytest.raises(ModelError, match="broken-model"):
        WhisperTranscriber(folder_with(tmp_path / "broken-model", whisper, "tokenizer.json", data))


OPEN = """
import sys
from pathlib import Path
from utils.asr.whisper.transcriber import WhisperTranscriber
from utils.errors import ModelError
try:
    WhisperTranscriber(Path(sys.argv[1])).close()
except ModelError as err:
    print(err)
"""


@pytest.mark.parametrize("heads", [[[99, 99]], [[-1, 0]]])
def test_heads_that_the_model_lacks_do_not_end_the_program(whisper, tmp_path, heads):
    """In a process of its own: CTranslate2 may read beyond its memory there."""
    config = json.loads((whisper / "config.json").read_text()) | {"alignment_heads": heads}
    data = json.dumps(config).encode()
    folder = folder_with(tmp_path / "broken-model", whisper, "config.json", data)
    opened = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert opened.returncode == 0, opened.stderr
    assert "broken-model" in opened.stdout


def test_weights_that_are_no_whisper_are_a_model_error(tmp_path):
    with pytest.raises(ModelError, match="random-model"):
        WhisperTranscriber(write(tmp_path / "random-model", random_whisper()))


def test_a_damaged_folder_leaves_no_thread_behind(whisper, tmp_path):
    before = threading.active_count()
    folder = folder_with(tmp_path / "broken-model", whisper, "config.json", b"{}")
    with pytest.raises(ModelError):
        WhisperTranscriber(folder)
    assert threading.active_count() == before


def test_a_twin_hears_by_the_same_weights_at_a_pace_of_its_own(transcriber, samples):
    twin = transcriber.twin()
    assert twin._model is transcriber._model
    assert transcriber.step_down() and not twin.step_up()  # it does all that it was opened for
    assert transcriber.step_up()
    assert text_of(twin, samples) == text_of(transcriber, samples)
    twin.close()
    assert text_of(transcriber, samples)  # which outlasts it
