"""Streamed text is that of the whole, however the sound arrives and whoever shares the model."""

import threading
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.feeding import Fed
from tests.nemo_models import LOOK_AHEADS, build_streaming, save, save_streaming
from utils.asr.nemo.int8 import quantize_if_faster
from utils.asr.nemo.mel import MelFrames
from utils.asr.nemo.stream import NemoStream, StreamingModel, can_stream, look_aheads
from utils.asr.nemo.transcriber import NemoTranscriber, Tuning
from utils.asr.nemo.worker import Worker
from utils.audio import SAMPLE_RATE
from utils.config import PACES

pytestmark = pytest.mark.nemo

KINDS = ["ctc", "ctc_bpe", "rnnt", "tdt", "hybrid"]


@pytest.fixture(scope="module", params=KINDS)
def shared_model(request, tmp_path_factory) -> tuple[object, StreamingModel]:
    """NeMo's model, and the same as we run it."""
    import torch

    model = build_streaming(request.param, tmp_path_factory.mktemp("nemo"))
    return model, StreamingModel(model, torch.float32)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


def swelling(seconds: float, seed: int) -> np.ndarray:
    """Coloured noise that changes all the time, float32 (n,)."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * np.cumsum(200 + 2000 * np.abs(np.sin(3 * t + seed))) / SAMPLE_RATE)
    wave = rng.standard_normal(len(t)) * 0.03 + 0.2 * tone * (1 + np.sin(2 * np.pi * 3 * t))
    return wave.astype(np.float32)


def offline(model: Any, streaming: StreamingModel, samples: np.ndarray, right: int) -> str:
    """What NeMo's own calls make of the whole, under the same look-ahead."""
    import torch

    model.encoder.set_default_att_context_size([70, right])
    with torch.inference_mode():
        output, frames = model.forward(
            input_signal=torch.from_numpy(samples)[None],
            input_signal_length=torch.tensor([len(samples)]),
        )[:2]
        if hasattr(model, "joint"):
            found = model.decoding.rnnt_decoder_predictions_tensor(
                output, frames, return_hypotheses=True
            )
        else:
            found = model.decoding.ctc_decoder_predictions_tensor(
                output, decoder_lengths=frames, return_hypotheses=True
            )
    return found[0].text.strip()


def streamed(stream: Fed, samples: np.ndarray, rng: np.random.Generator) -> str:
    """The growing text at the end, having pushed all in pieces of any size."""
    at, text = 0, ""
    while at < len(samples):
        size = int(rng.integers(1, 20_000))
        text = stream.accept(samples[at : at + size])
        at += size
        if rng.random() < 0.2:
            stream.work_ahead()
    return text


@pytest.mark.parametrize("right", LOOK_AHEADS)
def test_any_pieces_give_the_text_of_the_whole(shared_model, worker, right):
    model, streaming = shared_model
    rng = np.random.default_rng(right)
    for seed in range(4):
        samples = swelling(rng.uniform(0.2, 6), seed)
        stream = Fed(NemoStream(streaming, worker, right))
        growing = streamed(stream, samples, rng)
        heard = stream.finish(len(samples))
        whole = offline(model, streaming, samples, right)
        assert heard.text == whole
        assert whole.startswith(growing)  # what was shown is never taken back
        if len(samples) > 2 * SAMPLE_RATE:
            assert len(set(whole)) > 3  # the comparison means something
        if heard.words:
            assert " ".join(word.text for word in heard.words) == heard.text
        for word in heard.words:
            assert 0 <= word.start_s <= word.end_s <= len(samples) / SAMPLE_RATE
            assert 0 <= word.confidence <= 1


@pytest.mark.parametrize("kept_s", [0.0, 0.05, 1.3, 3.99])
def test_a_segment_that_was_split_in_hindsight_ends_where_it_was_split(
    shared_model, worker, kept_s
):
    _, streaming = shared_model
    samples = swelling(5, seed=1)
    n_samples = int(kept_s * SAMPLE_RATE)
    for right in (0, 6):
        short = Fed(NemoStream(streaming, worker, right))
        short.accept(samples[:n_samples])
        long = Fed(NemoStream(streaming, worker, right))
        for at in range(0, len(samples), 512):
            long.accept(samples[at : at + 512])
        assert long.finish(n_samples) == short.finish(n_samples)


