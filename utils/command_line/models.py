"""`python app.py models`: fetching a model, removing it; `models_list` prints what there is."""

import os
import sys
from pathlib import Path

from tqdm import tqdm

from utils.command_line.models_list import COMMAND, listing, size_bytes
from utils.command_line.output import note, put, tell
from utils.errors import DataError, ModelError
from utils.faults import cause
from utils.language import two_letters
from utils.models import text_emotion
from utils.models.catalogue import (
    TEXT_EMOTION,
    TRANSLATION,
    WHISPER,
    Model,
    find,
    get,
    models_folder,
    recommended,
)
from utils.models.download import delete
from utils.models.fetch import Fetch, check
from utils.models.here import fitting
from utils.models.hub import NetworkError, megabytes
from utils.models.memory import check_fits
from utils.models.nemo.files import find_voices, installed
from utils.models.places import alone, given, left_over, tidy
from utils.models.translation.files import add
from utils.models.translation.inside import SUFFIX
from utils.models.whisper.files import installed_whisper, packaged

PLAIN_STEP = 10  # percent between two lines of progress where there is no terminal
_BAR = "{percentage:3.0f} %  {n_fmt}B of {total_fmt}B  {rate_fmt}  {remaining} left "


def run(action: str | None, name: str | None, language: str) -> int:
    """Do what the command line asks for; return the exit status.

    Parameters
    ----------
    action : "get", "add", "remove", or None to list
    name : of a model; what is added is a file or a folder
    language : of the captions, as in the settings

    Raises
    ------
    ModelError : it cannot be done
    """
    if action != "remove":  # which tells what it deletes
        tidy()
    if action == "get":
        fetch(name, language)
    elif action == "add" and name is not None:
        path = given(name)
        tell(f"Ready: {_add(path)}")
    elif action == "remove" and name is not None:
        remove(name)
    else:
        put(f"{listing(language)}\n")
    return 0


def _add(path: Path) -> Path:
    """Take in what somebody has downloaded; return where it lies."""
    if not text_emotion.is_text_emotion(path):
        return add(path)
    from utils.text_emotion.classifier import load

    load(path)  # whether its weights fit its sizes is seen no sooner
    return text_emotion.add(path)


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
        raise ModelError(f"there is no model for {language}; {COMMAND} models lists the others")
    if path := _whole(model, _path(model)):
        tell(f"{model.name} is on this machine already: {path}")
        return path
    with _Shown() as shown:
        job = Fetch(model.name, shown)
        path = _fetch(job, model, shown)
    tell(f"Ready: {path}")
    if model.kind == TRANSLATION:
        source, target = model.languages
        tell(f"To use it: {COMMAND} --language {source} --translate {target}")
    elif model.kind == TEXT_EMOTION:
        tell(f"To use it: {COMMAND} --text-emotion")
    elif find_voices()[:1] == [path]:
        tell("Captions mark another voice with a dash from the next start on.")
    elif fitting(language)[:1] == [path]:
        tell("Captions use it from the next start on.")
    else:
        code = two_letters(language)
        spoken = code if code in model.languages else model.languages[0]
        tell(f"To use it: {COMMAND} --model {model.name} --language {spoken}")
    return path


def _path(model: Model) -> Path | None:
    """Where it lies on this machine."""
    if model.kind in {TRANSLATION, TEXT_EMOTION}:
        path = models_folder() / model.name
        return path if os.path.exists(path) else None
    return (installed_whisper if model.kind == WHISPER else installed)(model.repo)


def _fetch(job: Fetch, model: Model, shown: "_Shown") -> Path:
    download = job.download()
    free, size, done = download.check_space(), download.size, download.done_bytes
    begun = f" ({megabytes(done)} of them are here already)" if done else ""
    tell(
        f"Fetching {model.name} from huggingface.co/{model.repo}\n"
        f"It takes {megabytes(size)} of disk{begun}; {megabytes(free)} are free. "
        f"Licence: {model.licence}."
    )
    try:
        check_fits(model.name, size, model.kind)
    except ModelError as err:
        tell(f"Note: {err}.")
    try:
        return job.run()
    except (NetworkError, KeyboardInterrupt) as err:
        shown.close()
        if done := download.done_bytes:
            note(
                f"{megabytes(done)} of {megabytes(size)} have come and are kept. "
                "The same command goes on from there."
            )
        raise err


def _whole(model: Model, path: Path | None) -> Path | None:
    try:
        if path:
            check(path, model.kind)
    except ModelError:
        return None  # the fetch replaces it
    return path


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
                    total=total_bytes,
                    initial=done_bytes,
                    unit="B",
                    unit_scale=True,
                    bar_format=_BAR,
                    mininterval=0,
                )
            self._bar.update(done_bytes - self._bar.n)
            return
        percent = 100 * done_bytes // total_bytes
        if percent >= self._percent + PLAIN_STEP:
            self._percent = percent
            note(f"{percent} % of {megabytes(total_bytes)}")

    def close(self) -> None:
        """Leave the line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def remove(name: str) -> None:
    """Delete a model that was fetched or added, and what is left where that was not ended.

    Raises
    ------
    ModelError : there is none of that name, it lies where other programs keep theirs, or it is
        being fetched or added just now
    """
    model = find(name)
    stem = model.name if model else name
    found = [path for path in models_folder().glob("*") if _belongs(path, stem)]
    if not found:
        path = _path(model) if model else None
        if path and path == packaged():
            raise ModelError(f"{name} belongs to the program, which cannot do without it")
        if path:
            raise ModelError(f"{path} lies in a folder of other programs; delete it by hand")
        here = sorted(
            path.name.removesuffix(".nemo").removesuffix(SUFFIX)
            for path in models_folder().glob("[!.]*")
            if path.suffix in {".nemo", SUFFIX} or (os.path.isdir(path) and path.suffix != ".part")
        )
        raise ModelError(
            f"{name} is not in {models_folder()}; there: {', '.join(here) or 'no model'}"
        )
    freed = sum(map(size_bytes, found))
    try:
        with alone(stem):
            for path in found:
                delete(path)
    except OSError as err:
        raise DataError(f"{stem} cannot be deleted ({cause(err)})") from err
    tell(f"Deleted {stem}: {megabytes(freed)} of disk are free again.")


def _belongs(path: Path, stem: str) -> bool:
    part = path.suffix == ".part" and path.stem.rpartition(".")[0] == stem
    return (
        part
        or path.name in {f"{stem}.nemo", stem + SUFFIX}
        or path == left_over(stem)
        or (path.name == stem and stem[:1] != "." and os.path.isdir(path))
    )
