"""What recognises a language on this machine, and what could be fetched for it."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from utils.errors import ModelError
from utils.language import two_letters
from utils.models.catalogue import CATALOGUE, NEMO, WHISPER, Model, find, get, recommended
from utils.models.check import first_choice, kind_of
from utils.models.fetch import OnFetch
from utils.models.hub import is_offline
from utils.models.nemo.archive import check_whole, languages
from utils.models.nemo.files import find_models, locate, on_this_machine
from utils.models.places import given
from utils.models.whisper.files import (
    EMBEDDED,
    find_whisper,
    locate_whisper,
    name_of,
    packaged,
    whisper_here,
)
from utils.models.whisper.folder import languages as languages_of_whisper

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """A model that the settings ask for.

    Parameters
    ----------
    name : as `--model` takes it
    kind : NEMO or WHISPER
    option : that asks for it, as it was written: "--model NAME", or "--asr nemo"
    """

    name: str
    kind: str
    option: str

    @property
    def is_embedded(self) -> bool:
        """Whether it is the Whisper that listens at once anyway."""
        if self.kind != WHISPER:
            return False
        path = packaged()
        model = find(self.name)
        return model == get(EMBEDDED) if model else given(self.name) == path

    def here(self) -> Path | None:
        """Where it lies on this machine; None where it is a name not yet here.

        Raises
        ------
        ModelError : a path that is none, or neither a path nor a name
        """
        return (on_this_machine if self.kind == NEMO else whisper_here)(self.name)

    def locate(self, on_fetch: OnFetch) -> Path:
        """Where it lies, fetched if it is not here.

        Raises
        ------
        ModelError : it is not here and cannot be fetched
        """
        find_it = locate if self.kind == NEMO else locate_whisper
        return find_it(self.name, partial(on_fetch, self.name))


def asked(asr: str, model: str | None, language: str) -> Wanted | None:
    """The one model that the settings ask for; None where they leave the choice open.

    Parameters
    ----------
    asr, model, language : as in `utils.asr.choose.check_choice`, and checked by it
    """
    if asr not in {"auto", NEMO, WHISPER}:
        return None
    if model is not None:
        return Wanted(model, kind_of(asr, model), f"--model {model}")
    if asr == WHISPER and two_letters(language) != "en" and (found := _whispers(language)):
        return Wanted(str(found[0]), WHISPER, "--asr whisper")
    first = None if asr == "auto" else first_choice(asr, language)
    return Wanted(first.name, asr, f"--asr {asr}") if first else None


def fitting(language: str) -> list[Path]:
    """Models on this machine that know a language, the better ones for captions first.

    Whispers are among them where none is embedded for the language. A model of NeMo that does
    not say what it knows comes last.
    """
    code = two_letters(language)
    known = [(path, spoken) for path in find_models() if (spoken := _spoken(path)) is not None]
    sure = sorted((path for path, spoken in known if code in spoken), key=_rank)
    others = [path for path, spoken in known if not spoken]
    return sure + ([] if code == "en" else _whispers(language)) + others


def _spoken(path: Path) -> Collection[str] | None:
    """The languages that a model knows; None where it cannot be read any more."""
    try:
        return languages_of_whisper(path) if path.is_dir() else languages(path)
    except (ModelError, OSError) as err:
        log.debug("left out: %s", err)
        return None


def _rank(path: Path) -> int:
    """Place in the catalogue, where the better for captions come first; others are last."""
    model = find(path.stem)
    return CATALOGUE.index(model) if model in CATALOGUE else len(CATALOGUE)


def _whispers(language: str) -> list[Path]:
    """Whispers that know a language, those nearer in size to the recommended one first."""

    def distance(path: Path) -> int:
        model = find(name_of(path))
        return abs(model.parameters_m - get("small").parameters_m) if model else 10_000

    code = two_letters(language)
    found = [path for path in find_whisper() if code in (_spoken(path) or ())]
    return sorted(found, key=distance)


def to_fetch(asr: str, model: str | None, language: str) -> Model | None:
    """What would be worth fetching for these settings: a model, or nothing.

    Nothing where the settings name an engine or a model, where a model for the language is
    here and whole, where there is none for it, and offline.

    Parameters
    ----------
    asr, model, language : as in `utils.asr.choose.check_choice`
    """
    if asr != "auto" or model is not None or is_offline():
        return None
    return None if any(map(_is_whole, fitting(language))) else recommended(language)


def _is_whole(path: Path) -> bool:
    try:
        if not path.is_dir():
            check_whole(path)
    except (ModelError, OSError):
        return False
    return True
