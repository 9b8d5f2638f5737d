"""Networks from strangers: what `torch.save` wrote, looked at before PyTorch reads it.

PyTorch runs no code of such a file where it is told to take weights alone, and believes the rest:
how large an array is, where it lies, and how much there is of everything.
"""

import io
import os
import pickle
import pickletools
import struct
import zipfile
from typing import Any, BinaryIO

from utils.untrusted import MOST_PICKLED

MOST_ENTRIES = 100_000  # arrays of a network
_MOST_BYTES = 4_000_000  # of an archive's directory, or of a pickle: some 40,000 arrays
_MARK = -1
_BEGINS = b"PK\x03\x04"
# What a pickle of weights may call in PyTorch, and be given any number.
_TAKE_MEMORY = ("bytearray", "Tensor", "Storage")


def check_torch(file: BinaryIO) -> int:
    """Refuse what `torch.save` wrote, if reading it takes more than its own size tells.

    Parameters
    ----------
    file : from which arrays would be read; can be sought in

    Returns
    -------
    how many arrays it holds at the most

    Raises
    ------
    ValueError : no PyTorch archive, or one that would come to too much
    """
    size = file.seek(0, os.SEEK_END)
    try:
        _check_ends(file, size)
        with zipfile.ZipFile(_Sparing(file)) as archive:
            entries = archive.infolist()
            if any(e.compress_type or e.file_size != e.compress_size for e in entries):
                raise ValueError("it is compressed, which PyTorch's own are not")
            if sum(e.file_size for e in entries) > size or len(entries) > MOST_ENTRIES:
                raise ValueError("its parts are larger than the whole")
            if len({e.filename.lower() for e in entries}) < len(entries):
                raise ValueError("one of its parts is there twice")  # PyTorch knows no case
            lists = [e for e in entries if e.filename.endswith("data.pkl")]
            if len(lists) != 1 or lists[0].file_size > _MOST_BYTES:
                raise ValueError("it has no list of its arrays, or a far too long one")
            data = archive.read(lists[0])
        _count_pickle(data)
        _check_calls(data)
        return len(entries)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OverflowError) as err:
        raise ValueError("no PyTorch archive") from err


def _check_ends(file: BinaryIO, size: int) -> None:
    """Refuse an archive in which PyTorch would find another directory than `zipfile`.

    PyTorch looks where the last bytes tell, `zipfile` before those bytes; and PyTorch reads what
    does not begin as an archive in its older form, whatever stands at its end.

    Raises
    ------
    ValueError : it is one
    """
    file.seek(0)
    begin = file.read(len(_BEGINS))
    file.seek(max(0, size - 98))
    tail = file.read(98).rjust(98, b"\0")
    file.seek(0)
    n_bytes, place = struct.unpack_from("<II", tail, 88)
    end = size - 22
    if tail[56:60] == b"PK\x06\x07":  # for sizes beyond four bytes, which PyTorch always writes
        large = struct.unpack_from("<QQ", tail, 40)
        if n_bytes not in (large[0], 0xFFFFFFFF) or place not in (large[1], 0xFFFFFFFF):
            raise ValueError("no PyTorch archive: its directory is not where it should be")
        (n_bytes, place), end = large, size - 98
    if begin != _BEGINS or tail[76:80] != b"PK\x05\x06" or n_bytes + place != end:
        raise ValueError("no PyTorch archive: its directory is not where it should be")


class _Sparing:
    """A file of which no more than `_MOST_BYTES` are read at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def read(self, n_bytes: int = -1) -> bytes:
        found = self._file.read(_MOST_BYTES + 1 if n_bytes < 0 else min(n_bytes, _MOST_BYTES + 1))
        if len(found) > _MOST_BYTES:
            raise ValueError("its directory is far too large")
        return found


def _check_calls(data: bytes) -> None:
    """Refuse a pickle of weights that asks for memory by a number, and not by what it holds.

    Parameters
    ----------
    data : has been counted

    Raises
    ------
    ValueError : it is one, or makes no sense
    """
    try:
        _Inertly(io.BytesIO(data), encoding="utf-8", errors="replace").load()
    except Exception as err:  # whatever a pickle that makes no sense leads to
        raise ValueError(f"its list of arrays makes no sense ({err})") from err


class _Inertly(pickle.Unpickler):
    """Goes through a pickle; what it would call is not called."""

    def find_class(self, module: str, name: str) -> Any:
        return type("Inert", (_Inert,), {"name": name})

    def persistent_load(self, told: Any) -> Any:
        return _Inert()  # an array, whose size PyTorch compares with what lies there for it


class _Inert:
    """Stands for anything that a pickle makes."""

    name = ""

    def __new__(cls, *given: object, **named: object) -> "_Inert":
        if cls.name.endswith(_TAKE_MEMORY):
            raise ValueError("it asks for memory by a number alone")
        return object.__new__(cls)

    def __init__(self, *given: object, **named: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, value: object) -> None:
        pass

    extend = add = append


def _count_pickle(data: bytes) -> None:
    """Raise ValueError where a pickle would come to too much.

    Lists in lists are a few bytes each, and can double what there is, for whoever goes through
    them all: as a key of a dictionary does. Only their number is worked out here.
    """
    stack: list[int] = []
    memo: dict[int, int] = {}
    try:
        for op, argument, _ in pickletools.genops(data):
            if op.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
                memo[len(memo) if argument is None else argument] = stack[-1]
            elif argument is not None and op.name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            else:
                _apply(op, stack)
            if stack and stack[-1] > MOST_PICKLED:
                raise ValueError("it would come to far too much")
    except (IndexError, KeyError, UnicodeError) as err:
        raise ValueError("it has been changed") from err


def _apply(op: pickletools.OpcodeInfo, stack: list[int]) -> None:
    """Replace what an operation takes from the stack by one value of their size together."""
    size, n_taken = 1, len(op.stack_before)
    if pickletools.markobject in op.stack_before:
        n_taken = op.stack_before.index(pickletools.markobject)
        while (item := stack.pop()) != _MARK:
            size += item
    for _ in range(n_taken):
        size += stack.pop()
    marks = (kind is pickletools.markobject for kind in op.stack_after)
    stack.extend(_MARK if mark else size for mark in marks)
