"""Rooms die away in the time asked for, after the direct sound."""

import numpy as np
import pytest

from tests.training.made import rng
from training.sound.impulse_response import (
    SPEED_OF_SOUND_M_S,
    decaying_noise,
    room_response,
    with_direct_sound,
)
from utils.audio import SAMPLE_RATE


def rt60_s(response: np.ndarray) -> float:
    """By Schroeder's backward integration, from -5 to -35 dB."""
    energy = np.cumsum(np.square(response)[::-1])[::-1]
    decay_db = 10 * np.log10(energy / energy[0] + 1e-12)
    rows = np.flatnonzero((decay_db <= -5) & (decay_db >= -35))
    return -60 / np.polyfit(rows / SAMPLE_RATE, decay_db[rows], 1)[0]


@pytest.mark.parametrize("asked_s", [0.3, 0.5, 0.8])
def test_a_room_dies_away_in_the_time_asked_for(asked_s: float) -> None:
    for seed in range(6):
        found_s = rt60_s(room_response(asked_s, 2.0, rng(seed)))
        assert found_s == pytest.approx(asked_s, rel=0.2)


def test_the_direct_sound_comes_first_after_its_way_and_at_full_strength() -> None:
    response = room_response(0.5, 2.0, rng())
    way = int(2.0 / SPEED_OF_SOUND_M_S * SAMPLE_RATE)
    assert not response[:way].any()
    assert response[way] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("asked_s", [0.15, 0.5, 0.8])
def test_noise_dies_away_in_the_time_asked_for(asked_s: float) -> None:
    for seed in range(6):
        assert rt60_s(decaying_noise(asked_s, rng(seed))) == pytest.approx(asked_s, rel=0.2)


@pytest.mark.parametrize("late_db", [-12.0, 0.0, 5.0])
def test_reverberation_has_its_level_and_begins_where_asked(late_db: float) -> None:
    response = with_direct_sound(decaying_noise(0.4, rng()), 100, late_db)
    assert response[0] == 1.0 and not response[1:100].any() and response[100]
    energy = np.square(response[1:]).sum()
    assert 10 * np.log10(energy) == pytest.approx(late_db)