def test_streams_that_share_a_model_do_not_mix(shared_model):
    _, streaming = shared_model
    worker = Worker()
    recordings = [swelling(4 + seed / 7, seed) for seed in range(5)]
    rights = [6, 6, 1, 6, 0]

    def alone(samples: np.ndarray, right: int) -> str:
        stream = Fed(NemoStream(streaming, worker, right))
        stream.accept(samples)
        return stream.finish(len(samples)).text

    expected = [alone(*pair) for pair in zip(recordings, rights, strict=True)]
    found = [""] * len(recordings)

    def together(i: int) -> None:
        stream = Fed(NemoStream(streaming, worker, rights[i]))
        for at in range(0, len(recordings[i]), 3000):
            stream.accept(recordings[i][at : at + 3000])
        found[i] = stream.finish(len(recordings[i])).text

    threads = [threading.Thread(target=together, args=(i,)) for i in range(len(recordings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.close()
    assert found == expected
    assert len(set(found)) == len(found)


def test_a_batch_gives_each_stream_its_own(shared_model):
    """The same steps, one by one and as a batch."""
    import torch

    from utils.asr.nemo.stream import State

    _, streaming = shared_model
    states = [State(6) for _ in range(4)]
    for _ in range(3):
        jobs = []
        for seed, state in enumerate(states):
            end = state.n_mel + streaming.frames_wanted(state)
            jobs.append((state, streaming.mel.compute(swelling(5, seed), state.n_mel, end)))
        one_by_one = [streaming.step([job])[0] for job in jobs]
        states = streaming.step(jobs)
        for batched, single in zip(states, one_by_one, strict=True):
            for found, expected in zip(batched.decoded.tokens, single.decoded.tokens, strict=True):
                assert astuple(found) == pytest.approx(astuple(expected), abs=1e-3)
            for a, b in zip(batched.caches, single.caches, strict=True):
                torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


def test_mel_frames_are_those_of_the_whole(shared_model):
    import torch

    model, _ = shared_model
    samples = swelling(3, seed=2)[:-37]
    mel = MelFrames(model.preprocessor, torch.device("cpu"))
    whole, n_frames = model.preprocessor(
        input_signal=torch.from_numpy(samples)[None],
        length=torch.tensor([len(samples)]),
    )
    assert mel.at_end(len(samples)) == int(n_frames)
    rng = np.random.default_rng(0)
    at, parts = 0, []
    for n_samples in [*sorted(rng.integers(0, len(samples), 20).tolist()), len(samples)]:
        end = mel.complete(n_samples)
        if end > at:
            parts.append(mel.compute(samples[:n_samples], at, end))
            at = end
    parts.append(mel.compute(samples, at, mel.at_end(len(samples))))
    torch.testing.assert_close(torch.cat(parts, dim=1), whole[0, :, : int(n_frames)])


def test_only_models_that_hear_nothing_ahead_are_streamed(tmp_path):
    limited = build_streaming("ctc_bpe", tmp_path)
    assert can_stream(limited) and look_aheads(limited) == [0, 1, 6, 13]
    unbounded = build_streaming("ctc_bpe", tmp_path, att_context_size=[[-1, 6]])
    assert not can_stream(unbounded)
    both_sides = build_streaming("ctc_bpe", tmp_path, att_context_style="regular")
    assert not can_stream(both_sides)
    normalised = build_streaming("ctc_bpe", tmp_path)
    normalised.cfg.preprocessor.normalize = "per_feature"
    assert not can_stream(normalised)


def test_a_stream_costs_no_more_memory_the_longer_it_grows(shared_model, worker):
    _, streaming = shared_model
    stream = NemoStream(streaming, worker, 6)
    fed = Fed(stream)
    for seed in range(4):
        fed.accept(swelling(10, seed))
    assert len(stream._kept) <= 2 + 6.0 / 0.5
    channel, time, _ = stream._state.caches
    assert channel.shape[1] == 70
    assert channel.untyped_storage().nbytes() == channel.nbytes  # no view of something larger


@pytest.fixture(scope="module")
def hybrid_file(tmp_path_factory) -> Path:
    return save_streaming("hybrid", tmp_path_factory.mktemp("nemo"))


def test_paces_are_look_aheads(hybrid_file):
    chunks = {}
    for pace in PACES:
        transcriber = NemoTranscriber(str(hybrid_file), tuning=Tuning(pace))
        assert transcriber.streams
        chunks[pace] = round(transcriber.chunk_s, 2)
        transcriber.close()
    assert chunks == {"fastest": 0.08, "balanced": 0.56, "accurate": 1.12}


def test_phrases_reach_the_live_decoder():
    from emotion_model import WEIGHTS

    digits = WEIGHTS.with_name("spoken_digits.nemo")
    transcriber = NemoTranscriber(str(digits), tuning=Tuning(phrases=("seven seven",)))
    stream = Fed(transcriber.stream())
    stream.accept(swelling(2, 0))
    stream.finish(2 * SAMPLE_RATE)
    assert type(transcriber._engine._model._decoder).__name__ == "BoostedCtcDecoder"
    transcriber.close()


def test_a_slow_machine_takes_longer_chunks_and_comes_back(hybrid_file):
    transcriber = NemoTranscriber(str(hybrid_file), tuning=Tuning("balanced"))
    open_stream = Fed(transcriber.stream())
    open_stream.accept(swelling(1, 0))
    assert transcriber.step_down() and round(transcriber.chunk_s, 2) == 1.12
    assert not transcriber.step_down()
    open_stream.accept(swelling(1, 1))  # goes on as it began
    open_stream.finish(2 * SAMPLE_RATE)
    assert transcriber.step_up() and round(transcriber.chunk_s, 2) == 0.56
    assert not transcriber.step_up()  # no further than was asked for
    transcriber.close()


def test_a_whole_segment_model_shows_what_two_passes_agree_on(tmp_path):
    transcriber = NemoTranscriber(str(save("ctc_bpe", tmp_path)))
    assert not transcriber.streams
    stream, samples, shown = transcriber.stream(), swelling(8, 3), []
    fed = Fed(stream)
    for at in range(0, len(samples), SAMPLE_RATE // 4):
        shown.append(fed.accept(samples[at : at + SAMPLE_RATE // 4]))
        if stream._pass is not None:
            stream._pass.result()  # as if the machine were fast enough
    heard = fed.finish(len(samples))
    assert any(shown)
    lengths = [len(text.split()) for text in shown]
    assert lengths == sorted(lengths)
    assert transcriber.step_down()
    quiet = Fed(transcriber.stream())
    assert quiet.accept(samples) == ""
    assert quiet.finish(len(samples)) == heard
    assert transcriber.step_up() and not transcriber.step_up()
    transcriber.close()


def test_eight_bits_are_kept_only_where_they_are_faster(tmp_path):
    import torch

    model = build_streaming("ctc_bpe", tmp_path)
    dense = [layer for layer in model.encoder.modules() if type(layer) is torch.nn.Linear]
    times = iter((1.0, 2.0))
    assert not quantize_if_faster(model.encoder, lambda: next(times))
    after = [layer for layer in model.encoder.modules() if type(layer) is torch.nn.Linear]
    assert after == dense
    times = iter((2.0, 1.0))
    assert quantize_if_faster(model.encoder, lambda: next(times))
    assert not [layer for layer in model.encoder.modules() if type(layer) is torch.nn.Linear]


def test_a_closed_model_says_so(hybrid_file):
    from utils.errors import ModelError

    transcriber = NemoTranscriber(str(hybrid_file))
    stream = Fed(transcriber.stream())
    transcriber.close()
    with pytest.raises(ModelError, match="closed"):
        stream.accept(swelling(2, 0))
