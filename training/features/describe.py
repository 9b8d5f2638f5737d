"""Features of clips as a table: means, frames, stretches, or images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from training.corpora import Clip
from training.features.table import CLEAN, NOISY, Table
from training.sound.cache import FeatureCache
from utils.command_line.output import counted
from utils.emotion.encoder import STEP
from utils.emotion.networks.config import NetworkConfig
from utils.emotion.networks.images import as_images
from utils.emotion.spectra import Config, SpectraConfig
from utils.errors import DataError

FORMS = ("mean", "frames", "segments", "images")
CUT = FORMS[2:]  # into stretches of one length


@dataclass(frozen=True)
class Form:
    """What becomes a row.

    Parameters
    ----------
    name : "mean" of a recording's frames; its "frames"; half-overlapping "segments" of one
        length, (n_columns, n_frames) each, short ones repeated; or those as "images" in [0, 1]
    segment_s : length of a segment
    channels : of an image, 1 or 3
    snr_db : mix sounds in at that ratio, and have the noisy copy behind each clean one

    Raises
    ------
    DataError : no such form, or stretches of no length
    """

    name: str = "mean"
    segment_s: float = 3.0
    channels: int = 1
    snr_db: float | None = None

    def __post_init__(self) -> None:
        if self.name not in FORMS:
            raise DataError(f"form {self.name!r}, expected one of {', '.join(FORMS)}")
        if not 0.2 <= self.segment_s <= 30:
            raise DataError(f"segments of {self.segment_s} s, expected 0.2 to 30")


def settings(config: Config, form: Form) -> str:
    """What features are of, in words: only those of the same words may be merged."""
    if isinstance(config, SpectraConfig):
        told = [f"{config.kind} {config.rate} Hz", f"hop {1000 / config.per_s:g} ms"]
    else:
        told = ["encoder"]
    told.append(form.name)
    if form.name in CUT:
        told[-1] += f" of {form.segment_s:g} s"
    if form.name == "images":
        told[-1] += f" in {counted(form.channels, 'channel')}"
    if form.snr_db is not None:
        told.append(f"noisy copies at {form.snr_db:g} dB")
    return ", ".join(told)


def describe(clips: Sequence[Clip], cache: FeatureCache, form: Form) -> Table:
    """Features of clips that `cache.prepare` returned.

    Raises
    ------
    DataError : features cannot be kept
    """
    copies: list[tuple[str, int | str]] = [(CLEAN, 0)]
    if form.snr_db is not None:
        copies.append((NOISY, cache.noisy(clips, form.snr_db)))
    size = max(1, round(form.segment_s * cache.per_s))
    values, told, names, starts = [], [], [], []
    for clip in tqdm(clips, "rows", unit="clip", disable=None):
        found = [list(_parts(cache.get(clip, variant), form.name, size)) for _, variant in copies]
        for rows in zip(*found):  # a clean part, and its noisy copy
            for (name, _), (start, part) in zip(copies, rows):
                values.append(part)
                told.append(clip)
                names.append(name)
                starts.append(round(start / cache.per_s, 3))
    array = np.stack(values).astype(np.float32)
    if form.name == "images":
        array = _images(array, form.channels)
    return Table(
        settings(cache.config, form),
        columns(cache),
        array,
        tuple(told),
        np.array(names),
        np.array(starts),
    )


def columns(cache: FeatureCache) -> tuple[str, ...]:
    """What each value of a step is."""
    config = cache.config
    if isinstance(config, SpectraConfig):
        return config.columns
    frames = (f"{name}_at_{k + 1}" for k in range(STEP) for name in config.columns)
    heard = cache.encoder.width if cache.encoder else 0
    return (*frames, *(f"encoder_{k + 1}" for k in range(heard)))


def _parts(steps: np.ndarray, form: str, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Rows of a clip of steps (n_steps, n_columns), and the step at which each begins."""
    if form == "mean":
        yield 0, steps.mean(axis=0)
    elif form == "frames":
        yield from enumerate(steps)
    else:
        beyond = max(0, len(steps) - size)
        count = 1 + -(-beyond // max(1, size // 2))
        for start in np.linspace(0, beyond, count).round().astype(int).tolist():
            yield start, steps[(start + np.arange(size)) % len(steps)].T


def _images(segments: np.ndarray, channels: int) -> np.ndarray:
    """Images (n, channels, 224, 224) of segments, each from its least value 0 to its most, 1."""
    # One after the other into their place: those of all corpora together take gigabytes.
    images = np.empty((len(segments), channels, NetworkConfig.size, NetworkConfig.size), np.float32)
    for segment, image in zip(tqdm(segments, "images", unit="image", disable=None), images):
        least, most = segment.min(), segment.max()
        scaled = torch.from_numpy((segment - least) / np.maximum(most - least, 1e-6))
        image[:] = as_images(scaled[None], channels)[0].numpy()
    return images
