"""Features of recordings as a file: NPZ, or CSV with a header and labels."""

import csv
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from training.corpora import Clip
from utils.errors import DataError
from utils.folders import check_writable, nearest, whole

FORMAT = "recognition-helpers/features/2"  # in every NPZ; a new layout, a new number
CLEAN, NOISY = "clean", "noisy"
CLIP = ("path", "corpus", "speaker", "label", "language", "gender", "intensity")
PLACE = ("copy", "start_s")
LEADING = ("features", *CLIP, *PLACE)  # columns of a CSV before the values
NEEDED = LEADING[:6]  # the others of a clip may be untold
LARGEST = float(np.finfo(np.float32).max)
REMEDY = "make it with `python -m training extract --features KIND --out FILE`"
_DAMAGE = (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class Table:
    """Features, a row for each recording, stretch of it, or frame.

    Parameters
    ----------
    features : what they are of, in words: "mfcc 16000 Hz, hop 10 ms, mean"
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

    features: str
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
        if self.values.ndim < 2 or self.start_s.ndim != 1:
            raise DataError("values or starts of another shape")
        if len(set(self.columns)) < len(self.columns):
            raise DataError("two columns of one name")
        if not np.isfinite(self.values).all():
            raise DataError("values that are not finite numbers")
        if not (np.isfinite(self.start_s) & (self.start_s >= 0)).all():
            raise DataError("starts that are no seconds from 0 on")
        if others := set(self.copy.tolist()) - {CLEAN, NOISY}:
            raise DataError(f"copy {min(map(str, others))!r:.80}, expected {CLEAN} or {NOISY}")

    def __len__(self) -> int:
        return len(self.clips)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Table":
        """The rows with these numbers, in their order."""
        clips = tuple(self.clips[row] for row in rows)
        return replace(
            self,
            values=self.values[rows],
            clips=clips,
            copy=self.copy[rows],
            start_s=self.start_s[rows],
        )

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
            raise _unwritten(path, err) from err

    def _rows(self) -> Iterator[list[str]]:
        for clip, copy, start_s in zip(self.clips, self.copy, self.start_s):
            told = ["" if (x := getattr(clip, name)) is None else str(x) for name in CLIP]
            # With all its digits: frames late in a long recording are 0.001 s apart.
            yield [self.features, *told, copy, f"{start_s:.10g}"]

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
            "format": np.array(FORMAT),
            "features": np.array(self.features),
            "columns": np.array(self.columns),
            "start_s": self.start_s,
        }
        told |= {
            name: np.array([row[k] for row in rows], dtype=str)
            for k, name in enumerate(LEADING)
            if name not in told
        }
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


def check_out(path: Path) -> None:
    """Raise DataError where no file of features can be written, before hours go into one."""
    check_name(path)
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "no plain file"
            raise DataError(f"{path}: is {kind}; name a file")
        check_writable(nearest(path))
    except OSError as err:
        raise _unwritten(path, err) from err


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
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):  # else NumPy tells how to open it nevertheless
                raise ValueError("it is no NPZ, or not a whole one")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                found = dict(arrays)
        if (tag := str(found.get("format"))) != FORMAT:
            raise ValueError(f"format {tag}, expected {FORMAT}")
        told = [found[name].tolist() for name in CLIP]
        columns, start_s = tuple(found["columns"].tolist()), found["start_s"].astype(float)
        features = str(found["features"])
        return Table(features, columns, found["values"], _clips(told), found["copy"], start_s)
    except (*_DAMAGE, DataError) as err:
        raise DataError(f"{path}: not a readable file of features ({err}); {REMEDY}") from err


def _read_csv(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise DataError(f"{path}: not a readable CSV ({err}); {REMEDY}") from err
    head = rows[0] if rows else []
    _check_head(path, head)
    _check_lengths(path, rows)
    columns = tuple(name for name in head if name not in LEADING)
    values = np.empty((len(rows) - 1, len(columns)), np.float32)
    places = [head.index(name) for name in (*LEADING, *columns)]
    features = rows[1][places[0]]
    told, starts = [], []
    seen: dict[tuple[str | float, ...], int] = {}
    for number, row in enumerate(rows[1:], start=2):
        texts = [row[k] for k in places]
        one = dict(zip(LEADING, texts))
        starts.append(_start(path, number, one, features))
        told.append(tuple(one.values()))
        values[number - 2] = _numbers(path, number, texts[len(LEADING) :], columns)
        key = (one["path"], one["speaker"], one["copy"], starts[-1])
        if (before := seen.setdefault(key, number)) != number:
            raise DataError(
                f"{path}: line {number} is of the same clip, copy and start as line {before}; "
                "leave one of them out"
            )
    by_name = dict(zip(LEADING, zip(*told)))
    clips = _clips([by_name[name] for name in CLIP])
    copies = np.array(by_name["copy"])
    return Table(features, columns, values, clips, copies, np.array(starts))


def _check_head(path: Path, head: Sequence[str]) -> None:
    if missing := [name for name in LEADING if name not in head]:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; was it edited, or made by an older version? "
            f"Expected {', '.join(LEADING)} and then the values; {REMEDY}"
        )
    for number, name in enumerate(head, start=1):
        if not name or name.startswith("Unnamed: "):  # an index of pandas, written, and read again
            raise DataError(
                f"{path}: column {number} has no name; was it edited? Leave it out: pandas writes "
                "no index with to_csv(FILE, index=False)"
            )
    if len(set(head)) < len(head):
        twice = next(name for name in head if head.count(name) > 1)
        raise DataError(f"{path}: the column {twice} stands twice; {REMEDY}")


def _check_lengths(path: Path, rows: Sequence[Sequence[str]]) -> None:
    if len(rows) < 2:
        raise DataError(f"{path}: no row below the header; {REMEDY}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise DataError(
                f"{path}: line {number} has {len(row)} values, the header {len(rows[0])}; was it "
                f"edited? {REMEDY}"
            )


def _start(path: Path, line: int, row: Mapping[str, str], features: str) -> float:
    """Where a row begins, once all is as it should be that stands before its values."""
    for name in NEEDED:
        if not row[name]:
            raise _wrong(path, line, name, "", "a text")
    if row["features"] != features:
        raise _wrong(path, line, "features", row["features"], f"{features!r} as in line 2")
    if row["copy"] not in (CLEAN, NOISY):
        raise _wrong(path, line, "copy", row["copy"], f"{CLEAN} or {NOISY}")
    (start_s,) = _numbers(path, line, [row["start_s"]], ["start_s"])
    if start_s < 0:
        raise _wrong(path, line, "start_s", row["start_s"], "seconds from 0 on")
    return start_s


def _numbers(path: Path, line: int, texts: Sequence[str], columns: Sequence[str]) -> list[float]:
    found = []
    for text, column in zip(texts, columns):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not abs(value) <= LARGEST:
            raise _wrong(path, line, column, text, "a finite number of 32 bits")
        found.append(value)
    return found


def _unwritten(path: Path, err: OSError) -> DataError:
    reason = err.strerror or str(err)
    return DataError(f"{path}: cannot be written ({reason}); name another file")


def _wrong(path: Path, line: int, column: str, text: str, expected: str) -> DataError:
    return DataError(
        f"{path}: line {line}, column {column}: {text!r:.80}, expected {expected}; was it edited? "
        f"{REMEDY}"
    )


def _clips(columns: Sequence[Sequence[str]]) -> tuple[Clip, ...]:
    """Clips of their fields' texts, in which an absent one is empty."""
    clips = []
    for number, row in enumerate(zip(*columns, strict=True), start=1):
        values: dict[str, Any] = {name: text or None for name, text in zip(CLIP, row)}
        if absent := [name for name in CLIP if name in NEEDED and values[name] is None]:
            raise DataError(f"row {number} has no {', '.join(absent)}")
        clips.append(Clip(**values | {"path": Path(row[0])}))
    return tuple(clips)
