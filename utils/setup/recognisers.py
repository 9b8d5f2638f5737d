"""The recognisers to choose from: what is here for a language, and what can be fetched."""

from pathlib import Path

from utils.asr.registry import built_in
from utils.errors import ModelError
from utils.language import two_letters
from utils.models.catalogue import CATALOGUE, WHISPER, WHISPERS, Model, find, models_folder
from utils.models.catalogue import recommended as recommended_for
from utils.models.download import check_space, part_bytes
from utils.models.here import fitting
from utils.models.hub import is_offline
from utils.models.memory import check_fits
from utils.models.nemo.files import find_models, installed
from utils.models.whisper.files import find_whisper, installed_whisper, name_of, packaged

AUTOMATIC = ""  # the name of the choice that leaves it to the program


def languages() -> list[str]:
    """Codes of all languages that there is a recogniser for, those most spoken in models first."""
    every = [code for model in CATALOGUE + WHISPERS for code in model.languages]
    counted = {code: every.count(code) for code in dict.fromkeys(every)}
    return sorted(counted, key=lambda code: -counted[code])


def recognisers(language: str) -> list[dict[str, object]]:
    """Facts of each, as plain JSON types: what is here first, the recommended one before others.

    Parameters
    ----------
    language : of the speech
    """
    code = two_letters(language)
    best = recommended_for(language)
    known = [model for model in CATALOGUE + WHISPERS if code in model.languages]
    models, whispers = find_models(), find_whisper()
    facts = [_of_model(model, _path(model, models, whispers), model is best) for model in known]
    own = [path for path in fitting(language) if find(_name(path)) is None]
    facts += [_of_file(path) for path in own]
    return sorted(facts, key=lambda fact: (not fact["here"], not fact["recommended"]))


def hears(language: str) -> bool:
    """Whether anything on this machine knows a language."""
    return built_in(language) is not None or bool(fitting(language))


def _path(model: Model, models: list[Path], whispers: list[Path]) -> Path | None:
    if model.kind == WHISPER:
        return installed_whisper(model.repo, whispers)
    return installed(model.repo, models)


def _name(path: Path) -> str:
    return name_of(path) if path.is_dir() else path.stem


def _of_model(model: Model, path: Path | None, recommended: bool) -> dict[str, object]:
    done_bytes = 0 if path else part_bytes(model.name)
    return {
        "name": model.name,
        "label": f"Whisper {model.name}" if model.kind == WHISPER else model.name,
        "here": path is not None,
        "inside": path is not None and path == packaged(),
        "recommended": recommended,
        "size_mb": model.about_mb,
        "done_mb": done_bytes // 1_000_000,
        "errors": model.errors,
        "licence": model.licence,
        "note": model.note,
        "while_spoken": model.streaming or model.kind == WHISPER,
        "wants_gpu": model.wants_gpu,
        "cannot": "" if path else _cannot(model, done_bytes),
    }


def _of_file(path: Path) -> dict[str, object]:
    """A model that somebody has put here, of which no card is known."""
    facts = {"errors": "", "licence": "", "note": "", "cannot": "", "done_mb": 0, "size_mb": 0}
    switches = {"here": True, "inside": False, "recommended": False, "wants_gpu": False}
    return {"name": str(path), "label": _name(path), "while_spoken": True, **facts, **switches}


def _cannot(model: Model, done_bytes: int) -> str:
    """What this machine lacks to fetch and load a model: memory, disk, network; "" for nothing."""
    if is_offline():
        return "offline"
    n_bytes = model.about_mb * 1_000_000
    try:
        check_fits(model.name, n_bytes, model.kind)
    except ModelError:
        return "memory"
    try:
        check_space(model.name, n_bytes - done_bytes, models_folder() / model.name)
    except (ModelError, OSError):
        return "disk"
    return ""
