"""A voice on any of the channels is heard, whatever is on the others."""

from pathlib import Path

import numpy as np
import pytest

from utils.audio import SAMPLE_RATE, level_db, load, pcm16
from utils.audio.convert import Converter
from utils.audio.mixdown import HOP, Mixdown
from utils.captions.vad import VoiceActivity

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
ROOM = 1e-3  # -60 dB: each channel's own noise


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """Half a second of a quiet room, then read speech, float32 (n,)."""
    return np.concatenate([np.zeros(SAMPLE_RATE // 2, np.float32), load(SPEECH)])


def channels(*sounds: np.ndarray, noise: float = ROOM) -> np.ndarray:
    """float32 (n, n_channels), each with a noise of its own."""
    rng = np.random.default_rng(0)
    made = np.stack(sounds, axis=1)
    return (made + noise * rng.standard_normal(made.shape)).astype(np.float32)


def mixed(samples: np.ndarray) -> np.ndarray:
    mixdown = Mixdown(samples.shape[1])
    return np.concatenate([mixdown.push(samples), mixdown.finish()])


def gain_db(heard: np.ndarray, voice: np.ndarray) -> float:
    """By how much a voice is louder in what is heard; whether it is turned over is no matter."""
    return 20 * np.log10(abs(heard @ voice) / (voice @ voice))


def rest_db(heard: np.ndarray, voice: np.ndarray) -> float:
    """Level of what is in the sound beside the voice, from its second second on."""
    heard, voice = heard[2 * SAMPLE_RATE :], voice[2 * SAMPLE_RATE :]
    return level_db(heard - voice * (heard @ voice) / (voice @ voice))


def test_what_is_alike_on_all_channels_stays_as_it_is(voice: np.ndarray) -> None:
    np.testing.assert_allclose(mixed(np.stack([voice] * 3, axis=1)), voice, atol=1e-6)


def test_one_side_turned_over_does_not_cancel(voice: np.ndarray) -> None:
    heard = mixed(channels(voice, -voice))
    assert gain_db(heard, voice) == pytest.approx(0, abs=0.2)
    assert rest_db(heard, voice) < -60


@pytest.mark.parametrize("where", [0, 3, 7])
def test_one_live_channel_of_eight_is_as_loud_as_alone(voice: np.ndarray, where: int) -> None:
    sounds = [np.zeros_like(voice)] * 8
    sounds[where] = voice
    heard = mixed(channels(*sounds))
    assert gain_db(heard, voice) == pytest.approx(0, abs=0.5)
    assert rest_db(heard, voice) < -52


def test_hum_on_a_dead_channel_is_left_out(voice: np.ndarray) -> None:
    time_s = np.arange(len(voice)) / SAMPLE_RATE
    parts = [np.sin(2 * np.pi * 50 * k * time_s) / k for k in (1, 2, 3, 5)]
    hum = np.sum(parts, axis=0).astype(np.float32)
    heard = mixed(channels(0.2 * voice, 0.2 * hum))
    assert gain_db(heard, 0.2 * voice) == pytest.approx(0, abs=1)
    assert rest_db(heard, voice) < level_db(0.2 * hum) - 20


def test_two_people_with_a_channel_each_are_both_heard(voice: np.ndarray) -> None:
    silence = np.zeros_like(voice)
    first = np.concatenate([voice, silence, voice])
    second = 0.25 * np.concatenate([silence, voice, silence])
    heard = mixed(channels(first, second))
    assert gain_db(heard, first) > -4
    assert gain_db(heard, second) > -4
    n = len(voice)
    began = slice(n + SAMPLE_RATE // 2, n + SAMPLE_RATE // 2 + SAMPLE_RATE)
    assert gain_db(heard[began], second[began]) > -4  # from the first second on


def test_a_burst_on_a_dead_channel_takes_no_voice_away(voice: np.ndarray) -> None:
    burst = np.zeros_like(voice)
    burst[SAMPLE_RATE : SAMPLE_RATE + 1_600] = 0.9 * np.sign(np.sin(np.arange(1_600)))
    heard = mixed(channels(0.1 * voice, burst))
    assert gain_db(heard[2 * SAMPLE_RATE :], 0.1 * voice[2 * SAMPLE_RATE :]) > -4


def test_channels_without_a_voice_are_added_up_quietly(noise: np.ndarray) -> None:
    heard = mixed(channels(0 * noise, 0 * noise, 0 * noise, 0 * noise))
    assert level_db(heard) < -60
    assert not mixed(np.zeros((SAMPLE_RATE, 8), np.float32)).any()


def test_no_click_where_weights_change(voice: np.ndarray) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 100 * np.arange(len(voice)) / SAMPLE_RATE)).astype(np.float32)
    sounds = np.stack([tone, -tone], axis=1)
    sounds[len(tone) // 2 :, 1] *= -1  # a plug is put right
    heard = mixed(sounds)
    steepest = np.abs(np.diff(tone)).max()
    assert np.abs(np.diff(heard)).max() < 1.5 * steepest


@pytest.mark.parametrize("size", [1, 100, HOP, 5_000])
@pytest.mark.parametrize("rate", [SAMPLE_RATE, 44_100])
def test_block_size_changes_nothing(voice: np.ndarray, size: int, rate: int) -> None:
    samples = channels(voice[:20_000], -voice[:20_000])
    whole, parts = Converter(rate), Converter(rate)
    expected = np.concatenate([whole.push(samples), whole.finish()])
    blocks = [parts.push(samples[at : at + size]) for at in range(0, len(samples), size)]
    found = np.concatenate([*blocks, parts.finish()])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert len(expected) == pytest.approx(len(samples) * SAMPLE_RATE / rate, abs=1)


@pytest.mark.parametrize("offset", [-0.3, 0.01, 0.1])
def test_an_offset_is_taken_away(voice: np.ndarray, offset: float) -> None:
    converter = Converter(SAMPLE_RATE)
    heard = np.concatenate([converter.push(0.1 * voice + np.float32(offset)), converter.finish()])
    assert np.abs(heard - 0.1 * voice)[SAMPLE_RATE // 2 :].max() < 3e-3
    after = converter.push(np.zeros(SAMPLE_RATE, np.float32))
    assert not after[SAMPLE_RATE // 2 :].any()


@pytest.mark.parametrize("times", [1, 3])
def test_what_comes_above_full_scale_is_borne(voice: np.ndarray, times: int) -> None:
    loud = np.clip(20 * voice, -1, 1).repeat(times)  # a microphone turned up far too high
    converter = Converter(times * SAMPLE_RATE)
    heard = np.concatenate([converter.push(loud), converter.finish()])
    assert np.abs(heard).max() > 1
    above = np.abs(heard) > 1
    assert np.array_equal(np.sign(pcm16(heard)[above]), np.sign(heard[above]))  # none turns over
    assert VoiceActivity().hears_speech(heard)
