"""`model.bin` in CTranslate2's form: what it says of each array, read without CTranslate2.

The form is that of `CTranslate2`, python/ctranslate2/specs/model_spec.py, `_serialize`.
"""

import math
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

VERSION = 6  # of the file's form: CTranslate2, src/models/model.cc, current_binary_version
ITEM_BYTES = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2}  # of CTranslate2's types, include/types.h
MAX_ARRAYS = 100_000  # the largest Whisper has some 3,000 with int8


def arrays(file: BinaryIO, size: int) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Name, shape and type of each array; what is inside is passed over.

    Raises
    ------
    struct.error : the file ends before, or does not add up
    """
    n_arrays = read_number(file, "<I")
    if n_arrays > MAX_ARRAYS:
        raise struct.error("too many arrays")
    for _ in range(n_arrays):
        name, rank = read_text(file), read_number(file, "<B")
        shape = struct.unpack(f"<{rank}I", file.read(4 * rank))
        kind, n_bytes = read_number(file, "<B"), read_number(file, "<I")
        if n_bytes != math.prod(shape) * ITEM_BYTES.get(kind, -1):
            raise struct.error(f"{name}: its bytes are not those of its shape")
        if file.seek(n_bytes, os.SEEK_CUR) > size:
            raise struct.error(f"{name}: cut short")
        yield name, shape, kind


def read_number(file: BinaryIO, form: str) -> int:
    """The next number, in a form of `struct`."""
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def read_text(file: BinaryIO) -> str:
    """The next text."""
    length = read_number(file, "<H")
    return struct.unpack(f"{length}s", file.read(length))[0].rstrip(b"\0").decode()
