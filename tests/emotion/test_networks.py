"""Every network that is known by name: its shapes, its checkpoint, and what it says live."""

import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app import open_emotion
from emotion_model import EmotionRecognizer
from tests.emotion.small_encoder import small_encoder
from tests.emotion.test_features import voice
from utils.emotion import encoder_here, networks, spectra, steps
from utils.emotion.encoder import Encoder
from utils.emotion.features import DEFAULT_CONFIG
from utils.emotion.judgement import Judgement
from utils.emotion.networks import images
from utils.emotion.networks.config import CNNS, IMAGES, NAMES, OURS, SIZES, SVM, NetworkConfig
from utils.emotion.networks.segments import Segments
from utils.emotion.place import Place
from utils.emotion.spectra import SpectraConfig
from utils.errors import ConfigError, ModelError
from utils.live.loading import open_live
from utils.tags.emotion import SHOWN, EmotionTag

MEL = SpectraConfig("mel")
LIGHT = (*CNNS, "cnn-lstm")


def config_of(name: str, n_features: int = MEL.n_features, **changes: Any) -> NetworkConfig:
    of_svm = {"n_vectors": 7, "n_taught": 4} if name == SVM else {}
    return NetworkConfig(name, n_features, len(SHOWN), segment=60, **(of_svm | changes))


def made(name: str, n_features: int = MEL.n_features, **changes: Any) -> networks.Network:
    torch.manual_seed(0)
    network = networks.build(config_of(name, n_features, **changes)).eval()
    for buffer in ("vectors", "weights"):
        if name == SVM:
            network.get_buffer(buffer).normal_()
    return network


def recognizer_of(name: str, labels: tuple[str, ...] = SHOWN) -> EmotionRecognizer:
    facts = {"network": name, "speakers": ["ravdess-01"]}
    certain = Judgement(1.0, dict.fromkeys(labels, 1.0), dict.fromkeys(labels, 0.0))
    return EmotionRecognizer(made(name), labels, None, MEL, certain, facts=facts)


@pytest.fixture(autouse=True)
def seeing(request: pytest.FixtureRequest) -> None:
    """Image networks are tested where torchvision is."""
    told = getattr(request.node, "callspec", None)
    if told and told.params.get("name") in IMAGES:
        pytest.importorskip("torchvision", reason="torchvision is not installed here")


# --- shapes


@pytest.mark.parametrize("name", NAMES[1:])
def test_logits_are_a_row_for_each_remark(name: str) -> None:
    network = made(name)
    batch, lengths = torch.randn(3, 150, MEL.n_features), torch.tensor([150, 61, 9])
    with torch.inference_mode():
        found = network(batch, lengths)
    assert found.shape == (3, len(SHOWN)) and torch.isfinite(found).all()


@pytest.mark.parametrize("name", NAMES[1:])
def test_padding_changes_nothing(name: str) -> None:
    network = made(name)
    batch, lengths = torch.randn(2, 150, MEL.n_features), torch.tensor([150, 30])
    with torch.inference_mode():
        together = network(batch, lengths)
        alone = network(batch[1:, :30], lengths[1:])
    torch.testing.assert_close(together[1], alone[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", LIGHT)
@pytest.mark.parametrize("kind", ["chroma", "mfcc", "mfcc+chroma+mel", "logspec"])
def test_pictures_of_any_height_fit(name: str, kind: str) -> None:
    n = SpectraConfig(kind).n_features
    with torch.inference_mode():
        found = made(name, n)(torch.randn(2, 70, n), torch.tensor([70, 5]))
    assert found.shape == (2, len(SHOWN))


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("channels", [1, 3])
def test_image_networks_take_one_channel_or_three(name: str, channels: int) -> None:
    network = made(name, channels=channels)
    first = next(m for m in network.modules() if isinstance(m, torch.nn.Conv2d))
    assert first.in_channels == channels
    with torch.inference_mode():
        assert network(torch.randn(1, 60, MEL.n_features), torch.tensor([60])).shape[1] == 6


@pytest.mark.parametrize("name", IMAGES)
def test_image_networks_learn_from_small_pictures_too(name: str) -> None:
    network = made(name, size=SIZES[0]).train()
    seen: list[torch.Size] = []
    first = next(m for m in network.modules() if isinstance(m, torch.nn.Conv2d))
    first.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape))
    network(torch.randn(2, 60, MEL.n_features), torch.tensor([60, 60])).sum().backward()
    assert seen == [(2, 1, 64, 64)]
    assert first.weight.grad is not None and first.weight.grad.abs().sum() > 0


