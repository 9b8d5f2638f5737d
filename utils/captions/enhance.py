"""Sound made clearer for the speech detector: steady noise and a room's echo taken away.

The detector misses soft and distant voices less for their level than for what lies around
them: noise that is brought up with them, and echo that fills the pauses. Recognisers get the
sound as it is, as noise reduction costs them words.
"""

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.captions.vad import WINDOW_SAMPLES

N_FFT = 512  # 32 ms
HOP_LENGTH = 256
VOICE_HZ = 80.0  # below it is no voice, but offsets and the mains
ROUNDING = 2e-8  # power of a bin that holds nothing but the rounding to 16 bits
# Noise is the least power of late in each bin: it falls at once and rises by 3.2 dB a second, so
# that no vowel is taken for it. The least is below the mean, which `NOISE_BIAS` makes up for.
NOISE_SMOOTHING, NOISE_RISE, NOISE_BIAS = 0.8, 1.012, 1.5
# Echo is what was heard 48 ms ago, less what a room with an RT60 of about 0.7 s takes of it.
ECHO_SMOOTHING, ECHO_HOPS, ECHO_LEFT = 0.7, 3, 0.4
SNR_SMOOTHING = 0.95  # of the decision-directed estimate
LEAST_GAIN = 0.1  # -20 dB


class _HighPass:
    """A second-order Butterworth filter from `VOICE_HZ` on, a whole window at a time.

    SciPy has one, but with 50 MB of other code. What a window becomes is its convolution with the
    impulse response, and what the two numbers of memory from before it become by themselves.
    """

    def __init__(self) -> None:
        turn = 2 * np.pi * VOICE_HZ / SAMPLE_RATE  # R. Bristow-Johnson's cookbook, Q of 1 / sqrt(2)
        alpha, cosine = np.sin(turn) / np.sqrt(2), np.cos(turn)
        self._b = np.array([1 + cosine, -2 * (1 + cosine), 1 + cosine]) / (2 * (1 + alpha))
        self._a = np.array([-2 * cosine, 1 - alpha]) / (1 + alpha)
        self._response, kept = self._alone(1.0, np.zeros(2))
        self._into_memory = kept[::-1].T  # (2, n): what each sample leaves there
        one, two = (self._alone(0.0, memory) for memory in np.eye(2))
        self._from_memory = np.column_stack([one[0], two[0]])  # (n, 2)
        self._memory_left = np.column_stack([one[1][-1], two[1][-1]])
        self._memory = np.zeros(2)

    def _alone(self, first: float, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What comes of one sample and a memory (2,): (n,), and the memory after each, (n, 2)."""
        heard, kept = np.zeros(WINDOW_SAMPLES), np.zeros((WINDOW_SAMPLES, 2))
        for i in range(WINDOW_SAMPLES):
            sample = first if i == 0 else 0.0
            heard[i] = self._b[0] * sample + memory[0]
            memory = self._b[1:] * sample - self._a * heard[i] + (memory[1], 0.0)
            kept[i] = memory
        return heard, kept

    def apply(self, window: np.ndarray) -> np.ndarray:
        """The next window, float64 (512,)."""
        heard = np.convolve(window, self._response)[:WINDOW_SAMPLES]
        heard += self._from_memory @ self._memory
        self._memory = self._memory_left @ self._memory + self._into_memory @ window
        return heard


class SpeechEnhancer:
    """A running Wiener filter against noise and late echo. What it gives is 16 ms late.

    Notes
    -----
    The gain is that of P. Scalart and J. V. Filho, "Speech enhancement based on a priori signal
    to noise estimation", ICASSP 1996; late echo is estimated after K. Lebart, J. M. Boucher and
    P. N. Denbigh, "A new method based on spectral subtraction for speech dereverberation", Acta
    Acustica 87, 2001.
    """

    def __init__(self) -> None:
        self._high_pass = _HighPass()
        n = np.arange(N_FFT)
        self._taper = np.sin(np.pi * n / N_FFT)  # squared and half overlapped, it sums to 1
        self._before = np.zeros(HOP_LENGTH)  # sound that is not in a whole frame yet
        self._after = np.zeros(HOP_LENGTH)  # the second half of the last frame's output
        self._smooth: np.ndarray | None = None  # powers, (n_bins,) each
        self._noise = self._recent = self._clean = np.zeros(0)
        self._echoes: list[np.ndarray] = []  # the powers of the last hops, the oldest first

    def apply(self, window: np.ndarray) -> np.ndarray:
        """The next window, float32 (512,), with less of what is no voice."""
        sound = np.concatenate([self._before, self._high_pass.apply(window)])
        self._before = sound[-HOP_LENGTH:]
        heard = []
        for at in range(0, WINDOW_SAMPLES, HOP_LENGTH):
            frame = self._frame(sound[at : at + N_FFT])
            heard.append(self._after + frame[:HOP_LENGTH])
            self._after = frame[HOP_LENGTH:]
        return np.concatenate(heard).astype(np.float32)

    def _frame(self, sound: np.ndarray) -> np.ndarray:
        """One frame (512,), filtered and tapered for adding up."""
        spectrum = np.fft.rfft(sound * self._taper)
        power = np.square(np.abs(spectrum)) + ROUNDING
        unwanted = self._follow(power)
        snr = np.maximum(power / unwanted - 1, 0)
        snr = SNR_SMOOTHING * self._clean / unwanted + (1 - SNR_SMOOTHING) * snr
        gain = np.maximum(snr / (1 + snr), LEAST_GAIN)
        self._clean = np.square(gain) * power
        return np.fft.irfft(spectrum * gain) * self._taper

    def _follow(self, power: np.ndarray) -> np.ndarray:
        """Power of noise and late echo in a frame of this power, all (n_bins,)."""
        if self._smooth is None:
            self._smooth = self._noise = self._recent = power
            self._clean = np.zeros_like(power)
        self._smooth = NOISE_SMOOTHING * self._smooth + (1 - NOISE_SMOOTHING) * power
        self._noise = np.minimum(NOISE_RISE * self._noise, self._smooth)
        self._recent = ECHO_SMOOTHING * self._recent + (1 - ECHO_SMOOTHING) * power
        self._echoes.append(self._recent)
        if len(self._echoes) <= ECHO_HOPS:
            return NOISE_BIAS * self._noise
        return NOISE_BIAS * self._noise + ECHO_LEFT * self._echoes.pop(0)
