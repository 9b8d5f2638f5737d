"""Files from strangers: counted before they are read, so that none can hold the program up.

A short file can tell a parser to build gigabytes, or to work for hours. What it would come to is
counted here first, with what is real by far within the bounds.
"""

import json
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

KINDS = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
MOST_JSON = 1_000_000  # values; the largest tokenizer of a Whisper has 300,000
MOST_YAML = 200_000  # values with their aliases written out; the largest vocabularies have 40,000
DEEPEST = 50  # lists within lists
LONGEST_YAML = 50_000  # characters of a value
MOST_REFERENCES = 12  # of "${name}", each of which can double what the others come to
MOST_PICKLED = 2_000_000  # values; 40,000 arrays have half as many


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading; a pipe or a device is neither touched nor waited for.

    Raises
    ------
    OSError : there is none, or it cannot be read; without a number where it is no file
    ValueError : no path can be that
    """
    _check_regular(os.stat(path))
    file = open(path, "rb", opener=_at_once)  # noqa: SIM115  whoever asked closes it
    try:
        _check_regular(os.fstat(file.fileno()))  # it may be another one by now
    except OSError:
        file.close()
        raise
    return file


def read_text(path: Path, most: int) -> str:
    """The text of a regular file of `most` bytes at most, UTF-8, with or without its mark in front.

    Raises
    ------
    OSError : as `opened`
    ValueError : it is longer, or no UTF-8
    """
    with opened(path) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise ValueError(f"expected {most} bytes at most")
    return found.decode("utf-8-sig")  # as editors of Windows write it


def _check_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "device")
        raise OSError(None, f"it is a {kind}, not a file")


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for who writes into a pipe; Windows has no such flag."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def private(path: str, flags: int) -> int:
    """An opener of a file that is written, the user's own; of a pipe or a device, an error.

    Raises
    ------
    OSError : as `opened`
    """
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
    try:
        _check_regular(os.fstat(handle))
    except OSError:
        os.close(handle)
        raise
    return handle


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
