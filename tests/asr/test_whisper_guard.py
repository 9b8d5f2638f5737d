"""Words that were said are believed, and words that Whisper makes up are not."""

import numpy as np
import pytest

from tests.whisper_speech import digits, hear, speech
from utils import audio
from utils.asr.whisper.guard import is_speech
from utils.asr.whisper.model import NOTHING, Heard, WhisperModel
from utils.asr.whisper.stream import BEAM, SHARED_BEAM
from utils.audio import SAMPLE_RATE
from utils.events import Word

WORDS = (Word("you", 0.2, 0.6, 0.8),)
BEAMS = (SHARED_BEAM, BEAM)


@pytest.fixture(scope="module")
def model(whisper) -> WhisperModel:
    return WhisperModel(whisper, "en", threads=1)


def test_no_words_are_no_speech():
    assert not is_speech(NOTHING)
    assert not is_speech(Heard((), -0.01, 0.0, True))


def test_sure_words_where_there_is_speech_are_believed():
    assert is_speech(Heard(WORDS, -0.05, 0.01, True))


def test_wild_words_are_not_believed_whatever_is_thought_of_the_speech():
    assert not is_speech(Heard(WORDS, -5.0, 0.0, True))


def test_unsure_words_where_no_speech_is_thought_to_be_are_not_believed():
    assert not is_speech(Heard(WORDS, -1.2, 0.99, True))


def test_more_doubt_never_makes_words_believed():
    grid = np.linspace(0, 1, 21)
    believed = np.array([[is_speech(Heard(WORDS, -2 * p, q, True)) for p in grid] for q in grid])
    assert believed.any() and not believed.all()
    assert (np.diff(believed.astype(int), axis=0) <= 0).all()
    assert (np.diff(believed.astype(int), axis=1) <= 0).all()


@pytest.mark.parametrize("beam", BEAMS)
@pytest.mark.parametrize("gain", [1.0, 0.1, 0.003])
def test_a_sentence_is_believed_loud_or_soft(model, beam, gain):
    assert is_speech(hear(model, gain * speech(), beam))


def test_single_digits_are_believed(model):
    sound = digits()
    quiet = np.abs(sound) < 0.01 * np.abs(sound).max()
    loud = np.flatnonzero(~quiet)
    starts = [loud[0], *loud[1:][np.diff(loud) > 0.1 * SAMPLE_RATE]]
    assert len(starts) == 6
    margin = int(0.15 * SAMPLE_RATE)
    for begin, end in zip(starts, [*starts[1:], len(sound)], strict=True):
        word = sound[max(0, begin - margin) : min(end - margin // 2, begin + SAMPLE_RATE)]
        assert is_speech(hear(model, word)), f"at {begin / SAMPLE_RATE:.2f} s"


def no_speech(kind: str) -> np.ndarray:
    n_samples = 2 * SAMPLE_RATE
    time_s = np.arange(n_samples) / SAMPLE_RATE
    chance = np.random.default_rng(0)
    sounds = {
        "silence": np.zeros(n_samples),
        "faint noise": chance.normal(0, 1e-3, n_samples),
        "white noise": chance.normal(0, 0.1, n_samples),
        "hum": sum(0.1 / k * np.sin(2 * np.pi * 50 * k * time_s) for k in (1, 2, 3, 5)),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * time_s),
        "clicks": (np.arange(n_samples) % 8000 == 0).astype(float),
    }
    return sounds[kind].astype(np.float32)


@pytest.mark.parametrize("beam", BEAMS)
@pytest.mark.parametrize("kind", ["silence", "faint noise", "white noise", "hum", "tone", "clicks"])
def test_what_is_made_up_where_nobody_speaks_is_not_believed(model, kind, beam):
    heard = hear(model, no_speech(kind), beam)
    assert not is_speech(heard), heard


def test_everyday_sounds_are_seldom_believed(model, shared):
    clips = sorted((shared / "noise" / "esc10").glob("*/*.ogg"))[::13]
    believed = [clip for clip in clips if is_speech(hear(model, audio.load(clip), beam=1))]
    assert len(believed) <= 0.5 * len(clips), believed  # the detector stands before it
