"""The bench that all commands work at: corpora read, features at hand, networks trained."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from emotion_model import EmotionLSTM
from training.corpora import LABELS, Clip, read_noise
from training.emotion.acquaintance import Acquaintance
from training.emotion.config import TrainConfig, n_variants
from training.emotion.dataset import Dataset, Nameless
from training.emotion.predictions import (
    CLEAN,
    KNOWN_READ,
    PLACE_KNOWN,
    READ_ALOUD,
    UNAIDED,
    UNAIDED_READ,
    VOICE_KNOWN,
    Predictions,
    join,
)
from training.emotion.splits import validation_speakers
from training.emotion.train import train
from training.parallel import steps_bar
from training.sound.cache import FeatureCache
from training.sound.conditions import CONDITIONS, NOT_FEELINGS
from utils import audio
from utils.emotion.encoder import STEP, Encoder
from utils.emotion.network import Listener, ModelConfig, Usual, describe
from utils.emotion.spectra import Config
from utils.emotion.windows import WINDOW_S
from utils.errors import DataError

N_VOICELESS = 600  # sounds without a voice among the examples
STRETCH_S = (0.6, 4.0)  # what is taken of a recording that is read aloud
N_CONDITION_CLIPS = 40  # of a corpus and fold that are also tested in noise, rooms and levels
N_KNOWN, CALM_SHARE = 16, 0.5  # remarks known in a test of what that helps, and how many are calm
HELD_OUT_NOISE = "5-"  # ESC-10's own fold: heard in no training, mixed in by the test


# A condition, the clips in it, their steps, and how speech usually sounds where they were said.
_Part = tuple[str, Sequence[Clip], Sequence[np.ndarray], Usual | None]


class Workshop:
    """Clips with their features and all that training draws from.

    Parameters
    ----------
    clips : of any corpora; those that cannot be read are reported and left out
    cache : keeps their features
    config : how networks are trained
    read : clips of people who read aloud. Every other voice is an example of speech in which no
        emotion is to be named; the others test whether one is
    """

    origin = "scratch"  # of the first weights of networks

    def __init__(
        self,
        clips: Sequence[Clip],
        cache: FeatureCache,
        config: TrainConfig,
        read: Sequence[Clip] = (),
    ) -> None:
        self.config, self.cache, features = config, cache, cache.config
        counts = {clip.corpus: n_variants(clip.corpus) for clip in clips}
        self.clips: list[Clip] = []
        for corpus in counts:
            own = [clip for clip in clips if clip.corpus == corpus]
            self.clips += self.cache.prepare(own, counts[corpus])
        self.read = list(read)
        heard, self.unheard_read = apart(read)
        nameless = [Nameless(x) for x in self.cache.voiceless(N_VOICELESS, seed=1)]
        nameless += self._stretches(self.cache.prepare(heard, 2))
        encoder = cache.encoder
        self.model_config = ModelConfig(
            features.n_features,
            encoder.width if encoder else 0,
            len(LABELS),
            encoder=encoder.identity if encoder else "",
        )
        self.examples = Dataset(
            self.cache,
            counts,
            nameless,
            LABELS,
            features.n_features,
        )
        self.identity = self.examples.identity

    def _stretches(self, clips: Sequence[Clip]) -> list[Nameless]:
        """Of each clip as recorded and varied, the steps of a stretch as long as a remark."""
        rng, found = np.random.default_rng(0), []
        for clip in clips:
            for variant in (0, 1):
                frames = self.cache.get(clip, variant)
                n = min(len(frames), int(rng.uniform(*STRETCH_S) * self.cache.per_s))
                start = rng.integers(len(frames) - n + 1)
                found.append(Nameless(frames[start : start + n], clip.speaker))
        return found

    def train(self, clips: Sequence[Clip], seed: int, folder: Path, title: str) -> EmotionLSTM:
        """A network of `clips`, some of whose speakers choose when each listener stops.

        Parameters
        ----------
        folder : keeps the states of the runs, from which they go on after a kill, and their
            logs; made if need be
        title : of the progress bar

        Raises
        ------
        DataError : the folder cannot be made
        """
        listeners = []
        for k in range(self.config.listeners):
            own = folder / f"listener-{k + 1}"
            number = self.config.listeners * seed + k
            listeners.append(self._listener(clips, number, own, f"{title}, listener {k + 1}"))
        return united(listeners)

    def _listener(self, clips: Sequence[Clip], seed: int, folder: Path, title: str) -> Listener:
        held_out = validation_speakers(clips, seed)
        with steps_bar(self.config.steps, title) as progress:
            return train(
                self.examples,
                [clip for clip in clips if clip.speaker not in held_out],
                [clip for clip in clips if clip.speaker in held_out],
                self.config,
                self.model_config,
                seed,
                progress,
                folder,
            )

    def test(
        self,
        answer: Callable[..., np.ndarray],
        clips: Sequence[Clip],
        fold: int,
        seed: int,
    ) -> Predictions:
        """Answers to clips as they are, to some of them in every other condition, and to readers.

        Parameters
        ----------
        answer : arrays of steps, how speech usually sounds there -> logits (n, n_classes)
        """
        some, clean = spread_out(clips), [self.examples.steps(clip) for clip in clips]
        parts: list[_Part] = [
            (CLEAN, clips, clean, None),
            (UNAIDED, clips, self._unaided(clean), None),
        ]
        described = [self.examples.describe(clip) for clip in clips]
        for name, column in ((VOICE_KNOWN, "speaker"), (PLACE_KNOWN, "corpus")):
            parts.append((name, clips, clean, _usual(clips, described, column)))
        if read := self.cache.prepare(self.unheard_read, 1):
            as_read = [self._window(self.cache.get(clip, 0)) for clip in read]
            described = [describe(steps, self.cache.config.n_features) for steps in as_read]
            usual = _usual(read, described, "speaker")
            parts += [
                (READ_ALOUD, read, as_read, None),
                (KNOWN_READ, read, as_read, usual),
                (UNAIDED_READ, read, self._unaided(as_read), None),
            ]
            for name in NOT_FEELINGS:
                arrays = list(map(self._window, self.cache.condition(read, name)))
                parts.append((f"{READ_ALOUD}, {name}", read, arrays, None))
        parts += [(name, some, self.cache.condition(some, name), None) for name in CONDITIONS[1:]]
        return join(
            [
                Predictions(
                    LABELS,
                    answer(arrays, usual),
                    tuple(tested),
                    np.full(len(tested), fold),
                    np.full(len(tested), seed),
                    np.array([self.cache.length_s(clip) for clip in tested]),
                    np.full(len(tested), name),
                )
                for name, tested, arrays, usual in parts
            ]
        )

    def _window(self, steps: np.ndarray) -> np.ndarray:
        """As much of a recording as the model hears at once."""
        return steps[: int(WINDOW_S * self.cache.per_s)]

    def _unaided(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Steps without what the encoder heard."""
        return [array[:, : STEP * self.cache.config.n_features] for array in arrays]


