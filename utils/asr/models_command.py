"""`python app.py models`: what NeMo offers, what is here, fetching it, removing it."""

import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from utils.asr.catalogue import (
    CATALOGUE, VOICES, Model, find, get, models_folder, recommended,
)  # fmt: skip
from utils.asr.choose import fitting
from utils.asr.download import Progress
from utils.asr.fetch import Fetch
from utils.asr.hub import NetworkError, megabytes
from utils.asr.memory import check_fits
from utils.asr.nemo_archive import check_whole
from utils.asr.nemo_files import find_models, find_voices, installed
from utils.errors import ModelError

COMMAND = ".venv/bin/python app.py"
DIGITS = Path(__file__).resolve().parents[2] / "model_state_dict/spoken_digits.nemo"
WIDTH = 80
PLAIN_STEP = 10  # percent between two lines of progress where there is no terminal
_BAR = "{percentage:3.0f} %  {n_fmt}B of {total_fmt}B  {rate_fmt}  {remaining} left "
_LANGUAGES = {
    "en": "English", "ko": "Korean", "de": "German", "es": "Spanish", "fr": "French",
    "it": "Italian", "nl": "Dutch",
}  # fmt: skip


def run(action: str | None, name: str | None, language: str) -> int:
    """Do what the command line asks for; return the exit status.

    Parameters
    ----------
    action : "get", "remove", or None to list
    name : of a model
    language : of the captions, as in the settings

    Raises
    ------
    ModelError : it cannot be done
    """
    if action == "get":
        fetch(name, language)
    elif action == "remove":
        remove(name)
    else:
        print(listing(language))
    return 0


def listing(language: str) -> str:
    """What there is and what is here, for a terminal of 80 to 100 columns.

    Parameters
    ----------
    language : of the captions, as in the settings
    """
    models, voices = find_models(), find_voices()
    streaming = [_entry(model, models) for model in CATALOGUE if model.streaming]
    whole = [_entry(model, models) for model in CATALOGUE if not model.streaming]
    parts = [
        "WORDS WHILE THEY ARE SPOKEN",
        *streaming,
        "LINE BY LINE (a line appears when it has been said)",
        *whole,
        "ANOTHER VOICE (a dash where another person speaks; nobody is named)",
        *(_entry(model, voices) for model in VOICES),
        "ON THIS MACHINE",
        *_here(language, models, voices),
        f"Get one:    {COMMAND} models get NAME\n"
        f"Delete one: {COMMAND} models remove NAME\n"
        "“?”: we did not see it. “about”: estimated from the number of parameters.\n"
        "Wrong words: as published on the models’ pages at huggingface.co.",
    ]
    return "\n\n".join(parts)


def _entry(model: Model, models: list[Path]) -> str:
    """A model of the catalogue, in some lines."""
    best = [name for code, name in _LANGUAGES.items() if recommended(code) == model]
    marks = [f"recommended for {' and '.join(best)}"] if best else []
    if installed(model.repo, models):
        marks.append("on this machine")
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


