"""Hum of the mains, as bad cables bring it: noticed, and taken away from under the voice."""

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.captions.vad import WINDOW_SAMPLES
from utils.lasting import Lasting

MAINS_HZ = (50, 60)
# Around each multiple of the mains' frequency a notch 0.8 Hz wide is cut, 1.5 % of what is there.
# A steady tone is gone within half a second; voices never hold their pitch so still.
# Of 20 sentences beside a buzz with all harmonics, as loud as the voice, Whisper has 280 words of
# 414 wrong, and 29 with it taken away; 28 of those that never had one.
NARROW = 0.95
# Hum is what notches take from the quietest moments: so much, for so long.
BEGINS_RATIO, ENDS_RATIO = 4.0, 2.0  # 6 and 3 dB
BEGINS_S, ENDS_S = 2.0, 10.0
WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE
FLOOR_RISE = 10 ** (0.3 * WINDOW_S)  # of power, 3 dB a second
PEAK_FALL = 10 ** (-0.1 * WINDOW_S)  # 1 dB a second
HARMLESS_RATIO = 1000.0  # 30 dB from hum to a voice: the recogniser has no more words wrong
HURTS_RATIO = 30.0  # 15 dB from what is left in the quietest moments to the loudest
LEAST = 10 ** (-75 / 10)  # power that matters to nobody


class _Comb:
    """Notches at all multiples of a frequency: y[n] = g (x[n] - x[n - N]) + r y[n - N].

    See S. J. Orfanidis, "Introduction to signal processing", section 8.3.2. Where N is no whole
    number, what lies between two samples is read from the four around it.
    """

    def __init__(self, frequency_hz: float) -> None:
        period = SAMPLE_RATE / frequency_hz
        self._whole, part = int(period), period - int(period)
        # Lagrange's, from one sample before to two behind.
        self._weights = np.array(
            [
                part * (part - 1) * (part + 1) / 6,
                -part * (part - 2) * (part + 1) / 2,
                (part - 1) * (part - 2) * (part + 1) / 2,
                -part * (part - 1) * (part - 2) / 6,
            ]
        )
        self._past = np.zeros((2, self._whole + 2))  # x and y

    def apply(self, samples: np.ndarray) -> np.ndarray:
        """The next samples, float64 (n,), without that frequency and its multiples."""
        most = self._whole - 1
        pieces = range(0, len(samples), most)
        return np.concatenate([self._some(samples[at : at + most]) for at in pieces])

    def _some(self, samples: np.ndarray) -> np.ndarray:
        n = len(samples)
        ago = sum(w * self._past[:, i : n + i] for i, w in enumerate(self._weights))
        heard = (1 + NARROW) / 2 * (samples - ago[0]) + NARROW * ago[1]
        self._past = np.concatenate([self._past, [samples, heard]], axis=1)[:, n:]
        return heard


class Hum:
    """Takes hum out of sound, where there is some; else the sound stays as it is, to the bit.

    Attributes
    ----------
    on : whether it hums
    loud : whether so much is left of it that words are missed
    """

    def __init__(self) -> None:
        self._combs = [_Comb(frequency_hz) for frequency_hz in MAINS_HZ]
        # Of the sound, and of what is left of it by each comb:
        self._floors = np.full(1 + len(MAINS_HZ), np.inf)  # power of the quietest of late
        self._powers = np.zeros(1 + len(MAINS_HZ))  # energy of the window
        self._n_heard = 0  # samples of the window
        self._loudest = 0.0  # power behind a comb of late: a voice's
        self._lasting, self._hurting = Lasting(BEGINS_S, ENDS_S), Lasting(BEGINS_S, ENDS_S)
        self._chosen = self._before = 0  # what is handed out: 0 the sound, or a comb's
        self.on = self.loud = False

    def remove(self, samples: np.ndarray) -> np.ndarray:
        """The next samples, float32 (n,), without hum; how they are cut up changes nothing."""
        heard, at = [samples[:0]], 0
        while at < len(samples):
            n = min(len(samples) - at, WINDOW_SAMPLES - self._n_heard)
            heard.append(self._within_window(samples[at : at + n]))
            at += n
        return np.concatenate(heard)

    def _within_window(self, samples: np.ndarray) -> np.ndarray:
        exact = samples.astype(np.float64)
        ways = np.array([exact, *(comb.apply(exact) for comb in self._combs)])
        self._powers += np.square(ways).sum(axis=1)
        ramp = (self._n_heard + np.arange(1, len(samples) + 1)) / WINDOW_SAMPLES
        heard = samples
        if self._chosen or self._before:
            old, new = ways[self._before], ways[self._chosen]
            heard = (old + (new - old) * ramp).astype(np.float32)
        self._n_heard += len(samples)
        if self._n_heard == WINDOW_SAMPLES:
            self._judge(self._powers / WINDOW_SAMPLES)
            self._n_heard, self._powers = 0, np.zeros_like(self._powers)
        return heard

    def _judge(self, powers: np.ndarray) -> None:
        """Decide how the next window is handed out."""
        self._before = self._chosen
        if powers[0] > 0:  # digital silence tells nothing
            self._floors = np.minimum(powers, self._floors * FLOOR_RISE)
        best = 1 + int(np.argmin(self._floors[1:]))
        self._loudest = max(powers[best], self._loudest * PEAK_FALL)
        if np.isfinite(self._floors[0]):
            ratio = ENDS_RATIO if self.on else BEGINS_RATIO
            harmless = max(LEAST, self._loudest / HARMLESS_RATIO)
            sign = self._floors[0] > max(harmless, ratio * self._floors[best])
            self.on = self._lasting.take(bool(sign), WINDOW_S)
        if not self.on:
            self._chosen = 0
        elif not self._chosen or self._floors[self._chosen] > 2 * self._floors[best]:
            self._chosen = best
        left = self._floors[best] > self._loudest / HURTS_RATIO
        self.loud = self._hurting.take(self.on and bool(left), WINDOW_S)
