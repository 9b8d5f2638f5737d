"""Tables of features of any corpora as one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from training.features.table import Table
from utils.command_line.output import counted
from utils.errors import DataError

DROP = ""  # what a label is mapped to where its recordings are left out


def merge(
    tables: Mapping[str, Table], labels: Mapping[str, str], least: int
) -> tuple[Table, list[str]]:
    """One table of several, labels mapped, and what is to be said of it.

    Parameters
    ----------
    tables : by what they are called; of the same settings, columns and sizes
    labels : new names of labels; `DROP` leaves a label's recordings out
    least : recordings of a class; smaller classes are dropped

    Raises
    ------
    DataError : tables of other settings, columns or sizes, a recording that stands in two of them,
        a label that none has, or nothing left
    """
    names = list(tables)
    first = tables[names[0]]
    for name, table in tables.items():
        if table.features != first.features:
            raise DataError(
                f"{name} is of {table.features}; {names[0]} of {first.features}; merge features "
                "that were extracted with the same settings"
            )
        if table.columns != first.columns or table.values.shape[1:] != first.values.shape[1:]:
            raise DataError(
                f"{name} has {_shape(table)}, {names[0]} {_shape(first)}; merge features that were "
                "extracted with the same settings"
            )
    _check_apart(tables)
    known = {clip.label for table in tables.values() for clip in table.clips}
    if strange := set(labels) - known:
        raise DataError(
            f"no recording is labelled {', '.join(sorted(strange))}, found "
            f"{', '.join(sorted(known))}"
        )
    clips = [clip for table in tables.values() for clip in table.clips]
    clips = [replace(clip, label=labels.get(clip.label, clip.label)) for clip in clips]
    counts = Counter(clip.label for clip in set(clips) if clip.label != DROP)
    small = {label: n for label, n in counts.items() if n < least}
    rows = [row for row, c in enumerate(clips) if c.label != DROP and c.label not in small]
    if not rows:
        raise DataError(f"nothing is left: no class has {least} recordings; found {_told(counts)}")
    said = [
        f"{label}: dropped, {counted(n, 'recording')} and not {least}"
        for label, n in sorted(small.items())
    ]
    said += [
        f"{label}: {counted(n, 'recording')}"
        for label, n in sorted(counts.items())
        if label not in small
    ]
    merged = Table(
        first.features,
        first.columns,
        np.concatenate([table.values for table in tables.values()]),
        tuple(clips),
        np.concatenate([table.copy for table in tables.values()]),
        np.concatenate([table.start_s for table in tables.values()]),
    )
    return merged.take(rows), said


def read_map(texts: Sequence[str]) -> dict[str, str]:
    """`excited=happy` as a mapping; `calm=` drops.

    Raises
    ------
    DataError : a text without "=", or a label that is mapped twice
    """
    found: dict[str, str] = {}
    for text in texts:
        old, sign, new = (part.strip() for part in text.partition("="))
        if not old or not sign:
            raise DataError(f"--map {text}: expected OLD=NEW, such as calm=neutral, or OLD=")
        if old in found:
            raise DataError(f"--map: {old} is mapped twice")
        found[old] = new
    return found


def _check_apart(tables: Mapping[str, Table]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for name, table in tables.items():
        for clip in set(table.clips):
            if (other := seen.setdefault((clip.speaker, str(clip.path)), name)) != name:
                raise DataError(f"{clip.path} stands in {other} and in {name}; give one of them")


def _shape(table: Table) -> str:
    sizes = " x ".join(map(str, table.values.shape[1:]))
    return f"{sizes} values ({table.columns[0]} … {table.columns[-1]})"


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{label} {n}" for label, n in sorted(counts.items())) or "none"
