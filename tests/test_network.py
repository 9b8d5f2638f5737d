"""The network hears any length alike, alone or in company, and learns from all it is told."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.test_features import voice
from training.commands import only_classes
from training.corpora import LABELS, SHIPPED
from utils import features
from utils.audio import SAMPLE_RATE
from utils.functionals import functionals
from utils.network import CLAMP, EmotionLSTM, ModelConfig

HEARD = features.DEFAULT_CONFIG
CONFIG = ModelConfig(HEARD.n_features, len(LABELS), HEARD.n_mfcc, n_directions=12, hidden=8)


def network(config: ModelConfig = CONFIG) -> EmotionLSTM:
    """Random weights, scaled so that what it is told matters."""
    torch.manual_seed(0)
    model = EmotionLSTM(config).eval()
    model.std.fill_(20.0)
    model.statistics_std.fill_(20.0)
    model.directions.normal_(std=0.05)
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
        assert torch.isfinite(weight.grad).all(), name
        # The softmax over time takes away what attention adds to every step alike.
        assert weight.grad.abs().max() > 0 or name == "attention.bias", name


@torch.inference_mode()
def test_both_views_and_the_order_in_time_count() -> None:
    model = network()
    frames, lengths = frames_of(40)
    found = functionals(frames, lengths, CONFIG.n_mfcc)
    before = model.pool(frames, lengths, found)
    assert before.shape == (1, 4 * CONFIG.hidden + CONFIG.n_directions)
    backwards = model.pool(frames.flip(1), lengths, found)
    assert not torch.allclose(backwards, before, atol=1e-4)
    other = model.pool(frames, lengths, found + 5)
    torch.testing.assert_close(other[:, : -CONFIG.n_directions], before[:, : -CONFIG.n_directions])
    assert not torch.allclose(other, before, atol=1e-3)


@torch.inference_mode()
def test_a_functional_far_out_says_no_more() -> None:
    model = network()
    frames, lengths = frames_of(40)
    far = torch.full_like(model.statistics_mean, 20 * CLAMP)[None]
    torch.testing.assert_close(
        model.pool(frames, lengths, far), model.pool(frames, lengths, 1e6 * far)
    )


@torch.inference_mode()
def test_fewer_classes_keep_their_logits() -> None:
    model = network()
    frames, lengths = frames_of(40, 21)
    smaller = only_classes(model, SHIPPED)
    assert smaller.config == replace(CONFIG, n_classes=len(SHIPPED))
    columns = [LABELS.index(label) for label in SHIPPED]
    torch.testing.assert_close(smaller(frames, lengths), model(frames, lengths)[:, columns])
