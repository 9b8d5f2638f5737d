"""Speech as it often arrives: in rain, over a telephone, from across a room."""

import io

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, fftconvolve, sosfilt

from tests.measuring import SHARED
from training.sound.impulse_response import decaying_noise, room_response, with_direct_sound
from utils import audio
from utils.audio import SAMPLE_RATE

TELEPHONE_RATE = 8000  # Hz
TELEPHONE_HZ = (300, 3400)
CODECS = {"mu-law": "ULAW", "GSM 6.10": "GSM610"}  # names of libsndfile's
FIRST_ECHO_S = 0.002  # after the direct sound
RAIN = SHARED / "noise" / "esc10" / "rain"


def in_rain(
    samples: np.ndarray, speech: np.ndarray, snr_db: float, rng: np.random.Generator
) -> np.ndarray:
    """With another excerpt of rain each time, over all of it.

    Parameters
    ----------
    samples : float32 (n,), 16 kHz
    speech : the part of them that the level of the rain is relative to
    snr_db : how far the rain is below the speech
    rng : draws the clips, 5 s each
    """
    paths = sorted(RAIN.glob("*.ogg"))
    n_clips = len(samples) // (4 * SAMPLE_RATE) + 1
    clips = [_level(audio.load(paths[i])) for i in rng.integers(len(paths), size=n_clips)]
    rain = np.resize(np.concatenate(clips), len(samples))
    loud = np.sqrt(np.mean(np.square(speech))) * 10 ** (-snr_db / 20)
    return _in_range(samples + loud * rain)


def by_telephone(samples: np.ndarray, codec: str) -> np.ndarray:
    """Through a telephone's band and a codec, back at 16 kHz.

    Parameters
    ----------
    samples : float32 (n,), 16 kHz
    codec : of `CODECS`
    """
    band = butter(4, TELEPHONE_HZ, "bandpass", fs=SAMPLE_RATE, output="sos")
    return through_codec(sosfilt(band, samples), codec)


def through_codec(samples: np.ndarray, codec: str) -> np.ndarray:
    """Through a codec at 8 kHz, back at 16 kHz; as `by_telephone`, but in its whole band."""
    narrow = _in_range(soxr.resample(samples, SAMPLE_RATE, TELEPHONE_RATE))
    line = io.BytesIO()
    soundfile.write(line, narrow, TELEPHONE_RATE, format="WAV", subtype=CODECS[codec])
    line.seek(0)
    heard, _ = soundfile.read(line, dtype="float32")
    return soxr.resample(heard[: len(narrow)], TELEPHONE_RATE, SAMPLE_RATE)


def across_room(
    samples: np.ndarray, rt60_s: float, distance_m: float, rng: np.random.Generator
) -> np.ndarray:
    """From across another room each time, at the level that it had; see `room_response`."""
    echoed = fftconvolve(samples, room_response(rt60_s, distance_m, rng))[: len(samples)]
    return _in_range(_level(echoed) * np.sqrt(np.mean(np.square(samples))))


def in_echo(
    samples: np.ndarray, rt60_s: float, direct_db: float, rng: np.random.Generator
) -> np.ndarray:
    """Far from the microphone, where the echo is louder than the voice itself.

    The echo is noise that dies away, as J.-D. Polack has it (thesis, Le Mans 1988), which has
    the same direct sound and decay in every room, unlike `across_room`.

    Parameters
    ----------
    samples : float (n,), 16 kHz
    rt60_s : time in which the echo falls by 60 dB
    direct_db : level of the direct sound relative to the echo's

    Returns
    -------
    float (n + n_echo,), the last sound dying away at its end
    """
    first = int(FIRST_ECHO_S * SAMPLE_RATE)
    response = with_direct_sound(decaying_noise(rt60_s, rng), first, -direct_db)
    return fftconvolve(samples, response)


def _level(samples: np.ndarray) -> np.ndarray:
    """At an RMS of 1; silence that only fills a clip up is left out."""
    sounding = np.flatnonzero(samples)
    samples = samples[: sounding[-1] + 1]
    return samples / np.sqrt(np.mean(np.square(samples)))


def _in_range(samples: np.ndarray) -> np.ndarray:
    return np.clip(samples, -1, 1).astype(np.float32)