def _indented(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield from textwrap.wrap(
            line, WIDTH, initial_indent="      ", subsequent_indent="        "
        )


def _spoken(model: Model) -> str:
    if not model.languages:
        return "any language"
    if len(model.languages) > len(_LANGUAGES):
        return f"{len(model.languages)} languages ({' '.join(model.languages)})"
    return ", ".join(_LANGUAGES[code] for code in model.languages)


def _here(language: str, models: list[Path], voices: list[Path]) -> Iterator[str]:
    """What lies on this machine, and how much disk is left."""
    used = next(iter(fitting(language)), None)
    for path in models:
        mark = f"\n      captions in {language} use it" if path == used else ""
        yield f"  {path.stem}  {megabytes(path.stat().st_size)}\n      {path}{mark}"
    for path in voices:
        mark = "\n      captions tell voices apart with it" if path == voices[0] else ""
        yield f"  {path.stem}  {megabytes(path.stat().st_size)}\n      {path}{mark}"
    own = sorted(models_folder().glob("*"))
    for path in own:
        size = megabytes(path.stat().st_size)
        if path.suffix == ".part":
            yield f"  {path.stem.rpartition('.')[0]}  {size} of it; models get goes on from there"
        elif path.suffix == ".nemo" and path not in models + voices:
            yield f"  {path.name}  {size}, but damaged or not for speech\n      {path}"
    if DIGITS.exists():
        size = megabytes(DIGITS.stat().st_size)
        yield (
            f"  spoken_digits  {size}; spoken digits only, for trying\n"
            f"      {COMMAND} --model {DIGITS.relative_to(DIGITS.parents[1])}"
        )
    yield "  PocketSphinx  inside the program; English, far less accurate"
    folder = next(place for place in (models_folder(), *models_folder().parents) if place.exists())
    yield (
        f"  Models are kept in {models_folder()}\n"
        f"  {megabytes(shutil.disk_usage(folder).free)} are free on that disk."
    )


def fetch(name: str | None, language: str) -> Path:
    """Fetch a model, telling what it takes and how far it is.

    Parameters
    ----------
    name : of the catalogue; None for the one recommended for `language`

    Raises
    ------
    ModelError : unknown, no network, no room, or damaged on the way
    """
    model = get(name) if name else recommended(language)
    if model is None:
        raise ModelError(f"NeMo offers no model for {language}; {COMMAND} models lists the others")
    if path := _whole(installed(model.repo)):
        print(f"{model.name} is on this machine already: {path}")
        return path
    with _Shown() as shown:
        job = Fetch(model.name, shown)
        path = _fetch(job, model, shown)
    print(f"Ready: {path}")
    if find_voices()[:1] == [path]:
        print("Captions mark another voice with a dash from the next start on.")
    elif fitting(language)[:1] == [path]:
        print("Captions use it from the next start on.")
    else:
        print(f"To use it: {COMMAND} --model {model.name} --language {model.languages[0]}")
    return path


def _fetch(job: Fetch, model: Model, shown: "_Shown") -> Path:
    download = job.download()
    free, size, done = download.check_space(), download.size, download.done_bytes
    begun = f" ({megabytes(done)} of them are here already)" if done else ""
    print(
        f"Fetching {model.name} from huggingface.co/{model.repo}\n"
        f"It takes {megabytes(size)} of disk{begun}; {megabytes(free)} are free. "
        f"Licence: {model.licence}."
    )
    try:
        check_fits(model.name, size)
    except ModelError as err:
        print(f"Note: {err}.")
    try:
        return job.run()
    except (NetworkError, KeyboardInterrupt) as err:
        shown.close()
        if done := download.done_bytes:
            print(
                f"{megabytes(done)} of {megabytes(size)} have come and are kept. "
                "The same command goes on from there.",
                file=sys.stderr,
            )
        raise err


def _whole(path: Path | None) -> Path | None:
    try:
        return path if path and check_whole(path) is None else None
    except ModelError:
        return None  # the fetch replaces it


class _Shown:
    """Progress: one line that changes on a terminal, else a line every so often."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._percent = -PLAIN_STEP

    def __enter__(self) -> "_Shown":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        if sys.stderr.isatty():
            if self._bar is None:
                self._bar = tqdm(
                    total=total_bytes, initial=done_bytes, unit="B", unit_scale=True,
                    bar_format=_BAR, mininterval=0,
                )  # fmt: skip
            self._bar.update(done_bytes - self._bar.n)
            return
        percent = 100 * done_bytes // total_bytes
        if percent >= self._percent + PLAIN_STEP:
            self._percent = percent
            print(f"{percent} % of {megabytes(total_bytes)}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def remove(name: str) -> None:
    """Delete a model that was fetched, and what is left of a fetch that was not ended.

    Raises
    ------
    ModelError : there is none of that name, or it lies where other programs keep theirs
    """
    model = find(name)
    stem = model.name if model else name
    found = [path for path in models_folder().glob("*") if _belongs(path, stem)]
    if not found:
        if model and (path := installed(model.repo)):
            raise ModelError(f"{path} lies in a folder of other programs; delete it by hand")
        here = sorted(path.stem for path in models_folder().glob("*.nemo"))
        raise ModelError(
            f"{name} is not in {models_folder()}; there: {', '.join(here) or 'no model'}"
        )
    freed = sum(path.stat().st_size for path in found)
    for path in found:
        path.unlink()
    print(f"Deleted {stem}: {megabytes(freed)} of disk are free again.")


def _belongs(path: Path, stem: str) -> bool:
    part = path.suffix == ".part" and path.stem.rpartition(".")[0] == stem
    return part or path.name == f"{stem}.nemo"
