"""Which recogniser a session uses, and why."""

import logging
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from utils.asr import Transcriber, Tuning
from utils.asr.catalogue import CATALOGUE, Model, find, recommended
from utils.asr.hub import is_offline
from utils.asr.memory import check_fits
from utils.asr.nemo import NemoTranscriber
from utils.asr.nemo_archive import check_whole, languages
from utils.asr.nemo_files import find_models, locate
from utils.asr.whisper.files import EMBEDDED, embedded
from utils.errors import ConfigError, ModelError

log = logging.getLogger(__name__)

OnFetch = Callable[[str, int, int], None]  # name, bytes done, bytes in all


def no_fetch(name: str, done_bytes: int, total_bytes: int) -> None:
    """For callers that show no progress."""


CHOICES = "auto, nemo, sphinx or sr:NAME"

# What the page shows while PocketSphinx is at work.
ADVICE = {
    "text": "A NeMo model gives far better captions. Get one with this command:",
    "command": ".venv/bin/python app.py models get",
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
    if asr == "nemo" and model is None and recommended(language) is None:
        raise ConfigError(
            f"--asr nemo knows no model for {language}; name one with --model, or choose a "
            "language of those that .venv/bin/python app.py models lists"
        )
    if asr == "sphinx" and two_letters(language) != "en":
        raise ConfigError(
            f"--asr sphinx knows English only, not {language}; use --asr nemo --model with "
            "a model for that language, or --language en"
        )


def to_fetch(asr: str, model: str | None, language: str) -> Model | None:
    """What should be fetched behind the captions for these settings: a model, or nothing.

    Nothing where the settings name an engine or a model, where a model for the language is
    here and whole, where NeMo offers none, and offline.

    Parameters
    ----------
    asr, model, language : as in `check_choice`
    """
    if asr != "auto" or model is not None or is_offline():
        return None
    return None if any(map(_is_whole, fitting(language))) else recommended(language)


def open_transcriber(
    asr: str,
    model: str | None,
    language: str,
    tuning: Tuning = Tuning(),
    on_fetch: OnFetch = no_fetch,
) -> tuple[Transcriber, str]:
    """Load a recogniser; fetch its model first where the settings name one not yet here.

    Parameters
    ----------
    asr, model, language : as in `check_choice`
    tuning : of a NeMo model
    on_fetch : told (name, bytes done, bytes in all) while a model is fetched

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
        return open_embedded("as asked with --asr sphinx")
    if asr.startswith("sr:"):
        return _open_speech_recognition(asr.removeprefix("sr:"), language)
    if asr == "nemo" or model is not None:
        reason = f"as asked with --model {model}" if model else "as asked with --asr nemo"
        wanted = model or recommended(language).name
        path = locate(wanted, partial(on_fetch, wanted))
        return open_nemo(path, language, reason, tuning)
    return _open_auto(language, tuning, on_fetch)


def _open_auto(language: str, tuning: Tuning, on_fetch: OnFetch) -> tuple[Transcriber, str]:
    """A NeMo model that is here and fits; else PocketSphinx, if it speaks the language.

    For a language that it does not speak, the recommended model is fetched and waited for.
    """
    code = two_letters(language)
    for_language = "" if code == "en" and not find_models() else f" for {code}"
    reason = f"because no NeMo model{for_language} is on this machine"
    for path in fitting(language):
        try:
            return open_nemo(path, language, "because it is on this machine", tuning)
        except ModelError as err:
            log.warning("%s", err)
            reason = f"because the NeMo model on this machine did not load: {err}"
    if code != "en" and (model := to_fetch("auto", None, language)):
        check_fits(model.name, model.about_mb * 1_000_000)
        path = locate(model.name, partial(on_fetch, model.name))
        return open_nemo(path, language, f"because it is recommended for {language}", tuning)
    if code != "en":
        raise ModelError(
            f"PocketSphinx knows English only, and nothing else recognises {language}, "
            f"{reason}; {_advice(language)}"
        )
    return open_embedded(reason)


def _advice(language: str) -> str:
    if model := recommended(language):
        return f"get a model for it with: .venv/bin/python app.py models get {model.name}"
    return "get a model for it and name it with --asr nemo --model"


def fitting(language: str) -> list[Path]:
    """Models on this machine that know a language, the better ones for captions first."""
    known = [(path, languages(path)) for path in find_models()]
    sure = sorted((path for path, spoken in known if two_letters(language) in spoken), key=_rank)
    return sure + [path for path, spoken in known if not spoken]


def _rank(path: Path) -> int:
    """Place in the catalogue, where the better for captions come first; others are last."""
    model = find(path.stem)
    return CATALOGUE.index(model) if model in CATALOGUE else len(CATALOGUE)


def _is_whole(path: Path) -> bool:
    try:
        check_whole(path)
    except ModelError:
        return False
    return True


def open_nemo(
    path: Path, language: str, reason: str, tuning: Tuning = Tuning()
) -> tuple[Transcriber, str]:
    """Load a model, unless it is known to lack the language.

    Returns
    -------
    the transcriber, and its name with the reason for it

    Raises
    ------
    ModelError, ConfigError : as `NemoTranscriber`, or it does not know the language
    """
    code, spoken = two_letters(language), languages(path)
    if spoken and code not in spoken:
        raise ModelError(
            f"{path.stem} knows {', '.join(sorted(spoken))}, not {language}; choose another "
            f"with --model, or give the language that is spoken with --language. "
            f"For {language}: {_advice(language)}"
        )
    transcriber = NemoTranscriber(str(path), code, tuning)
    return transcriber, f"{transcriber.name}, {reason}"


def open_embedded(
    reason: str, language: str = "en", tuning: Tuning = Tuning(), on_fetch: OnFetch = no_fetch
) -> tuple[Transcriber, str]:
    """Load Whisper tiny.en, which is there on every machine or can be fetched.

    Raises
    ------
    ModelError : it is not here and cannot be fetched, or does not know the language
    """
    from utils.asr.whisper.transcriber import WhisperTranscriber

    folder = embedded(partial(on_fetch, f"Whisper {EMBEDDED}"))
    transcriber = WhisperTranscriber(folder, language, tuning)
    return transcriber, f"{transcriber.name}, {reason}"


def _open_speech_recognition(name: str, language: str) -> tuple[Transcriber, str]:
    from utils.asr.speech_recognition import SpeechRecognitionTranscriber

    transcriber = SpeechRecognitionTranscriber(name, language)
    if transcriber.leaves_machine and is_offline():
        raise ModelError(
            f"--asr sr:{name} sends the sound to a service, which --offline forbids; choose "
            "another recogniser, or leave --offline away"
        )
    notice = f"; {transcriber.notice}" if transcriber.notice else ""
    return transcriber, f"{transcriber.name}, as asked with --asr sr:{name}{notice}"


def two_letters(language: str) -> str:
    """ "en" of "en-US"."""
    return language.split("-")[0].lower()
