"""Augmentation: the same words in other voices, rooms, noises, microphones, codecs and levels.

`augment` is what the emotion network is trained on, `disturb` and `other_voice` what the
recogniser of digits is trained on; both are put together from the parts below them.
"""

import io
import math
from collections.abc import Sequence

import numpy as np
import soundfile
import soxr
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, fftconvolve, istft, lfilter, sosfilt, stft

from training.sound.impulse_response import decaying_noise, with_direct_sound
from utils import audio
from utils.audio import SAMPLE_RATE

PACES = 0.75, 1.5  # times as fast
PACE_FRAME, PACE_SEARCH = 640, 200  # samples that are laid over one another, and moved by at most
TRIM_DB = -35.0  # relative to the speech level: quieter than this, a clip has not begun
HISS_DB = -50.0  # under the speech level: fills the margin that a tightly cut clip lacks
MU = 255  # of the telephone's logarithmic code, ITU-T G.711
FORMANTS = 0.87, 1.18  # of another voice relative to the recording, at its own pace
VOWELS, KNOTS = 0.05, 5  # by which each part of 4 kHz is shifted besides, and how many parts
TIMBRE_DB = 4.0  # by which each of them is louder or softer
N_FFT, HOP_LENGTH, ENVELOPE = 512, 128, 4.0  # samples; width over which bins become an envelope
MOST_DB = 20.0  # by which an envelope is raised or lowered


