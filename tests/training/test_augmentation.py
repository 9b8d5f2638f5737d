"""The same words in other voices, rooms and noises; what disturbs is as strong as asked for."""

import numpy as np
import pytest

from tests.training.made import buzz, rng, spoken
from training.sound import augmentation
from utils.audio import SAMPLE_RATE, level_db


def test_variants_differ_and_repeat_with_their_seed(noises) -> None:
    first, again, other = (augmentation.augment(spoken(), noises, rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other)


@pytest.mark.parametrize("samples", [spoken(), buzz(0.15), np.zeros(4000, np.float32)])
def test_every_variant_is_finite_sound(samples: np.ndarray, noises) -> None:
    for seed in range(25):
        varied = augmentation.augment(samples, noises, rng(seed))
        assert varied.dtype == np.float32 and varied.ndim == 1
        assert np.isfinite(varied).all()


def test_without_noises_noise_is_made() -> None:
    assert all(len(augmentation.augment(spoken(), [], rng(seed))) for seed in range(5))


@pytest.mark.parametrize("kind", range(3), ids=["telephone", "ogg", "mp3"])
def test_a_codec_keeps_the_voice_and_repeats_with_its_seed(kind: int) -> None:
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = (0.3 * np.sin(2 * np.pi * 1000 * time_s)).astype(np.float32)
    seed = next(s for s in range(100) if rng(s).integers(3) == kind)
    first, again = (augmentation._code(tone, rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    spectrum = np.abs(np.fft.rfft(first[2000:12000]))
    assert np.argmax(spectrum) * SAMPLE_RATE / 10000 == pytest.approx(1000, abs=2)
    assert len(first) == pytest.approx(len(tone), abs=2500)  # codecs work in blocks


def test_a_telephone_has_nothing_above_4_khz() -> None:
    seed = next(s for s in range(100) if rng(s).integers(3) == 0)
    coded = augmentation._code(rng().standard_normal(SAMPLE_RATE), rng(seed))
    power = np.square(np.abs(np.fft.rfft(coded)))
    assert power[4200:].sum() < 1e-3 * power[:4000].sum()


def test_pink_noise_has_the_same_power_in_each_octave() -> None:
    power = np.square(np.abs(np.fft.rfft(augmentation.pink_noise(8 * SAMPLE_RATE, rng()))))
    octaves = [power[n : 2 * n].sum() for n in (1000, 4000, 16000)]
    assert max(octaves) < 1.2 * min(octaves)


def test_an_excerpt_goes_round_where_a_noise_is_short() -> None:
    noise = np.arange(5.0)
    found = augmentation.excerpt([noise], 12, rng())
    np.testing.assert_array_equal(np.diff(found) % 5, 1.0)
    starts = {augmentation.excerpt([noise], 1, rng(seed))[0] for seed in range(40)}
    assert starts == set(noise)


def test_a_mixture_has_the_ratio_asked_for(noises) -> None:
    voice, noise = spoken(), np.resize(noises[0], len(spoken()))
    added = augmentation.mix(voice, noise, 12.0) - voice
    assert level_db(voice) - level_db(added) == pytest.approx(12.0, abs=0.01)


def test_mu_law_keeps_soft_sound_and_has_eight_bits() -> None:
    samples = np.linspace(-1, 1, 10_001)
    coded = augmentation.mu_law(samples)
    assert len(set(coded.round(9))) <= 255
    assert np.abs(coded - samples).max() < 0.025
    assert np.abs(coded - samples)[np.abs(samples) < 0.01].max() < 3e-4
    np.testing.assert_allclose(augmentation.mu_law(coded), coded, atol=1e-12)
    np.testing.assert_array_equal(coded, -coded[::-1])


@pytest.mark.parametrize("slope, more", [(0.5, False), (-0.5, True)])
def test_another_microphone_has_more_or_less_treble(slope: float, more: bool) -> None:
    power = np.square(np.abs(np.fft.rfft(augmentation.tilt(rng().standard_normal(8192), slope))))
    assert (power[-1000:].sum() > power[:1000].sum()) == more


def test_what_is_disturbed_keeps_its_length_and_place(noises) -> None:
    for seed in range(25):
        found = augmentation.disturb(spoken(), noises, rng(seed))
        assert found.shape == spoken().shape and found.dtype == np.float32
        assert np.abs(found).max() <= 1
        np.testing.assert_array_equal(found, augmentation.disturb(spoken(), noises, rng(seed)))


def test_what_is_not_hard_is_nearly_as_it_was(noises) -> None:
    found = augmentation.disturb(spoken(), noises, rng(), hardness=0.0)
    likeness = np.corrcoef(found, spoken())[0, 1]
    assert likeness > 0.99


# --- what is no feeling: pace and colour


def pitch_hz(samples: np.ndarray) -> float:
    """Of the strongest line of a spectrum, by its place to a part of a bin."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum) * SAMPLE_RATE / (8 * len(samples)))


@pytest.mark.parametrize("pace", [0.75, 0.9, 1.1, 1.5])
def test_a_stretch_changes_the_length_and_keeps_the_pitch(pace: float) -> None:
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = (0.2 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)
    found = augmentation.stretch(tone, pace)
    assert found.dtype == np.float32 and len(found) == int(len(tone) / pace)
    assert pitch_hz(found) == pytest.approx(220, abs=1)
    inner = found[1000:-1000]
    assert level_db(inner) == pytest.approx(level_db(tone), abs=0.5)


@pytest.mark.parametrize("pace", [0.75, 1.5])
def test_a_stretch_moves_syllables_in_proportion(pace: float) -> None:
    found = augmentation.stretch(spoken(), pace)
    for samples, scale in ((spoken(), 1.0), (found, pace)):
        step = SAMPLE_RATE // 100
        loud = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(axis=1) > 0.05
        starts = np.flatnonzero(np.diff(loud.astype(int)) == 1) * 0.01 * scale
        np.testing.assert_allclose(starts, [1.0, 1.5875], atol=0.05)


def test_a_stretch_of_one_is_the_clip_itself() -> None:
    found = augmentation.stretch(spoken(), 1.0)
    np.testing.assert_allclose(found[16:], spoken()[16:], atol=1e-5)  # the first ms fades in


@pytest.mark.parametrize("seed", range(12))
def test_another_colour_keeps_every_sound_in_its_place(seed: int) -> None:
    """Its curves have no delay: what swells and dies away does so at the same time."""
    found = augmentation.colour(spoken(), rng(seed))
    assert found.shape == spoken().shape and found.dtype == np.float32
    before, after = (
        np.convolve(np.square(s.astype(np.float64)), np.ones(320), "same")
        for s in (spoken(), found)
    )
    lags = np.arange(-800, 801, 20)
    inner = slice(1000, -1000)
    likeness = [np.corrcoef(before[inner], np.roll(after, -k)[inner])[0, 1] for k in lags]
    assert abs(lags[int(np.argmax(likeness))]) <= 160  # 10 ms


def test_colours_differ_and_repeat_with_their_seed() -> None:
    noise = rng().standard_normal(8192).astype(np.float32)
    tilts = []
    for seed in range(30):
        found = augmentation.colour(noise, rng(seed))
        np.testing.assert_array_equal(found, augmentation.colour(noise, rng(seed)))
        power = np.square(np.abs(np.fft.rfft(found)))
        tilts.append(10 * np.log10(power[2048:].sum() / power[:512].sum()))
    assert min(tilts) < -6 and max(tilts) > 12  # flat noise has 6 dB more in the upper half
