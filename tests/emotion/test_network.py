"""The network hears any length alike, alone or in company, with an encoder and without."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.emotion.test_features import voice
from training.commands import only_classes
from training.corpora import LABELS, SHIPPED
from utils.audio import SAMPLE_RATE
from utils.emotion import features, steps
from utils.emotion.encoder import STEP
from utils.emotion.network import (
    CLAMP,
    DOUBT,
    LSTM_SHARE,
    TRUST,
    EmotionLSTM,
    Listener,
    ModelConfig,
    Usual,
    description,
    statistics,
)

N_FEATURES, N_HEARD = features.DEFAULT_CONFIG.n_features, 30
CONFIG = ModelConfig(N_FEATURES, N_HEARD, len(LABELS), n_listeners=2, n_components=8, hidden=8)
N_FRAMES = STEP * N_FEATURES  # columns of a step that are not the encoder's


def listeners(model: EmotionLSTM) -> list[Listener]:
    return [listener for listener in model.listeners if isinstance(listener, Listener)]


def network(config: ModelConfig = CONFIG) -> EmotionLSTM:
    """Random weights, scaled so that what it is told matters."""
    torch.manual_seed(0)
    model = EmotionLSTM(config).eval()
    for listener in listeners(model):
        listener.std.fill_(20.0)
        listener.heard_std.fill_(20.0)
        listener.statistics_std.fill_(20.0)
        listener.components.normal_(std=0.3)
    return model


def steps_of(*lengths: int, width: int = N_FRAMES + N_HEARD) -> tuple[torch.Tensor, torch.Tensor]:
    """Random steps of which those after each length are not even zero."""
    rng = np.random.default_rng(0)
    found = 20 * rng.standard_normal((len(lengths), max(lengths), width))
    return torch.from_numpy(found.astype(np.float32)), torch.tensor(lengths)


@torch.inference_mode()
@pytest.mark.parametrize("width", [N_FRAMES, N_FRAMES + N_HEARD])
def test_padding_and_company_change_no_logits(width: int) -> None:
    model = network()
    heard, lengths = steps_of(40, 7, 33, 32, 2, 1, width=width)
    together = model(heard, lengths)
    for row, length, logits in zip(heard, lengths, together):
        alone = model(row[None, :length], length[None])[0]
        torch.testing.assert_close(logits, alone, atol=1e-5, rtol=1e-4)
    assert (together.std(dim=0) > 1e-3).all()  # the rows do differ


@torch.inference_mode()
@pytest.mark.parametrize("duration_s", [0.5, 0.51, 1.0, 3.7, 10.0])
def test_any_length_has_logits(duration_s: float) -> None:
    samples = voice(11.0)[4000 : 4000 + int(duration_s * SAMPLE_RATE)]
    heard = torch.from_numpy(steps.extract(samples))[None]
    logits = network()(heard, torch.tensor([heard.shape[1]]))
    assert logits.shape == (1, len(LABELS))
    assert torch.isfinite(logits).all()


def test_gradients_reach_every_weight_and_are_finite() -> None:
    model = network().train()
    heard, lengths = steps_of(20, 12, 1)
    heard[1] = 0.0  # a clip in which nothing changes
    torch.nn.functional.cross_entropy(model(heard, lengths), torch.tensor([0, 1, 2])).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and torch.isfinite(weight.grad).all(), name
        # The softmax over time takes away what attention adds to every step alike.
        assert weight.grad.abs().max() > 0 or name.endswith("attention.bias"), name


@torch.inference_mode()
def test_features_encoder_and_order_in_time_count() -> None:
    heard, lengths = steps_of(20)
    model = network()
    before = model(heard, lengths)
    for changed in (slice(0, N_FRAMES), slice(N_FRAMES, None)):
        other = heard.clone()
        other[..., changed] = other[..., changed].flip(1)
        assert not torch.allclose(model(other, lengths), before, atol=1e-4)


@torch.inference_mode()
def test_without_an_encoder_it_is_as_if_nothing_unusual_was_heard() -> None:
    heard, lengths = steps_of(20, 9)
    for listener in listeners(network()):
        _, parts, whole = listener.scale(heard[..., :N_FRAMES], lengths)
        assert parts.shape == (2, 20, CONFIG.n_components) and not parts.any()
        assert whole.shape == (2, 2 * N_HEARD) and not whole.any()
        usual = heard.clone()
        usual[..., N_FRAMES:] = listener.heard_mean
        assert not listener.scale(usual, lengths)[1].any()


@torch.inference_mode()
def test_statistics_are_mean_and_deviation_of_what_lies_within() -> None:
    heard, lengths = steps_of(20, 9, 1, width=N_HEARD)
    found = statistics(heard, lengths)
    for row, length, own in zip(heard, lengths, found):
        expected = torch.cat([row[:length].mean(dim=0), row[:length].std(dim=0, correction=0)])
        torch.testing.assert_close(own, expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_a_statistic_far_out_says_no_more() -> None:
    heard, lengths = steps_of(20)
    for listener in listeners(network()):
        far = [listener.scale(factor * heard, lengths)[2] for factor in (1e3, 1e5)]
        assert far[0].abs().max() == CLAMP
        torch.testing.assert_close(*far)


@torch.inference_mode()
def test_fewer_classes_keep_their_logits() -> None:
    model = network()
    heard, lengths = steps_of(20, 11)
    smaller = only_classes(model, SHIPPED)
    assert smaller.config == replace(CONFIG, n_classes=len(SHIPPED))
    columns = [LABELS.index(label) for label in SHIPPED]
    torch.testing.assert_close(smaller(heard, lengths), model(heard, lengths)[:, columns])


@torch.inference_mode()
def test_logits_are_the_mean_of_all_listeners() -> None:
    model = network()
    heard, lengths = steps_of(20, 11)
    one, other = (listener(heard, lengths) for listener in listeners(model))
    assert (one - other).abs().max() > 1e-2
    torch.testing.assert_close(model(heard, lengths), (one + other) / 2)


def test_more_components_than_there_are_columns_are_refused() -> None:
    CONFIG.check(N_FEATURES, LABELS)
    replace(CONFIG, n_components=N_HEARD).check(N_FEATURES, LABELS)
    for n_components in (0, N_HEARD + 1):
        with pytest.raises(ValueError, match=f"{n_components} principal components of {N_HEARD}"):
            replace(CONFIG, n_components=n_components).check(N_FEATURES, LABELS)


# --- what is usual


def usual_of(mean: torch.Tensor, n: float) -> Usual:
    return Usual(mean, torch.full((len(mean),), n))


@torch.inference_mode()
def test_a_description_is_mean_of_frames_and_statistics_of_what_was_heard() -> None:
    heard, lengths = steps_of(20, 9)
    found = description(heard, lengths, N_FEATURES)
    for row, length, own in zip(heard, lengths, found):
        frames = row[:length, :N_FRAMES].reshape(-1, N_FEATURES)
        torch.testing.assert_close(own[:N_FEATURES], frames.mean(dim=0), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found[:, N_FEATURES:], statistics(heard[..., N_FRAMES:], lengths))
    assert description(heard[..., :N_FRAMES], lengths, N_FEATURES).shape == (2, N_FEATURES)


@torch.inference_mode()
def test_nothing_known_and_nothing_unusual_change_nothing() -> None:
    model = network()
    heard, lengths = steps_of(20, 9)
    before = model(heard, lengths)
    anything = usual_of(torch.randn(2, N_FEATURES + 2 * N_HEARD), 0)
    torch.testing.assert_close(model(heard, lengths, anything), before)
    for listener in listeners(model):
        centre = torch.cat([listener.mean, listener.statistics_mean]).expand(2, -1)
        torch.testing.assert_close(
            listener(heard, lengths, usual_of(centre, 50)), listener(heard, lengths)
        )


@torch.inference_mode()
@pytest.mark.parametrize("n", [1, 8, 64])
def test_what_is_unusual_of_a_place_goes_as_far_as_it_is_known(n: int) -> None:
    """Steps and deviations that a microphone shifts, heard there and known to be so."""
    heard, lengths = steps_of(20, 9)
    for listener in listeners(network()):
        centre = torch.cat([listener.mean, listener.statistics_mean]).expand(2, -1)
        offset = torch.randn(2, N_FEATURES + N_HEARD)
        known = torch.cat([offset, torch.zeros(2, N_HEARD)], dim=1)
        shifted = heard.clone()
        shifted[..., :N_FRAMES] += offset[:, :N_FEATURES].repeat(1, 4)[:, None]
        shifted[..., N_FRAMES:] += offset[:, None, N_FEATURES:]
        shift = listener.unusual(usual_of(centre + known, n))
        torch.testing.assert_close(shift, TRUST * n / (n + DOUBT) * known)
        whole = known / (TRUST * n / (n + DOUBT))
        left = listener.unusual(usual_of(centre + whole, n))
        for found, expected in zip(
            listener.scale(shifted, lengths, left), listener.scale(heard, lengths)
        ):
            torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


@torch.inference_mode()
def test_both_parts_have_their_share_of_the_answer() -> None:
    heard, lengths = steps_of(20, 9)
    for listener in listeners(network()):
        of_lstm, of_whole = listener.classify(*listener.scale(heard, lengths), lengths).unbind(1)
        expected = LSTM_SHARE * of_lstm + (1 - LSTM_SHARE) * of_whole
        torch.testing.assert_close(listener(heard, lengths), expected)
        assert (of_lstm - of_whole).abs().max() > 1e-2
