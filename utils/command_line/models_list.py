"""What there is for captions and what is here, as `python app.py models` prints it."""

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

from utils.errors import printable
from utils.folders import free_space
from utils.models.catalogue import (
    CATALOGUE,
    TEXT_EMOTIONS,
    VOICES,
    WHISPER,
    WHISPERS,
    Model,
    get,
    models_folder,
    recommended,
)
from utils.models.here import fitting
from utils.models.hub import megabytes
from utils.models.nemo.files import find_models, find_voices, installed
from utils.models.places import sorted_paths
from utils.models.text_emotion import find_text_emotions
from utils.models.translation.files import find_translations
from utils.models.whisper.files import (
    EMBEDDED,
    find_whisper,
    installed_whisper,
    name_of,
    packaged,
)

COMMAND = ".venv/bin/python app.py"
DIGITS = Path(__file__).resolve().parents[2] / "model_state_dict/spoken_digits.nemo"
WIDTH = 80
_LANGUAGES = {
    "en": "English",
    "ko": "Korean",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
}
_MANY = get("small").languages


def listing(language: str) -> str:
    """What there is and what is here, for a terminal of 80 to 100 columns.

    Parameters
    ----------
    language : of the captions, as in the settings
    """
    models, voices, whispers = find_models(), find_voices(), find_whisper()
    streaming = [_entry(model, models) for model in CATALOGUE if model.streaming]
    whole = [_entry(model, models) for model in CATALOGUE if not model.streaming]
    parts = [
        "WORDS WHILE THEY ARE SPOKEN",
        *streaming,
        "WHISPER: WORDS WHILE THEY ARE SPOKEN, with capitals and punctuation\n"
        "(it hears the line again and again while it grows)",
        *(_entry(model, whispers) for model in WHISPERS),
        "\n".join(
            _indented(
                [
                    f"The {len(_MANY)} languages: {' '.join(_MANY)}; large-v3 also yue. "
                    "Wrong words are those of English."
                ]
            )
        ),
        "LINE BY LINE (a line appears when it has been said)",
        *whole,
        "ANOTHER VOICE (a dash where another person speaks; nobody is named)",
        *(_entry(model, voices) for model in VOICES),
        "TRANSLATION (of finished lines, for readers who want it: --translate)",
        "  FROM-TO, such as en-fr: an OPUS-MT of two languages, where huggingface.co has one\n"
        "      about 150 MB; any computer; licence Apache 2.0\n"
        "      or a package of Argos Translate that you have downloaded:\n"
        f"      {COMMAND} models add FILE.argosmodel",
        "EMOTION OF THE WORDS (what they say, not how they are said: --text-emotion)",
        *(_text_emotion(model) for model in TEXT_EMOTIONS),
        "ON THIS MACHINE",
        *_here(language, models, voices, whispers),
        f"Get one:    {COMMAND} models get NAME\n"
        f"Delete one: {COMMAND} models remove NAME\n"
        "“?”: we did not see it. “about”: estimated from the number of parameters.\n"
        "Wrong words: as published on the models’ pages at huggingface.co and in the\n"
        "Whisper paper (arXiv 2212.04356).",
    ]
    return printable("\n\n".join(parts))


def _entry(model: Model, models: list[Path]) -> str:
    """A model of the catalogue, in some lines."""
    best = [name for code, name in _LANGUAGES.items() if recommended(code) == model]
    marks = [f"recommended for {' and '.join(best)}"] if best else []
    path = (installed_whisper if model.kind == WHISPER else installed)(model.repo, models)
    if path:
        marks.append("inside the program" if path == packaged() else "on this machine")
    size = f"{'' if model.size_mb else 'about '}{megabytes(model.about_mb * 1_000_000)}"
    computer = "fast computer or GPU" if model.wants_gpu else "any computer"
    errors = "wrong words" if model.languages else "pairs of voices taken wrongly"
    facts = [
        f"{_spoken(model)}; {size}; {computer}; licence {model.licence}",
        f"{errors} in percent: {model.errors or '?'}",
    ]
    if model.streaming:
        waits = " or ".join(f"{wait / 1000:g}" for wait in model.lookahead_ms)
        facts.append(f"waits {waits} s for what follows a word")
    if model.note:
        facts.append(model.note)
    mark = f"  ({', '.join(marks)})" if marks else ""
    return "\n".join([f"  {model.name}{mark}", *_indented(facts)])


