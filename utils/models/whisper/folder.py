"""One folder with a Whisper in CTranslate2's form: what is inside, read without CTranslate2.

A program can so look before it loads. Nothing that lies in the folder can hold it up: only
regular files are read, and of the weights only what is written about each array.
"""

import math
import os
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from utils.errors import ModelError
from utils.language import two_letters
from utils.models.catalogue import WHISPERS, Model, find, get, models_folder
from utils.models.hub import repository_of
from utils.models.weights import ITEM_BYTES, MAX_ARRAYS, VERSION, arrays, read_number, read_text
from utils.models.whisper.texts import FILES, USUAL_MELS, check_texts, damaged, names, opened

_SPEC = "WhisperSpec"
# Of its types with a point, how an item is read as a whole number, and the bits that are all set
# where it is no number.
_EXPONENTS = {0: ("<u4", 0x7F800000), 4: ("<u2", 0x7C00), 5: ("<u2", 0x7F80)}
_FLOATS = {0: "<f4", 4: "<f2"}
_MULTILINGUAL = 51_865  # tokens in the vocabulary, and more; English alone has one fewer


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
    code = two_letters(language)
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
    if not os.path.isdir(path):
        found = "a file, not a folder" if os.path.exists(path) else "no such folder"
        raise ModelError(
            f"{path}: {found}; give the folder of a Whisper in CTranslate2's form, with "
            f"{names()} inside, or a name that .venv/bin/python app.py models lists"
        )
    shapes = _read_shapes(path / FILES[0][0])
    tokens = _rows(path, shapes, "decoder/embeddings/weight")
    bands = shapes.get("encoder/conv1/weight", (0, USUAL_MELS))[1:2]
    layers = {name.split("/")[1] for name in shapes if name.startswith("decoder/layer_")}
    check_texts(path, tokens, bands[0] if bands else 0, len(layers))


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
    model = find(path.name if path.parent == models_folder() else repository_of(path))
    return model if model in WHISPERS else None


def _rows(path: Path, shapes: dict[str, tuple[int, ...]], name: str) -> int:
    """The first dimension of an array.

    Raises
    ------
    ModelError : there is no such array
    """
    if not shapes.get(name):
        raise damaged(path / FILES[0][0], f"it has no {name}")
    return shapes[name][0]


def _read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each array in CTranslate2's `model.bin`, by name.

    The form is that of `CTranslate2`, python/ctranslate2/specs/model_spec.py, `_serialize`.

    Raises
    ------
    ModelError : the file cannot be read, is another model's, or its size is not the sum of
        what it announces
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            _check_spec(path, file)
            shapes = {name: shape for name, shape, _ in arrays(file, size)}
            n_names = read_number(file, "<I")  # other names of the same arrays
            if n_names > MAX_ARRAYS:
                raise struct.error("too many names")
            for _ in range(2 * n_names):
                read_text(file)
        except (struct.error, UnicodeDecodeError) as err:
            raise damaged(path, "it has been cut short or changed") from err
        if file.tell() != size:
            raise damaged(path, "it is longer than it announces")
    return shapes


def _check_spec(path: Path, file: BinaryIO) -> None:
    """Raise ModelError unless the file begins as a Whisper's."""
    version = read_number(file, "<I")
    spec = read_text(file) if version <= 2 * VERSION else ""  # else another program's file
    if spec != _SPEC or version != VERSION:
        raise ModelError(
            f"{path} is not a Whisper in CTranslate2's form (version {VERSION}, {_SPEC}"
            f"{f'; it is version {version}, {spec}' if spec else ''}); "
            "choose another folder, or convert the model with ct2-transformers-converter"
        )
    read_number(file, "<I")  # the revision, which CTranslate2 checks


def check_numbers(path: Path) -> None:
    """Refuse a model among whose weights some are no numbers; all of them are read.

    Raises
    ------
    ModelError : there are some
    """
    weights = path / FILES[0][0]
    with opened(weights) as file:
        size = os.fstat(file.fileno()).st_size
        _check_spec(weights, file)
        for name, shape, kind in arrays(file, size):
            if kind in _EXPONENTS:
                form, exponent = _EXPONENTS[kind]
                end, n_bytes = file.tell(), math.prod(shape) * ITEM_BYTES[kind]
                file.seek(end - n_bytes)
                found = np.frombuffer(file.read(n_bytes), form)
                if (found & exponent == exponent).any():
                    raise damaged(weights, f"some of its {name} are no numbers")


def read_arrays(path: Path, prefix: str) -> dict[str, np.ndarray]:
    """The arrays of a model whose names begin so, as they lie in its file, by name.

    Raises
    ------
    ModelError : the folder is not a Whisper's, or some are not float16 or float32, the types
        that need no scale
    """
    weights, found = path / FILES[0][0], {}
    _read_shapes(weights)
    with opened(weights) as file:
        size = os.fstat(file.fileno()).st_size
        _check_spec(weights, file)
        for name, shape, kind in arrays(file, size):
            if not name.startswith(prefix):
                continue
            if kind not in _FLOATS:
                if len(shape) < 2:  # how many heads, and other settings
                    continue
                raise ModelError(f"{weights}: {name} is quantised, expected float16 or float32")
            end = file.tell()
            file.seek(end - math.prod(shape) * ITEM_BYTES[kind])
            found[name] = np.frombuffer(file.read(end - file.tell()), _FLOATS[kind]).reshape(shape)
    return found
