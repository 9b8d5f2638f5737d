"""How rooms answer a click: image sources to test in, decaying noise to train with."""

import numpy as np
from scipy.signal import butter, sosfilt

from utils import audio

SPEED_OF_SOUND_M_S = 343.0
# Between parallel walls sound dies away more slowly than in Eyring's diffuse field; measured,
# 1.22 to 1.34 times in rooms of these sizes, at RT60 of 0.3 to 0.8 s.
SLOWER = 1.28


def decaying_noise(rt60_s: float, rng: np.random.Generator) -> np.ndarray:
    """Late reverberation (n,) of a diffuse field, n = `rt60_s` at 16 kHz: noise that dies away.

    J.-D. Polack, "La transmission de l'énergie sonore dans les salles", thesis, Le Mans 1988.

    Parameters
    ----------
    rt60_s : time in which the sound falls by 60 dB
    """
    time_s = np.arange(int(rt60_s * audio.SAMPLE_RATE)) / audio.SAMPLE_RATE
    return rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / rt60_s)


def with_direct_sound(late: np.ndarray, first: int, late_db: float) -> np.ndarray:
    """Impulse response (n,): the direct sound, 1 at sample 0, before late reverberation (n,).

    Parameters
    ----------
    late : see `decaying_noise`; overwritten
    first : sample from which on there is reverberation, at least 1
    late_db : energy of the reverberation relative to the direct sound's
    """
    late[:first] = 0
    late *= 10 ** (late_db / 20) / np.linalg.norm(late)
    late[0] = 1.0
    return late


def room_response(rt60_s: float, distance_m: float, rng: np.random.Generator) -> np.ndarray:
    """Impulse response (n,) of a furnished room, n = `rt60_s` at 16 kHz, by image sources.

    J. B. Allen and D. A. Berkley, "Image method for efficiently simulating small-room
    acoustics", J. Acoust. Soc. Am. 65(4), 1979, with its high-pass filter; what the walls
    absorb after C. F. Eyring, J. Acoust. Soc. Am. 1(2A), 1930, and `SLOWER`.

    Parameters
    ----------
    rt60_s : time in which the sound falls by 60 dB
    distance_m : from mouth to microphone, at most 3 m
    rng : draws a room of 5 x 4 x 2.6 m to 7 x 5.5 x 3.2 m and both places in it
    """
    size_m = rng.uniform((5, 4, 2.6), (7, 5.5, 3.2))
    surface = 2 * (size_m.prod() / size_m).sum()
    reflected = np.exp(-SLOWER * 0.161 * size_m.prod() / (2 * surface * rt60_s))  # of pressure
    mouth, ear = _places(size_m, distance_m, rng)
    reach_m = rt60_s * SPEED_OF_SOUND_M_S
    squares, orders = [], []
    for axis in range(3):
        far = reach_m // (2 * size_m[axis]) + 1
        n = np.arange(-far, far + 1)
        across = 2 * n * size_m[axis] - ear[axis]
        shape = [-1 if k == axis else 1 for k in range(3)]
        squares.append(np.square([across + mouth[axis], across - mouth[axis]]).reshape(shape))
        orders.append(np.concatenate([np.abs(2 * n), np.abs(2 * n - 1)]).reshape(shape))
    path_m = np.sqrt(squares[0] + squares[1] + squares[2])  # (images in x, in y, in z)
    near = path_m < reach_m
    pressure = reflected ** (orders[0] + orders[1] + orders[2])[near] * distance_m / path_m[near]
    delay = (path_m[near] / SPEED_OF_SOUND_M_S * audio.SAMPLE_RATE).astype(int)
    high_pass = butter(2, 100, "highpass", fs=audio.SAMPLE_RATE, output="sos")
    return sosfilt(high_pass, np.bincount(delay, pressure))


def _places(
    size_m: np.ndarray, distance_m: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Two points (3,) of a room, half a metre or more from each wall, `distance_m` apart."""
    while True:
        first = rng.uniform(0.5, size_m - 0.5)
        way = rng.standard_normal(3)
        second = first + distance_m * way / np.linalg.norm(way)
        if np.all(second > 0.5) and np.all(second < size_m - 0.5):
            return first, second
