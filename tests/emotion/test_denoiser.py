"""The denoiser hears each recording alone, at any level, and refuses files that do not fit."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.emotion.test_features import voice
from tests.emotion.test_network import network
from utils import checkpoint
from utils.audio import load
from utils.checkpoint import Format
from utils.emotion import denoiser, features
from utils.emotion.denoiser import Denoiser, to_bands, to_frames
from utils.emotion.prosody import NAMES
from utils.errors import ModelError

SPEECH = Path(__file__).resolve().parents[1] / "data" / "speech.flac"
ZCR, RMS = denoiser.N_COLUMNS - 2, denoiser.N_COLUMNS - 1


def random_denoiser(seed: int = 0) -> Denoiser:
    """One that turns much down, here more and there less, as no training would have it."""
    torch.manual_seed(seed)
    model = Denoiser()
    torch.nn.init.normal_(model.out.weight, std=0.1)
    with torch.no_grad():
        model.out.weight[-1] *= 0.02  # or no zero-crossing would be left
    for norm in model.norms:
        assert isinstance(norm, torch.nn.BatchNorm1d) and norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
        torch.nn.init.uniform_(norm.bias, -1.0, 1.0)
    return model.eval()


@pytest.fixture(scope="module")
def model() -> Denoiser:
    return random_denoiser()


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return features.extract(load(SPEECH))


def rounding(values: torch.Tensor) -> float:
    """What float32 may differ by, in the values' own unit, where sums are taken in another order.

    A frame passes some 20 sums of up to 1,000 terms (bases, layers and back), each of which is off
    by about the root of its number of terms, in steps of the last bit; other processors and
    numbers of threads add in another order.
    """
    return 20 * 1_000**0.5 * torch.finfo(torch.float32).eps * float(values.abs().max())


def forward(model: Denoiser, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return model(frames, lengths)


def padded(arrays: list[np.ndarray], fill: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames of a batch, with `fill` after each end, and their lengths."""
    lengths = torch.tensor([len(array) for array in arrays])
    frames = torch.full((len(arrays), int(lengths.max()), arrays[0].shape[1]), fill)
    for row, array in zip(frames, arrays):
        row[: len(array)] = torch.from_numpy(array)
    return frames, lengths


# --- what it does to frames


def test_an_untrained_one_leaves_frames_as_they_are(speech: np.ndarray) -> None:
    for frames in (speech, features.extract(voice())):
        found = Denoiser().eval().clean(frames)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, frames, atol=0.01)


def test_what_it_takes_away_is_gone(speech: np.ndarray, model: Denoiser) -> None:
    found = model.clean(speech)
    assert found.shape == speech.shape and np.isfinite(found).all()
    assert np.abs(found - speech).max() > 3
    assert not np.array_equal(found, random_denoiser(1).clean(speech))


@pytest.mark.parametrize("fill", [0.0, 50.0, 1e30, np.inf, np.nan])
@pytest.mark.parametrize("extended", [False, True])
def test_padding_and_company_change_nothing(fill: float, extended: bool, model: Denoiser) -> None:
    config = features.FeatureConfig(extended=extended)
    arrays = [
        features.extract(load(SPEECH)[2_000:][:20_000], config),
        *(features.extract(voice(2.0, 90 * k)[:n], config) for k, n in ((1, 1_700), (2, 9_000))),
    ]
    frames, lengths = padded([*arrays, arrays[0][40:41]], fill)
    batched = forward(model, frames, lengths)
    for row, length, found in zip(frames, lengths, batched):
        alone = forward(model, row[None, :length], length[None])[0]
        torch.testing.assert_close(found[:length], alone, atol=rounding(alone), rtol=0)
        assert (found[length:] == 0).all()


def test_what_is_far_away_changes_nothing_nearby(speech: np.ndarray, model: Denoiser) -> None:
    """What it hears of a recording as a whole aside, which is the same in any order."""
    reach = denoiser.WIDTH // 2 * (1 + sum(denoiser.DILATIONS))
    other = np.concatenate([speech[:150], speech[150:180][::-1], speech[180:]])
    frames, lengths = padded([speech, other], 0.0)
    with torch.inference_mode():
        power_db = 10 * (model.separate(frames, lengths).power + denoiser.FLOOR).log10()
    change = (power_db[1] - power_db[0]).abs().amax(dim=1)
    same = rounding(power_db)
    assert change[: 150 - reach].max() < same and change[180 + reach :].max() < same
    assert change[130:150].max() > 0.01 and change[180:200].max() > 0.01


