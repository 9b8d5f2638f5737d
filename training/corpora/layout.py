"""How files of a corpus are found and read, and what is said where they are not as expected."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from training.corpora.clip import Clip
from utils.errors import DataError

AUDIO_SUFFIXES = frozenset({".flac", ".ogg", ".wav"})
N_NAMED = 5  # names that a message lists


def recordings(folder: Path, example: str) -> list[Path]:
    """Audio files anywhere under `folder`, behind links too, in one order on every machine.

    Hidden files, such as the `._*.wav` that macOS leaves in some published archives, are
    no recordings.

    Raises
    ------
    DataError : no such folder, or no recordings in it
    """
    existing(folder, example)
    paths = sorted(
        path
        for path in _files(folder)
        if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")
    )
    if not paths:
        raise DataError(f"{folder}: no recordings in it, expected some like {example}{_in(folder)}")
    return paths


def existing(folder: Path, example: str) -> None:
    """Refuse what is no folder."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder, expected one with recordings like {example}")


def named(folder: Path, example: str, parse: Callable[[Path], Clip | None]) -> list[Clip]:
    """Clips of a corpus whose file names tell everything.

    Parameters
    ----------
    folder : where the corpus lies
    example : a file name of the corpus, for messages
    parse : the clip that a path stands for, or None for one that is left out;
        ValueError or KeyError for a name that the corpus does not use

    Raises
    ------
    DataError : no such folder, no recordings in it, or names that the corpus does not use
    """
    clips, foreign, paths = [], [], recordings(folder, example)
    for path in paths:
        try:
            clips.append(parse(path))
        except (ValueError, KeyError):
            foreign.append(path.relative_to(folder))
    if foreign:
        raise DataError(
            f"{folder}: {len(foreign)} of {len(paths)} recordings have an unexpected file name, "
            f"expected names like {example}; found {listed(foreign)}. "
            "Give the folder of the corpus, and move other recordings out of it"
        )
    return [clip for clip in clips if clip is not None]


def by_stem(folder: Path, example: str) -> dict[str, Path]:
    """The recordings under `folder` by file name without suffix.

    Raises
    ------
    DataError : no such folder, no recordings in it, or a name that stands twice
    """
    found: dict[str, Path] = {}
    for path in recordings(folder, example):
        if path.stem in found:
            raise DataError(
                f"{path}: also found as {found[path.stem]}; give the folder of one copy"
            )
        found[path.stem] = path
    return found


def table(
    path: Path,
    columns: Iterable[str],
    delimiter: str = ",",
    encodings: tuple[str, ...] = ("utf-8",),
) -> list[dict[str, str]]:
    """Rows of a table with a line of column names, values stripped.

    Raises
    ------
    DataError : no such file, undecodable text, no row, a row too short, or a column missing
    """
    reader = csv.DictReader(io.StringIO(text(path, encodings)), delimiter=delimiter)
    names = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    if missing := [column for column in columns if column not in names]:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; found {', '.join(names) or 'nothing'}"
        )
    rows = []
    for row in reader:
        if any(row[column] is None for column in columns):
            raise DataError(f"{path}: line {reader.line_num} has fewer values than columns")
        rows.append({name: (row[name] or "").strip() for name in names})
    if not rows:
        raise DataError(f"{path}: no row below the column names; fetch the corpus again")
    return rows


def text(path: Path, encodings: tuple[str, ...] = ("utf-8",)) -> str:
    """Contents of a text file, without a byte order mark.

    Raises
    ------
    DataError : no such file, or text in none of `encodings`
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file, the corpus is incomplete{_in(path.parent)}")
    data = path.read_bytes()
    for encoding in encodings:
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise DataError(f"{path}: is no text in {' or '.join(encodings)}; fetch the corpus again")


def listed(names: Iterable[object]) -> str:
    """The first few of `names`, and that there are more."""
    texts = [str(name) for name in names]
    return ", ".join(texts[:N_NAMED]) + (", …" if len(texts) > N_NAMED else "")


def _files(folder: Path) -> Iterator[Path]:
    """What is no folder under one; links to folders are followed, each folder is read once.

    So a link that leads back ends there. Links wait until the rest is read: a folder that is
    there itself goes by its own name.
    """
    seen, waiting = set(), [folder]
    for start in waiting:  # which grows meanwhile
        for place, folders, names in os.walk(start):
            real = os.path.realpath(place)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            yield from (Path(place, name) for name in names)
            found = (Path(place, name) for name in sorted(folders))
            waiting += [path for path in found if path.is_symlink()]


def _in(folder: Path) -> str:
    """What a folder holds instead, for the end of a message."""
    if not folder.is_dir():
        return ""
    return f"; found {listed(sorted(p.name for p in folder.iterdir())) or 'nothing'}"
