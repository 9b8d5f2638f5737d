"""Speech out of noise: a small network turns down what in the features is not speech.

It stands between `utils.emotion.features.extract` and all that hears features, live and in
training.
"""

import hashlib
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from utils import checkpoint
from utils.checkpoint import Format
from utils.emotion import features
from utils.emotion.functionals import quantiles, within
from utils.faults import model_error

SHIPPED = Path(__file__).parents[2] / "model_state_dict" / "denoiser.pt"
HEARD = features.DEFAULT_CONFIG  # the features that it is made for
N_COLUMNS = HEARD.n_mfcc + 2  # columns beyond these pass unchanged
FLOOR = 10 ** (HEARD.floor_db / 10)
RMS_FLOOR = 10 ** (features.RMS_FLOOR_DB / 10)

CHANNELS = 64
WIDTH = 5  # frames that a convolution reaches over, in the first layer next to each other
DILATIONS = (1, 2, 4, 8, 16)  # together a second to each side
QUIET = 0.1  # quantile of a band over time: what sounds between the words
OPEN = 3.0  # what an untrained network answers everywhere: a gain of 1
OPEN_GAIN = (1 + math.exp(-OPEN)) ** -2
ZCR_STEP = 0.1
LOWEST = 1e-6  # power, so that its logarithm is finite


class Bands(NamedTuple):
    """Frames as powers, which add up where sounds mix.

    Parameters
    ----------
    power : (batch, n_frames, n_mels), of each mel band
    energy : (batch, n_frames), mean square of the samples, relative to the speech level
    zcr : (batch, n_frames), zero-crossing rate in [0, 1]
    """

    power: torch.Tensor
    energy: torch.Tensor
    zcr: torch.Tensor


