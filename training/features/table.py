"""Features of recordings as a file: NPZ, or CSV with a header and labels."""

import csv
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from training.corpora import Clip
from utils.errors import DataError
from utils.folders import whole

FORMAT = "recognition-helpers/features/1"  # in every NPZ; a new layout, a new number
CLEAN, NOISY = "clean", "noisy"
CLIP = ("path", "corpus", "speaker", "label", "language", "gender", "intensity")
PLACE = ("copy", "start_s")
LEADING = (*CLIP, *PLACE)  # columns of a CSV before the values
REMEDY = "make it with `python -m training extract --features KIND --out FILE`"
_DAMAGE = (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class Table:
    """Features, a row for each recording, stretch of it, or frame.

    Parameters
    ----------
    columns : what each value is: "mfcc_1" …; of pictures, what each of their rows is
    values : float32 (n, n_columns); of pictures (n, n_columns, n_frames), of images
        (n, channels, 224, 224)
    clips : n, of which recording each is
    copy : str (n,) "clean", or "noisy" for the copy that follows it
    start_s : float (n,) where it begins in the recording

    Raises
    ------
    DataError : parts of unequal length, or values that are no numbers
    """

    columns: tuple[str, ...]
    values: np.ndarray
    clips: tuple[Clip, ...]
    copy: np.ndarray
    start_s: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.clips)
        if not n == len(self.values) == len(self.copy) == len(self.start_s):
            raise DataError(
                f"{n} recordings, {len(self.values)} rows of values, {len(self.copy)} copies and "
                f"{len(self.start_s)} starts, expected as many of each"
            )
        if self.values.ndim == 2 and self.values.shape[1] != len(self.columns):
            raise DataError(f"{self.values.shape[1]} values a row, {len(self.columns)} columns")
        if not np.isfinite(self.values).all():
            raise DataError("values that are not finite numbers")

    def __len__(self) -> int:
        return len(self.clips)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Table":
        """The rows with these numbers, in their order."""
        clips = tuple(self.clips[row] for row in rows)
        return Table(self.columns, self.values[rows], clips, self.copy[rows], self.start_s[rows])

    def save(self, path: Path) -> None:
        """Write it, as .csv or .npz by its name, whole: a kill leaves the old file or none.

        Raises
        ------
        DataError : another ending, pictures into a CSV, or the file cannot be written
        """
        check_name(path)
        if path.suffix == ".csv" and self.values.ndim > 2:
            raise DataError(f"{path}: a CSV has a row of values a line; write pictures to an .npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole(path) as part:
                (self._write_csv if path.suffix == ".csv" else self._write_npz)(part)
        except OSError as err:
            reason = err.strerror or str(err)
            raise DataError(f"{path}: cannot be written ({reason}); name another file") from err

    def _rows(self) -> Iterator[list[str]]:
        for clip, copy, start_s in zip(self.clips, self.copy, self.start_s):
            told = (getattr(clip, name) for name in CLIP)
            yield [*("" if value is None else str(value) for value in told), copy, f"{start_s:g}"]

    def _write_csv(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*LEADING, *self.columns])
            rows = zip(self._rows(), self.values)
            for row, values in tqdm(rows, "writing", len(self), unit="row", disable=None):
                writer.writerow([*row, *(f"{value:.6g}" for value in values.tolist())])

    def _write_npz(self, path: Path) -> None:
        # Text in columns of their own widths, and compressed, as most of it says the same.
        rows = list(self._rows())
        told: dict[str, Any] = {
            name: np.array([row[k] for row in rows], dtype=str) for k, name in enumerate(LEADING)
        }
        told["start_s"] = self.start_s
        told |= {"format": np.array(FORMAT), "columns": np.array(self.columns)}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in told.items():
                with archive.open(f"{name}.npy", "w") as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)
            # Pictures of all corpora are gigabytes: to compress them takes as long as to compute
            # them, and spares a tenth of MFCC.
            values = zipfile.ZipInfo("values.npy")
            with archive.open(values, "w", force_zip64=True) as file:
                kind = np.lib.format.dtype_to_descr(self.values.dtype)
                head = {"descr": kind, "fortran_order": False, "shape": self.values.shape}
                np.lib.format.write_array_header_1_0(file, head)
                for row in tqdm(self.values, "writing", unit="row", disable=None):
                    file.write(row.tobytes())