def test_columns_that_it_does_not_know_pass(model: Denoiser) -> None:
    samples = voice()
    plain = features.extract(samples)
    extended = features.extract(samples, features.FeatureConfig(extended=True))
    found = model.clean(extended)
    assert found.shape[1] == denoiser.N_COLUMNS + len(NAMES)
    np.testing.assert_array_equal(found[:, denoiser.N_COLUMNS :], extended[:, denoiser.N_COLUMNS :])
    expected = model.clean(plain)
    atol = rounding(torch.from_numpy(expected))
    np.testing.assert_allclose(found[:, : denoiser.N_COLUMNS], expected, atol=atol)


@pytest.mark.parametrize("gain_db", [-30, -12, 6, 20])
def test_the_level_of_a_recording_changes_nothing(gain_db: float) -> None:
    model, samples = Denoiser.load(), load(SPEECH)
    louder = features.extract(samples * np.float32(10 ** (gain_db / 20)))
    expected = model.clean(features.extract(samples))
    np.testing.assert_allclose(model.clean(louder), expected, atol=0.02)


def test_frames_are_relative_to_the_speech_that_is_left(model: Denoiser) -> None:
    for samples in (load(SPEECH), voice(3.0)):
        found = model.clean(features.extract(samples))
        rms = np.sqrt(10 ** (found[:, RMS] / 10) - denoiser.RMS_FLOOR)
        level = np.percentile(rms, features.LEVEL_PERCENTILE)
        assert 20 * np.log10(level) == pytest.approx(0, abs=0.01)
        assert found[:, RMS].min() >= features.RMS_FLOOR_DB - 1e-3


def test_a_gain_in_all_bands_is_no_difference(speech: np.ndarray) -> None:
    halved = Denoiser().eval()
    with torch.no_grad():
        halved.out.bias[:-1] = 0.0
    np.testing.assert_allclose(halved.clean(speech), speech, atol=0.05)


@pytest.mark.parametrize("n_frames", [1, 2, 300])
@pytest.mark.parametrize("value", [-1e3, 0.0, 1e3], ids=["nothing", "level", "loud"])
def test_any_frames_come_out_finite(n_frames: int, value: float, model: Denoiser) -> None:
    """Those of a pause, of which no level can be told, too."""
    frames = np.zeros((n_frames, denoiser.N_COLUMNS), np.float32)
    frames[:, 0] = value  # the level of all bands, at most some 80 in what `extract` gives
    frames[:, RMS] = min(value, 0.0)
    found = model.clean(frames.clip(-100, 200))
    assert found.shape == frames.shape and np.isfinite(found).all()
    assert ((found[:, ZCR] >= 0) & (found[:, ZCR] <= 1)).all()


def test_one_frame_of_speech_comes_out_finite(speech: np.ndarray, model: Denoiser) -> None:
    for k in range(0, len(speech), 40):
        assert np.isfinite(model.clean(speech[k : k + 1])).all()


# --- powers


def test_bands_and_frames_are_the_same_told_twice(speech: np.ndarray) -> None:
    frames, length = torch.from_numpy(speech)[None], torch.tensor([len(speech)])
    bands = to_bands(frames)
    assert bands.power.shape == (1, len(speech), denoiser.HEARD.n_mels)
    assert (bands.power > 0).all() and (bands.energy >= 0).all()
    again = to_frames(bands, length)
    torch.testing.assert_close(again, frames, atol=0.01, rtol=1e-3)
    loud = bands._replace(power=7 * bands.power, energy=7 * bands.energy)
    torch.testing.assert_close(to_frames(loud, length), again, atol=rounding(again), rtol=0)


