"""Features of a corpus, computed once and kept on disk outside the repository's history."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training import sounds
from training.corpora import Clip
from utils import audio, features
from utils.errors import AudioError, DataError

logger = logging.getLogger(__name__)

RECIPE = 1  # raise it when `sounds` changes, so that older caches are not mistaken for new ones


@dataclass
class FeatureCache:
    """Feature arrays by clip and variant; variant 0 is the clip itself, cut as live.

    Parameters
    ----------
    folder : where the arrays are kept
    noises : sounds to mix into the other variants, float32 (n,) each
    config : what `extract` is called with
    """

    folder: Path
    noises: list[np.ndarray]
    config: features.FeatureConfig = features.DEFAULT_CONFIG
    _loaded: dict[tuple[Path, int], np.ndarray] = field(default_factory=dict, repr=False)

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        """Features (n_frames, n_features) of a clip that `prepare` was called with."""
        return self._loaded[clip.path, variant]

    def prepare(self, clips: list[Clip], n_variants: int) -> None:
        """Compute or read variants 0 to `n_variants` - 1 of all clips of one corpus."""
        for variant in range(n_variants):
            arrays = self._stored(
                f"{clips[0].corpus}-{variant}",
                "".join(f"{c.path.parent.name}/{c.path.name}" for c in clips),
                lambda variant=variant: (self._describe(c, variant) for c in clips),
            )
            self._loaded.update({(c.path, variant): a for c, a in zip(clips, arrays)})

    def meaningless(self, n: int, seed: int) -> list[np.ndarray]:
        """Features of `n` sounds without a voice."""
        rng = np.random.default_rng(seed)
        return self._stored(f"noise-{seed}", str(n), lambda: self._voiceless(n, rng))

    def _voiceless(self, n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
        while n > 0:
            try:
                yield features.extract(sounds.meaningless(self.noises, rng), self.config)
                n -= 1
            except AudioError:  # a silent stretch of a noise: the live program refuses it too
                continue

    def _describe(self, clip: Clip, variant: int) -> np.ndarray:
        try:
            samples = audio.load(clip.path)
            if variant:
                name = f"{clip.path.name}{variant}".encode()
                rng = np.random.default_rng(list(hashlib.sha256(name).digest()[:8]))
                samples = sounds.vary(samples, self.noises, rng)
            else:
                samples = sounds.as_live(samples)
            return features.extract(samples, self.config)
        except AudioError as err:
            raise DataError(f"{clip.path}: {err}; fetch the corpus again") from err

    def _stored(
        self, name: str, what: str, compute: Callable[[], Iterator[np.ndarray]]
    ) -> list[np.ndarray]:
        """Arrays from the file `name`, or computed and put there."""
        key = f"{RECIPE} {self.config} {len(self.noises)} {what}".encode()
        path = self.folder / f"{name}-{hashlib.sha256(key).hexdigest()[:12]}.npz"
        if not path.is_file():
            logger.info("computing features: %s", path.name)
            arrays = list(compute())
            self.folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part.npz")
            np.savez(part, frames=np.concatenate(arrays), lengths=[len(a) for a in arrays])
            part.replace(path)
        with np.load(path) as file:
            frames, lengths = file["frames"], file["lengths"]
        return np.split(frames, np.cumsum(lengths)[:-1])
