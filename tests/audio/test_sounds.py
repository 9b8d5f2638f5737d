"""Clips cut as live, varied for training, and disturbed for a test."""

import numpy as np
import pytest
import soxr

from training.sound import augmentation as sounds
from training.sound import impulse_response as rooms
from utils.audio import SAMPLE_RATE, level_db
from utils.emotion import features
from utils.errors import DataError


def buzz(duration_s: float = 0.8, level: float = 0.1) -> np.ndarray:
    time_s = np.arange(int(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    return (level * np.sign(np.sin(2 * np.pi * 150 * time_s))).astype(np.float32)


def spoken() -> np.ndarray:
    """Two syllables of a buzz between stretches of near silence."""
    quiet = 1e-4 * np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    return np.concatenate([quiet, buzz(0.4), quiet[:3000], buzz(0.4), quiet])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def noises() -> list[np.ndarray]:
    """Hiss, and a hum that comes and goes, float32."""
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    hum = np.sin(2 * np.pi * 100 * time_s) * np.sin(2 * np.pi * time_s)
    return [s.astype(np.float32) for s in (0.1 * rng().standard_normal(SAMPLE_RATE), 0.1 * hum)]


# --- as live


def test_a_clip_is_cut_as_the_live_segmenter_cuts() -> None:
    quiet = 1e-5 * rng().standard_normal(SAMPLE_RATE).astype(np.float32)
    cut = sounds.as_live(np.concatenate([quiet, buzz(), quiet]))
    assert len(cut) == pytest.approx((0.3 + 0.8 + 0.2) * SAMPLE_RATE, abs=SAMPLE_RATE // 50)
    assert level_db(cut[:4000]) < -80 < -40 < level_db(cut[6000:12000])


def test_a_margin_that_a_clip_lacks_is_filled_up_faintly() -> None:
    cut = sounds.as_live(buzz(1.0))
    assert len(cut) == SAMPLE_RATE + int(0.5 * SAMPLE_RATE)
    assert -75 < level_db(cut[:4000]) < -65


# --- varied


def test_variants_differ_and_repeat_with_their_seed(noises) -> None:
    first, again, other = (sounds.vary(spoken(), noises, rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other)


@pytest.mark.parametrize("samples", [spoken(), buzz(0.15), np.zeros(4000, np.float32)])
def test_every_variant_is_finite_sound(samples: np.ndarray, noises) -> None:
    for seed in range(25):
        varied = sounds.vary(samples, noises, rng(seed))
        assert varied.dtype == np.float32 and varied.ndim == 1
        assert np.isfinite(varied).all()


def test_without_noises_noise_is_made() -> None:
    assert all(len(sounds.vary(spoken(), [], rng(seed))) for seed in range(5))


@pytest.mark.parametrize("kind", range(3), ids=["telephone", "ogg", "mp3"])
def test_a_codec_keeps_the_voice_and_repeats_with_its_seed(kind: int) -> None:
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = (0.3 * np.sin(2 * np.pi * 1000 * time_s)).astype(np.float32)
    seed = next(s for s in range(100) if rng(s).integers(3) == kind)
    first, again = (sounds._code(tone, rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    spectrum = np.abs(np.fft.rfft(first[2000:12000]))
    assert np.argmax(spectrum) * SAMPLE_RATE / 10000 == pytest.approx(1000, abs=2)
    assert len(first) == pytest.approx(len(tone), abs=2500)  # codecs work in blocks


def test_a_telephone_has_nothing_above_4_khz() -> None:
    seed = next(s for s in range(100) if rng(s).integers(3) == 0)
    coded = sounds._code(rng().standard_normal(SAMPLE_RATE), rng(seed))
    power = np.square(np.abs(np.fft.rfft(coded)))
    assert power[4200:].sum() < 1e-3 * power[:4000].sum()


# --- without a voice


def test_sounds_without_a_voice_can_be_described_and_differ(noises) -> None:
    made = [sounds.meaningless(noises, rng(seed)) for seed in range(40)]
    assert all(s.dtype == np.float32 and np.abs(s).max() <= 1 for s in made)
    assert all(len(s) >= 0.6 * SAMPLE_RATE for s in made)
    described = [features.extract(s) for s in made]
    assert len({f.shape[0] for f in described}) > 20


def test_backgrounds_can_be_described_and_differ(noises) -> None:
    for some in (noises, []):
        made = [sounds.background(some, rng(seed)) for seed in range(20)]
        for samples in made:
            assert samples.dtype == np.float32 and np.abs(samples).max() == pytest.approx(0.5)
            assert 3 <= len(samples) / SAMPLE_RATE <= 5
            assert np.isfinite(features.extract(samples)).all()
        assert len({samples.tobytes() for samples in made}) == 20
    np.testing.assert_array_equal(made[3], sounds.background([], rng(3)))


def test_a_note_has_the_pitch_asked_for() -> None:
    note = sounds._note(440.0, SAMPLE_RATE, 1.5, 2.0, 0.0)
    assert np.argmax(np.abs(np.fft.rfft(note))) == pytest.approx(440, abs=1)


@pytest.mark.parametrize("make", [sounds._music, sounds._machine, sounds._knocks])
def test_music_and_machines_are_heard(make) -> None:
    for seed in range(10):
        sound = make(SAMPLE_RATE, rng(seed))
        assert sound.shape == (SAMPLE_RATE,)
        assert np.isfinite(sound).all() and level_db(sound) > -60


# --- conditions


def test_every_condition_gives_sound_and_repeats_with_its_seed(noises) -> None:
    for name in sounds.CONDITIONS:
        first, again = (sounds.condition(name, spoken(), noises, rng(3)) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        assert first.dtype == np.float32 and np.isfinite(first).all()


def test_the_conditions_are_those_of_the_report() -> None:
    assert sounds.CONDITIONS == (
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
    clean = sounds.condition("clean", spoken(), noises, rng())
    np.testing.assert_array_equal(clean, sounds.as_live(spoken()))


def test_an_unknown_condition_is_refused_with_the_known_ones(noises) -> None:
    with pytest.raises(DataError, match="unknown condition 'windy', expected one of clean, gain"):
        sounds.condition("windy", spoken(), noises, rng())


@pytest.mark.parametrize(("name", "gain_db"), sounds.GAINS_DB.items())
def test_a_gain_leaves_the_features_as_they_are(name: str, gain_db: int, noises) -> None:
    """The pauses hiss at -60 dBFS: at -30 dB that is just above the rounding to 16 bits."""
    quiet = 1e-3 * rng().standard_normal(SAMPLE_RATE).astype(np.float32)
    samples = np.concatenate([quiet, buzz(0.8), quiet])
    clean, changed = (sounds.condition(n, samples, noises, rng()) for n in ("clean", name))
    assert level_db(changed) - level_db(clean) == pytest.approx(gain_db, abs=0.1)
    before, after = features.extract(clean), features.extract(changed)
    assert np.abs(after - before).mean() < (0.01 if gain_db > 0 else 0.3)


def test_a_gain_rounds_to_16_bits_and_does_not_clip(noises) -> None:
    louder = sounds.condition("gain +20 dB", spoken(), noises, rng())
    assert np.abs(louder).max() == pytest.approx(1.0, rel=0.01)
    assert np.abs(sounds.condition("gain +20 dB", 5 * spoken(), noises, rng())).max() > 4
    np.testing.assert_array_equal(louder * 32_768, np.round(louder * 32_768))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("heard", [True, False], ids=["recorded", "pink"])
def test_noise_has_the_ratio_asked_for(seed: int, heard: bool, noises) -> None:
    clean = sounds.as_live(spoken())
    noisy = sounds.condition("noise 10 dB", spoken(), noises if heard else [], rng(seed))
    assert level_db(clean) - level_db(noisy - clean) == pytest.approx(10, abs=0.5)


def test_pink_noise_has_the_same_power_in_each_octave() -> None:
    power = np.square(np.abs(np.fft.rfft(sounds._pink(8 * SAMPLE_RATE, rng()))))
    octaves = [power[n : 2 * n].sum() for n in (1000, 4000, 16000)]
    assert max(octaves) < 1.2 * min(octaves)


# --- rooms


def rt60_s(response: np.ndarray) -> float:
    """By Schroeder's backward integration, from -5 to -35 dB."""
    energy = np.cumsum(np.square(response)[::-1])[::-1]
    decay_db = 10 * np.log10(energy / energy[0] + 1e-12)
    rows = np.flatnonzero((decay_db <= -5) & (decay_db >= -35))
    return -60 / np.polyfit(rows / SAMPLE_RATE, decay_db[rows], 1)[0]


@pytest.mark.parametrize("asked_s", [0.3, 0.5, 0.8])
def test_a_room_dies_away_in_the_time_asked_for(asked_s: float) -> None:
    for seed in range(6):
        found_s = rt60_s(rooms.room_response(asked_s, 2.0, rng(seed)))
        assert found_s == pytest.approx(asked_s, rel=0.2)


def test_the_direct_sound_comes_first_after_its_way_and_at_full_strength() -> None:
    response = rooms.room_response(0.5, 2.0, rng())
    way = int(2.0 / rooms.SPEED_OF_SOUND_M_S * SAMPLE_RATE)
    assert not response[:way].any()
    assert response[way] == pytest.approx(1.0, abs=0.05)


def test_a_room_blurs_the_pause_between_words(noises) -> None:
    pause = slice(int(0.78 * SAMPLE_RATE), int(0.86 * SAMPLE_RATE))
    clean_db, echoed_db = (
        level_db(sound[pause]) - level_db(sound)
        for sound in (sounds.condition(n, spoken(), noises, rng()) for n in ("clean", "room"))
    )
    assert echoed_db > clean_db + 20


def test_a_narrow_clip_goes_through_everything(noises) -> None:
    narrow = soxr.resample(soxr.resample(spoken(), SAMPLE_RATE, 8_000), 8_000, SAMPLE_RATE)
    for name in sounds.CONDITIONS:
        features.extract(sounds.condition(name, narrow, noises, rng()))
