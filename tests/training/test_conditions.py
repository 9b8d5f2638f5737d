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
    for name in conditions.CONDITIONS:
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
    for name in conditions.CONDITIONS:
        features.extract(conditions.condition(name, narrow, noises, rng()))