def augment(
    samples: np.ndarray, noises: Sequence[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """The same words cut, spoken, echoed, disturbed, sent and recorded a little otherwise.

    Speed and pitch change together, as from one speaker to another (Ko et al., "Audio
    augmentation for speech recognition", Interspeech 2015), and the pace by itself; the device
    colours what it hears. None of that is a feeling.

    Parameters
    ----------
    samples : (n,) float32, 16 kHz
    noises : sounds to mix in, (n,) each; without any, noise is made
    """
    samples = cut(samples, rng.uniform(0.0, 0.5), rng.uniform(0.0, 0.4), rng)
    if rng.random() < 0.6:
        samples = soxr.resample(samples, 1.0, rng.uniform(0.88, 1.14))
    if rng.random() < 0.5:
        samples = stretch(samples, math.exp(rng.uniform(*np.log(PACES))))
    if rng.random() < 0.7:
        samples = colour(samples, rng)
    if rng.random() < 0.35:
        samples = reverberant(samples, rng)
    if rng.random() < 0.5:
        samples = mix(samples, everyday(noises, len(samples), rng), rng.uniform(3, 30))
    if rng.random() < 0.2:
        samples = _code(samples, rng)
    if rng.random() < 0.5:
        samples = np.clip(record(samples, rng.uniform(-30, 10)), -1, 1)
    return samples.astype(np.float32)


def disturb(
    dry: np.ndarray,
    noises: Sequence[np.ndarray],
    rng: np.random.Generator,
    hardness: float = 1.0,
) -> np.ndarray:
    """The same words in a room, with noise, over a microphone or telephone, louder or softer.

    Sample for sample as long as before, so that words stay where they are.

    Parameters
    ----------
    dry : (n,), 16 kHz
    noises : sounds to mix in, (n,) each; there is always some hiss
    hardness : in [0, 1], by which each of these becomes rarer and weaker

    Returns
    -------
    float32 (n,)
    """
    loud = max(float(np.sqrt(np.mean(np.square(dry)))), 1e-4)
    sound = dry / loud  # power 1
    if rng.random() < 0.35 * hardness:
        late = decaying_noise(rng.uniform(0.1, 0.6), rng)
        first = int(rng.uniform(0.002, 0.02) * SAMPLE_RATE)
        response = with_direct_sound(late, first, rng.uniform(-12, 2))
        sound = fftconvolve(sound, response)[: len(sound)]
    hiss_db = rng.uniform(-60, -50 + 25 * hardness)
    hiss = coloured_noise(len(sound), rng)
    sound = sound + 10 ** (hiss_db / 20) * (hiss / np.sqrt(np.mean(np.square(hiss))))
    if noises and rng.random() < 0.5 * hardness:
        noise = excerpt(noises, len(sound), rng)
        power = max(10 ** (audio.level_db(noise) / 20), 1e-5)
        sound = sound + noise / power * 10 ** (-rng.uniform(3, 30) / 20)
    if rng.random() < 0.5 * hardness:
        sound = tilt(sound, rng.uniform(-0.6, 0.6))
    if rng.random() < 0.2 * hardness:
        sound = _telephone(sound, rng)
    peak = 10 ** (rng.uniform(-36 * hardness, 0) / 20)
    return (peak * sound / max(np.abs(sound).max(), 1e-6)).astype(np.float32)


def other_voice(dry: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same words, at the same pace and pitch, with another vocal tract, vowels and timbre.

    The frequency axis is warped, as vocal tract length perturbation does (N. Jaitly and G.
    Hinton, ICML workshop 2013), but that of the envelope alone, and each part of it a little
    differently: formants of voices differ by more than one factor.
    """
    overlap = N_FFT - HOP_LENGTH
    _, _, spectrum = stft(dry, SAMPLE_RATE, nperseg=N_FFT, noverlap=overlap)
    level = np.log(np.square(np.abs(spectrum)) + 1e-10) / 2
    envelope = gaussian_filter1d(level, ENVELOPE, axis=0)
    bins, knots = np.arange(len(spectrum)), np.linspace(0, len(spectrum) / 2, KNOTS)
    factors = rng.uniform(*FORMANTS) * rng.uniform(1 - VOWELS, 1 + VOWELS, KNOTS)
    source = np.minimum(bins / np.interp(bins, knots, factors), len(bins) - 1.001)
    below, part = source.astype(int), (source % 1)[:, None]
    warped = (1 - part) * envelope[below] + part * envelope[below + 1]
    timbre = np.interp(bins, knots, rng.uniform(-TIMBRE_DB, TIMBRE_DB, KNOTS))[:, None]
    gain_db = np.clip(20 / np.log(10) * (warped - envelope), -MOST_DB, MOST_DB) + timbre
    _, found = istft(spectrum * 10 ** (gain_db / 20), SAMPLE_RATE, nperseg=N_FFT, noverlap=overlap)
    return np.resize(found, len(dry)).astype(np.float32)


# --- parts


def cut(samples: np.ndarray, pre_s: float, post_s: float, rng: np.random.Generator) -> np.ndarray:
    """Speech with the margins asked for, of the clip's own sound as far as it reaches."""
    step = SAMPLE_RATE // 100
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    levels = np.sqrt(np.square(frames).mean(axis=1))
    level = np.percentile(levels, 95) if len(levels) else 0.0
    loud = np.flatnonzero(levels > level * 10 ** (TRIM_DB / 20))
    if len(loud) == 0:
        return samples
    start = loud[0] * step - int(pre_s * SAMPLE_RATE)
    end = (loud[-1] + 1) * step + int(post_s * SAMPLE_RATE)
    missing = max(0, -start), max(0, end - len(samples))
    hiss = level * 10 ** (HISS_DB / 20)
    before, after = (hiss * rng.standard_normal(n).astype(np.float32) for n in missing)
    return np.concatenate([before, samples[max(0, start) : end], after], dtype=np.float32)


def stretch(samples: np.ndarray, pace: float) -> np.ndarray:
    """Speech `pace` times as fast, at its own pitch.

    By waveform similarity overlap-add: each next frame is taken from where it goes on best from
    the last (Verhelst and Roelands, "WSOLA", ICASSP 1993).
    """
    half, margin = PACE_FRAME // 2, PACE_SEARCH + PACE_FRAME
    window = np.hanning(PACE_FRAME + 1)[:-1]
    padded = np.pad(samples.astype(np.float64), margin)
    n = int(len(samples) / pace)
    found, weight = np.zeros((2, n + PACE_FRAME))
    place = 0  # of the last frame, in `samples`
    for start in range(0, n, half):
        goal = int(start * pace)
        if start:
            goes_on = padded[margin + place + half :][:half]
            reach = padded[margin + goal - PACE_SEARCH :][: half + 2 * PACE_SEARCH]
            if len(reach) < half + 2 * PACE_SEARCH or len(goes_on) < half:
                break
            likeness = np.correlate(reach, goes_on, "valid")
            power = np.convolve(np.square(reach), np.ones(half), "valid")
            place = goal - PACE_SEARCH + int(np.argmax(likeness / np.sqrt(power + 1e-9)))
        frame = padded[margin + place :][:PACE_FRAME]
        if len(frame) < PACE_FRAME:
            break
        found[start : start + PACE_FRAME] += window * frame
        weight[start : start + PACE_FRAME] += window
    return (found / np.maximum(weight, 1e-3))[:n].astype(np.float32)


def colour(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another device: a tilt, bumps, a shelf, band limits or pre-emphasis, or several of them."""
    n = 2 ** math.ceil(math.log2(len(samples) + 2048))
    f_hz = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0)
    octave = np.log2(f_hz / 1000)
    gain_db = np.zeros(len(f_hz))
    if rng.random() < 0.6:
        gain_db += rng.uniform(-4.5, 4.5) * np.clip(octave, -3, 3)
    if rng.random() < 0.6:
        gain_db += np.interp(octave, np.linspace(-4, 3, 8), rng.normal(0, 3.5, 8))
    if rng.random() < 0.3:
        side = 1 if rng.random() < 0.6 else -1
        at = 3 * side * (octave - rng.uniform(-2, 2.5))
        gain_db += rng.uniform(-12, 12) / (1 + 2**-at)
    if rng.random() < 0.35:
        high_pass = 1 + (rng.uniform(80, 600) / f_hz) ** 2
        gain_db -= 10 * rng.integers(1, 5) * np.log10(high_pass)
    if rng.random() < 0.25:
        low_pass = 1 + (f_hz / rng.uniform(2500, 7500)) ** 2
        gain_db -= 10 * rng.integers(1, 5) * np.log10(low_pass)
    if rng.random() < 0.1:  # pre-emphasis
        gain_db += 20 * np.log10(np.abs(1 - 0.95 * np.exp(-2j * np.pi * f_hz / SAMPLE_RATE)))
    gain = 10 ** (np.clip(gain_db, -60, 30) / 20)
    return np.fft.irfft(np.fft.rfft(samples, n) * gain, n)[: len(samples)].astype(np.float32)


def tilt(samples: np.ndarray, slope: float) -> np.ndarray:
    """Another microphone: less treble where `slope` > 0, more below, by a first-order filter."""
    return lfilter([1.0, slope], [1.0], samples)


def reverberant(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A room: some early reflections, and noise that decays with an RT60 of 0.15 to 0.8 s.

    Longer than `samples` by half of that time, in which the last sound dies away.
    """
    rt60_s = rng.uniform(0.15, 0.8)
    late = decaying_noise(rt60_s, rng)
    first = math.ceil(rng.uniform(0.003, 0.02) * SAMPLE_RATE)
    response = with_direct_sound(late, first, rng.uniform(-8, 5))
    for _ in range(rng.integers(2, 8)):
        delay = int(rng.uniform(0.001, 0.04) * SAMPLE_RATE)
        response[delay] += rng.uniform(-0.6, 0.6)
    dying_away = int(min(rt60_s, 0.3) * SAMPLE_RATE / 2)
    return fftconvolve(samples, response)[: len(samples) + dying_away]


def mix(samples: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Add noise at a signal-to-noise ratio, of the whole clip's power to the noise's."""
    gain_db = audio.level_db(samples) - audio.level_db(noise) - snr_db
    return samples + noise * 10 ** (gain_db / 20)


def everyday(noises: Sequence[np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` samples of an everyday sound, or at times of hiss to rumble."""
    if noises and rng.random() < 0.7:
        return excerpt(noises, n, rng)
    return coloured_noise(n, rng)


def excerpt(noises: Sequence[np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` samples of one of the noises from a random point on, repeated as often as needed."""
    noise = noises[int(rng.integers(len(noises)))]
    start = rng.integers(len(noise))
    return np.resize(np.roll(noise, -start), n)


def coloured_noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` samples of noise between hiss and rumble: first-order autoregressive."""
    return lfilter([1.0], [1.0, -rng.uniform(-0.3, 0.97)], rng.standard_normal(n))


def pink_noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` samples of noise whose power falls as 1 / frequency."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), n)


def mu_law(samples: np.ndarray) -> np.ndarray:
    """Samples in [-1, 1] as they come back from the eight bits of mu-law, ITU-T G.711."""
    code = np.round(127 * np.sign(samples) * np.log1p(MU * np.abs(samples)) / np.log1p(MU)) / 127
    return np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU


def record(samples: np.ndarray, gain_db: float) -> np.ndarray:
    """Louder or quieter, rounded to 16 bits; may reach beyond [-1, 1]."""
    return np.round(samples * 10 ** (gain_db / 20) * 32_768) / 32_768


def _code(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sent by telephone at 8 kHz in mu-law, or kept as Ogg Vorbis or MP3, peak at -3 dB."""
    samples = 0.7 * samples / max(np.abs(samples).max(), 1e-9)
    kind = rng.integers(3)
    if kind == 0:
        narrow = np.clip(soxr.resample(samples, SAMPLE_RATE, 8_000), -1, 1)
        return soxr.resample(mu_law(narrow), 8_000, SAMPLE_RATE)
    form, subtype = (("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"))[kind - 1]
    file, loss = io.BytesIO(), rng.uniform(0.3, 0.9)
    soundfile.write(
        file, samples, SAMPLE_RATE, format=form, subtype=subtype, compression_level=loss
    )
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def _telephone(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """About 300 to 3,400 Hz, at times in mu-law."""
    low, high = rng.uniform(80, 400), rng.uniform(2800, 3800)
    sound = sosfilt(butter(2, [low, high], "bandpass", fs=SAMPLE_RATE, output="sos"), sound)
    if rng.random() < 0.5:
        return sound
    return mu_law(sound / max(np.abs(sound).max(), 1e-9))
