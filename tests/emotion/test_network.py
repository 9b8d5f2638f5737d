"""The network hears any length alike, alone or in company, and learns from all it is told."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.emotion.test_features import voice
from training.commands import only_classes
from training.corpora import LABELS, SHIPPED
from utils.audio import SAMPLE_RATE
from utils.emotion import features
from utils.emotion.functionals import functionals, n_functionals, n_timeless
from utils.emotion.network import CLAMP, EmotionLSTM, Listener, ModelConfig, kernel

HEARD = features.DEFAULT_CONFIG
N_FUNCTIONALS = n_functionals(HEARD.n_features, HEARD.n_mfcc)
N_TIMELESS = n_timeless(HEARD.n_features, HEARD.n_mfcc)
CONFIG = ModelConfig(
    HEARD.n_features,
    len(LABELS),
    HEARD.n_mfcc,
    n_listeners=2,
    n_directions=40,
    n_landmarks=12,
    hidden=8,
)


def listeners(model: EmotionLSTM) -> list[Listener]:
    return [listener for listener in model.listeners if isinstance(listener, Listener)]


def network(config: ModelConfig = CONFIG, std: float = 0.05) -> EmotionLSTM:
    """Random weights, scaled so that what it is told matters."""
    torch.manual_seed(0)
    model = EmotionLSTM(config).eval()
    model.timeless_std.fill_(20.0)
    for buffer in (model.timeless_directions, model.landmarks, model.answers):
        buffer.normal_(std=std)
    for listener in listeners(model):
        listener.std.fill_(20.0)
        listener.statistics_std.fill_(20.0)
        listener.directions.normal_(std=std)
    return model


def frames_of(*lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random frames of which those after each length are not even zero."""
    rng = np.random.default_rng(0)
    frames = 20 * rng.standard_normal((len(lengths), max(lengths), CONFIG.n_features))
    return torch.from_numpy(frames.astype(np.float32)), torch.tensor(lengths)


@torch.inference_mode()
def test_padding_and_company_change_no_logits() -> None:
    model = network()
    frames, lengths = frames_of(90, 7, 33, 32, 2, 1)
    together = model(frames, lengths)
    for row, length, logits in zip(frames, lengths, together):
        alone = model(row[None, :length], length[None])[0]
        torch.testing.assert_close(logits, alone, atol=1e-5, rtol=1e-4)
    assert (together.std(dim=0) > 1e-3).all()  # the rows do differ


@torch.inference_mode()
@pytest.mark.parametrize("duration_s", [0.5, 0.51, 1.0, 3.7, 10.0])
@pytest.mark.parametrize("extended", [False, True])
def test_any_length_has_logits(duration_s: float, extended: bool) -> None:
    heard = replace(HEARD, extended=extended)
    model = network(replace(CONFIG, n_features=heard.n_features))
    samples = voice(11.0)[4000 : 4000 + int(duration_s * SAMPLE_RATE)]
    frames = torch.from_numpy(features.extract(samples, heard))[None]
    logits = model(frames, torch.tensor([frames.shape[1]]))
    assert logits.shape == (1, len(LABELS))
    assert torch.isfinite(logits).all()


def test_gradients_reach_every_weight_and_are_finite() -> None:
    model = network().train()
    frames, lengths = frames_of(40, 25, 1)
    frames[1] = 0.0  # a clip in which nothing changes
    torch.nn.functional.cross_entropy(model(frames, lengths), torch.tensor([0, 1, 2])).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and torch.isfinite(weight.grad).all(), name
        # The softmax over time takes away what attention adds to every step alike.
        assert weight.grad.abs().max() > 0 or name.endswith("attention.bias"), name


@torch.inference_mode()
def test_both_views_and_the_order_in_time_count() -> None:
    frames, lengths = frames_of(40)
    found = functionals(frames, lengths, CONFIG.n_mfcc)
    for listener in listeners(network()):
        before = listener.pool(frames, lengths, found)
        assert before.shape == (1, 4 * CONFIG.hidden + CONFIG.n_directions)
        backwards = listener.pool(frames.flip(1), lengths, found)
        assert not torch.allclose(backwards, before, atol=1e-4)
        other = listener.pool(frames, lengths, found + 5)
        heard, told = before.split([4 * CONFIG.hidden, CONFIG.n_directions], dim=1)
        torch.testing.assert_close(other[:, : 4 * CONFIG.hidden], heard)
        assert not torch.allclose(other[:, 4 * CONFIG.hidden :], told, atol=1e-3)


