"""Clips as the live program would hear them: cut as it cuts, and in what tests call conditions."""

from collections.abc import Callable, Sequence
from typing import cast

import av
import numpy as np
from scipy.signal import fftconvolve

from training.sound.augmentation import cut, excerpt, mix, pink_noise, record
from training.sound.impulse_response import room_response
from utils.audio import SAMPLE_RATE
from utils.errors import DataError

PRE_S, POST_S = 0.3, 0.2  # what the live segmenter leaves around speech
GAINS_DB = {f"gain {gain_db:+d} dB": gain_db for gain_db in (-30, -20, -10, 10, 20)}
CONDITIONS = ("clean", *GAINS_DB, "noise 10 dB", "room")
# The device's colour, gain in dB by frequency in Hz, and the pace of speech are not feelings.
# None is one that training draws: that has other curves, and stretches by other means.
COLOURS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "phone speaker": lambda f_hz: -20 * np.log10(1 + (500 / f_hz) ** 4),
    "treble +12 dB": lambda f_hz: 12 / (1 + (2000 / f_hz) ** 2),
    "bass +12 dB": lambda f_hz: 12 / (1 + (f_hz / 300) ** 2),
    "pre-emphasis": lambda f_hz: (
        20 * np.log10(np.abs(1 - 0.97 * np.exp(-2j * np.pi * f_hz / SAMPLE_RATE)))
    ),
    "muffled": lambda f_hz: -10 * np.log10(1 + (f_hz / 1800) ** 4),
}
PACES = {f"pace {pace}": pace for pace in (0.8, 1.25, 1.5)}
NOT_FEELINGS = (*COLOURS, *PACES)
TEST_RT60_S, TEST_DISTANCE_M = 0.5, 2.0  # of the condition "room"


def as_live(samples: np.ndarray) -> np.ndarray:
    """Cut (n,) samples the way the live segmenter does: 0.3 s before, 0.2 s after."""
    return cut(samples, PRE_S, POST_S, np.random.default_rng(0))


def condition(
    name: str, samples: np.ndarray, noises: Sequence[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """A clip as the live program would hear it in a condition, float32 (n,).

    A gain is that of a 16-bit recorder with headroom: values are rounded, none is clipped.
    The room is of image sources, not the decaying noise that training echoes with.

    Parameters
    ----------
    name : one of `CONDITIONS` or `NOT_FEELINGS`
    samples : (n,) float32, 16 kHz
    noises : sounds that training did not hear; pink noise takes their turn at times

    Raises
    ------
    DataError : an unknown condition
    """
    if name not in (known := (*CONDITIONS, *NOT_FEELINGS)):
        raise DataError(f"unknown condition {name!r}, expected one of {', '.join(known)}")
    if name == "room":
        samples = fftconvolve(samples, room_response(TEST_RT60_S, TEST_DISTANCE_M, rng))
    samples = as_live(samples)
    if name in GAINS_DB:
        samples = record(samples, GAINS_DB[name])
    elif name == "noise 10 dB":
        made = not noises or rng.random() < 0.25
        noise = pink_noise(len(samples), rng) if made else excerpt(noises, len(samples), rng)
        samples = mix(samples, noise, 10)
    elif name in COLOURS:
        samples = _coloured(samples, COLOURS[name])
    elif name in PACES:
        samples = _paced(samples, PACES[name])
    return samples.astype(np.float32)


def _coloured(samples: np.ndarray, gain_db: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Samples through a device of that gain, with no change in time."""
    f_hz = np.maximum(np.fft.rfftfreq(2 * len(samples), 1 / SAMPLE_RATE), 20.0)
    spectrum = np.fft.rfft(samples, 2 * len(samples)) * 10 ** (gain_db(f_hz) / 20)
    return np.fft.irfft(spectrum)[: len(samples)]


def _paced(samples: np.ndarray, pace: float) -> np.ndarray:
    """Speech `pace` times as fast, at its own pitch, by FFmpeg's `atempo`."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE, format="flt", layout="mono")
    tempo, sink = graph.add("atempo", str(pace)), graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "flt", "mono")
    frame.sample_rate = SAMPLE_RATE
    source.push(frame)
    source.push(None)
    parts = []
    while True:
        try:
            parts.append(cast(av.AudioFrame, sink.pull()).to_ndarray()[0])
        except (av.BlockingIOError, av.EOFError):
            return np.concatenate(parts)
