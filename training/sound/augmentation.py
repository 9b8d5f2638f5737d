"""Clips as the live program would hear them: clean, varied for training, disturbed for a test."""

import io

import numpy as np
import soundfile
import soxr
from scipy.signal import fftconvolve, lfilter

from training.sound.impulse_response import room_response
from utils import audio
from utils.errors import DataError

TRIM_DB = -35.0  # relative to the speech level: quieter than this, a clip has not begun
PRE_S, POST_S = 0.3, 0.2  # what the live segmenter leaves around speech
HISS_DB = -50.0  # under the speech level: fills the margin that a tightly cut clip lacks

GAINS_DB = {f"gain {gain_db:+d} dB": gain_db for gain_db in (-30, -20, -10, 10, 20)}
CONDITIONS = ("clean", *GAINS_DB, "noise 10 dB", "room")
TEST_RT60_S, TEST_DISTANCE_M = 0.5, 2.0  # of the condition "room"

MU = 255  # of the telephone's logarithmic code, ITU-T G.711
SCALES = ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 8, 11), tuple(range(12)))  # semitones


def as_live(samples: np.ndarray) -> np.ndarray:
    """Cut (n,) samples the way the live segmenter does: 0.3 s before, 0.2 s after."""
    return _cut(samples, PRE_S, POST_S, np.random.default_rng(0))


