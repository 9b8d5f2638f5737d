"""Which recognisers there are. A new one is a module with an `ENGINE`, and a line here."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

from utils.asr import Engine
from utils.errors import ConfigError

# As `--asr` names them; NAME stands for a name of the engine's own.
MODULES = {
    "nemo": "utils.asr.nemo.engine",
    "whisper": "utils.asr.whisper.engine",
    "vosk": "utils.asr.vosk.engine",
    "sr:NAME": "utils.asr.speech_recognition",
}
VOICES = "utils.asr.nemo.voice"  # tells voices apart
GONE = {
    "sphinx": "PocketSphinx is no longer part of the program. Leave --asr away for Whisper, which "
    "is far better; or install PocketSphinx by hand (.venv/bin/pip install pocketsphinx) and "
    "choose --asr sr:sphinx"
}


def find(asr: str) -> Engine:
    """The engine that `--asr` names.

    Raises
    ------
    ConfigError : there is none
    """
    if asr in GONE:
        raise ConfigError(f"--asr {asr}: {GONE[asr]}")
    for name, module in MODULES.items():
        if re.fullmatch(name.replace("NAME", r"\w+"), asr):
            return importlib.import_module(module).ENGINE
    *some, last = ("auto", *MODULES)
    raise ConfigError(f"--asr {asr}: no such recogniser; choose {', '.join(some)} or {last}")


def engines() -> Iterator[Engine]:
    """All of them."""
    return (importlib.import_module(module).ENGINE for module in MODULES.values())


def built_in(language: str) -> Engine | None:
    """What can listen to a language at once, without a network; None where nothing can."""
    return next((engine for engine in engines() if engine.built_in(language)), None)


def open_voices() -> Any:
    """A `utils.tags.voices.VoiceModel` of this machine, loading; None where there is none."""
    return importlib.import_module(VOICES).open_voices()
