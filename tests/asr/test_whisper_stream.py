"""A segment heard while it grows ends with the text of the whole; what was shown stays."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.feeding import Fed
from tests.scoring import normalised
from tests.whisper_speech import DIGITS_SAID, SAID, at_once, digits, hear, speech, wrong
from utils.asr.whisper.guard import is_speech
from utils.asr.whisper.model import MIN_SAMPLES, Heard, WhisperModel
from utils.asr.whisper.stream import FIRST_S, LONG_S, SHARE, WhisperStream
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError

AGAIN_S = 0.5
NONE = np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def model(whisper) -> WhisperModel:
    return WhisperModel(whisper, "en", threads=1)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return speech()


@pytest.fixture(scope="module")
def whole(model, samples) -> Heard:
    """The segment heard once, all of it."""
    return hear(model, samples)


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool
        pool.shutdown(cancel_futures=True)


def accept(stream: Fed, samples: np.ndarray, size: int) -> list[str]:
    """Every text while the samples come."""
    return [stream.accept(samples[i : i + size]) for i in range(0, len(samples), size)]


def figures(heard: Heard) -> list[float | None]:
    return [x for word in heard.words for x in (word.start_s, word.end_s, word.confidence)]


def only_grew(texts: list[str]) -> bool:
    return all(b.startswith(a) for a, b in zip(texts, texts[1:], strict=False))


@pytest.mark.parametrize("size", [1, 333, 512, 16_000, 10**7])
def test_any_chunk_size_gives_the_text_of_the_whole_segment(model, samples, whole, worker, size):
    again_s = AGAIN_S if size > 1 else None
    stream = Fed(WhisperStream(model, worker.submit, again_s))
    accept(stream, samples, size)
    result = stream.finish(len(samples))
    assert result.text == whole.text
    assert [word.text for word in result.words] == [word.text for word in whole.words]
    # A pass over another length is worked out in another order, which a processor may round.
    assert figures(result) == pytest.approx(figures(whole), abs=0.05)


@pytest.mark.parametrize("size", [512, 1600])
def test_words_are_shown_while_they_are_spoken_and_only_grow(model, samples, whole, size):
    stream = Fed(WhisperStream(model, at_once, AGAIN_S))
    texts = accept(stream, samples, size)
    assert only_grew(texts)
    half = texts[len(texts) // 2]
    assert wrong(SAID[: len(half.split())], half) <= 1
    assert len(half.split()) >= 4
    assert len(texts[-1].split()) >= 12
    assert stream.finish(len(samples)).text == whole.text


@pytest.mark.parametrize("cost_s", [0.0, 0.5, 2.0])
def test_passes_take_no_more_than_their_share_of_the_time(model, samples, cost_s):
    begun: list[int] = []

    def submit(call: Callable[..., Heard], *args: object) -> "Future[Heard]":
        begun.append(end)
        future: Future[Heard] = Future()
        future.set_result(replace(call(*args), cost_s=cost_s))
        return future

    stream = Fed(WhisperStream(model, submit, AGAIN_S))
    for end in range(512, len(samples), 512):
        stream.accept(samples[end - 512 : end])
    assert begun[0] >= FIRST_S * SAMPLE_RATE
    apart = np.diff(begun) / SAMPLE_RATE
    assert (apart >= max(AGAIN_S / 2, cost_s / SHARE) - 1e-3).all()  # sooner for the first word
    assert cost_s > 0 or len(begun) >= 5


def test_growing_passes_over_long_speech_hear_its_end_alone(model, samples):
    heard: list[int] = []

    def submit(call: Callable[..., Heard], *args: Any) -> "Future[Heard]":
        heard.append(args[1])
        return at_once(call, *args)

    long = np.concatenate([samples, digits()])
    stream = Fed(WhisperStream(model, submit, AGAIN_S))
    texts = accept(stream, long, 512)
    assert only_grew(texts)
    assert max(heard) <= LONG_S * SAMPLE_RATE < len(long) / 1.5
    shown = texts[-1].split()
    assert wrong(SAID + list(DIGITS_SAID)[: len(shown) - len(SAID)], texts[-1]) <= 3
    assert len(shown) > len(SAID) + 3
    heard.clear()
    stream.work_ahead()
    assert heard[0] < heard[1] == len(long)  # the end first, then all of it for the final text
    assert stream.finish(len(long)).text == hear(model, long).text


def test_a_split_in_hindsight_gives_the_text_of_what_belongs_to_it(model, samples, worker):
    pause = int(2.9 * SAMPLE_RATE)
    for n_samples in (pause, pause - 12_345, 0, 100):
        stream = Fed(WhisperStream(model, worker.submit, AGAIN_S))
        accept(stream, samples, 512)
        result = stream.finish(n_samples)
        alone = hear(model, samples[:n_samples])
        assert result.text == (alone.text if is_speech(alone) else "")
        assert all(word.end_s <= n_samples / SAMPLE_RATE for word in result.words)
    assert wrong(SAID[:10], hear(model, samples[:pause]).text) == 0


def test_what_was_worked_out_at_a_pause_is_not_the_text_of_another_length(model, samples, worker):
    stream = Fed(WhisperStream(model, worker.submit, AGAIN_S))
    stream.accept(samples)
    stream.work_ahead()
    pause = int(2.9 * SAMPLE_RATE)
    assert stream.finish(pause).text == hear(model, samples[:pause]).text


def test_no_sample_beyond_the_segment_is_heard(model, samples, whole, worker):
    stream = Fed(WhisperStream(model, worker.submit, AGAIN_S))
    accept(stream, np.concatenate([samples, digits()]), 4096)
    assert stream.finish(len(samples)).text == whole.text


def test_more_samples_than_came_are_no_more_than_came(model, samples, whole, worker):
    stream = Fed(WhisperStream(model, worker.submit, AGAIN_S))
    accept(stream, samples, 4096)
    assert stream.finish(len(samples) + 10**6).text == whole.text


def test_work_ahead_is_what_finish_gives(model, samples, whole):
    passes: list[int] = []

    def submit(call: Callable[..., Heard], *args: Any) -> "Future[Heard]":
        passes.append(args[1])
        return at_once(call, *args)

    stream = Fed(WhisperStream(model, submit, None))
    stream.accept(samples)
    for _ in range(3):  # is not begun twice
        stream.work_ahead()
    assert stream.finish(len(samples)).text == whole.text
    assert passes == [len(samples)]


@pytest.mark.parametrize("submit", ["at once", "worker"])
def test_speech_that_goes_on_after_a_pause_is_heard_as_a_whole(
    model, samples, whole, worker, submit
):
    stream = Fed(WhisperStream(model, at_once if submit == "at once" else worker.submit, AGAIN_S))
    texts = []
    for part in np.array_split(samples, 5):
        texts += accept(stream, part, 512)
        stream.work_ahead()
        texts.append(stream.accept(NONE))
    assert only_grew(texts)
    assert stream.finish(len(samples)).text == whole.text


def test_after_a_pause_every_word_is_shown_without_the_last_mark(model, samples, whole):
    stream = Fed(WhisperStream(model, at_once, AGAIN_S))
    accept(stream, samples, 512)
    stream.work_ahead()
    assert normalised(stream.accept(NONE)) == normalised(whole.text)
    assert not stream.accept(NONE).endswith(".")


def test_without_passes_in_between_words_are_shown_at_pauses_alone(model, samples, whole):
    stream = Fed(WhisperStream(model, at_once, None))
    assert set(accept(stream, samples, 512)) == {""}
    stream.work_ahead()
    assert normalised(stream.accept(NONE)) == normalised(whole.text)
    assert stream.finish(len(samples)).text == whole.text


@pytest.mark.parametrize("n_samples", [0, 1, MIN_SAMPLES - 1])
@pytest.mark.parametrize("again_s", [AGAIN_S, None])
def test_a_segment_without_room_for_a_word_has_none(model, samples, worker, n_samples, again_s):
    stream = Fed(WhisperStream(model, worker.submit, again_s))
    assert stream.accept(samples[:n_samples]) == ""
    stream.work_ahead()
    result = stream.finish(n_samples)
    assert (result.text, result.words) == ("", ())


def test_a_stream_that_was_given_nothing_has_no_words(model, worker):
    assert Fed(WhisperStream(model, worker.submit, AGAIN_S)).finish(0).text == ""
    assert Fed(WhisperStream(model, worker.submit, AGAIN_S)).finish(16_000).text == ""


def test_streams_of_several_callers_do_not_mix(model, samples, whole, worker):
    other, other_text = digits(), hear(model, digits()).text
    first, second = (Fed(WhisperStream(model, worker.submit, AGAIN_S)) for _ in range(2))
    for start in range(0, max(len(samples), len(other)), 2000):
        first.accept(samples[start : start + 2000])
        second.accept(other[start : start + 2000])
    first.work_ahead()
    second.work_ahead()
    assert second.finish(len(other)).text == other_text
    assert first.finish(len(samples)).text == whole.text


def test_streams_on_threads_of_their_own_do_not_mix(model, samples, whole, worker):
    def run(sound: np.ndarray) -> str:
        stream = Fed(WhisperStream(model, worker.submit, AGAIN_S))
        accept(stream, sound, 1600)
        return stream.finish(len(sound)).text

    with ThreadPoolExecutor(max_workers=3) as callers:
        texts = list(callers.map(run, [samples, digits(), samples]))
    assert texts == [whole.text, hear(model, digits()).text, whole.text]


def test_a_stream_that_is_left_open_holds_up_no_other(model, samples, whole, worker):
    left = Fed(WhisperStream(model, worker.submit, AGAIN_S))
    accept(left, samples[:40_000], 512)
    left.work_ahead()
    stream = Fed(WhisperStream(model, worker.submit, AGAIN_S))
    accept(stream, samples, 512)
    assert stream.finish(len(samples)).text == whole.text


@pytest.mark.parametrize("failure", [RuntimeError("broken"), MemoryError()])
def test_an_engine_that_fails_is_a_model_error(model, samples, failure):
    def submit(*call: object) -> "Future[Heard]":
        future: Future[Heard] = Future()
        future.set_exception(failure)
        return future

    stream = Fed(WhisperStream(model, submit, AGAIN_S))
    with pytest.raises(ModelError, match="close other programs"):
        accept(stream, samples, 512)
    with pytest.raises(ModelError, match="close other programs"):
        Fed(WhisperStream(model, submit, None)).finish(0)


def test_soft_speech_has_its_words(model, samples, whole, worker):
    stream = Fed(WhisperStream(model, worker.submit, AGAIN_S))
    accept(stream, 0.01 * samples, 512)
    assert wrong(normalised(whole.text), stream.finish(len(samples)).text) <= 1