class Denoiser(nn.Module):
    """A gain of about 1 or less for each mel band, from a second of sound to each side.

    A temporal convolutional network (Bai et al., arXiv 1803.01271) that estimates a mask
    (Wang and Chen, "Supervised speech separation based on deep learning", IEEE/ACM TASLP
    26(10), 2018) on the mel bands that the cepstral coefficients were made of.
    """

    def __init__(self) -> None:
        super().__init__()
        n = HEARD.n_mels
        self.front = _Convolution(n + 2, CHANNELS, WIDTH, padding=WIDTH // 2)
        self.overall = nn.Linear(2 * n, CHANNELS)
        self.layers = nn.ModuleList(
            _Convolution(CHANNELS, CHANNELS, WIDTH, padding=WIDTH // 2 * step, dilation=step)
            for step in DILATIONS
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(CHANNELS) for _ in DILATIONS)
        self.out = _Convolution(CHANNELS, n + 2, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.constant_(self.out.bias, OPEN)

    def forward(self, frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Frames (batch, n_frames, n_features) without noise, relative to their speech level.

        Frames at and after `lengths` (batch,) are padding: they change nothing, and are zero.
        """
        cleaned = to_frames(self.separate(frames, lengths), lengths)
        valid = within(lengths, frames.shape[1])[..., None]
        others = frames[..., N_COLUMNS:].masked_fill(~valid, 0.0)
        return torch.cat([cleaned, others], dim=-1)

    def separate(self, frames: torch.Tensor, lengths: torch.Tensor) -> Bands:
        """What of frames is speech, at the level that it has in them."""
        valid = within(lengths, frames.shape[1])[..., None]
        found = to_bands(frames)
        log_mel = 10 * (found.power + FLOOR).log10() / 15 - 0.5  # about -1 to 3
        zcr, rms_db = found.zcr[..., None], frames[..., N_COLUMNS - 1, None]
        x = torch.cat([log_mel, 5 * zcr - 0.5, rms_db / 10 + 1], dim=-1)
        x = self.front(x.masked_fill(~valid, 0.0))
        inside = valid.to(x)  # zero elsewhere, as beyond the ends of a recording that stands alone
        x = torch.relu(x + self.overall(_overall(log_mel, lengths))[:, None]) * inside
        for layer, norm in zip(self.layers, self.norms):
            change = norm(layer(x).flatten(0, 1)).view_as(x)
            x = (x + torch.relu(change)) * inside
        answer = self.out(x)
        gain = torch.sigmoid(answer[..., :-1]).square() / OPEN_GAIN
        zcr = found.zcr + ZCR_STEP * (answer[..., -1] - OPEN)
        return Bands(found.power * gain[..., :-1], found.energy * gain[..., -1], zcr.clamp(0, 1))

    def clean(self, frames: np.ndarray) -> np.ndarray:
        """As `forward`, of one feature array float32 (n_frames, n_features)."""
        with torch.inference_mode():
            batch = torch.from_numpy(frames)[None]
            return self(batch, torch.tensor([len(frames)]))[0].numpy()

    @classmethod
    def load(cls, path: str | Path = SHIPPED) -> "Denoiser":
        """Read what `save` wrote.

        Raises
        ------
        ModelError : missing, damaged, or of another program
        """
        path = Path(path)
        found = checkpoint.read(path, Format.DENOISER)
        try:
            return checkpoint.build(cls, found["weights"])
        except (KeyError, TypeError, ValueError, RuntimeError, MemoryError) as err:
            reason = " ".join(str(err).split())
            otherwise = f"{path}: does not fit: {reason}; train it again"
            raise model_error(err, str(path), otherwise) from err

    def save(self, path: str | Path) -> None:
        """Write the weights; a crash leaves no half-written file.

        Raises
        ------
        ModelError : the file cannot be written
        """
        checkpoint.write(Path(path), Format.DENOISER, {"weights": self.state_dict()})

    def identity(self) -> str:
        """Tells what this one makes of frames from what another makes of them."""
        found = hashlib.sha256()
        for name, value in self.state_dict().items():
            found.update(name.encode() + value.cpu().numpy().tobytes())
        return found.hexdigest()


class _Convolution(nn.Conv1d):
    """A convolution over time (batch, n_frames, channels), as one product of matrices.

    PyTorch's own takes five times as long on a CPU where it is dilated.
    """

    bias: nn.Parameter
    padding: tuple[int, ...]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        (width,), (step,), (reach,) = self.kernel_size, self.dilation, self.padding
        n_frames = x.shape[1]
        x = nn.functional.pad(x, (0, 0, reach, reach))
        taps = [x[:, k * step : k * step + n_frames] for k in range(width)]
        weight = self.weight.permute(2, 1, 0).flatten(0, 1)  # (width * channels in, channels out)
        return torch.cat(taps, dim=-1) @ weight + self.bias


def to_bands(frames: torch.Tensor) -> Bands:
    """Powers of frames (batch, n_frames, n_features) of `utils.emotion.features.extract`."""
    _, _, dct = features.bases(HEARD)
    log_mel = frames[..., : HEARD.n_mfcc] @ torch.from_numpy(dct).to(frames).T
    rms_db = frames[..., N_COLUMNS - 1]
    return Bands(
        (10 ** (log_mel / 10) - FLOOR).clamp(min=LOWEST),
        (10 ** (rms_db / 10) - RMS_FLOOR).clamp(min=0),
        frames[..., N_COLUMNS - 2],
    )


def to_frames(bands: Bands, lengths: torch.Tensor) -> torch.Tensor:
    """Frames (batch, n_frames, n_mfcc + 2) relative to their own speech level, zero after each end.

    The speech level is that of `utils.emotion.features.extract`, a high percentile of the frames'
    RMS.
    """
    _, _, dct = features.bases(HEARD)
    valid = within(lengths, bands.energy.shape[1])
    level = speech_level(bands.energy, lengths)[:, None]
    log_mel = 10 * (bands.power / level[..., None] + FLOOR).log10()
    rms_db = 10 * (bands.energy / level + RMS_FLOOR).log10()
    mfcc = log_mel @ torch.from_numpy(dct).to(log_mel)
    frames = torch.cat([mfcc, bands.zcr[..., None], rms_db[..., None]], dim=-1)
    return frames.masked_fill(~valid[..., None], 0.0)


def speech_level(energy: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """A high percentile (batch,) of the energy (batch, n_frames) of frames."""
    valid = within(lengths, energy.shape[1])
    (level,) = quantiles(energy.sqrt()[..., None], valid, [features.LEVEL_PERCENTILE / 100])
    return level[:, 0].square().clamp(min=LOWEST)


def _overall(log_mel: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """How loud each band is between the words, and on the whole, (batch, 2 n_mels)."""
    valid = within(lengths, log_mel.shape[1])[..., None]
    mean = log_mel.masked_fill(~valid, 0.0).sum(dim=1) / lengths[:, None]
    # Row by row: sorting all of a padded batch takes three times as long.
    quiet = [
        one[:n].kthvalue(1 + int(QUIET * (n - 1)), dim=0).values
        for one, n in zip(log_mel, lengths.tolist())
    ]
    return torch.cat([torch.stack(quiet), mean], dim=1)