def test_speech_of_any_length_is_heard_in_half_overlapping_stretches() -> None:
    network = made("cnn5-1d")
    assert isinstance(network, Segments)
    owner, index = network.places(torch.tensor([20, 60, 61, 150]))
    assert owner.tolist() == [0, 1, 2, 2, 3, 3, 3, 3]
    assert index[0].tolist() == [*range(20)] * 3  # repeated
    assert [row[0].item() for row in index] == [0, 0, 0, 1, 0, 30, 60, 90]
    assert index[-1, -1] == 149


def test_deeper_networks_have_more_to_learn() -> None:
    for kind in ("", "-1d"):
        sizes = [sum(p.numel() for p in made(f"cnn{d}{kind}").parameters()) for d in range(5, 9)]
        assert sizes == sorted(set(sizes))


# --- what ImageNet taught


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where torchvision, which has to be here, keeps the weights that it fetched."""
    pytest.importorskip("torchvision", reason="torchvision is not installed here")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def file_of(name: str) -> str:
    from torchvision import models

    return models.get_model_weights(name).DEFAULT.url.rpartition("/")[2]


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "alexnet-gap"])
def test_weights_of_imagenet_are_taken_over_where_they_are_here(name: str, kept: Path) -> None:
    from torchvision import models

    published = name.removesuffix("-gap")
    options = {"init_weights": False} if published == "googlenet" else {}
    state = getattr(models, published)(weights=None, **options).state_dict()
    torch.save(state, kept / file_of(published))
    network = made(name)
    assert images.teach(network.get_submodule("body"), config_of(name))
    found = network.get_submodule("body.network").state_dict()
    first = next(iter(found))
    torch.testing.assert_close(found[first], state[first].sum(dim=1, keepdim=True))
    fitted = {first, *[n for n, v in found.items() if n not in state or v.shape != state[n].shape]}
    assert all(torch.equal(found[n], state[n]) for n in found.keys() - fitted)
    assert len(fitted) <= 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "ImageNet's weights are not here; to begin with them, fetch http"),
        (b"x", "is damaged"),
    ],
)
def test_else_it_is_trained_from_scratch_and_said_and_nothing_is_fetched(
    content: bytes | None,
    said: str,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(socket, "socket", None)  # whoever calls out fails
    if content:
        (kept / file_of("resnet18")).write_bytes(content)
    network = made("resnet18")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for _fold in range(2):  # said once
        assert not images.teach(network.get_submodule("body"), config_of("resnet18"))
    assert caplog.text.count("resnet18 is trained from scratch: ") == caplog.text.count(said) == 1
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


# --- names


def test_an_unknown_network_is_told_which_there_are() -> None:
    with pytest.raises(ConfigError, match="unknown network 'cnn9', expected one of lstm, cnn5"):
        networks.check_name("cnn9")
    with pytest.raises(ValueError, match="network 'lstm', expected one of cnn5"):
        config_of(OURS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_features": 0}, "n_features is 0"),
        ({"segment": 10**9}, "expected 1 to 100000"),
        ({"channels": 2}, "expected 1 or 3"),
        ({"size": 63}, "expected an edge of 64 to 512"),
        ({"size": 10**6}, "expected an edge of 64 to 512"),
    ],
)
def test_sizes_that_give_no_network_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(config_of("cnn5"), **change)


# --- checkpoint


@pytest.mark.parametrize("name", NAMES[1:])
def test_what_was_saved_is_loaded_and_says_the_same(name: str, tmp_path: Path) -> None:
    recognizer = recognizer_of(name)
    recognizer.save(tmp_path / "model.pt")
    again = EmotionRecognizer.load(tmp_path / "model.pt")
    assert type(again.model) is type(recognizer.model)
    assert again.model.config == recognizer.model.config
    assert (again.labels, again.feature_config, again.facts) == (SHOWN, MEL, recognizer.facts)
    assert again.judgement == recognizer.judgement
    speech = voice(1.2)
    for label, score in recognizer.scores(speech).items():
        assert again.scores(speech)[label] == pytest.approx(score, abs=1e-6)


def changed(path: Path, **parts: object) -> Path:
    found = torch.load(path, weights_only=True)
    for name, value in parts.items():
        found[name] = found[name] | value if isinstance(value, dict) else value
    torch.save(found, path)
    return path


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"model": {"name": "cnn6"}}, "does not fit"),
        ({"model": {"name": "no such"}}, "network 'no such', expected one of"),
        ({"model": {"n_features": 40}}, "does not fit"),
        ({"features": {"kind": "mfcc"}}, "expects 128 features, its settings give 40"),
        ({"features": {"kind": "cepstrum"}}, "expected one of logspec"),
        ({"labels": ["happy", "sad"]}, "expected one distinct label per class"),
        ({"weights": {}, "judgement": {}}, None),
        ({"model": {"encoder": "another"}}, "Whisper's encoder"),
    ],
)
def test_a_checkpoint_whose_parts_do_not_fit_is_refused(
    parts: dict, message: str | None, tmp_path: Path
) -> None:
    recognizer_of("cnn5").save(tmp_path / "model.pt")
    path = changed(tmp_path / "model.pt", **parts)
    if message is None:
        assert EmotionRecognizer.load(path)
        return
    with pytest.raises(ModelError, match=f"{path}.*{message}"):
        EmotionRecognizer.load(path)


def test_a_support_vector_machine_may_hear_through_the_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = small_encoder()

    def here(found: Encoder | None) -> None:
        monkeypatch.setattr(encoder_here, "find_encoder", lambda: found)

    width = steps.width(DEFAULT_CONFIG, encoder)
    network = made(SVM, width, n_heard=encoder.width, encoder=encoder.identity)
    recognizer = EmotionRecognizer(network, SHOWN, encoder)
    recognizer.save(tmp_path / "model.pt")
    here(encoder)
    again = EmotionRecognizer.load(tmp_path / "model.pt")
    assert again.scores(voice()) == pytest.approx(recognizer.scores(voice()))
    here(None)
    with pytest.raises(ModelError, match="hears through Whisper's encoder"):
        EmotionRecognizer.load(tmp_path / "model.pt")


# --- live


@pytest.mark.parametrize("name", ["cnn5", "cnn8-1d", "cnn-lstm", SVM, "resnet18"])
def test_a_checkpoint_is_used_live(name: str, tmp_path: Path) -> None:
    recognizer_of(name).save(tmp_path / "model.pt")
    opened = open_live(str(tmp_path / "model.pt"), open_emotion)
    assert opened.is_ours is False
    speech = voice(2.0)
    heard = opened.steps(speech)
    np.testing.assert_allclose(heard, spectra.extract(speech, MEL))
    tag, place = EmotionTag(opened), Place()
    for end in (20_000, len(speech)):
        tag.grow(speech[:end])
    tag.finish(speech)
    opened.predict(speech, place, learn=[place])
    assert place.mean is None  # it does not ask how speech usually sounds there
    assert opened.scores(speech) == opened.scores(speech)


def test_classes_that_the_page_cannot_show_are_refused_live(tmp_path: Path) -> None:
    labels = ("neutral", "happy", "sad", "calm", "fear", "surprised")
    recognizer_of("cnn5", labels).save(tmp_path / "model.pt")
    assert EmotionRecognizer.load(tmp_path / "model.pt").labels == labels
    with pytest.raises(ModelError, match="tells calm, surprised, which the page cannot show"):
        open_live(str(tmp_path / "model.pt"), open_emotion)


def test_a_checkpoint_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.pt"
    with pytest.raises(ModelError, match=f"{path}: no such file; `python -m training train`"):
        open_live(str(path), open_emotion)


def test_without_torchvision_image_networks_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(
        ModelError, match="need torchvision .* -r utils/emotion/networks/torchvision"
    ):
        networks.build(config_of("densenet121"))
