"""The model of voices that ships: what it tells apart, and what its file has to be."""

from pathlib import Path

import numpy as np
import pytest
import torch

from utils import audio, checkpoint
from utils.audio import SAMPLE_RATE
from utils.checkpoint import Format
from utils.errors import ModelError
from utils.tags.voice_encoder import LIKENESS, WEIGHTS, VoiceEncoder
from utils.tags.voices import PLACES, VoicesTag

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def encoder():
    made = VoiceEncoder()
    yield made
    made.close()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_the_same_reader_is_nearer_than_another(encoder):
    reader, other = audio.load(DATA / "speech.flac"), audio.load(DATA / "digits.flac")
    half = len(reader) // 2
    first, second = (encoder.embed(part).result() for part in (reader[:half], reader[half:]))
    same, different = cosine(first, second), cosine(first, encoder.embedding(other))
    assert same >= LIKENESS.known
    assert different < LIKENESS.others[-1]


def test_loudness_and_pauses_change_little(encoder):
    reader = audio.load(DATA / "speech.flac")[: 3 * SAMPLE_RATE]
    quiet = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), reader / 10])
    assert cosine(encoder.embedding(reader), encoder.embedding(quiet)) > 0.9


def test_silence_and_a_moment_of_speech_have_an_embedding_too(encoder):
    for samples in (np.zeros(SAMPLE_RATE, np.float32), np.full(300, 0.1, np.float32)):
        assert np.isfinite(encoder.embedding(samples)).all()


def test_a_dialogue_has_dashes_and_one_voice_has_none(encoder):
    reader, other = audio.load(DATA / "speech.flac"), audio.load(DATA / "digits.flac")
    tag = VoicesTag(encoder, LIKENESS)

    def line(samples: np.ndarray) -> bool:
        tag.begin(live=False)
        for n in (*PLACES, len(samples)):
            tag.grow(samples[:n])
        return bool(tag.after_text("words", samples))

    length = 4 * SAMPLE_RATE
    said = (reader[:length], reader[-length:], other[:length], other[-length:], reader[:length])
    assert [line(samples) for samples in said] == [False, False, True, False, True]


def test_weights_that_do_not_fit_are_refused(tmp_path):
    content = torch.load(WEIGHTS, weights_only=True)
    content.pop("format")
    content["weights"].pop("centre")
    checkpoint.write(tmp_path / "voices.pt", Format.VOICES, content)
    with pytest.raises(ModelError, match="does not fit.*centre"):
        VoiceEncoder(tmp_path / "voices.pt")


def test_after_its_end_it_says_so(tmp_path):
    made = VoiceEncoder()
    made.close()
    with pytest.raises(ModelError, match="cannot be told apart"):
        made.embed(np.zeros(SAMPLE_RATE, np.float32))