@torch.inference_mode()
def test_a_functional_far_out_says_no_more() -> None:
    model = network()
    frames, lengths = frames_of(40)
    far = torch.full((1, N_FUNCTIONALS), 20 * CLAMP)
    for listener in listeners(model):
        torch.testing.assert_close(
            listener.pool(frames, lengths, far), listener.pool(frames, lengths, 1e6 * far)
        )
    torch.testing.assert_close(model.place(far), model.place(1e6 * far))
    assert not torch.allclose(model.place(far), model.place(0 * far), atol=1e-3)


@torch.inference_mode()
def test_fewer_classes_keep_their_logits() -> None:
    model = network()
    frames, lengths = frames_of(40, 21)
    smaller = only_classes(model, SHIPPED)
    assert smaller.config == replace(CONFIG, n_classes=len(SHIPPED))
    columns = [LABELS.index(label) for label in SHIPPED]
    torch.testing.assert_close(smaller(frames, lengths), model(frames, lengths)[:, columns])


@torch.inference_mode()
def test_landmarks_say_most_of_what_is_nearest() -> None:
    model = network()
    model.timeless_std.fill_(1.0)
    model.timeless_directions.copy_(3 * torch.eye(N_TIMELESS))
    landmarks = model.landmarks
    torch.testing.assert_close(kernel(landmarks, landmarks).diagonal(), torch.ones(12))
    model.answers.zero_()
    model.answers[3, 5] = 2.0
    found = torch.zeros(3, N_FUNCTIONALS)
    found[:, :N_TIMELESS] = landmarks[3] / 3 + torch.tensor([[0.0], [0.3], [100.0]])
    said = model.compare(found)
    torch.testing.assert_close(said[0, 5], torch.tensor(2.0))
    assert said[0, 5] > said[1, 5] > said[2, 5]
    torch.testing.assert_close(said[2], torch.zeros(len(LABELS)))  # unlike any voice: no say


@torch.inference_mode()
def test_landmarks_do_not_ask_when_a_thing_was_heard() -> None:
    model = network()
    found = functionals(*frames_of(40, 25), CONFIG.n_mfcc)
    assert 0 < N_TIMELESS < found.shape[1]
    at_other_times = found.clone()
    at_other_times[:, N_TIMELESS:] += 7
    torch.testing.assert_close(model.place(at_other_times), model.place(found), rtol=0, atol=0)
    torch.testing.assert_close(model.compare(at_other_times), model.compare(found), rtol=0, atol=0)
    assert model.place(found).shape == (2, N_TIMELESS)
    for k in (0, N_TIMELESS - 1):
        otherwise = found.clone()
        otherwise[:, k] += 7
        assert not torch.allclose(model.place(otherwise), model.place(found), atol=1e-3), k


@torch.inference_mode()
def test_logits_are_those_of_all_parts_together() -> None:
    model = network()
    frames, lengths = frames_of(40)
    found = functionals(frames, lengths, CONFIG.n_mfcc)
    one, other = (
        listener.classify(listener.pool(frames, lengths, found)) for listener in listeners(model)
    )
    assert (one - other).abs().max() > 1e-2
    assert model.compare(found).abs().max() > 1e-3
    together = (one + other) / 2 + model.compare(found)
    torch.testing.assert_close(model(frames, lengths), together)
    torch.testing.assert_close(model.listeners[1](frames, lengths, found), other)


@torch.inference_mode()
def test_without_landmarks_the_listeners_say_all() -> None:
    model = network(replace(CONFIG, n_landmarks=0))
    frames, lengths = frames_of(40, 21)
    found = functionals(frames, lengths, CONFIG.n_mfcc)
    assert torch.equal(model.compare(found), torch.zeros(2, len(LABELS)))
    heard = [listener(frames, lengths, found) for listener in model.listeners]
    torch.testing.assert_close(model(frames, lengths), sum(heard) / 2)
