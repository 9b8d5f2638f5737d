"""Whisper's log-mel spectrogram of a segment that grows: each frame is computed once."""

import numpy as np

from utils.audio import SAMPLE_RATE

# As OpenAI's whisper/audio.py has them; 100 frames a second.
N_FFT = 400
HOP_LENGTH = 160
FRAMES_PER_S = SAMPLE_RATE // HOP_LENGTH
_LOWEST = 1e-10  # power that silence is given
RANGE = 8.0  # powers of ten under the loudest, below which all is the same
_HALF = N_FFT // 2
_WINDOW = np.hanning(N_FFT + 1)[:-1].astype(np.float32)


class GrowingMel:
    """The spectrogram of one segment.

    It is that of the segment with silence after it, as Whisper was trained to hear; see
    `log_mel_spectrogram` in whisper/audio.py.

    Parameters
    ----------
    filters : float32 (n_mels, N_FFT // 2 + 1), the mel bands
    """

    def __init__(self, filters: np.ndarray) -> None:
        self._filters = filters
        self._samples = np.zeros(0, np.float32)  # of the segment so far
        self._log = np.zeros((0, len(filters)), np.float32)  # complete frames
        self._n_frames = 0

    @property
    def n_samples(self) -> int:
        """Samples that have come."""
        return len(self._samples)

    def grow(self, samples: np.ndarray) -> None:
        """Hear on: all of the segment so far, float32 (n,) at 16 kHz, of which none is copied."""
        self._samples = samples

    def features(self, n_samples: int, n_frames: int) -> np.ndarray:
        """What Whisper takes, float32 (n_mels, n_frames), of the first `n_samples`.

        Parameters
        ----------
        n_frames : of speech and the silence after it
        """
        complete = min(max(0, (n_samples - _HALF) // HOP_LENGTH + 1), n_frames)
        self._complete(complete)
        # Those that reach beyond the speech hear silence there.
        last = min((n_samples + _HALF - 1) // HOP_LENGTH + 1, n_frames)
        edge = self._powers(complete, last, n_samples)
        log = np.full((n_frames, len(self._filters)), np.log10(_LOWEST), np.float32)
        log[:complete] = self._log[:complete]
        log[complete:last] = edge
        return np.ascontiguousarray((np.maximum(log, log.max() - RANGE) + 4.0).T / 4.0)

    def _complete(self, n_frames: int) -> None:
        if n_frames <= self._n_frames:
            return
        new = self._powers(self._n_frames, n_frames, self.n_samples)
        if n_frames > len(self._log):
            grown = np.zeros((2 * n_frames, len(self._filters)), np.float32)
            grown[: self._n_frames] = self._log[: self._n_frames]
            self._log = grown
        self._log[self._n_frames : n_frames] = new
        self._n_frames = n_frames

    def _powers(self, first: int, last: int, n_samples: int) -> np.ndarray:
        """Logarithmic powers of frames, (last - first, n_mels); silence from `n_samples` on."""
        start, end = first * HOP_LENGTH - _HALF, (last - 1) * HOP_LENGTH + _HALF
        if last <= first:
            return np.zeros((0, len(self._filters)), np.float32)
        sound = np.zeros(end - start, np.float32)
        known = self._samples[max(start, 0) : min(end, n_samples)]
        sound[max(-start, 0) :][: len(known)] = known
        if start < 0:  # the beginning is mirrored, as in the training
            mirrored = self._samples[1 : min(1 - start, n_samples)][::-1]
            sound[-start - len(mirrored) : -start] = mirrored
        frames = np.lib.stride_tricks.sliding_window_view(sound, N_FFT)[::HOP_LENGTH]
        powers = np.square(np.abs(np.fft.rfft(frames * _WINDOW, axis=1)))
        return np.log10(np.maximum(powers @ self._filters.T, _LOWEST)).astype(np.float32)
