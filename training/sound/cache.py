"""Features of clips, computed once, kept on disk by content, and shared by training processes."""

import hashlib
import logging
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from tqdm import tqdm

from training.corpora import Clip
from training.sound import shards
from training.sound.augmentation import augment, everyday, mix
from training.sound.conditions import CONDITIONS, NOT_FEELINGS, as_live, condition
from training.sound.contents import Contents
from training.sound.non_speech import non_speech
from training.sound.workers import spread
from utils import audio
from utils.command_line.output import counted
from utils.emotion import steps
from utils.emotion.encoder import Encoder
from utils.emotion.features import DEFAULT_CONFIG
from utils.emotion.spectra import Config
from utils.environment import cores
from utils.errors import AudioError, DataError
from utils.threads import one_thread

logger = logging.getLogger(__name__)

RECIPE = 6  # raise it when a sound or `extract` changes, so that older features are not used
PER_SHARD = 100  # sounds: a killed run loses some seconds of work
CLEAN = CONDITIONS[0]
VOICELESS = "voiceless"  # sounds that are made, not read
NOISY = "training noise "  # of a clip as the live program cuts it, and then the ratio in dB


@dataclass(frozen=True)
class _Job:
    """One array to compute.

    Parameters
    ----------
    key : under which it is kept
    what : "variant 3", one of `CONDITIONS`, "training noise 10", or "voiceless heard 1 17"
    content : hash of the recording's bytes; with `what`, the seed of all that is drawn
    path : the recording, or None where the sound is made
    """

    key: str
    what: str
    content: str = ""
    path: Path | None = None


@dataclass(frozen=True, eq=False)
class _Bench:
    """What every job needs."""

    folder: Path
    noises: list[np.ndarray]
    unheard: list[np.ndarray]
    config: Config
    encoder: Encoder | None

    def fill_shard(self, jobs: Sequence[_Job]) -> tuple[int, dict[str, str]]:
        """Compute and keep arrays: how many jobs that were, and by key why some failed."""
        arrays: dict[str, np.ndarray] = {}
        refused: dict[str, str] = {}
        for job in jobs:
            try:
                arrays[job.key] = self._describe(job)
            except AudioError as err:
                refused[job.key] = str(err).removeprefix(f"{job.path}: ")
        if arrays:
            shards.write(self.folder, arrays)
        return len(jobs), refused

    def _describe(self, job: _Job) -> np.ndarray:
        seed = hashlib.sha256(f"{job.content} {job.what}".encode()).digest()[:8]
        rng = np.random.default_rng(list(seed))
        if job.path is None:
            return self._voiceless(job.what, rng)
        return self._hear(self._sound(job.path, job.what, rng))

    def _hear(self, samples: np.ndarray) -> np.ndarray:
        with one_thread():  # the processes share the processors already
            return steps.extract(samples, self.config, self.encoder)

    def _sound(self, path: Path, what: str, rng: np.random.Generator) -> np.ndarray:
        samples = audio.load(path)
        if what in (*CONDITIONS, *NOT_FEELINGS):
            return condition(what, samples, self.unheard, rng)
        if what.startswith(NOISY):
            samples = as_live(samples)
            noise = everyday(self.noises, len(samples), rng)
            return mix(samples, noise, float(what.removeprefix(NOISY))).astype(np.float32)
        return augment(samples, self.noises, rng)

    def _voiceless(self, what: str, rng: np.random.Generator) -> np.ndarray:
        noises = self.unheard if "unheard" in what else self.noises
        while True:
            try:
                return self._hear(non_speech(noises, rng))
            except AudioError:  # a silent stretch of a noise: the live program refuses it too
                continue


