"""One folder with a Whisper in CTranslate2's form: what is inside, read without CTranslate2.

A program can so look before it loads. Nothing that lies in the folder can hold it up: only
regular files are read, and of the weights only what is written about each array.
"""

import errno
import json
import math
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from utils.asr.catalogue import WHISPERS, Model, find, get, models_folder
from utils.errors import ModelError

# What the folder must have; of several names the first that is there.
FILES = (
    ("model.bin",),
    ("config.json",),
    ("tokenizer.json",),
    ("vocabulary.json", "vocabulary.txt"),
)
MELS = "preprocessor_config.json"  # tells of another number of mel bands than USUAL_MELS
USUAL_MELS = 80

_VERSION = 6  # of the file's form: CTranslate2, src/models/model.cc, current_binary_version
_SPEC = "WhisperSpec"
_ITEM_BYTES = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2}  # of CTranslate2's types, include/types.h
_MAX_ARRAYS = 100_000  # the largest Whisper has some 3,000 with int8
_MAX_TEXT_BYTES = 32_000_000  # the largest tokenizer.json has 2.5 MB
_MOST_HEADS = 20  # of a layer: the largest Whisper's
_MULTILINGUAL = 51_865  # tokens in the vocabulary, and more; English alone has one fewer

_REMEDY = "delete the folder and fetch it again (.venv/bin/python app.py models get NAME)"


def check_folder(path: Path, language: str = "en") -> None:
    """Refuse a folder that cannot be loaded, or not for a language.

    Parameters
    ----------
    path : the folder
    language : that will be spoken: "en", "ko", or a tag such as "en-US"

    Raises
    ------
    ModelError : as `check_readable`, or it does not know the language
    """
    check_readable(path)
    known = languages(path)
    code = language.split("-")[0].lower()
    if code not in known:
        spoken = "English only" if known == {"en"} else f"{len(known)} languages"
        raise ModelError(
            f"{path} knows {spoken}, not {language}; choose another with --model (small and "
            "large-v3 know many languages), or give the language that is spoken with --language"
        )


def check_readable(path: Path) -> None:
    """Refuse a folder that cannot be loaded.

    Parameters
    ----------
    path : the folder

    Raises
    ------
    ModelError : no such folder, files missing, damaged or cut short, or another kind of model
    """
    if not path.is_dir():
        found = "a file, not a folder" if path.exists() else "no such folder"
        raise ModelError(
            f"{path}: {found}; give the folder of a Whisper in CTranslate2's form, with "
            f"{_names()} inside, or a name that .venv/bin/python app.py models lists"
        )
    shapes = _read_shapes(path / FILES[0][0])
    _check_texts(path, _rows(path, shapes, "decoder/embeddings/weight"))
    _check_heads(path, shapes)
    mels = shapes.get("encoder/conv1/weight", (0, USUAL_MELS))[1:2]
    if mels != (USUAL_MELS,):
        _read_json(path / MELS)


def languages(path: Path) -> frozenset[str]:
    """The languages that a Whisper knows, as Whisper's own codes.

    By the catalogue, else by the size of the vocabulary, which is larger by a token where
    there is more than English.

    Raises
    ------
    ModelError : the weights cannot be read, or are not a Whisper's
    """
    if model := _known(path):
        return frozenset(model.languages)
    tokens = _rows(path, _read_shapes(path / FILES[0][0]), "decoder/embeddings/weight")
    if tokens < _MULTILINGUAL:
        return frozenset({"en"})
    return frozenset(get("large-v3" if tokens > _MULTILINGUAL else "small").languages)


def _known(path: Path) -> Model | None:
    """The catalogue's model that a folder of ours or of Hugging Face's client holds."""
    if path.parent == models_folder():
        model = find(path.name)
    else:
        repos = [part for part in path.parts if part.startswith("models--")]
        model = find(repos[-1].removeprefix("models--").replace("--", "/", 1)) if repos else None
    return model if model in WHISPERS else None


def _names() -> str:
    return ", ".join(" or ".join(names) for names in FILES)


def _rows(path: Path, shapes: dict[str, tuple[int, ...]], name: str) -> int:
    """The first dimension of an array.

    Raises
    ------
    ModelError : there is no such array
    """
    if not shapes.get(name):
        raise _damaged(path / FILES[0][0], f"it has no {name}")
    return shapes[name][0]


