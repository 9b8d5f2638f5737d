"""The parts that an emotion recogniser is made of, as a checkpoint holds them."""

from collections.abc import Mapping
from typing import NamedTuple

from utils import checkpoint
from utils.checkpoint import Format
from utils.emotion import networks, steps
from utils.emotion.encoder import Encoder
from utils.emotion.encoder_here import encoder_of
from utils.emotion.features import DEFAULT_CONFIG, FeatureConfig
from utils.emotion.judgement import Judgement
from utils.emotion.network import EmotionLSTM, ModelConfig
from utils.emotion.networks import Network, NetworkConfig
from utils.emotion.spectra import Config, SpectraConfig


class Parts(NamedTuple):
    """What `EmotionRecognizer` takes, in that order."""

    model: Network
    labels: tuple[str, ...]
    encoder: Encoder | None
    feature_config: Config
    judgement: Judgement
    familiar: Judgement
    unaided: Judgement
    facts: Mapping

    @classmethod
    def read(cls, found: Mapping) -> "Parts":
        """The parts of a checkpoint, which fit together.

        Raises
        ------
        KeyError, TypeError, ValueError : parts are missing, or contradict one another
        """
        ours, given = found["format"] == Format.EMOTION, found["features"]
        config = (ModelConfig if ours else NetworkConfig)(**found["model"])
        if isinstance(config, ModelConfig) and not 0 < config.n_listeners <= len(found["weights"]):
            raise ValueError(f"{config.n_listeners} listeners, more than there are weights")
        encoder = encoder_of(config)
        if not ours and config.encoder and encoder is None:
            raise ValueError(
                "it hears through Whisper's encoder, and that which it learnt is not here"
            )
        judgement, familiar, unaided = (
            Judgement.read(found[name]) for name in ("judgement", "familiar", "unaided")
        )
        parts = cls(
            checkpoint.build(lambda: networks.build(config), found["weights"]),
            tuple(found["labels"]),
            encoder,
            SpectraConfig(**given) if "kind" in given else FeatureConfig(**given),
            judgement,
            familiar,
            unaided,
            found["training"],
        )
        _check(parts)
        return parts


def _check(parts: Parts) -> None:
    """Raise ValueError where parts contradict one another."""
    if isinstance(parts.feature_config, FeatureConfig):
        hop = parts.feature_config.hop_length
        if hop != DEFAULT_CONFIG.hop_length:  # the encoder's
            raise ValueError(
                f"its feature settings have hop_length {hop}, expected {DEFAULT_CONFIG.hop_length}"
            )
    if isinstance(parts.model, EmotionLSTM):
        parts.model.config.check(parts.feature_config.n_features, parts.labels)
    else:
        width = steps.width(parts.feature_config, parts.encoder)
        parts.model.config.check(width, parts.labels)
    for judgement in (parts.judgement, parts.familiar, parts.unaided):
        judgement.check(parts.labels)
