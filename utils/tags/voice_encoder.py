"""Resemblyzer's encoder of voices: the model that is always here, small and quick.

L. Wan and others, "Generalized end-to-end loss for speaker verification", ICASSP 2018; trained and
published by Resemble AI (Resemblyzer 0.1.4, Apache 2.0). Its weights alone are kept, as its package
asks for a detector of speech that is compiled at its installation, and that nothing here needs.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import nn

from utils import audio, checkpoint
from utils.checkpoint import Format
from utils.emotion import mel
from utils.errors import ModelError
from utils.tags.voices import Likeness
from utils.threads import one_thread

WEIGHTS = Path(__file__).resolve().parents[2] / "model_state_dict" / "voices.pt"
N_FFT, HOP_LENGTH, N_MELS = 400, 160, 40  # samples of 16 kHz: 25 and 10 ms
PART = 160  # frames that it was trained on: 1.6 s
LEVEL_DB = -30.0  # RMS to which softer speech is raised, relative to full scale
SOFT_DB = -35.0  # under the loud frames: softer ones are pauses, and left out
# Chosen on readers who trained nothing here: see the model card.
LIKENESS = Likeness(
    learn=0.35,
    known=0.45,
    margins=(0.25, 0.2, 0.15, 0.15),
    others=(0.2, 0.3, 0.36, 0.4),
    in_noise=(0.05, 0.12, 0.26, 0.35),
    new=0.7,
)


class VoiceNetwork(nn.Module):
    """Three LSTM layers over mel bands, and a layer on what the last one ends with.

    Attributes
    ----------
    centre : (256,), the mean of many voices' embeddings, which says nothing of one
    whitening : (256, 256), which makes less of how embeddings of one voice differ among themselves
        (A. Hatch, S. Kajarekar and A. Stolcke, "Within-class covariance normalization for SVM-based
        speaker recognition", Interspeech 2006)
    """

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(N_MELS, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        self.register_buffer("centre", torch.zeros(256))
        self.register_buffer("whitening", torch.zeros(256, 256))

    def forward(self, parts: torch.Tensor) -> torch.Tensor:
        """Embedding (256,) of parts (n, `PART`, `N_MELS`) of one voice."""
        _, (hidden, _) = self.lstm(parts)
        found = torch.relu(self.linear(hidden[-1]))
        found = found / found.norm(dim=1, keepdim=True).clamp(min=1e-9)
        mean = found.mean(dim=0)
        return (mean / mean.norm().clamp(min=1e-9) - self.centre) @ self.whitening


class VoiceEncoder:
    """A `utils.tags.voices.VoiceModel` that works on a thread of its own.

    Raises
    ------
    ModelError : its weights are missing or do not fit
    """

    likeness = LIKENESS

    def __init__(self, path: Path = WEIGHTS) -> None:
        found = checkpoint.read(path, Format.VOICES)
        with checkpoint.fitting(path, "fetch it again"):
            weights = {name: tensor.float() for name, tensor in found["weights"].items()}
            self._network = checkpoint.build(VoiceNetwork, weights)
        filters = mel.filters(audio.SAMPLE_RATE, N_FFT, N_MELS, 0.0, audio.SAMPLE_RATE / 2)
        self._filters = torch.from_numpy(filters.astype(np.float32))
        self._window = torch.hann_window(N_FFT)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voices")

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        """Begin to work out where the voice in float32 (n,) at 16 kHz lies; returns at once."""
        try:
            return self._thread.submit(self.embedding, samples)
        except RuntimeError as err:  # closed, or no thread can be begun
            raise ModelError(f"voices cannot be told apart: {err}") from err

    def close(self) -> None:
        """Let the model go; what has not been worked out is cancelled."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @one_thread()
    @torch.inference_mode()
    def embedding(self, samples: np.ndarray) -> np.ndarray:
        """Where the voice in float32 (n,) lies, float32 (256,)."""
        frames = self._spoken(torch.from_numpy(np.ascontiguousarray(samples)))
        if len(frames) < PART:
            frames = frames.repeat(-(-PART // max(len(frames), 1)), 1)[:PART]
        starts = np.linspace(0, len(frames) - PART, 1 + (len(frames) - PART) // (PART // 2))
        return self._network(torch.stack([frames[int(s) :][:PART] for s in starts])).numpy()

    def _spoken(self, samples: torch.Tensor) -> torch.Tensor:
        """Mel bands (n_frames, `N_MELS`) of the frames that are no pause."""
        rms = float(samples.square().mean().sqrt())
        gain = max(1.0, 10 ** (LEVEL_DB / 20) / max(rms, 1e-6))
        padded = nn.functional.pad(gain * samples, (N_FFT // 2, N_FFT // 2))
        spectrum = torch.stft(
            padded, N_FFT, HOP_LENGTH, window=self._window, center=False, return_complex=True
        )
        bands = (self._filters @ spectrum.abs().square()).T  # (n_frames, N_MELS)
        level_db = 10 * torch.log10(bands.sum(dim=1) + 1e-12)
        loud = level_db > torch.quantile(level_db, 0.95) + SOFT_DB
        return bands[loud]