def _usual(clips: Sequence[Clip], described: Sequence[np.ndarray], column: str) -> Usual:
    """How speech usually sounds to who hears each clip after `N_KNOWN` others.

    Parameters
    ----------
    described : `describe` of each clip
    column : of which voice, or of which corpus, the others are
    """
    known, rng = Acquaintance(len(described[0])), np.random.default_rng(0)
    names = [getattr(clip, column) for clip in clips]
    for clip, name, found in zip(clips, names, described):
        known.add([name], clip.label, found)
    means = [
        known.draw(name, N_KNOWN, CALM_SHARE, rng, but=found)
        for name, found in zip(names, described)
    ]
    return Usual(torch.from_numpy(np.stack(means)), torch.full((len(clips),), float(N_KNOWN)))


def united(listeners: Sequence[Listener]) -> EmotionLSTM:
    """One network of listeners of one size."""
    model = EmotionLSTM(replace(listeners[0].config, n_listeners=len(listeners)))
    for place, listener in zip(model.listeners, listeners):
        place.load_state_dict(listener.state_dict())
    return model.eval()


def apart(read: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Clips of every other reader, whom training hears, and of the others, who test."""
    voices = sorted({clip.speaker for clip in read})
    heard = set(voices[::2])
    return [c for c in read if c.speaker in heard], [c for c in read if c.speaker not in heard]


def open_cache(
    folder: Path, noise: Path, features: Config, encoder: Encoder | None
) -> FeatureCache:
    """Features kept in a folder, with ESC-10's fold 5 for tests and the others for training.

    Parameters
    ----------
    folder : keeps what is computed
    noise : folder of ESC-10
    features : what `extract` is called with
    encoder : hears beside the frames

    Raises
    ------
    DataError : no noise, or none of it for training or for tests
    """
    paths = read_noise(noise)
    heard = _load([path for path in paths if not path.name.startswith(HELD_OUT_NOISE)])
    unheard = _load([path for path in paths if path.name.startswith(HELD_OUT_NOISE)])
    if not heard or not unheard:
        raise DataError(
            f"{noise}: {len(heard)} sounds to train with and {len(unheard)} to test with, "
            f"expected some of each: those named {HELD_OUT_NOISE}… test, the others train"
        )
    return FeatureCache(folder, heard, unheard, features, encoder)


def spread_out(clips: Sequence[Clip]) -> list[Clip]:
    """At most `N_CONDITION_CLIPS` of each corpus, evenly over its speakers and labels."""
    found = []
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        own = sorted((c for c in clips if c.corpus == corpus), key=lambda c: (c.speaker, c.label))
        rows = np.linspace(0, len(own) - 1, min(len(own), N_CONDITION_CLIPS)).astype(int)
        found += [own[row] for row in rows]
    return found


def _load(paths: list[Path]) -> list[np.ndarray]:
    """Noises without the digital silence that some clips are filled up with."""
    noises = [samples[samples != 0] for samples in map(audio.load, paths)]
    return [noise for noise in noises if len(noise) >= audio.SAMPLE_RATE // 2]
