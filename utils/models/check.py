"""Which models and settings can work together; nothing is loaded to find out."""

import os
import re

from utils.errors import ConfigError
from utils.language import two_letters
from utils.models.catalogue import (
    NEMO,
    TEXT_EMOTION,
    TRANSLATION,
    WHISPER,
    WHISPERS,
    Model,
    find,
    get,
    recommended,
)
from utils.models.places import given
from utils.models.whisper.files import is_whisper
from utils.models.whisper.folder import check_folder

_LIST = ".venv/bin/python app.py models"


def check_given(model: str | None) -> None:
    """Refuse a `--model` without a name.

    Raises
    ------
    ConfigError
    """
    if model is not None and not model.strip():
        raise ConfigError(
            "--model is empty; give a .nemo file, the folder of a Whisper, or a name that "
            f"{_LIST} lists"
        )


def check_files(asr: str, model: str | None, language: str) -> None:
    """Refuse what cannot work where the models are files of the catalogue.

    Parameters
    ----------
    asr : "auto", "nemo" or "whisper"
    model : a `.nemo` file, a Whisper's folder, or a model's name; or None
    language : "en", "ko", or a tag such as "en-US"

    Raises
    ------
    ConfigError : settings that contradict each other
    ModelError : a Whisper's folder is damaged or lacks the language
    """
    check_given(model)
    if model is not None:
        _check_model(asr, model, language)
    elif asr != "auto" and first_choice(asr, language) is None:
        raise ConfigError(
            f"--asr {asr} knows no model for {language}; name one with --model, or choose a "
            f"language of those that {_LIST} lists"
        )


def remedy(language: str) -> str:
    """How a model for a language can be had; "" where none is known."""
    model = recommended(language)
    return f"get a model for it with: {_LIST} get {model.name}" if model else ""


def _check_model(asr: str, model: str, language: str) -> None:
    if (known := find(model)) and not os.path.exists(model):
        if known.kind == TRANSLATION:
            raise ConfigError(
                f"--model {model} translates, and recognises nothing; see --translate"
            )
        if known.kind == TEXT_EMOTION:
            raise ConfigError(
                f"--model {model} reads words, and recognises none; see --text-emotion"
            )
    kind = kind_of(asr, model)
    if asr not in {"auto", kind}:
        is_a = "a Whisper" if kind == WHISPER else "no folder of a Whisper, nor the name of one"
        raise ConfigError(
            f"--model {model} is {is_a}; use it with --asr {kind}, or choose a model for "
            f"--asr {asr} ({_LIST} lists them)"
        )
    _check_spoken(model, language)
    if kind == WHISPER and not find(model) and os.path.isdir(path := given(model)):
        check_folder(path, language)


def _check_spoken(model: str, language: str) -> None:
    known = find(model)
    if known and known.languages and two_letters(language) not in known.languages:
        better = recommended(language)
        other = f"--model {better.name}" if better else "another model"
        many = len(known.languages) > 6
        spoken = f"{len(known.languages)} languages" if many else ", ".join(known.languages)
        raise ConfigError(
            f"--model {model} knows {spoken}, not {language}; choose {other}, or give the language "
            "that is spoken with --language"
        )


def kind_of(asr: str, model: str) -> str:
    """NEMO or WHISPER: what was given to `--model`, where `--asr` is "auto" or one of them.

    A repository (org/name) tells by its name, or by what `--asr` says.
    """
    repository = not find(model) and re.fullmatch(r"[\w-][\w.-]*/[\w.-]+(?<!\.nemo)", model)
    return WHISPER if is_whisper(model) or (asr == WHISPER and repository) else NEMO


def first_choice(kind: str, language: str) -> Model | None:
    """The model of a kind that captions in a language are best begun with.

    Parameters
    ----------
    kind : NEMO or WHISPER; the first Whisper for English is the embedded one
    """
    if kind == NEMO:
        model = recommended(language)
        return model if model and model.kind == NEMO else None
    code = two_letters(language)
    known = (WHISPERS[0], get("small"), get("large-v3"))
    return next((model for model in known if code in model.languages), None)