def vary(samples: np.ndarray, noises: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """The same words cut, spoken, echoed, disturbed, sent and recorded a little otherwise.

    Speed and pitch change together, as from one speaker to another (Ko et al., "Audio
    augmentation for speech recognition", Interspeech 2015).

    Parameters
    ----------
    samples : (n,) float32, 16 kHz
    noises : sounds to mix in, (n,) each; without any, noise is made
    """
    samples = _cut(samples, rng.uniform(0.0, 0.5), rng.uniform(0.0, 0.4), rng)
    if rng.random() < 0.8:
        samples = soxr.resample(samples, 1.0, rng.uniform(0.86, 1.16))
    if rng.random() < 0.5:
        samples = _tilt(samples, rng)
    if rng.random() < 0.45:
        samples = _echo(samples, rng)
    if rng.random() < 0.75:
        noise = _background(noises, len(samples), rng)
        samples = _mix(samples, noise, rng.uniform(2, 25))
    if rng.random() < 0.25:
        samples = _code(samples, rng)
    if rng.random() < 0.5:
        samples = np.clip(_record(samples, rng.uniform(-20, 20)), -1, 1)
    return samples.astype(np.float32)


def condition(
    name: str, samples: np.ndarray, noises: list[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """A clip as the live program would hear it in one of `CONDITIONS`, float32 (n,).

    A gain is that of a 16-bit recorder with headroom: values are rounded, none is clipped.
    The room is of image sources, not the decaying noise that training echoes with.

    Parameters
    ----------
    name : one of `CONDITIONS`
    samples : (n,) float32, 16 kHz
    noises : sounds that training did not hear; pink noise takes their turn at times

    Raises
    ------
    DataError : an unknown condition
    """
    if name not in CONDITIONS:
        raise DataError(f"unknown condition {name!r}, expected one of {', '.join(CONDITIONS)}")
    if name == "room":
        samples = fftconvolve(samples, room_response(TEST_RT60_S, TEST_DISTANCE_M, rng))
    samples = as_live(samples)
    if name in GAINS_DB:
        samples = _record(samples, GAINS_DB[name])
    elif name == "noise 10 dB":
        made = not noises or rng.random() < 0.25
        noise = _pink(len(samples), rng) if made else _excerpt(noises, len(samples), rng)
        samples = _mix(samples, noise, 10)
    return samples.astype(np.float32)


def meaningless(noises: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Half a second or more without a voice, of which no emotion should be read, float32 (n,).

    Everyday sounds, hiss to rumble, knocks, music, and what machines give off.
    """
    n = int(rng.uniform(0.6, 4.0) * audio.SAMPLE_RATE)
    kind = rng.integers(6)
    sound = _background(noises, n, rng)
    if kind < 4:
        make = (_knocks, _music, _music, _machine)[kind]
        sound = _mix(make(n, rng), sound, rng.uniform(10, 60))
    if rng.random() < 0.3:
        sound = _echo(sound, rng)
    peak = 10 ** rng.uniform(-1.5, -0.3)
    return (peak * sound / max(np.abs(sound).max(), 1e-9)).astype(np.float32)


def background(noises: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A few seconds of an everyday sound, or of hiss to rumble, float32 (n,)."""
    sound = _background(noises, int(rng.uniform(3.0, 5.0) * audio.SAMPLE_RATE), rng)
    return (0.5 * sound / max(np.abs(sound).max(), 1e-9)).astype(np.float32)


def _cut(samples: np.ndarray, pre_s: float, post_s: float, rng: np.random.Generator) -> np.ndarray:
    """Speech with the margins asked for, of the clip's own sound as far as it reaches."""
    step = audio.SAMPLE_RATE // 100
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    levels = np.sqrt(np.square(frames).mean(axis=1))
    level = np.percentile(levels, 95) if len(levels) else 0.0
    loud = np.flatnonzero(levels > level * 10 ** (TRIM_DB / 20))
    if len(loud) == 0:
        return samples
    start = loud[0] * step - int(pre_s * audio.SAMPLE_RATE)
    end = (loud[-1] + 1) * step + int(post_s * audio.SAMPLE_RATE)
    missing = max(0, -start), max(0, end - len(samples))
    hiss = level * 10 ** (HISS_DB / 20)
    before, after = (hiss * rng.standard_normal(n).astype(np.float32) for n in missing)
    return np.concatenate([before, samples[max(0, start) : end], after], dtype=np.float32)


def _tilt(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another microphone: more or less treble, by a first-order filter."""
    return lfilter([1.0, rng.uniform(-0.5, 0.5)], [1.0], samples)


def _echo(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A room: some early reflections, and noise that decays with an RT60 of 0.15 to 0.8 s."""
    rt60_s = rng.uniform(0.15, 0.8)
    time_s = np.arange(int(rt60_s * audio.SAMPLE_RATE)) / audio.SAMPLE_RATE
    response = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / rt60_s)
    response[time_s < rng.uniform(0.003, 0.02)] = 0
    response *= 10 ** (rng.uniform(-8, 5) / 20) / np.linalg.norm(response)
    for _ in range(rng.integers(2, 8)):
        delay = int(rng.uniform(0.001, 0.04) * audio.SAMPLE_RATE)
        response[delay] += rng.uniform(-0.6, 0.6)
    response[0] += 1.0
    dying_away = int(min(rt60_s, 0.3) * audio.SAMPLE_RATE / 2)
    return fftconvolve(samples, response)[: len(samples) + dying_away]


def _mix(samples: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Add noise at a signal-to-noise ratio, of the whole clip's power to the noise's."""
    gain_db = audio.level_db(samples) - audio.level_db(noise) - snr_db
    return samples + noise * 10 ** (gain_db / 20)


def _code(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sent by telephone at 8 kHz in mu-law, or kept as Ogg Vorbis or MP3, peak at -3 dB."""
    samples = 0.7 * samples / max(np.abs(samples).max(), 1e-9)
    kind = rng.integers(3)
    if kind == 0:
        narrow = np.clip(soxr.resample(samples, audio.SAMPLE_RATE, 8_000), -1, 1)
        code = np.round(127 * np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU)) / 127
        narrow = np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU
        return soxr.resample(narrow, 8_000, audio.SAMPLE_RATE)
    form, subtype = (("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"))[kind - 1]
    file, loss = io.BytesIO(), rng.uniform(0.3, 0.9)
    soundfile.write(
        file, samples, audio.SAMPLE_RATE, format=form, subtype=subtype, compression_level=loss
    )
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def _record(samples: np.ndarray, gain_db: float) -> np.ndarray:
    """Louder or quieter, rounded to 16 bits; may reach beyond [-1, 1]."""
    return np.round(samples * 10 ** (gain_db / 20) * 32_768) / 32_768


def _background(noises: list[np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` samples of an everyday sound, or at times of hiss to rumble."""
    if noises and rng.random() < 0.7:
        return _excerpt(noises, n, rng)
    return lfilter([1.0], [1.0, -rng.uniform(-0.3, 0.97)], rng.standard_normal(n))


def _excerpt(noises: list[np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` samples of one of the noises from a random point on, repeated as often as needed."""
    noise = noises[rng.integers(len(noises))]
    start = rng.integers(len(noise))
    return np.resize(np.roll(noise, -start), n)


def _pink(n: int, rng: np.random.Generator) -> np.ndarray:
    """Noise whose power falls as 1 / frequency."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), n)


def _knocks(n: int, rng: np.random.Generator) -> np.ndarray:
    """One to twelve knocks of some milliseconds."""
    sound = np.zeros(n)
    for start in rng.integers(0, n, rng.integers(1, 12)):
        knock = rng.standard_normal(800) * np.exp(-np.arange(800) / rng.uniform(5, 300))
        sound[start : start + 800] += knock[: n - start]
    return sound


def _music(n: int, rng: np.random.Generator) -> np.ndarray:
    """Chords, a melody, drums, or several of them, on an instrument of the moment."""
    sound, beat = np.zeros(n), int(rng.uniform(0.2, 0.7) * audio.SAMPLE_RATE)
    tonic_hz, scale = rng.uniform(80, 250), SCALES[rng.integers(len(SCALES))]
    instrument = rng.uniform(0.4, 2.0), rng.uniform(0.1, 2.0), rng.uniform(0, 0.006)
    chords, melody, drums = rng.permutation([True, rng.random() < 0.5, rng.random() < 0.5])

    def play(at: int, length: int, degree: int) -> None:
        octave, step = divmod(degree, len(scale))
        pitch_hz = tonic_hz * 2 ** (octave + scale[step] / 12)
        sound[at : at + length] += _note(pitch_hz, length, *instrument)[: n - at]

    for k, at in enumerate(range(0, n, beat)):
        if chords and k % 2 == 0:
            root = int(rng.integers(len(scale)))
            for third in (0, 2, 4):
                play(at, 2 * beat, root + third)
        if melody:
            play(at, beat, int(rng.integers(len(scale), 3 * len(scale))))
        if drums:
            sound[at : at + beat] += _drum(beat, rng)[: n - at]
    return sound


def _drum(n: int, rng: np.random.Generator) -> np.ndarray:
    """A thump that falls in pitch, or a hiss, dying away."""
    time_s = np.arange(n) / audio.SAMPLE_RATE
    thump = 4 * np.sin(30 * np.exp(-12 * time_s))
    sound = thump if rng.random() < 0.5 else rng.standard_normal(n)
    return sound * np.exp(-rng.uniform(8, 30) * time_s)


def _note(pitch_hz: float, n: int, slope: float, decay_s: float, vibrato: float) -> np.ndarray:
    """Harmonics that fall off as order ** -slope, die away in `decay_s` and waver in pitch."""
    time_s = np.arange(n) / audio.SAMPLE_RATE
    turns = pitch_hz * (time_s + vibrato * np.sin(2 * np.pi * 5.5 * time_s) / (2 * np.pi * 5.5))
    orders = np.arange(1, min(12, int(7500 / pitch_hz)) + 1)[:, None]
    wave = (np.sin(2 * np.pi * orders * turns + orders**2) * orders**-slope).sum(axis=0)
    ends = np.minimum(1, np.minimum(time_s, time_s[::-1]) / 0.01)
    return wave * ends * np.exp(-time_s / decay_s)


def _machine(n: int, rng: np.random.Generator) -> np.ndarray:
    """A tone, a chord of two as a telephone dials, a buzz, a siren; steady or in beeps."""
    time_s = np.arange(n) / audio.SAMPLE_RATE
    pitch_hz = np.exp(rng.uniform(np.log(60), np.log(3000)))
    swing_hz = rng.uniform(0.1, 0.6) * pitch_hz if rng.random() < 0.4 else 0.0
    rate = 2 * np.pi * rng.uniform(0.2, 6)  # of the siren, radians per second
    turns = pitch_hz * time_s - swing_hz * np.cos(rate * time_s) / rate
    sound = np.sin(2 * np.pi * turns)
    kind = rng.integers(3)
    if kind == 0:
        sound = sound + np.sin(2 * np.pi * rng.uniform(1.1, 2.1) * turns)
    elif kind == 1:
        sound = np.tanh(rng.uniform(1, 8) * sound)
    if rng.random() < 0.4:
        sound = sound * (time_s * rng.uniform(1, 8) % 1 < rng.uniform(0.2, 0.8))
    return sound
