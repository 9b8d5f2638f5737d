"""Which recogniser a session uses, and why."""

import logging
from pathlib import Path

from utils.asr import Transcriber, Tuning
from utils.asr.registry import built_in, engines, find
from utils.errors import ModelError
from utils.language import two_letters
from utils.messages import Message, say
from utils.models.catalogue import NEMO, WHISPER
from utils.models.check import check_files, kind_of, remedy
from utils.models.fetch import OnFetch
from utils.models.here import Wanted, asked, fitting, to_fetch
from utils.models.hub import is_offline
from utils.models.memory import check_fits

log = logging.getLogger(__name__)


def no_fetch(name: str, done_bytes: int, total_bytes: int) -> None:
    """For callers that show no progress."""


def check_choice(asr: str, model: str | None, language: str) -> None:
    """Refuse what cannot work, before an engine is loaded.

    Parameters
    ----------
    asr : "auto", or a name of `utils.asr.registry.MODULES`
    model : a model's file, folder or name, as the engine takes it; or None
    language : "en", "ko", or a tag such as "en-US"

    Raises
    ------
    ConfigError : unknown engine, or settings that contradict each other
    ModelError : a model's folder is damaged or lacks the language, or the engine is not installed
    """
    if asr == "auto" and not (model and model.strip()):
        check_files(asr, model, language)
    else:
        find(asr if asr != "auto" else kind_of(asr, model or "")).check(asr, model, language)


def open_transcriber(
    asr: str,
    model: str | None,
    language: str,
    tuning: Tuning = Tuning(),
    on_fetch: OnFetch = no_fetch,
) -> tuple[Transcriber, Message]:
    """Load a recogniser; fetch its model first where the settings name one not yet here.

    Parameters
    ----------
    asr, model, language : as in `check_choice`
    tuning : its pace and phrases
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
    if asr != "auto" and (open_named := find(asr).open):
        return open_named(asr, model, language, tuning)
    if wanted := asked(asr, model, language):
        transcriber = _open_asked(wanted, language, tuning, on_fetch)
        return transcriber, say("ready.asked", engine=transcriber.name, option=wanted.option)
    return _open_auto(language, tuning, on_fetch)


def _open_asked(wanted: Wanted, language: str, tuning: Tuning, on_fetch: OnFetch) -> Transcriber:
    if wanted.is_embedded:
        return open_embedded(language, tuning, on_fetch)
    return open_found(wanted.locate(on_fetch), language, tuning)


def _open_auto(language: str, tuning: Tuning, on_fetch: OnFetch) -> tuple[Transcriber, Message]:
    """A model that is here and fits; else what is embedded for the language.

    Where nothing is, the recommended model is fetched and waited for.
    """
    problem = ""
    for path in fitting(language):
        try:
            transcriber = open_found(path, language, tuning)
            return transcriber, say("ready.here", engine=transcriber.name)
        except ModelError as err:
            log.warning("%s", err)
            problem = problem or str(err)
    if two_letters(language) != "en" and not built_in(language):
        return _open_recommended(language, tuning, on_fetch)
    transcriber = open_embedded(language, tuning, on_fetch)
    if problem:
        return transcriber, say("ready.not_loaded", engine=transcriber.name, reason=problem)
    code = two_letters(language)
    return transcriber, say("ready.embedded", engine=transcriber.name, language=code)


def _open_recommended(
    language: str, tuning: Tuning, on_fetch: OnFetch
) -> tuple[Transcriber, Message]:
    """Fetch the recommended model, while somebody waits.

    Raises
    ------
    ModelError : that cannot be; the message names every other way
    """
    try:
        model = to_fetch("auto", None, language)
        if model is None:
            raise ModelError("--offline forbids to fetch" if is_offline() else "no model is known")
        if why := find(model.kind).missing():
            raise ModelError(why)
        check_fits(model.name, model.about_mb * 1_000_000, model.kind)
        path = Wanted(model.name, model.kind, "--asr auto").locate(on_fetch)
        transcriber = open_found(path, language, tuning)
    except ModelError as err:
        raise ModelError(
            f"nothing on this machine recognises {language} ({err}); {_remedy(language)}"
        ) from err
    return transcriber, say("ready.recommended", engine=transcriber.name, language=language)


def _remedy(language: str) -> str:
    """How captions in a language can be had."""
    ways = [*(engine.remedy(language) for engine in engines()), remedy(language)]
    return "; or ".join(filter(None, ways)) or "get a model for it and name it with --model"


def open_found(path: Path, language: str, tuning: Tuning = Tuning()) -> Transcriber:
    """Load a model, unless it is known to lack the language.

    Parameters
    ----------
    path : a `.nemo` file, or a Whisper's folder

    Raises
    ------
    ModelError, ConfigError : as the transcriber, or it does not know the language
    """
    return find(WHISPER if path.is_dir() else NEMO).open_file(path, language, tuning)


def open_embedded(
    language: str = "en", tuning: Tuning = Tuning(), on_fetch: OnFetch = no_fetch
) -> Transcriber:
    """Load what needs no network: Whisper tiny.en for English, and Vosk for Korean.

    Raises
    ------
    ModelError : it is not here, and cannot be fetched
    """
    engine = built_in(language) or find(WHISPER if two_letters(language) == "en" else "vosk")
    return engine.open_built_in(language, tuning, on_fetch)