def test_powers_are_those_of_the_mel_bands() -> None:
    samples = voice()
    _, mel, _ = features.bases(denoiser.HEARD)
    bands = to_bands(torch.from_numpy(features.extract(samples))[None])
    hop, n_fft = denoiser.HEARD.hop_length, denoiser.HEARD.n_fft
    samples = samples - samples.mean()
    frames = [samples[k * hop - n_fft // 2 :][:n_fft] for k in (20, 40)]
    squares = [np.square(frame).mean() for frame in frames]
    window = np.hanning(n_fft + 1)[:-1]
    powers = [np.abs(np.fft.rfft(frame * window)) ** 2 @ mel for frame in frames]
    found = bands.power[0, [20, 40]].numpy()
    level = squares[0] / bands.energy[0, 20].item()
    assert squares[1] / bands.energy[0, 40].item() == pytest.approx(level, rel=0.01)
    np.testing.assert_allclose(found, np.array(powers) / level, rtol=0.01, atol=0.01)


# --- files


def test_what_was_saved_is_loaded(model: Denoiser, speech: np.ndarray, tmp_path: Path) -> None:
    model.save(tmp_path / "new" / "denoiser.pt")
    again = Denoiser.load(tmp_path / "new" / "denoiser.pt")
    assert not again.training
    np.testing.assert_array_equal(again.clean(speech), model.clean(speech))
    assert again.identity() == model.identity()
    assert os.listdir(tmp_path / "new") == ["denoiser.pt"]


def test_a_place_that_cannot_be_written_is_named(model: Denoiser, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{tmp_path}: cannot be written .*name another"):
        model.save(tmp_path)


def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "gone.pt"
    with pytest.raises(ModelError, match=f"{path}: no such file; .python -m training denoiser"):
        Denoiser.load(path)


def test_damaged_files_are_refused(model: Denoiser, tmp_path: Path) -> None:
    path = tmp_path / "damaged.pt"
    model.save(path)
    for content in (path.read_bytes()[:-2000], b"", b"not a checkpoint"):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=f"{path}: not a readable checkpoint"):
            Denoiser.load(path)


def test_the_weights_of_an_emotion_model_are_refused(model: Denoiser, tmp_path: Path) -> None:
    path = tmp_path / "emotions.pt"
    checkpoint.write(path, Format.EMOTION, {"weights": network().state_dict()})
    expected = f"{path}: .*'{Format.EMOTION}', expected '{Format.DENOISER}'"
    with pytest.raises(ModelError, match=expected):
        Denoiser.load(path)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("out.bias", torch.zeros(7), "size mismatch for out.bias"),
        ("out.bias", torch.full((98,), torch.nan), "out.bias are not finite"),
        ("out.bias", torch.zeros(98, dtype=torch.float64), "out.bias are not finite"),
        ("norms.0.running_var", torch.full((64,), torch.inf), "running_var are not finite"),
        ("norms.0.num_batches_tracked", torch.tensor(0.5), "num_batches_tracked are not finite"),
        ("layers.4.weight", None, "Missing key"),
        ("layers.5.weight", torch.zeros(1), "Unexpected key"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    name: str, value: torch.Tensor | None, message: str, model: Denoiser, tmp_path: Path
) -> None:
    weights = {**model.state_dict(), name: value}
    weights = {key: tensor for key, tensor in weights.items() if tensor is not None}
    path = tmp_path / "unfit.pt"
    checkpoint.write(path, Format.DENOISER, {"weights": weights})
    with pytest.raises(ModelError, match=f"{path}: does not fit: .*{message}.*train it again"):
        Denoiser.load(path)


@pytest.mark.parametrize("content", [{}, {"weights": None}, {"weights": [1.0]}])
def test_a_file_without_weights_is_refused(content: dict, tmp_path: Path) -> None:
    path = tmp_path / "empty.pt"
    checkpoint.write(path, Format.DENOISER, content)
    with pytest.raises(ModelError, match=f"{path}: does not fit"):
        Denoiser.load(path)


# --- identity


@pytest.mark.parametrize("name", ["front.weight", "norms.2.running_mean", "out.bias"])
def test_another_weight_is_another_denoiser(name: str, model: Denoiser) -> None:
    other = random_denoiser()
    assert other.identity() == model.identity()
    other.state_dict()[name].view(-1)[3] += 1e-3
    assert other.identity() != model.identity()
