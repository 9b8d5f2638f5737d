"""Statistics of a recording's frames over time: what the network sees beside the frames.

All are plain tensor operations on padded batches, so that training and the live program
compute the same.
"""

from collections.abc import Sequence

import torch

from utils.emotion import spectrum

LOUD_DB = -25.0  # relative to the speech level: quieter frames are pauses
MIN_LOUD = 8  # frames; with fewer, all frames count as loud
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
PARTS = 8  # of a recording, whose means show how it went on
PER_COLUMN = 2 + len(QUANTILES) + 3  # and PARTS more, which tell when
# Of the cepstral coefficients, the first: higher ones tell voices apart more than emotions.
N_CEPSTRAL = 16
N_CORRELATED = 13


def n_functionals(n_features: int, n_mfcc: int) -> int:
    """Width of what `functionals` gives for frames of `n_features` columns."""
    return n_timeless(n_features, n_mfcc) + PARTS * _n_columns(n_features, n_mfcc)


def n_timeless(n_features: int, n_mfcc: int) -> int:
    """How many of them, the first, say nothing of when in a recording a thing was heard."""
    n_correlated = min(n_mfcc, N_CORRELATED) + 2
    pairs = n_correlated * (n_correlated - 1) // 2
    return PER_COLUMN * _n_columns(n_features, n_mfcc) + pairs + 3


def _n_columns(n_features: int, n_mfcc: int) -> int:
    return min(n_mfcc, N_CEPSTRAL) + n_features - n_mfcc + spectrum.N_COLUMNS


def functionals(frames: torch.Tensor, lengths: torch.Tensor, n_mfcc: int) -> torch.Tensor:
    """Describe each recording by how its columns are spread and how fast they change.

    Parameters
    ----------
    frames : (batch, n_frames, n_features), columns as `utils.emotion.features.extract` gives them;
        those at and after `lengths` are padding
    lengths : (batch,)
    n_mfcc : how many of the columns are cepstral coefficients

    Returns
    -------
    (batch, n_functionals): for the first cepstral coefficients, all other columns and those
    of `utils.emotion.spectrum` mean, standard deviation and quantiles over the loud frames; mean
    size of change, and spread of change and of its change, between the first and the last loud
    frame. Then how coefficients, zero-crossing rate and RMS go together over the loud frames,
    as correlations; duration in hundreds of frames, the loud share of it and the loud
    duration. Last, for the same columns, means of eight equal parts of that stretch.
    """
    rms_db = frames[..., n_mfcc + 1]
    together = _columns(frames, n_mfcc, N_CORRELATED)[..., : min(n_mfcc, N_CORRELATED) + 2]
    shape = spectrum.describe(frames[..., :n_mfcc])
    frames = torch.cat([_columns(frames, n_mfcc, N_CEPSTRAL), shape], dim=-1)
    step = torch.arange(frames.shape[1], device=frames.device)
    valid = within(lengths, frames.shape[1])
    loud = valid & (rms_db > LOUD_DB)
    loud = torch.where((loud.sum(dim=1) >= MIN_LOUD)[:, None], loud, valid)
    first = loud.int().argmax(dim=1)
    stop = frames.shape[1] - loud.flip(1).int().argmax(dim=1)
    spoken = (step >= first[:, None]) & (step < stop[:, None])
    mean, std = _moments(frames, loud)
    found = [mean, std, *quantiles(frames, loud, QUANTILES)]

    change = frames.diff(dim=1)
    both = spoken[:, 1:] & spoken[:, :-1]
    found += [_moments(change.abs(), both)[0], _moments(change, both)[1]]
    found.append(_moments(change.diff(dim=1), both[:, 1:] & both[:, :-1])[1])

    duration = stop - first
    part = (step - first[:, None]) * PARTS // duration[:, None]
    n_loud = loud.sum(dim=1)
    found.append(_correlations(together, loud))
    found.append(torch.stack([duration / 100, n_loud / duration, n_loud / 100], dim=1))
    found += [_moments(frames, spoken & (part == k))[0] for k in range(PARTS)]
    return torch.cat(found, dim=1)


def within(lengths: torch.Tensor, n_frames: int) -> torch.Tensor:
    """True (batch, n_frames) where a frame lies within its recording."""
    return torch.arange(n_frames, device=lengths.device) < lengths[:, None]


def _columns(frames: torch.Tensor, n_mfcc: int, n_kept: int) -> torch.Tensor:
    """The first `n_kept` of the cepstral columns, and all columns after them."""
    return torch.cat([frames[..., : min(n_mfcc, n_kept)], frames[..., n_mfcc:]], dim=-1)


def _correlations(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Of all pairs of columns, (batch, n (n - 1) / 2), over the steps in a mask."""
    mean, std = _moments(x, mask)
    unit = (x - mean[:, None]) * mask[..., None] / std.clamp(min=1e-3)[:, None]
    both = unit.transpose(1, 2) @ unit / mask.sum(dim=1).clamp(min=1)[:, None, None]
    rows, columns = torch.triu_indices(x.shape[2], x.shape[2], offset=1, device=x.device)
    return both[:, rows, columns]


def _moments(x: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation (batch, n) over the steps of x (batch, n_steps, n) in a mask."""
    weights = mask.to(x.dtype)[..., None]
    count = weights.sum(dim=1).clamp(min=1)
    mean = (weights * x).sum(dim=1) / count
    variance = (weights * (x - mean[:, None]).square()).sum(dim=1) / count
    return mean, variance.sqrt()


def quantiles(x: torch.Tensor, mask: torch.Tensor, which: Sequence[float]) -> list[torch.Tensor]:
    """Quantiles of x (batch, n_steps, n) over the steps in a mask, (batch, n) for each of `which`.

    They lie on the line between the two nearest values, as those of NumPy do.
    """
    in_order = x.masked_fill(~mask[..., None], torch.inf).sort(dim=1).values
    last = mask.sum(dim=1) - 1
    found = []
    for quantile in which:
        place = quantile * last
        below = place.long()
        above = torch.minimum(below + 1, last)
        low, high = (
            in_order.gather(1, i[:, None, None].expand(-1, 1, x.shape[2]))[:, 0]
            for i in (below, above)
        )
        found.append(low + (place - below)[:, None] * (high - low))
    return found
