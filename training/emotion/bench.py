"""The bench at which other networks than ours are trained and tested: pictures, no readers."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.corpora import LABELS, Clip
from training.emotion import baseline
from training.emotion.evaluate import TARGETS, choose_thresholds, fit_temperature
from training.emotion.fit import RECIPE, FitConfig, fit
from training.emotion.predictions import CLEAN, UNAIDED, Predictions, join
from training.emotion.splits import validation_speakers
from training.emotion.train import judge, logits
from training.emotion.workshop import spread_out
from training.parallel import steps_bar
from training.sound.cache import FeatureCache
from training.sound.conditions import CONDITIONS
from utils.emotion import steps
from utils.emotion.judgement import Judgement
from utils.emotion.networks import check_here
from utils.emotion.networks.config import SVM, NetworkConfig
from utils.emotion.networks.segments import Segments
from utils.emotion.networks.svm import SupportVectors
from utils.emotion.spectra import SpectraConfig
from utils.errors import DataError


@dataclass(frozen=True)
class Shape:
    """What of a network is chosen besides its name.

    Parameters
    ----------
    segment_s : what it hears at a time
    channels, size, dropout, width : as in `NetworkConfig`
    """

    segment_s: float = 3.0
    channels: int = NetworkConfig.channels
    size: int = NetworkConfig.size
    dropout: float = NetworkConfig.dropout
    width: float = NetworkConfig.width

    @property
    def settings(self) -> dict[str, Any]:
        """What `NetworkConfig` takes of it, whatever the length of a frame."""
        return {name: value for name, value in asdict(self).items() if name != "segment_s"}


class Bench:
    """Clips with their features, and a network that is trained on some and tested on others.

    Parameters
    ----------
    clips : of any corpora; those that cannot be read are reported and left out
    cache : keeps their features
    config : how the network is trained
    name : of the network, one of `networks.NAMES` but for ours
    shape : of the network
    labels : the classes

    Raises
    ------
    DataError : no clip can be read, or stretches of no length
    ModelError : the network needs a package that is not here
    """

    read: Sequence[Clip] = ()

    def __init__(
        self,
        clips: Sequence[Clip],
        cache: FeatureCache,
        config: FitConfig,
        name: str,
        shape: Shape = Shape(),
        labels: tuple[str, ...] = LABELS,
    ) -> None:
        if not 0.2 <= shape.segment_s <= 30:
            raise DataError(f"stretches of {shape.segment_s} s, expected 0.2 to 30")
        check_here(name)
        self.config, self.cache, self.labels = config, cache, labels
        self.clips = cache.prepare(clips, 1)
        self.noisy = None if config.snr_db is None else cache.noisy(self.clips, config.snr_db)
        encoder = cache.encoder
        self.model_config = NetworkConfig(
            name,
            steps.width(cache.config, encoder),
            len(labels),
            segment=max(1, round(shape.segment_s * cache.per_s)),
            n_heard=encoder.width if encoder else 0,
            encoder=encoder.identity if encoder else "",
            n_vectors=int(name == SVM),
            n_taught=2 * (name == SVM),
            **shape.settings,
        )
        self.identity = f"{cache.identity} {labels} {RECIPE}"
        self.origin = "scratch"  # of the first weights of the network that was trained last

    def steps(self, clip: Clip, variant: int | str = 0) -> np.ndarray:
        """Steps (n_steps, width) of a clip."""
        return self.cache.get(clip, variant)

    def train(
        self, clips: Sequence[Clip], seed: int, folder: Path, title: str
    ) -> Segments | SupportVectors:
        """A network of `clips`, some of whose speakers choose when to stop.

        Parameters
        ----------
        folder : keeps the state of the run, from which it goes on after a kill; made if need be
        title : of the progress bar

        Raises
        ------
        DataError : the folder cannot be made, or the clips are all of one class
        """
        if self.model_config.name == SVM:  # which has nothing to stop
            return self._machine(clips)
        held_out = validation_speakers(clips, seed)
        return self.learn(
            [clip for clip in clips if clip.speaker not in held_out],
            [clip for clip in clips if clip.speaker in held_out],
            seed,
            folder,
            title,
        )

    def learn(
        self,
        clips: Sequence[Clip],
        validation: Sequence[Clip],
        seed: int,
        folder: Path,
        title: str,
        looked: Callable[[int, float], None] | None = None,
    ) -> Segments | SupportVectors:
        """A network of `clips`; the other parameters and errors as in `train` and `fit`.

        A support vector machine is looked at once.

        Parameters
        ----------
        validation : clips of other speakers
        """
        if self.model_config.name == SVM:
            machine = self._machine(clips)
            if looked and validation:
                looked(1, self.uar(machine, validation))
            return machine
        if len({clip.label for clip in clips}) < 2:
            raise _of_one_class(clips)
        total = self.config.epochs * max(1, len(clips) // self.config.batch_size)
        with steps_bar(total, title) as progress:
            model, self.origin = fit(
                self,
                clips,
                validation,
                self.config,
                self.model_config,
                seed,
                progress,
                folder,
                self.noisy,
                looked,
            )
        return model

    def uar(self, model: Segments | SupportVectors, clips: Sequence[Clip]) -> float:
        """Unweighted average recall of clips as they are, in [0, 1], mean over corpora."""
        found, _ = judge(self, clips, logits(model, [self.steps(clip) for clip in clips]))
        return float(np.mean(list(found.values())))

    def _machine(self, clips: Sequence[Clip]) -> SupportVectors:
        if len({clip.label for clip in clips}) < 2:
            raise _of_one_class(clips)
        config = self.config
        return baseline.fit(self, clips, self.model_config, config.c, config.gamma)

    def judgement(self, model: Segments | SupportVectors, seed: int) -> Judgement:
        """Calibration and thresholds by the voices that chose when a network stops.

        Each corpus counts the same. A class for which too few answers prove how often it is
        right is never named.
        """
        held_out = validation_speakers(self.clips, seed)
        clips = [clip for clip in self.clips if clip.speaker in held_out]
        if not clips:
            return Judgement.untuned(self.labels)
        if isinstance(model, SupportVectors):  # which learnt from all: one of the others judges
            others = [clip for clip in self.clips if clip.speaker not in held_out]
            model = self._machine(others)
        groups = []
        for corpus in sorted({clip.corpus for clip in clips}):
            own = [clip for clip in clips if clip.corpus == corpus]
            found = logits(model, [self.steps(clip) for clip in own])
            groups.append((np.array([self.labels.index(clip.label) for clip in own]), found))
        truth, all_found = (np.concatenate(part) for part in zip(*groups))
        temperature = fit_temperature(truth, all_found)
        groups = [(truth, found / temperature) for truth, found in groups]
        sure, likely = (
            dict(zip(self.labels, choose_thresholds(groups, TARGETS[grade]).tolist()))
            for grade in ("sure", "likely")
        )
        return Judgement(temperature, sure, likely)

    def test(
        self, answer: Callable[..., np.ndarray], clips: Sequence[Clip], fold: int, seed: int
    ) -> Predictions:
        """Answers to clips as they are, and to some of them in every other condition.

        Parameters
        ----------
        answer : arrays of steps -> logits (n, n_classes)
        """
        some, clean = spread_out(clips), [self.steps(clip) for clip in clips]
        parts = [(CLEAN, clips, clean)]
        if self.model_config.name == SVM and not isinstance(self.cache.config, SpectraConfig):
            bare = steps.width(self.cache.config, None)
            parts.append((UNAIDED, clips, [array[:, :bare] for array in clean]))
        parts += [(name, some, self.cache.condition(some, name)) for name in CONDITIONS[1:]]
        return join(
            [
                Predictions(
                    self.labels,
                    answer(arrays),
                    tuple(tested),
                    np.full(len(tested), fold),
                    np.full(len(tested), seed),
                    np.array([self.cache.length_s(clip) for clip in tested]),
                    np.full(len(tested), name),
                )
                for name, tested, arrays in parts
            ]
        )


def _of_one_class(clips: Sequence[Clip]) -> DataError:
    return DataError(f"all {len(clips)} clips are {clips[0].label}, expected two classes")
