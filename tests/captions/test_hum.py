"""Hum goes, voices stay; where there is none, nothing is changed at all."""

import numpy as np
import pytest

from tests.recordings import speechlike
from utils.audio import SAMPLE_RATE
from utils.captions.hum import BEGINS_S, ENDS_S, Hum

SECONDS = 12
N = SECONDS * SAMPLE_RATE


def hum(frequency_hz: float, level_db: float) -> np.ndarray:
    """The mains and what goes with it, up to the eleventh harmonic, at an RMS level."""
    time_s = np.arange(N) / SAMPLE_RATE
    orders = (1, 2, 3, 5, 7, 9, 11)
    sound = sum(np.sin(2 * np.pi * frequency_hz * k * time_s + k) / k for k in orders)
    return sound * 10 ** (level_db / 20) / np.sqrt(np.mean(np.square(sound)))


def noise(level_db: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 10 ** (level_db / 20), N)


def voice() -> np.ndarray:
    """Sound that swells and dies away, with a pause in each second, at -26 dB when it is loud."""
    sound = speechlike(SECONDS, SAMPLE_RATE)[:, 0]
    return np.where(np.arange(N) % SAMPLE_RATE < 0.6 * SAMPLE_RATE, 0.5 * sound, 0)


def removed(heard: Hum, samples: np.ndarray, step: int = 512) -> np.ndarray:
    samples = samples.astype(np.float32)
    return np.concatenate([heard.remove(samples[at : at + step]) for at in range(0, N, step)])


def level_db(samples: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(samples)))


@pytest.mark.parametrize("frequency_hz", [50, 60, 50.03, 59.97])
def test_hum_goes_and_a_voice_stays(frequency_hz):
    heard, late = Hum(), slice(6 * SAMPLE_RATE, None)
    clean = voice() + noise(-70)
    found = removed(heard, clean + hum(frequency_hz, -30))
    assert heard.on and not heard.loud
    rest = found[late] - clean[late]
    assert level_db(rest) < -30 - 12
    assert abs(level_db(found[late]) - level_db(clean[late])) < 0.5


@pytest.mark.parametrize("kind", ["voice", "noise", "silence", "a tone", "faint hum"])
def test_without_hum_no_bit_is_changed(kind):
    samples = {
        "voice": voice() + noise(-60),
        "noise": noise(-20),
        "silence": np.zeros(N),
        "a tone": np.sin(2 * np.pi * 440 * np.arange(N) / SAMPLE_RATE),
        "faint hum": noise(-70) + hum(50, -80),
    }[kind].astype(np.float32)
    heard = Hum()
    assert np.array_equal(removed(heard, samples), samples) and not heard.on


def test_how_sound_is_cut_up_changes_nothing():
    samples = voice() + noise(-70) + hum(60, -30)
    whole = removed(Hum(), samples, N)
    for step in (100, 512, 1000):
        np.testing.assert_allclose(removed(Hum(), samples, step), whole, atol=1e-6)


def test_it_begins_and_ends_after_a_while():
    heard, quiet = Hum(), noise(-60).astype(np.float32)
    humming = (hum(50, -30) + quiet).astype(np.float32)
    for seconds, on in ((BEGINS_S / 2, False), (BEGINS_S, True)):
        heard.remove(humming[: round(seconds * SAMPLE_RATE)])
        assert heard.on == on
    heard.remove(quiet[: round(ENDS_S / 2 * SAMPLE_RATE)])
    assert heard.on
    heard.remove(quiet)
    assert not heard.on


def test_another_microphone_on_other_mains_is_heard_as_well():
    heard = Hum()
    for frequency_hz in (60, 50):
        sound = noise(-70) + hum(frequency_hz, -30)
        found = removed(heard, sound)
    assert level_db(found[-SAMPLE_RATE:]) < -60


def test_what_cannot_be_taken_away_is_called_loud():
    heard = Hum()
    removed(heard, voice() + noise(-70) + hum(50.12, -20))
    assert heard.on and heard.loud
