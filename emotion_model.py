"""How a thing was said: the recogniser around the emotion network.

Its command line, `python emotion_model.py`, lies in `utils/command_line/emotion/`.
"""

if __name__ == "__main__":
    from utils.command_line.at_start import imported

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from utils import audio, checkpoint
from utils.audio.recording import Recording
from utils.captions.vad import VoiceActivity
from utils.checkpoint import Format
from utils.command_line.emotion import say
from utils.command_line.ending import leave
from utils.command_line.output import run
from utils.emotion import steps, windows
from utils.emotion.encoder import Encoder
from utils.emotion.features import DEFAULT_CONFIG
from utils.emotion.judgement import Judgement
from utils.emotion.network import EmotionLSTM, Usual, describe
from utils.emotion.networks import Network
from utils.emotion.parts import Parts
from utils.emotion.place import Place
from utils.emotion.spectra import Config
from utils.errors import AudioError
from utils.events import Emotion
from utils.threads import one_thread

WEIGHTS = Path(__file__).parent / "model_state_dict" / "emotion_lstm.pt"
# Share of samples at the rail above which nothing is named. Of 1,360 clips of four corpora
# the worst has 0.0016; clipped 12 dB under their peak, where every fifth changes its label,
# they have 0.08 in the median.
MAX_CLIPPED = 0.05