def check_name(path: Path) -> None:
    """Raise DataError where a file's name says neither CSV nor NPZ."""
    if path.suffix not in (".csv", ".npz"):
        raise DataError(f"{path}: expected a name that ends in .csv or .npz")


def load(path: Path) -> Table:
    """Read what `Table.save` wrote.

    Raises
    ------
    DataError : no such file, a damaged one, or one that was edited so that it does not fit
    """
    check_name(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; {REMEDY}")
    return _read_csv(path) if path.suffix == ".csv" else _read_npz(path)


def _read_npz(path: Path) -> Table:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = dict(arrays)
        if (tag := str(found.get("format"))) != FORMAT:
            raise ValueError(f"format {tag}, expected {FORMAT}")
        told = [found[name].tolist() for name in CLIP]
        columns, start_s = tuple(found["columns"].tolist()), found["start_s"].astype(float)
        return Table(columns, found["values"], _clips(told), found["copy"], start_s)
    except (*_DAMAGE, DataError) as err:
        raise DataError(f"{path}: not a readable file of features ({err}); {REMEDY}") from err


def _read_csv(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise DataError(f"{path}: not a readable CSV ({err}); {REMEDY}") from err
    head = rows[0] if rows else []
    if missing := [name for name in LEADING if name not in head]:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; was it edited? Expected "
            f"{', '.join(LEADING)} and then the values; {REMEDY}"
        )
    if len(set(head)) < len(head):
        twice = next(name for name in head if head.count(name) > 1)
        raise DataError(f"{path}: the column {twice} stands twice; {REMEDY}")
    columns = tuple(name for name in head if name not in LEADING)
    told: list[list[str]] = [[] for _ in LEADING]
    values = np.empty((len(rows) - 1, len(columns)), np.float32)
    places = [head.index(name) for name in columns]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            raise DataError(
                f"{path}: line {number} has {len(row)} values, the header {len(head)}; was it "
                f"edited? {REMEDY}"
            )
        for column, name in zip(told, LEADING):
            column.append(row[head.index(name)])
        values[number - 2] = _numbers(path, number, [row[k] for k in places], columns)
    if not len(values):
        raise DataError(f"{path}: no row below the header; {REMEDY}")
    starts = [_numbers(path, n, [x], ["start_s"])[0] for n, x in enumerate(told[-1], start=2)]
    try:
        return Table(
            columns, values, _clips(told[: len(CLIP)]), np.array(told[-2]), np.array(starts)
        )
    except DataError as err:
        raise DataError(f"{path}: {err}; {REMEDY}") from err


def _numbers(path: Path, line: int, texts: Sequence[str], columns: Sequence[str]) -> list[float]:
    found = []
    for text, column in zip(texts, columns):
        try:
            found.append(float(text))
        except ValueError as err:
            raise DataError(
                f"{path}: line {line}, column {column}: {text!r:.40} is no number; was it edited? "
                f"{REMEDY}"
            ) from err
    return found


def _clips(columns: list[list[str]]) -> tuple[Clip, ...]:
    """Clips of their fields' texts, in which an absent one is empty."""
    clips = []
    for number, row in enumerate(zip(*columns, strict=True), start=1):
        values: dict[str, Any] = {name: text or None for name, text in zip(CLIP, row)}
        if absent := [name for name in CLIP[:5] if values[name] is None]:
            raise DataError(f"row {number} has no {', '.join(absent)}")
        clips.append(Clip(**values | {"path": Path(row[0])}))
    return tuple(clips)
