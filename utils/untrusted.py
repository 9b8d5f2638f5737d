"""Files from strangers: counted before they are read, so that none can hold the program up.

A short file can tell a parser to build gigabytes, or to work for hours. What it would come to is
counted here first, with what is real by far within the bounds.
"""

import json
import os
import pickletools
import stat
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

MOST_JSON = 1_000_000  # values; the largest tokenizer of a Whisper has 300,000
MOST_YAML = 200_000  # values with their aliases written out; the largest vocabularies have 40,000
DEEPEST = 50  # lists within lists
LONGEST_YAML = 50_000  # characters of a value
MOST_REFERENCES = 12  # of "${name}", each of which can double what the others come to
MOST_ENTRIES = 100_000  # arrays of a network
MOST_PICKLED = 2_000_000  # values; 40,000 arrays have half as many
_MOST_BYTES = 4_000_000  # of an archive's directory, or of a pickle: some 40,000 arrays
_MARK = -1


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, for reading; a pipe or a device is not waited for.

    Raises
    ------
    OSError : there is none, or it cannot be read
    """
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(None, "it is not a file")
        yield file


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for who writes into a pipe; Windows has no such flag."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def parse_json(text: bytes) -> Any:
    """What a JSON text says.

    Raises
    ------
    ValueError : it is no JSON, or says too much
    """
    n_values = sum(map(text.count, (b",", b"[", b"{")))  # commas inside texts too
    if n_values > MOST_JSON:
        raise ValueError(f"it has more than {MOST_JSON} values")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ValueError("it is not JSON") from err


def parse_yaml(text: str) -> Any:
    """What a YAML text says, in plain types.

    Raises
    ------
    ValueError : it is no YAML, or would come to too much, or names a device
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _count_yaml(yaml.parse(text, Loader=loader))
        return yaml.load(text, Loader=loader)
    except (
        *(yaml.YAMLError, RecursionError, OverflowError),
        *(AttributeError, LookupError, TypeError),  # its own mistakes, on odd texts
    ) as err:
        reason = str(err).partition("\n")[0]
        raise ValueError(f"it is not YAML ({reason})") from err


def _count_yaml(events: Iterator[Any]) -> None:
    """Raise ValueError where a YAML document would come to too much."""
    import yaml

    total = n_references = 0
    sizes: dict[str, int] = {}  # of what has a name, with its own aliases written out
    inside: list[tuple[str | None, int]] = []  # the name of each open list, and where it began
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            name, began = inside.pop()
            if name:
                sizes[name] = total - began
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError(f"*{event.anchor} stands for nothing, or for itself")
            total += sizes[event.anchor]
        elif isinstance(event, yaml.NodeEvent):
            total += 1
            if isinstance(event, yaml.ScalarEvent):
                if event.anchor:
                    sizes[event.anchor] = 1
                n_references += event.value.count("${")
                _check_scalar(event.value)
            else:
                sizes.pop(event.anchor, None)
                inside.append((event.anchor, total - 1))
        if total > MOST_YAML or len(inside) > DEEPEST or n_references > MOST_REFERENCES:
            raise ValueError("it would come to far too much")


def _check_scalar(text: str) -> None:
    """Raise ValueError where a value is far too long, or names what must not be opened."""
    if len(text) > LONGEST_YAML:
        raise ValueError(f"a value has {len(text)} characters, expected {LONGEST_YAML} at most")
    if "/" in text and len(text) < 4096 and "\0" not in text:
        path = Path(text).expanduser() if text.startswith("~/") else Path(text)
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError):
            return
        real = os.path.realpath(path)
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or real.startswith(("/proc/", "/sys/")):
            raise ValueError(f"it names {text}, which is no plain file")


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
        with zipfile.ZipFile(_Sparing(file)) as archive:
            entries = archive.infolist()
            if any(e.compress_type or e.file_size != e.compress_size for e in entries):
                raise ValueError("it is compressed, which PyTorch's own are not")
            if sum(e.file_size for e in entries) > size or len(entries) > MOST_ENTRIES:
                raise ValueError("its parts are larger than the whole")
            pickles = [e for e in entries if e.filename.endswith("data.pkl")]
            if len(pickles) != 1 or pickles[0].file_size > _MOST_BYTES:
                raise ValueError("it has no list of its arrays, or a far too long one")
            _count_pickle(archive.read(pickles[0]))
            return len(entries)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OverflowError) as err:
        raise ValueError("no PyTorch archive") from err


def check_nesting(found: object) -> None:
    """Refuse what was read if it comes to too much for whoever goes through it all.

    Raises
    ------
    ValueError : lists within lists, too deep or too many, each counted wherever it stands
    """
    left: list[tuple[Collection[Any], int]] = [((found,), 0)]
    n_values = 0
    while left:
        values, depth = left.pop()
        n_values += len(values)
        if n_values > MOST_PICKLED or depth > DEEPEST:
            raise ValueError("it would come to far too much")
        for value in values:
            if isinstance(value, dict):
                left += [(value.keys(), depth + 1), (value.values(), depth + 1)]
            elif isinstance(value, list | tuple | set | frozenset):
                left.append((value, depth + 1))


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
            elif op.name in ("GET", "BINGET", "LONG_BINGET"):
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
    for kind in op.stack_after:
        stack.append(_MARK if kind is pickletools.markobject else size)
