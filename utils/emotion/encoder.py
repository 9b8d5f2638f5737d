"""What Whisper's encoder hears in speech: outputs of its first layers, frozen.

A. Radford and others, "Robust speech recognition via large-scale weak supervision", ICML 2023.
Trained for words, its early layers keep how a thing was said. In torch, and not in CTranslate2,
because that gives no layer but the last, and only of padded sound.
"""

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.nn import functional as F

from utils import audio
from utils.emotion import mel
from utils.errors import ModelError

N_FFT, HOP_LENGTH = 400, 160  # samples of Whisper's spectrogram: 25 and 10 ms
N_LAYERS = 3  # the fourth knows less of tone on corpora that no training heard
HEADS = 64  # width of an attention head, in every Whisper
STEP = 4  # frames of 20 ms that are averaged into a step of 80 ms
LEVEL = 0.1  # of speech as the encoder gets it: RMS of its louder frames, -20 dBFS
# Powers of ten under the loudest band at which the spectrogram is cut off. Whisper has 8; with 6
# what rounding to 16 bits leaves of a quiet recording is hardly heard, and tone is as well.
RANGE = 6.0
MOST = 15 * audio.SAMPLE_RATE  # samples heard at a time: attention grows with their square


class Encoder:
    """The convolutions and first layers of a Whisper's encoder.

    Parameters
    ----------
    arrays : its weights as `utils.models.whisper.folder.read_arrays` gives them with "encoder/"

    Raises
    ------
    ModelError : arrays are missing or do not fit
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        digest = hashlib.sha256()

        def take(name: str, *shape: int) -> torch.Tensor:
            """An array; of a shape's sizes, 0 stands for any."""
            if (found := arrays.get(f"encoder/{name}")) is None:
                raise ModelError(f"the encoder has no {name}; expected that of Whisper tiny.en")
            if len(found.shape) != len(shape) or any(
                size < 1 or size != expected > 0 for size, expected in zip(found.shape, shape)
            ):
                raise ModelError(
                    f"the encoder's {name} has the shape {found.shape}, not that of Whisper tiny.en"
                )
            digest.update(np.ascontiguousarray(found, np.float16).tobytes())
            return torch.from_numpy(found.astype(np.float32))

        first = take("conv1/weight", 0, 0, 3)
        width, n_mels, _ = first.shape
        self.conv1 = first, take("conv1/bias", width)
        self.conv2 = take("conv2/weight", width, width, 3), take("conv2/bias", width)
        self.positions = take("position_encodings/encodings", 0, width)
        self.layers = [_Layer(take, k, width) for k in range(N_LAYERS)]
        if width % HEADS or len(self.positions) < MOST // (2 * HOP_LENGTH):
            raise ModelError(
                f"an encoder of width {width} for {len(self.positions)} frames; expected that of "
                "Whisper tiny.en"
            )
        filters = mel.filters(audio.SAMPLE_RATE, N_FFT, n_mels, 0.0, audio.SAMPLE_RATE / 2)
        self.filters = torch.from_numpy(filters.astype(np.float32))
        self.window = torch.hann_window(N_FFT)
        self.width = N_LAYERS * width
        self.identity = digest.hexdigest()  # of the weights that are used

    @torch.inference_mode()
    def hear(self, samples: np.ndarray) -> np.ndarray:
        """Mean outputs of the layers in each step of 80 ms, float32 (n_steps, width).

        Parameters
        ----------
        samples : float32 (n,) at 16 kHz, of speech level 1 (`features.at_speech_level`), at
            least 0.1 s

        Returns
        -------
        n_steps is n / 1280, rounded up, or one less
        """
        parts = np.array_split(samples, -(-len(samples) // MOST))
        return np.concatenate([self._hear(torch.from_numpy(LEVEL * part)) for part in parts])

    def _hear(self, samples: torch.Tensor) -> np.ndarray:
        x = F.gelu(F.conv1d(self._log_mel(samples)[None], *self.conv1, padding=1))
        x = F.gelu(F.conv1d(x, *self.conv2, stride=2, padding=1))[0].T
        x = x + self.positions[: len(x)]
        heard = []
        for layer in self.layers:
            x = layer(x)
            heard.append(x)
        return _steps(torch.cat(heard, dim=1)).numpy()

    def _log_mel(self, samples: torch.Tensor) -> torch.Tensor:
        """Whisper's spectrogram (n_mels, n), n = samples / 160."""
        spectrum = torch.stft(samples, N_FFT, HOP_LENGTH, window=self.window, return_complex=True)
        power = self.filters @ spectrum[:, :-1].abs().square()
        found = power.clamp(min=1e-10).log10()
        return (found.clamp(min=float(found.max()) - RANGE) + 4) / 4


class _Layer:
    """Self-attention and a feed-forward network, each normalised before and added."""

    def __init__(self, take: Callable[..., torch.Tensor], number: int, width: int) -> None:
        def norm(name: str) -> tuple[torch.Tensor, torch.Tensor]:
            place = f"layer_{number}/{name}/layer_norm"
            return take(f"{place}/gamma", width), take(f"{place}/beta", width)

        def linear(name: str, n_out: int, n_in: int) -> tuple[torch.Tensor, torch.Tensor]:
            place = f"layer_{number}/{name}"
            return take(f"{place}/weight", n_out, n_in), take(f"{place}/bias", n_out)

        self.norm1 = norm("self_attention")
        self.ask = linear("self_attention/linear_0", 3 * width, width)
        self.answer = linear("self_attention/linear_1", width, width)
        self.norm2 = norm("ffn")
        self.wide = linear("ffn/linear_0", 4 * width, width)
        self.narrow = linear("ffn/linear_1", width, 4 * width)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """x (n, width) with what the layer adds."""
        n, width = x.shape
        asked = F.linear(F.layer_norm(x, (width,), *self.norm1), *self.ask)
        query, key, value = asked.view(n, 3, width // HEADS, HEADS).permute(1, 2, 0, 3)
        found = F.scaled_dot_product_attention(query, key, value)
        x = x + F.linear(found.permute(1, 0, 2).reshape(n, width), *self.answer)
        hidden = F.gelu(F.linear(F.layer_norm(x, (width,), *self.norm2), *self.wide))
        return x + F.linear(hidden, *self.narrow)


def _steps(frames: torch.Tensor) -> torch.Tensor:
    """Means (n_steps, width) of each `STEP` frames (n, width), the last of what is left."""
    n_steps = -(-len(frames) // STEP)
    padded = F.pad(frames, (0, 0, 0, n_steps * STEP - len(frames)))
    counts = torch.full((n_steps, 1), float(STEP))
    counts[-1] = len(frames) - STEP * (n_steps - 1)
    return padded.view(n_steps, STEP, -1).sum(dim=1) / counts
