"""NeMo among the recognisers, see `utils.asr.Engine`."""

from importlib.util import find_spec
from pathlib import Path

from utils.asr import Engine, Transcriber, Tuning
from utils.asr.nemo.load import INSTALL
from utils.asr.nemo.transcriber import NemoTranscriber
from utils.errors import ModelError
from utils.language import two_letters
from utils.models.check import check_files, remedy
from utils.models.nemo.archive import languages


def _missing() -> str:
    return "" if find_spec("nemo") else f"NeMo is not installed; {INSTALL}"


def _check(asr: str, model: str | None, language: str) -> None:
    check_files(asr, model, language)
    if why := _missing():  # said now, and not once a model has been fetched in vain
        raise ModelError(f"{f'--model {model}' if model else f'--asr {asr}'}: {why}")


def _open_file(path: Path, language: str, tuning: Tuning) -> Transcriber:
    """Load a `.nemo` file, unless it is known to lack the language."""
    code, spoken = two_letters(language), languages(path)
    if spoken and code not in spoken:
        raise ModelError(
            f"{path.stem} knows {', '.join(sorted(spoken))}, not {language}; choose another "
            f"with --model, or give the language that is spoken with --language. "
            f"For {language}: {remedy(language)}"
        )
    return NemoTranscriber(str(path), code, tuning)


ENGINE = Engine(check=_check, open_file=_open_file, missing=_missing)
