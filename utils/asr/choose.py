"""Which recogniser a session uses, and why."""

import re

from utils.asr import Transcriber
from utils.asr.nemo import RECOMMENDED, NemoTranscriber
from utils.asr.nemo_files import find_models, languages
from utils.errors import ConfigError, ModelError

CHOICES = "auto, nemo, sphinx or sr:NAME"

# What the page shows while PocketSphinx is at work.
ADVICE = {
    "text": "A NeMo model gives far better captions. Get one with this command:",
    "command": ".venv/bin/python app.py --asr nemo",
}


def check_choice(asr: str, model: str | None, language: str) -> None:
    """Refuse what cannot work, before an engine is imported.

    Parameters
    ----------
    asr : "auto", "nemo", "sphinx" or "sr:NAME"
    model : a `.nemo` file or a pretrained NeMo model's name, or None
    language : "en", "ko", or a tag such as "en-US"

    Raises
    ------
    ConfigError : unknown engine, or settings that contradict each other
    """
    if asr not in {"auto", "nemo", "sphinx"} and not re.fullmatch(r"sr:\w+", asr):
        raise ConfigError(f"--asr {asr}: no such recogniser; choose {CHOICES}")
    if model is not None and not model.strip():
        raise ConfigError("--model is empty; give a .nemo file or a NeMo model's name")
    if model is not None and asr not in {"auto", "nemo"}:
        raise ConfigError(f"--model {model} is for NeMo; use it with --asr nemo, not {asr}")
    if asr == "nemo" and model is None and _code(language) != "en":
        raise ConfigError(
            f"--asr nemo takes {RECOMMENDED}, which knows English only, not {language}; "
            "name a model for that language with --model"
        )
    if asr == "sphinx" and _code(language) != "en":
        raise ConfigError(
            f"--asr sphinx knows English only, not {language}; use --asr nemo --model with "
            "a model for that language, or --language en"
        )


def open_transcriber(asr: str, model: str | None, language: str) -> tuple[Transcriber, str]:
    """Load a recogniser.

    Parameters
    ----------
    asr, model, language : as in `check_choice`

    Returns
    -------
    the transcriber, and a sentence that says which one it is and why

    Raises
    ------
    ConfigError : as `check_choice`
    ModelError : it cannot be loaded, and the settings allow no other
    """
    check_choice(asr, model, language)
    if asr == "sphinx":
        return _open_sphinx("as asked with --asr sphinx")
    if asr.startswith("sr:"):
        return _open_speech_recognition(asr.removeprefix("sr:"), language)
    if asr == "nemo" or model is not None:
        reason = f"as asked with --model {model}" if model else "as asked with --asr nemo"
        return _open_nemo(model, language, reason)
    return _open_auto(language)


def _open_auto(language: str) -> tuple[Transcriber, str]:
    """A NeMo model that is here and fits; else PocketSphinx, if it speaks the language."""
    code = _code(language)
    known = [(path, languages(path)) for path in find_models()]
    fitting = [path for path, spoken in known if code in spoken]
    fitting += [path for path, spoken in known if not spoken]
    for_language = "" if code == "en" and not known else f" for {code}"
    reason = f"because no NeMo model{for_language} is on this machine"
    if fitting:
        try:
            return _open_nemo(str(fitting[0]), language, "because it is on this machine")
        except ModelError as err:
            reason = f"because the NeMo model on this machine did not load: {err}"
    if code != "en":
        raise ModelError(
            f"PocketSphinx knows English only, and nothing else recognises {language}, "
            f"{reason}; get a model for it and name it with --asr nemo --model"
        )
    return _open_sphinx(reason)


def _open_nemo(model: str | None, language: str, reason: str) -> tuple[Transcriber, str]:
    transcriber = NemoTranscriber(model or RECOMMENDED, _code(language))
    return transcriber, f"{transcriber.name}, {reason}"


def _open_sphinx(reason: str) -> tuple[Transcriber, str]:
    from utils.asr.sphinx import SphinxTranscriber

    transcriber = SphinxTranscriber()
    return transcriber, f"{transcriber.name}, {reason}"


def _open_speech_recognition(name: str, language: str) -> tuple[Transcriber, str]:
    from utils.asr.speech_recognition import SpeechRecognitionTranscriber

    transcriber = SpeechRecognitionTranscriber(name, language)
    notice = f"; {transcriber.notice}" if transcriber.notice else ""
    return transcriber, f"{transcriber.name}, as asked with --asr sr:{name}{notice}"


def _code(language: str) -> str:
    """ "en" of "en-US"."""
    return language.split("-")[0].lower()
