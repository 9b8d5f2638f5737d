"""Vosk among the recognisers, see `utils.asr.Engine`."""

import os

from utils.asr import Engine, Transcriber, Tuning
from utils.asr.vosk.folder import INSTALL, check_parts, is_here, packaged, spec
from utils.asr.vosk.transcriber import VoskTranscriber
from utils.errors import ConfigError, ModelError
from utils.language import two_letters
from utils.messages import Message, say
from utils.models.check import check_given
from utils.models.fetch import OnFetch
from utils.models.places import given


def _check(asr: str, model: str | None, language: str) -> None:
    check_given(model)
    if model is None and two_letters(language) != "ko":
        raise ConfigError(
            f"--asr vosk knows Korean, not {language}; choose --language ko, or name the folder "
            "of a Vosk model for that language with --model"
        )
    if model is not None and not os.path.isdir(given(model)):
        raise ConfigError(
            f"--model {model}: no such folder; with --asr vosk give the folder of a Vosk model"
        )
    if spec("vosk") is None:
        raise ModelError(f"--asr vosk: Vosk is not installed; install it with: {INSTALL}")
    if model is None:
        packaged()
    else:
        check_parts(given(model))


def _open(
    asr: str, model: str | None, language: str, tuning: Tuning
) -> tuple[Transcriber, Message]:
    transcriber = VoskTranscriber(given(model) if model else None, language)
    option = f"--model {model}" if model else "--asr vosk"
    return transcriber, say("ready.asked", engine=transcriber.name, option=option)


def _open_built_in(language: str, tuning: Tuning, on_fetch: OnFetch) -> Transcriber:
    return VoskTranscriber(None, language)


def _remedy(language: str) -> str:
    korean = two_letters(language) == "ko"
    return f"install what hears Korean without a network: {INSTALL}" if korean else ""


ENGINE = Engine(_check, _open, built_in=is_here, open_built_in=_open_built_in, remedy=_remedy)
