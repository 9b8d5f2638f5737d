"""What the encoder hears is Whisper's own, at any level, of any length, in steps of 80 ms."""

import numpy as np
import pytest

from tests.emotion.small_encoder import WIDTH, small_arrays, small_encoder
from tests.emotion.test_features import voice
from utils.emotion import features, steps
from utils.emotion.encoder import MOST, N_LAYERS, Encoder
from utils.emotion.encoder_here import find_encoder
from utils.errors import ModelError
from utils.models.whisper.files import packaged


def heard(encoder: Encoder, samples: np.ndarray) -> np.ndarray:
    return encoder.hear(features.at_speech_level(samples)[0])


@pytest.mark.parametrize("duration_s", [0.1, 0.5, 1.0, 3.333, 14.9, 15.1, 40.0])
def test_a_step_is_80_ms(duration_s: float) -> None:
    samples = voice(duration_s)
    found = heard(small_encoder(), samples)
    assert found.shape[1] == N_LAYERS * WIDTH and found.dtype == np.float32
    assert abs(len(found) - len(samples) / 1280) <= 1 + len(samples) / MOST
    assert np.isfinite(found).all()


@pytest.mark.parametrize("gain_db", [-30, 20])
def test_a_gain_changes_nothing(gain_db: float) -> None:
    samples = voice(2.0)
    louder = heard(small_encoder(), samples * np.float32(10 ** (gain_db / 20)))
    np.testing.assert_allclose(louder, heard(small_encoder(), samples), atol=1e-3)


def test_another_encoder_has_another_identity() -> None:
    assert small_encoder().identity == small_encoder().identity != small_encoder(1).identity


@pytest.mark.parametrize("name", ["conv1/weight", "layer_2/ffn/linear_1/bias"])
def test_missing_arrays_are_named(name: str) -> None:
    arrays = small_arrays()
    del arrays[f"encoder/{name}"]
    with pytest.raises(ModelError, match=f"no {name}"):
        Encoder(arrays)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("conv1/weight", (-1,)),
        ("conv1/weight", (3, -1, WIDTH)),
        ("conv2/bias", (2, -1)),
        ("position_encodings/encodings", (WIDTH, -1)),
        ("position_encodings/encodings", (-1, WIDTH, 1)),
        ("layer_1/self_attention/linear_0/weight", (WIDTH, -1)),
        ("layer_2/ffn/linear_1/weight", (-1, WIDTH)),
        ("layer_0/ffn/layer_norm/gamma", (1, -1)),
    ],
)
def test_the_same_numbers_in_another_shape_are_refused(name: str, shape: tuple[int, ...]) -> None:
    arrays = small_arrays()
    arrays[f"encoder/{name}"] = arrays[f"encoder/{name}"].reshape(shape)
    with pytest.raises(ModelError, match=f"{name} has the shape"):
        Encoder(arrays)


def test_an_encoder_that_cannot_hear_so_long_is_refused() -> None:
    arrays = small_arrays()
    positions = "encoder/position_encodings/encodings"
    for found in (arrays[positions][:-1], arrays[positions][:0]):
        with pytest.raises(ModelError, match="expected that of|not that of"):
            Encoder(arrays | {positions: found})


def test_the_last_layer_is_what_ctranslate2_makes_of_the_same_sound() -> None:
    """Of the whole encoder: its own last norm stands after the fourth layer, which is not used.

    So the layers are compared through it: what ours give, continued by torch, must be its output.
    """
    folder = packaged()
    if folder is None:
        pytest.skip("Whisper tiny.en's package is not installed")
    import ctranslate2
    import torch
    from torch.nn import functional as F

    from utils.emotion import encoder as module
    from utils.models.whisper.folder import read_arrays

    arrays = read_arrays(folder, "encoder/")
    whole = Encoder(arrays)

    def take(name: str, *shape: int) -> torch.Tensor:
        return torch.from_numpy(arrays[f"encoder/{name}"].astype(np.float32))

    last = module._Layer(take, N_LAYERS, 384)
    mel = np.random.default_rng(0).standard_normal((80, 3000)).astype(np.float32)
    with torch.inference_mode():
        x = F.gelu(F.conv1d(torch.from_numpy(mel)[None], *whole.conv1, padding=1))
        x = F.gelu(F.conv1d(x, *whole.conv2, stride=2, padding=1))[0].T + whole.positions
        for layer in (*whole.layers, last):
            x = layer(x)
        norm = take("layer_norm/gamma"), take("layer_norm/beta")
        found = F.layer_norm(x, x.shape[1:], *norm).numpy()
    model = ctranslate2.models.Whisper(str(folder), compute_type="float32")
    expected = np.array(model.encode(ctranslate2.StorageView.from_array(mel[None])))[0]
    np.testing.assert_allclose(found, expected, atol=0.02, rtol=0.02)


def test_steps_hold_four_frames_and_what_was_heard_meanwhile() -> None:
    encoder, samples = small_encoder(), voice(1.7)
    frames = features.extract(samples)
    found = steps.extract(samples, encoder=encoder)
    n = frames.shape[1]
    np.testing.assert_array_equal(found[3, :n], frames[12])
    np.testing.assert_array_equal(found[3, 3 * n : 4 * n], frames[15])
    np.testing.assert_array_equal(found[3, 4 * n :], heard(encoder, samples)[3])
    np.testing.assert_array_equal(steps.extract(samples), found[:, : 4 * n])
    assert len(found) == -(-len(frames) // 4)


def test_the_packaged_encoder_is_found_and_hears(caplog) -> None:
    if packaged() is None:
        pytest.skip("Whisper tiny.en's package is not installed")
    encoder = find_encoder()
    assert encoder is not None and encoder.width == 1152
    found = heard(encoder, voice(2.0))
    assert found.std() > 0.1
    assert not caplog.text