class FeatureCache:
    """Features by clip and variant, and of clips in other conditions and sounds without a voice.

    Parameters
    ----------
    folder : where they are kept; made if need be. Several processes may use it at a time.
    noises : sounds that training mixes in, float32 (n,) each
    unheard : sounds that it does not, for conditions of a test
    config : what `extract` is called with
    encoder : hears beside the frames; None where steps are to be of frames alone
    workers : processes that compute; by default as many as there are processors
    """

    def __init__(
        self,
        folder: str | Path,
        noises: list[np.ndarray],
        unheard: list[np.ndarray],
        config: Config = DEFAULT_CONFIG,
        encoder: Encoder | None = None,
        workers: int | None = None,
    ) -> None:
        self.config, self.encoder = config, encoder
        self._bench = _Bench(Path(folder), noises, unheard, config, encoder)
        self._workers = workers or cores()
        self._contents = Contents(self._bench.folder / "contents.json")
        self._shards = shards.Shards(self._bench.folder)
        self._hashes: dict[Path, str] = {}
        self._keys: dict[tuple[Path, str], str] = {}
        self._reported: set[tuple[Path, str]] = set()

    @property
    def per_s(self) -> float:
        """Steps in a second."""
        return steps.per_s(self.config)

    def prepare(self, clips: Sequence[Clip], n_variants: int) -> list[Clip]:
        """Compute, where that is not done yet, variants 0 to `n_variants` - 1 of clips.

        Variant 0 is the clip itself, cut as live; the others are what `augment` makes of it.

        Returns
        -------
        The clips that can be read, in their order. Each of the others is logged once, with the
        reason.

        Raises
        ------
        DataError : none of the clips can be read, or the folder cannot be written
        """
        with self._writing():
            hashes, refused = self._contents.of(clip.path for clip in clips)
        self._hashes |= hashes
        failed = self._fill_clips(list(hashes), [CLEAN], "features")
        refused |= {path: reason for (path, _), reason in failed.items()}
        for path, reason in refused.items():
            self._report(path, CLEAN, f"left out: {reason}")
        good = [clip for clip in clips if clip.path not in refused]
        if clips and not good:
            path, reason = next(iter(refused.items()))
            raise DataError(
                f"none of {counted(len(clips), 'recording')} can be read; the first is {path}: "
                f"{reason}. Fetch the corpus again"
            )
        self._disturb(good, [_name(k) for k in range(1, n_variants)], "features, varied")
        return good

    def get(self, clip: Clip, variant: int | str) -> np.ndarray:
        """Steps float32 (n_steps, width) of a clip that `prepare` or `noisy` had."""
        return self._shards.get(self._keys[clip.path, _name(variant)])

    def length_s(self, clip: Clip) -> float:
        """How long a clip that `prepare` returned is as the model hears it, to one step."""
        return self._shards.n_frames(self._keys[clip.path, CLEAN]) / self.per_s

    def noisy(self, clips: Sequence[Clip], snr_db: float) -> str:
        """Have clips that `prepare` returned with sounds mixed in, of those that training hears.

        Returns
        -------
        the variant under which `get` has them; as long as the clips themselves

        Raises
        ------
        DataError : the folder cannot be written
        """
        name = f"{NOISY}{snr_db:g}"
        self._disturb(clips, [name], f"features, {name} dB")
        return name

    def condition(self, clips: Sequence[Clip], name: str) -> list[np.ndarray]:
        """Features of clips that `prepare` returned, in one of `CONDITIONS`.

        A clip that cannot be heard there, as one too quiet for a gain, is logged with the
        reason and stands as it is.

        Raises
        ------
        DataError : an unknown condition, or the folder cannot be written
        """
        if name not in (known := (*CONDITIONS, *NOT_FEELINGS)):
            raise DataError(f"unknown condition {name!r}, expected one of {', '.join(known)}")
        self._disturb(clips, [name], f"features, {name}")
        return [self._shards.get(self._keys[clip.path, name]) for clip in clips]

    def voiceless(self, n: int, seed: int, unheard: bool = False) -> list[np.ndarray]:
        """Features of `n` sounds without a voice, made with the noises or the unheard ones.

        Raises
        ------
        DataError : the folder cannot be written
        """
        kind = f"{VOICELESS} {'unheard' if unheard else 'heard'} {seed}"
        jobs = [_Job(self._key(f"{kind} {k}"), f"{kind} {k}") for k in range(n)]
        self._fill(jobs, f"features, {VOICELESS}")
        return [self._shards.get(job.key) for job in jobs]

    def _disturb(self, clips: Sequence[Clip], names: list[str], title: str) -> None:
        """Have clips in variants or conditions; one that is refused there stands as it is."""
        failed = self._fill_clips([clip.path for clip in clips], names, title)
        for (path, name), reason in failed.items():
            self._keys[path, name] = self._keys[path, CLEAN]
            self._report(path, name, f"{name}: {reason}; taken as it is")

    def _fill_clips(
        self, paths: list[Path], names: list[str], title: str
    ) -> dict[tuple[Path, str], str]:
        """Have recordings in variants or conditions; the reason where one cannot be had."""
        jobs = {
            (path, name): _Job(self._key(name, content), name, content, path)
            for name in names
            for path, content in ((path, self._hashes[path]) for path in paths)
        }
        refused = self._fill(jobs.values(), title)
        self._keys |= {at: job.key for at, job in jobs.items()}
        return {at: refused[job.key] for at, job in jobs.items() if job.key in refused}

    def _fill(self, jobs: Collection[_Job], title: str) -> dict[str, str]:
        """Compute what is missing; for what could not be computed, the reason by key."""
        keys = [job.key for job in jobs]
        missing = self._shards.missing(keys)
        todo = list({job.key: job for job in jobs if job.key in missing}.values())
        parts = [todo[k : k + PER_SHARD] for k in range(0, len(todo), PER_SHARD)]
        refused: dict[str, str] = {}
        results = spread(self._bench.fill_shard, parts, self._workers)
        bar = tqdm(total=len(todo), desc=title, unit="clip", disable=None if todo else True)
        try:
            with self._writing(), bar, closing(results):
                for n_done, reasons in results:
                    bar.update(n_done)
                    refused |= reasons
        except BrokenProcessPool as err:
            raise DataError(
                "a process that computes features was killed, for want of memory perhaps; run "
                f"this again with fewer than {self._workers}, and it goes on where it stopped"
            ) from err
        self._shards.missing(keys)  # opens the new shards
        return refused

    def _key(self, what: str, content: str = "") -> str:
        return hashlib.sha256(f"{self.identity} {what} {content}".encode()).hexdigest()[:32]

    @cached_property
    def identity(self) -> str:
        """Tells arrays made by one recipe from those made by any other."""
        found = hashlib.sha256(f"{RECIPE} {self.config}".encode())
        if self.encoder:
            found.update(self.encoder.identity.encode())
        for noises in (self._bench.noises, self._bench.unheard):
            found.update(f"{[len(noise) for noise in noises]}".encode())
            for noise in noises:
                found.update(np.ascontiguousarray(noise, np.float32).data)
        return found.hexdigest()

    def _report(self, path: Path, name: str, text: str) -> None:
        if (path, name) not in self._reported:
            self._reported.add((path, name))
            logger.warning("%s: %s", path, text)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Have the folder; say so where it cannot be written."""
        try:
            self._bench.folder.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as err:
            raise DataError(
                f"{self._bench.folder}: cannot keep features there ({err}); make room, or give "
                "another folder"
            ) from err


def _name(variant: int | str) -> str:
    if isinstance(variant, str):
        return variant
    return f"variant {variant}" if variant else CLEAN
