"""Clips cut as live, and disturbed for a test."""

import numpy as np
import pytest
import soxr

from tests.training.made import buzz, rng, spoken
from training.sound import conditions
from utils.audio import SAMPLE_RATE, level_db
from utils.emotion import features
from utils.errors import DataError


def test_a_clip_is_cut_as_the_live_segmenter_cuts() -> None:
    quiet = 1e-5 * rng().standard_normal(SAMPLE_RATE).astype(np.float32)
    cut = conditions.as_live(np.concatenate([quiet, buzz(), quiet]))
    assert len(cut) == pytest.approx((0.3 + 0.8 + 0.2) * SAMPLE_RATE, abs=SAMPLE_RATE // 50)
    assert level_db(cut[:4000]) < -80 < -40 < level_db(cut[6000:12000])


def test_a_margin_that_a_clip_lacks_is_filled_up_faintly() -> None:
    cut = conditions.as_live(buzz(1.0))
    assert len(cut) == SAMPLE_RATE + int(0.5 * SAMPLE_RATE)
    assert -75 < level_db(cut[:4000]) < -65


def test_every_condition_gives_sound_and_repeats_with_its_seed(noises) -> None:
    for name in (*conditions.CONDITIONS, *conditions.NOT_FEELINGS):
        first, again = (conditions.condition(name, spoken(), noises, rng(3)) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        assert first.dtype == np.float32 and np.isfinite(first).all()


def test_the_conditions_are_those_of_the_report() -> None:
    assert conditions.CONDITIONS == (
        "clean",
        "gain -30 dB",
        "gain -20 dB",
        "gain -10 dB",
        "gain +10 dB",
        "gain +20 dB",
        "noise 10 dB",
        "room",
    )


def test_clean_is_as_live(noises) -> None:
    clean = conditions.condition("clean", spoken(), noises, rng())
    np.testing.assert_array_equal(clean, conditions.as_live(spoken()))


def test_an_unknown_condition_is_refused_with_the_known_ones(noises) -> None:
    with pytest.raises(DataError, match="unknown condition 'windy', expected one of clean, gain"):
        conditions.condition("windy", spoken(), noises, rng())


@pytest.mark.parametrize(("name", "gain_db"), conditions.GAINS_DB.items())
def test_a_gain_leaves_the_features_as_they_are(name: str, gain_db: int, noises) -> None:
    """The pauses hiss at -60 dBFS: at -30 dB that is just above the rounding to 16 bits."""
    quiet = 1e-3 * rng().standard_normal(SAMPLE_RATE).astype(np.float32)
    samples = np.concatenate([quiet, buzz(0.8), quiet])
    clean, changed = (conditions.condition(n, samples, noises, rng()) for n in ("clean", name))
    assert level_db(changed) - level_db(clean) == pytest.approx(gain_db, abs=0.1)
    before, after = features.extract(clean), features.extract(changed)
    assert np.abs(after - before).mean() < (0.01 if gain_db > 0 else 0.3)


def test_a_gain_rounds_to_16_bits_and_does_not_clip(noises) -> None:
    louder = conditions.condition("gain +20 dB", spoken(), noises, rng())
    assert np.abs(louder).max() == pytest.approx(1.0, rel=0.01)
    assert np.abs(conditions.condition("gain +20 dB", 5 * spoken(), noises, rng())).max() > 4
    np.testing.assert_array_equal(louder * 32_768, np.round(louder * 32_768))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("heard", [True, False], ids=["recorded", "pink"])
def test_noise_has_the_ratio_asked_for(seed: int, heard: bool, noises) -> None:
    clean = conditions.as_live(spoken())
    noisy = conditions.condition("noise 10 dB", spoken(), noises if heard else [], rng(seed))
    assert level_db(clean) - level_db(noisy - clean) == pytest.approx(10, abs=0.5)


def test_a_room_blurs_the_pause_between_words(noises) -> None:
    pause = slice(int(0.78 * SAMPLE_RATE), int(0.86 * SAMPLE_RATE))
    clean_db, echoed_db = (
        level_db(sound[pause]) - level_db(sound)
        for sound in (conditions.condition(n, spoken(), noises, rng()) for n in ("clean", "room"))
    )
    assert echoed_db > clean_db + 20


def test_a_narrow_clip_goes_through_everything(noises) -> None:
    narrow = soxr.resample(soxr.resample(spoken(), SAMPLE_RATE, 8_000), 8_000, SAMPLE_RATE)
    for name in (*conditions.CONDITIONS, *conditions.NOT_FEELINGS):
        features.extract(conditions.condition(name, narrow, noises, rng()))


# --- what is no feeling: colour and pace

GAINS_AT_HZ = {  # dB at some frequencies, worked out by hand
    "phone speaker": {250: -24.6, 500: -6.0, 2000: 0.0},
    "treble +12 dB": {200: 0.1, 2000: 6.0, 7900: 11.3},
    "bass +12 dB": {75: 11.3, 300: 6.0, 4000: 0.1},
    "pre-emphasis": {100: -26.2, 4000: 2.9, 7900: 5.9},
    "muffled": {500: 0.0, 1800: -3.0, 7200: -24.1},
}


def test_the_colours_are_known() -> None:
    assert set(GAINS_AT_HZ) == set(conditions.COLOURS)


@pytest.mark.parametrize("name", conditions.COLOURS)
def test_a_colour_has_its_curve_and_no_delay(name: str, noises) -> None:
    hiss = rng().standard_normal(4 * SAMPLE_RATE).astype(np.float32)
    clean, found = (conditions.condition(n, hiss, noises, rng()) for n in ("clean", name))
    assert len(found) == len(clean)
    window = np.hanning(len(clean))
    before, after = (np.fft.rfft(window * samples) for samples in (clean, found))
    cross, own = after * before.conj(), np.square(np.abs(before))
    for f_hz, gain_db in GAINS_AT_HZ[name].items():
        place = round(f_hz * len(clean) / SAMPLE_RATE)
        near = slice(place - 40, place + 41)
        gain = cross[near].sum() / own[near].sum()
        assert 20 * np.log10(abs(gain)) == pytest.approx(gain_db, abs=0.6)
        assert abs(np.angle(gain)) < 0.05


@pytest.mark.parametrize(("name", "pace"), conditions.PACES.items())
def test_a_pace_changes_the_length_and_keeps_the_pitch(name: str, pace: float, noises) -> None:
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = (0.2 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)
    clean, found = (conditions.condition(n, tone, noises, rng()) for n in ("clean", name))
    assert len(found) == pytest.approx(len(clean) / pace, rel=0.03)
    inner = found[len(found) // 3 : len(found) // 3 + 8000]
    assert np.argmax(np.abs(np.fft.rfft(inner * np.hanning(8000)))) * 2 == pytest.approx(220, abs=2)
    assert level_db(inner) == pytest.approx(level_db(tone), abs=0.5)
