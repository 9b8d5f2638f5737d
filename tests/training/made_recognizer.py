"""A small recogniser where training is tested."""

import torch

from emotion_model import EmotionLSTM, EmotionRecognizer
from tests.emotion.small_encoder import small_encoder
from training.corpora import SHIPPED
from utils.emotion.encoder import Encoder
from utils.emotion.features import DEFAULT_CONFIG
from utils.emotion.network import ModelConfig


def untrained(encoder: Encoder | None = None) -> EmotionRecognizer:
    """A small recogniser of the classes that ship, before it is calibrated."""
    encoder = encoder or small_encoder()
    config = ModelConfig(
        DEFAULT_CONFIG.n_features,
        encoder.width,
        len(SHIPPED),
        n_components=16,
        hidden=8,
        dense=16,
        encoder=encoder.identity,
    )
    torch.manual_seed(0)
    model = EmotionLSTM(config)
    for listener in model.listeners:
        listener.get_buffer("std").fill_(20.0)
        listener.get_buffer("components").normal_(std=0.1)
    return EmotionRecognizer(model, SHIPPED, encoder, facts={"seed": 3})