class EmotionRecognizer:
    """A trained network with all that its answers depend on (`utils.emotion.parts`).

    Parameters
    ----------
    model : the network, ours or one of `utils.emotion.networks`
    labels : its classes, in the order of its logits
    encoder : what it hears beside its features; None where that is not here
    feature_config : what `utils.emotion.steps.extract` is called with
    judgement : calibration and thresholds of the network with its encoder
    familiar : the same where it knows how speech usually sounds there, which only ours asks
    unaided : the same without the encoder, as only ours can do
    facts : what it was trained on and how it did, plain JSON types
    """

    def __init__(
        self,
        model: Network,
        labels: Iterable[str],
        encoder: Encoder | None = None,
        feature_config: Config = DEFAULT_CONFIG,
        judgement: Judgement | None = None,
        familiar: Judgement | None = None,
        unaided: Judgement | None = None,
        facts: Mapping | None = None,
    ) -> None:
        self.model = model.eval()
        self.is_ours = isinstance(model, EmotionLSTM)
        self.labels = tuple(labels)
        self.encoder = encoder
        self.feature_config = feature_config
        self.judgement = judgement or Judgement.untuned(self.labels)
        self.familiar = familiar or Judgement.untuned(self.labels)
        self.unaided = unaided or Judgement.untuned(self.labels)
        self.facts = dict(facts or {})

    @classmethod
    def load(cls, path: str | Path = WEIGHTS) -> "EmotionRecognizer":
        """Read a checkpoint and warm up, so that the first segment is as fast as any other.

        Raises
        ------
        ModelError : missing, damaged, of another program, or with parts that do not fit; or
            the voice activity detector cannot be loaded
        """
        path = Path(path)
        found = checkpoint.read(path, Format.EMOTION, Format.NETWORK)
        with checkpoint.fitting(path, "train it again"):
            recognizer = cls(*Parts.read(found))
            recognizer._warm_up()
        return recognizer

    def save(self, path: str | Path) -> None:
        """Write a checkpoint that `load` reads; a crash leaves no half-written file.

        Raises
        ------
        ModelError : the file cannot be written
        """
        content = {
            "labels": list(self.labels),
            "model": asdict(self.model.config),
            "features": asdict(self.feature_config),
            "judgement": asdict(self.judgement),
            "familiar": asdict(self.familiar),
            "unaided": asdict(self.unaided),
            "training": self.facts,
            "weights": self.model.state_dict(),
        }
        format = Format.EMOTION if self.is_ours else Format.NETWORK
        checkpoint.write(Path(path), format, content)

    def scores(self, samples: np.ndarray) -> dict[str, float]:
        """Calibrated probability of each class; they sum to 1.

        Parameters
        ----------
        samples : (n,) float in [-1, 1] or int16, mono, 16 kHz, at least `windows.MIN_S` long

        Raises
        ------
        AudioError : not mono, not finite, too short, or silent
        """
        samples = audio.check(samples)
        return self._hear(windows.split([samples]), says_label=False)[0]

    def steps(self, samples: np.ndarray) -> np.ndarray:
        """What the network hears of samples, (n_steps, width), see `utils.emotion.steps`.

        Raises
        ------
        AudioError : as `utils.emotion.features.extract`
        """
        return steps.extract(samples, self.feature_config, self.encoder)

    def predict_file(
        self, path: str | Path, place: Place | None = None
    ) -> tuple[Emotion | None, dict[str, float], float]:
        """As `predict`, with the scores and the duration in s, in the memory of one window.

        Raises
        ------
        AudioError : missing, unreadable, empty, damaged, without its end, not finite, too short,
            or silent
        """
        path, n_samples = Path(path), 0

        def blocks(recording: Recording) -> Iterator[np.ndarray]:
            nonlocal n_samples
            for block in recording.voice():
                n_samples += len(block)
                yield block

        try:
            with Recording(path) as recording:
                scores, speech = self._hear(windows.split(blocks(recording)), place)
        except AudioError as err:
            raise AudioError(f"{path}: {str(err).removeprefix(f'{path}: ')}") from err
        duration_s = n_samples / audio.SAMPLE_RATE
        emotion = self.trusted(place).decide(scores) if speech else None
        return emotion, scores, duration_s

    def describe_file(self, path: str | Path) -> Iterator[tuple[np.ndarray, int]]:
        """What `Place.add` takes of each window of a recording; silent ones are left out.

        Raises
        ------
        AudioError : as `predict_file`
        """
        if not self.is_ours:
            return
        with Recording(Path(path)) as recording:
            for window in windows.split(recording.voice()):
                with suppress(AudioError):
                    yield self._describe(self.steps(audio.check(window))), len(window)

    def predict(
        self, samples: np.ndarray, place: Place | None = None, learn: Sequence[Place] = ()
    ) -> Emotion | None:
        """The emotion of a stretch of speech; None when not sure, too short or silent.

        None also for what only looks like an emotion: no speech is heard in it, or a large
        share of its samples is clipped.

        Parameters
        ----------
        samples : as `scores`
        place : where it was said; None where nothing is known of that
        learn : places that are to know this remark from now on

        Raises
        ------
        AudioError : not mono, or not finite
        """
        samples = audio.check(samples)
        try:
            return self.estimate(samples, place, learn)[0]
        except AudioError:
            return None

    def estimate(
        self, samples: np.ndarray, place: Place | None = None, learn: Sequence[Place] = ()
    ) -> tuple[Emotion | None, dict[str, float]]:
        """As `predict`, with the scores.

        Raises
        ------
        AudioError : as `scores`
        """
        scores, speech = self._hear(windows.split([audio.check(samples)]), place, learn)
        return (self.trusted(place).decide(scores) if speech else None), scores

    def trusted(self, place: Place | None = None) -> Judgement:
        """Calibration and thresholds of what it has: its encoder or none, and a place it knows."""
        if not self.is_ours:
            return self.judgement
        if self.encoder is None:
            return self.unaided
        return self.familiar if place is not None and place.familiar else self.judgement

    @one_thread()
    def _hear(
        self,
        parts: Iterable[np.ndarray],
        place: Place | None = None,
        learn: Sequence[Place] = (),
        says_label: bool = True,
    ) -> tuple[dict[str, float], bool]:
        """Mean probability over parts, and whether those that are sure are clear speech.

        Both by duration; silent parts have no say. The second is looked for only where a
        label is to be said.
        """
        total, n_samples, clear = np.zeros(len(self.labels)), 0, 0
        judgement, usual = self.trusted(place), Usual.at(place) if place else None
        silence = AudioError("the recording is empty")
        for window in parts:
            window = audio.check(window)
            try:
                heard = self.steps(window)
            except AudioError as err:
                silence = err
                continue
            probabilities = self._probabilities(heard, usual, judgement.temperature)
            if learn and self.is_ours:
                description = self._describe(heard)
                for known in learn:
                    known.add(description, len(window))
            total += len(window) * probabilities
            n_samples += len(window)
            if says_label and judgement.decide(dict(zip(self.labels, probabilities.tolist()))):
                clear += len(window) if self._is_clear_speech(window) else -len(window)
        if n_samples == 0:
            raise silence
        return dict(zip(self.labels, (total / n_samples).tolist())), clear > 0

    def _is_clear_speech(self, window: np.ndarray) -> bool:
        """Whether there is speech in a stretch, and little of it clipped."""
        sizes = np.abs(window)
        clipped = np.mean(sizes >= 0.99 * sizes.max())
        # a twin: several rooms may ask at a time
        return bool(clipped <= MAX_CLIPPED) and self._voice.twin().hears_speech(window)

    @cached_property
    def _voice(self) -> VoiceActivity:
        return VoiceActivity()

    def _probabilities(
        self, heard: np.ndarray, usual: Usual | None, temperature: float
    ) -> np.ndarray:
        """(n_classes,) float64 of one array of steps (n_steps, width)."""
        with torch.inference_mode():
            logits = self.model(torch.from_numpy(heard)[None], torch.tensor([len(heard)]), usual)
            return (logits[0].double() / temperature).softmax(dim=0).numpy()

    def _describe(self, heard: np.ndarray) -> np.ndarray:
        """What a place knows of a remark, (width,), of its steps (n_steps, width)."""
        with torch.inference_mode():
            return describe(heard, self.feature_config.n_features)

    def _warm_up(self) -> None:
        """Hear once; raise ValueError where the answer is no number."""
        noise = np.random.default_rng(0).standard_normal(audio.SAMPLE_RATE).astype(np.float32)
        if not np.isfinite(list(self.scores(noise).values())).all():
            raise ValueError("its answers are no numbers")
        self._voice.hears_speech(noise)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks for; the exit status is 1 where a sound was unusable."""
    return say(lambda path: EmotionRecognizer.load(path or WEIGHTS), arguments)


if __name__ == "__main__":
    imported()
    leave(run(main))