def _text_emotion(model: Model) -> str:
    """The same of one that tells the emotion of words."""
    here = os.path.isdir(models_folder() / model.name)
    facts = [
        f"English, other languages by a model FROM-en; {megabytes(model.about_mb * 1_000_000)}; "
        f"any computer; licence {model.licence}"
    ]
    return "\n".join([f"  {model.name}{'  (on this machine)' if here else ''}", *_indented(facts)])


def _indented(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield from textwrap.wrap(line, WIDTH, initial_indent="      ", subsequent_indent="        ")


def _spoken(model: Model) -> str:
    if not model.languages:
        return "any language"
    if model.kind == WHISPER and len(model.languages) > 1:
        return f"{len(model.languages)} languages"
    if len(model.languages) > len(_LANGUAGES):
        return f"{len(model.languages)} languages ({' '.join(model.languages)})"
    return ", ".join(_LANGUAGES[code] for code in model.languages)


def _here(
    language: str, models: list[Path], voices: list[Path], whispers: list[Path]
) -> Iterator[str]:
    """What lies on this machine, and how much disk is left."""
    used = next(iter(fitting(language)), None)
    for path in models:
        mark = f"\n      captions in {language} use it" if path == used else ""
        yield f"  {path.stem}  {_size(path)}\n      {path}{mark}"
    for path in voices:
        mark = "\n      captions tell voices apart with it" if path == voices[0] else ""
        yield f"  {path.stem}  {_size(path)}\n      {path}{mark}"
    for path in whispers:
        mark = f"\n      captions in {language} use it" if path == used else ""
        yield f"  {name_of(path)}  {_size(path)}\n      {path}{mark}"
    translations = find_translations()
    for package in translations:
        yield (
            f"  {package.path.name}  {_size(package.path)}; translates {package.source} to "
            f"{package.target}\n      {package.path}"
        )
    texts = find_text_emotions()
    for text in texts:
        size = _size(text.path)
        yield f"  {text.path.name}  {size}; tells the emotion of English words\n      {text.path}"
    known = [*models, *voices, *whispers]
    known += [each.path for each in translations] + [each.path for each in texts]
    yield from _unfinished(known)
    if DIGITS.exists():
        yield (
            f"  spoken_digits  {_size(DIGITS)}; spoken digits only, for trying\n"
            f"      {COMMAND} --model {DIGITS.relative_to(DIGITS.parents[1])}"
        )
    if packaged():
        yield f"  {EMBEDDED}  Whisper, inside the program; English, capitals and punctuation"
    yield f"  Models are kept in {models_folder()}\n  {_free()}"


def _free() -> str:
    """How much is free on the disk of the models, in a sentence."""
    try:
        return f"{megabytes(free_space(models_folder())[1])} are free on that disk."
    except FileNotFoundError:
        return "That disk is not there."
    except OSError as err:
        return f"That folder cannot be used ({err.strerror})."


def _unfinished(known: list[Path]) -> Iterator[str]:
    """What lies in our folder and cannot be used."""
    for path in sorted_paths(models_folder().glob("[!.]*")):
        if path.suffix == ".part":
            name = path.stem.rpartition(".")[0]
            yield f"  {name}  {_size(path)} of it; models get goes on from there"
        elif path not in known and (path.suffix == ".nemo" or os.path.isdir(path)):
            yield f"  {path.name}  {_size(path)}, but damaged or not for speech\n      {path}"


def _size(path: Path) -> str:
    return megabytes(size_bytes(path))


def size_bytes(path: Path) -> int:
    """Bytes of a model on disk: of a file, or of the files in a folder."""
    files = path.rglob("*") if os.path.isdir(path) else (path,)
    n_bytes = 0
    try:
        for file in files:
            n_bytes += file.stat().st_size if os.path.isfile(file) else 0
    except OSError:
        pass  # what cannot be looked at counts as nothing
    return n_bytes