def _check_texts(path: Path, tokens: int) -> None:
    """Raise ModelError unless the files beside the weights are whole and fit them."""
    for (name,) in FILES[1:3]:
        _read_json(path / name)
    as_json, as_text = (path / name for name in FILES[3])
    if as_json.exists():
        listed = _read_json(as_json)
    else:
        listed = _read(as_text).removesuffix(b"\n").split(b"\n")
    if len(listed) != tokens:
        raise _damaged(
            as_json if as_json.exists() else as_text,
            f"it lists {len(listed)} tokens, and the weights are for {tokens}",
        )


def _check_heads(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise ModelError where word times would be read off heads that the decoder lacks.

    CTranslate2 does not look, and reads beyond its memory.
    """
    config = _read_json(path / FILES[1][0])
    heads = config.get("alignment_heads", []) if isinstance(config, dict) else None
    layers = {name.split("/")[1] for name in shapes if name.startswith("decoder/layer_")}
    if not isinstance(heads, list) or not all(_is_head(head, len(layers)) for head in heads):
        raise _damaged(path / FILES[1][0], "its alignment_heads are not in the decoder")


def _is_head(head: Any, n_layers: int) -> bool:
    if not isinstance(head, list) or len(head) != 2 or not all(type(n) is int for n in head):
        return False
    return 0 <= head[0] < n_layers and 0 <= head[1] < _MOST_HEADS


def _read_json(path: Path) -> Any:
    try:
        found = json.loads(_read(path))
    except (ValueError, RecursionError) as err:
        raise _damaged(path, "it is not JSON") from err
    if not isinstance(found, dict | list):
        raise _damaged(path, "it is not what it should be")
    return found


def _read(path: Path) -> bytes:
    with _opened(path) as file:
        text = file.read(_MAX_TEXT_BYTES + 1)
    if len(text) > _MAX_TEXT_BYTES:
        raise _damaged(path, "it is far too large")
    return text


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, for reading; a pipe or a device is not waited for.

    Raises
    ------
    ModelError : there is none, or it cannot be read
    """
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _damaged(path, "it is not a file")
            yield file
    except OSError as err:
        if err.errno == errno.ENOENT:
            raise ModelError(
                f"{path.parent}: no {path.name} inside, so not a whole Whisper in CTranslate2's "
                f"form, which has {_names()}; {_REMEDY}"
            ) from err
        raise ModelError(f"{path} cannot be read ({err.strerror}); {_REMEDY}") from err


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for who writes into a pipe; Windows has no such flag."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each array in CTranslate2's `model.bin`, by name.

    The form is that of `CTranslate2`, python/ctranslate2/specs/model_spec.py, `_serialize`.

    Raises
    ------
    ModelError : the file cannot be read, is another model's, or its size is not the sum of
        what it announces
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            _check_spec(path, file)
            shapes = dict(_arrays(file, size))
            for _ in range(2 * _number(file, "<I")):  # other names of the same arrays
                _text(file)
        except (struct.error, UnicodeDecodeError) as err:
            raise _damaged(path, "it has been cut short or changed") from err
        if file.tell() != size:
            raise _damaged(path, "it is longer than it announces")
    return shapes


def _check_spec(path: Path, file: BinaryIO) -> None:
    """Raise ModelError unless the file begins as a Whisper's."""
    version = _number(file, "<I")
    spec = _text(file) if version <= 2 * _VERSION else ""  # else another program's file
    if spec != _SPEC or version != _VERSION:
        raise ModelError(
            f"{path} is not a Whisper in CTranslate2's form (version {_VERSION}, {_SPEC}"
            f"{f'; it is version {version}, {spec}' if spec else ''}); "
            "choose another folder, or convert the model with ct2-transformers-converter"
        )
    _number(file, "<I")  # the revision, which CTranslate2 checks


def _arrays(file: BinaryIO, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of each array; what is inside is passed over.

    Raises
    ------
    struct.error : the file ends before, or does not add up
    """
    n_arrays = _number(file, "<I")
    if n_arrays > _MAX_ARRAYS:
        raise struct.error("too many arrays")
    for _ in range(n_arrays):
        name, rank = _text(file), _number(file, "<B")
        shape = struct.unpack(f"<{rank}I", file.read(4 * rank))
        kind, n_bytes = _number(file, "<B"), _number(file, "<I")
        if n_bytes != math.prod(shape) * _ITEM_BYTES.get(kind, -1):
            raise struct.error(f"{name}: its bytes are not those of its shape")
        if file.seek(n_bytes, os.SEEK_CUR) > size:
            raise struct.error(f"{name}: cut short")
        yield name, shape


def _number(file: BinaryIO, form: str) -> int:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _text(file: BinaryIO) -> str:
    length = _number(file, "<H")
    return struct.unpack(f"{length}s", file.read(length))[0].rstrip(b"\0").decode()


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(f"{path} is damaged: {why}; {_REMEDY}")
