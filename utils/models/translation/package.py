"""One model that translates from one language to another: what is inside, read without CTranslate2.

Two forms are read. A package of Argos Translate (`.argosmodel`) is a zip, or such a zip unpacked: a
folder with `metadata.json` (`from_code`, `to_code`), `sentencepiece.model` and, in `model/`, a
network in CTranslate2's form (argostranslate/package.py and tokenizer.py, version 1.9). An OPUS-MT
in CTranslate2's form is a folder with the network, `source.spm` and `target.spm`; its languages
stand in its name.
"""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from utils import untrusted
from utils.errors import ModelError
from utils.models.hub import repository_of
from utils.models.memory import TRANSLATION_BYTES, TRANSLATION_COPIES, ZIP_COPIES
from utils.models.places import damaged
from utils.models.translation.inside import (
    EXPECTED,
    METADATA,
    MOST_BYTES,
    Files,
    opened,
    unpacked_bytes,
)
from utils.models.weights import VERSION, arrays, read_number, read_text

PIECES = "sentencepiece.model"  # of both languages, in a package of Argos
WEIGHTS, CONFIG = "model.bin", "config.json"
# Of these the first that is there; some networks have one for each language.
VOCABULARIES = ("shared_vocabulary.json", "shared_vocabulary.txt")
OTHERS = tuple(
    f"{side}_vocabulary.{end}" for side in ("source", "target") for end in ("json", "txt")
)
SOURCE_PIECES, TARGET_PIECES = "source.spm", "target.spm"
CODE = r"[a-z]{2,3}"
_SPEC = "TransformerSpec"
_NAMED = re.compile(rf"(?:.*opus-mt-(?:tc-)?(?:big-|base-)?)?({CODE})[-_]({CODE})(?:-ctranslate2)?")
_MOST_OTHER = 30_000_000  # bytes of a file beside the weights
_NETWORK = (CONFIG, *VOCABULARIES, *OTHERS, WEIGHTS)
_TEXTS = (METADATA, PIECES, SOURCE_PIECES, TARGET_PIECES)
READ = (*_TEXTS, *_NETWORK, *(f"model/{name}" for name in _NETWORK))


@dataclass(frozen=True)
class Package:
    """A model that translates.

    Parameters
    ----------
    path : a file `.argosmodel`, or a folder
    source, target : ISO 639-1 codes of its languages
    opus : whether it is an OPUS-MT, not a package of Argos
    prefix : a token that each translation begins with; "" for none
    """

    path: Path
    source: str
    target: str
    opus: bool
    prefix: str = ""

    @property
    def needed_bytes(self) -> int:
        """Memory that loading it takes, at the peak."""
        copies = TRANSLATION_COPIES if self.path.is_dir() else ZIP_COPIES
        return TRANSLATION_BYTES + int(copies * unpacked_bytes(self.path))


@dataclass(frozen=True)
class Contents:
    """What is loaded.

    Parameters
    ----------
    folder : of the network; of a zip a name only, and its files are in `network`
    network : files for CTranslate2 by their names, in memory; None where they lie in the folder
    source_pieces, target_pieces : models of SentencePiece
    ends_source : whether a sentence is to be ended by `</s>` for the network
    """

    folder: Path
    network: dict[str, bytes] | None
    source_pieces: bytes
    target_pieces: bytes
    ends_source: bool


def look_into(path: Path) -> Package:
    """What a model translates; the weights are not read.

    Raises
    ------
    ModelError : no such file or folder, damaged, or none that translates
    """
    with opened(path) as files:
        if files.has(METADATA):
            return _argos(path, files)
        if not files.has(SOURCE_PIECES) or not files.has(WEIGHTS):
            raise ModelError(f"{path} translates nothing: {EXPECTED}")
        named = _NAMED.fullmatch(repository_of(path).rpartition("/")[2] or path.name)
        if not named:
            raise ModelError(
                f"{path}: its name does not tell between which languages it translates; call it "
                "FROM-TO, such as en-fr"
            )
        return Package(path, named[1], named[2], opus=True)


def check_whole(path: Path) -> Package:
    """Refuse a model that was cut short or is damaged.

    Raises
    ------
    ModelError : as `look_into`, and where files are missing or the weights are another network's
    """
    package = look_into(path)
    read(package, weights=False)
    return package


def read(package: Package, weights: bool = True) -> Contents:
    """Look through what is loaded, and read what is not loaded from its folder.

    Parameters
    ----------
    weights : read them too, where they lie in a zip

    Raises
    ------
    ModelError : they are missing, damaged, or another network's
    """
    with opened(package.path) as files:
        inside = "" if package.opus else "model/"
        with files.open(inside + WEIGHTS) as (file, size):
            _check_weights(package.path, file, size)
        names = [name for name in (CONFIG, *VOCABULARIES, *OTHERS) if files.has(inside + name)]
        small = {name: files.read(inside + name, _MOST_OTHER) for name in names}
        if not small.keys() - {CONFIG}:
            raise damaged(package.path, f"it has no {VOCABULARIES[0]}")
        network = None
        if weights and not package.path.is_dir():
            network = small | {WEIGHTS: files.read(inside + WEIGHTS, MOST_BYTES)}
        if package.opus:
            pieces = tuple(files.read(name, _MOST_OTHER) for name in (SOURCE_PIECES, TARGET_PIECES))
        else:
            pieces = (files.read(PIECES, _MOST_OTHER),)
    config = _object(package.path, small.get(CONFIG, b"{}"))
    ends = package.opus and not config.get("add_source_eos")
    return Contents(package.path / inside, network, pieces[0], pieces[-1], ends)


def _argos(path: Path, files: Files) -> Package:
    metadata = _object(path, files.read(METADATA, _MOST_OTHER))
    codes = [metadata.get(name) for name in ("from_code", "to_code")]
    source, target = (code if isinstance(code, str) else "" for code in codes)
    if not re.fullmatch(CODE, source) or not re.fullmatch(CODE, target):
        raise ModelError(f"{path} translates nothing: its {METADATA} names no two languages")
    if not files.has(PIECES):
        raise ModelError(
            f"{path}: its words are cut by {'bpe.model' if files.has('bpe.model') else 'nothing'}, "
            f"and only {PIECES} is read here; get another version of the package"
        )
    prefix = metadata.get("target_prefix")
    return Package(
        path, source, target, opus=False, prefix=prefix if isinstance(prefix, str) else ""
    )


def _object(path: Path, text: bytes) -> dict[str, Any]:
    try:
        found = untrusted.parse_json(text)
    except ValueError as err:
        raise damaged(path, f"one of its files is not what it should be ({err})") from err
    if not isinstance(found, dict):
        raise damaged(path, "one of its files is not what it should be")
    return found


def _check_weights(path: Path, file: BinaryIO, size: int) -> None:
    """Raise ModelError unless they are a Transformer's; older forms are not looked through."""
    try:
        version = read_number(file, "<I")
        spec = read_text(file) if version <= 2 * VERSION else ""
        if spec != _SPEC or version > VERSION:
            raise ModelError(
                f"{path}: its {WEIGHTS} is no network that translates (version {VERSION} at most, "
                f"{_SPEC}{f'; it is version {version}, {spec}' if spec else ''}); {EXPECTED}"
            )
        if version == VERSION:
            read_number(file, "<I")  # the revision, which CTranslate2 checks
            for _ in arrays(file, size):
                pass
    except (struct.error, UnicodeDecodeError) as err:
        raise damaged(path, f"its {WEIGHTS} has been cut short or changed") from err
