"""Whisper among the recognisers, see `utils.asr.Engine`; tiny.en is built in."""

from functools import partial

from utils.asr import Engine, Transcriber, Tuning
from utils.asr.whisper.transcriber import WhisperTranscriber
from utils.language import two_letters
from utils.models.catalogue import get
from utils.models.check import check_files
from utils.models.fetch import OnFetch
from utils.models.whisper.files import EMBEDDED, embedded, installed_whisper


def _built_in(language: str) -> bool:
    return two_letters(language) == "en" and installed_whisper(get(EMBEDDED).repo) is not None


def _open_built_in(language: str, tuning: Tuning, on_fetch: OnFetch) -> Transcriber:
    folder = embedded(partial(on_fetch, f"Whisper {EMBEDDED}"))
    return WhisperTranscriber(folder, language, tuning)


ENGINE = Engine(
    check=check_files,
    open_file=WhisperTranscriber,
    built_in=_built_in,
    open_built_in=_open_built_in,
)
