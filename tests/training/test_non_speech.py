"""Sounds without a voice: none of them silent, each of them another."""

import numpy as np
import pytest

from tests.training.made import rng
from training.sound import non_speech
from utils.audio import SAMPLE_RATE, level_db
from utils.emotion import features


def test_sounds_without_a_voice_can_be_described_and_differ(noises) -> None:
    made = [non_speech.non_speech(noises, rng(seed)) for seed in range(40)]
    assert all(s.dtype == np.float32 and np.abs(s).max() <= 1 for s in made)
    assert all(len(s) >= 0.6 * SAMPLE_RATE for s in made)
    described = [features.extract(s) for s in made]
    assert len({f.shape[0] for f in described}) > 20


def test_a_note_has_the_pitch_asked_for() -> None:
    note = non_speech._note(440.0, SAMPLE_RATE, 1.5, 2.0, 0.0)
    assert np.argmax(np.abs(np.fft.rfft(note))) == pytest.approx(440, abs=1)


@pytest.mark.parametrize("make", [non_speech._music, non_speech._machine, non_speech._knocks])
def test_music_and_machines_are_heard(make) -> None:
    for seed in range(10):
        sound = make(SAMPLE_RATE, rng(seed))
        assert sound.shape == (SAMPLE_RATE,)
        assert np.isfinite(sound).all() and level_db(sound) > -60
