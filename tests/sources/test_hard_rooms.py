"""The bench's hard conditions: levels and lengths stay what they are said to be."""

import numpy as np
import pytest

from tests.hard_rooms import CODECS, across_room, by_telephone, in_echo, in_rain
from utils.audio import SAMPLE_RATE


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def test_rain_is_as_far_below_the_speech_as_asked(shared, noise):
    rain = in_rain(noise, noise, 10, np.random.default_rng(0)) - noise
    assert 20 * np.log10(rms(noise) / rms(rain)) == pytest.approx(10, abs=1.5)


def test_each_utterance_hears_other_rain(shared, silence, noise):
    first, second = (in_rain(silence, noise, 10, np.random.default_rng(i)) for i in (0, 1))
    assert not np.allclose(first, second)


@pytest.mark.parametrize("codec", CODECS)
def test_a_telephone_passes_its_band_alone(codec, noise):
    heard = by_telephone(noise, codec)
    assert len(heard) == len(noise)
    power = np.square(np.abs(np.fft.rfft(heard)))
    hertz = np.fft.rfftfreq(len(heard), 1 / SAMPLE_RATE)
    outside = power[(hertz < 150) | (hertz > 4200)].sum()
    assert outside < 0.02 * power.sum()


def test_a_room_keeps_the_level_and_the_length(noise):
    heard = across_room(noise, 0.5, 2.0, np.random.default_rng(0))
    assert len(heard) == len(noise)
    assert rms(heard) == pytest.approx(rms(noise), rel=0.02)


@pytest.mark.parametrize("rt60_s", [0.3, 1.0])
def test_an_echo_dies_away_and_is_as_much_louder_than_the_voice_as_asked(rt60_s):
    click = np.zeros(100, np.float32)
    click[0] = 1
    heard = in_echo(click, rt60_s, -5.0, np.random.default_rng(0))
    power = np.square(heard[1:])
    assert 10 * np.log10(power.sum()) == pytest.approx(5.0, abs=0.1)
    left = 10 * np.log10(power[int(rt60_s / 2 * SAMPLE_RATE) :].sum() / power.sum())
    assert left == pytest.approx(-30, abs=1.5)
