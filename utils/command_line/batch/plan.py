"""Which recordings of a folder are to be captioned, where to, and which are done already."""

import json
import mimetypes
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TextIO

from utils.errors import DataError
from utils.faults import cause
from utils.folders import whole

DONE = "done.jsonl"  # in the folder that is written to: a line for each recording
FORMS = ("txt", "srt", "vtt", "json")  # the last one written says that all are there
# Of sound, that the system's table may not know.
MORE_ENDINGS = {".opus", ".flac", ".m4a", ".m4b", ".mka", ".mkv", ".weba", ".caf", ".amr", ".wma"}


@dataclass(frozen=True)
class Job:
    """A recording that is to be captioned.

    Parameters
    ----------
    name : its path below the folder, with "/" between its parts
    path : where it lies
    out : where its captions go, without their ending
    size, modified_ns : of the file, by which it is known again
    """

    name: str
    path: str
    out: str
    size: int
    modified_ns: int

    @property
    def outputs(self) -> dict[str, Path]:
        """Where each form of its captions goes."""
        return {form: Path(f"{self.out}.{form}") for form in FORMS}


@dataclass(frozen=True)
class Outcome:
    """What became of a recording.

    Parameters
    ----------
    name : of its `Job`
    written : whether captions of it are there
    lines : of them
    length_s : of its sound
    problem : what is wrong with it, in words; "" for nothing
    """

    name: str
    written: bool
    lines: int = 0
    length_s: float = 0.0
    problem: str = ""


def find(folder: Path, out: Path) -> tuple[list[Job], int]:
    """Find the recordings in a folder and those below it, in the order of their names.

    Returns
    -------
    the jobs, and how many other files there are

    Raises
    ------
    DataError : there is no such folder, it cannot be read, or holds no recording
    """
    paths, others = recordings_in(folder)
    return list(_jobs(folder, paths, out)), others


def recordings_in(folder: Path) -> tuple[list[Path], int]:
    """Recordings in a folder and below in the order of their names, and how many other files.

    Raises
    ------
    DataError : there is no such folder, it cannot be read, or holds no recording
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give one with recordings, or one recording")
    paths: list[Path] = []
    others = 0
    for path in _files(folder):
        if is_recording(path):
            paths.append(path)
        elif path.name != DONE:
            others += 1
    if not paths:
        raise DataError(f"{folder}: holds no recordings, only {others} other file(s)")
    return sorted(paths), others


def is_recording(path: Path) -> bool:
    """Whether a file's name says that it holds sound or video."""
    kind = mimetypes.guess_type(path.name)[0] or ""
    return kind.startswith(("audio/", "video/")) or path.suffix.lower() in MORE_ENDINGS


def _files(folder: Path) -> Iterator[Path]:
    """All regular files below, but hidden ones; links to folders are not followed."""

    def fail(err: OSError) -> None:
        raise DataError(f"{err.filename}: cannot be read ({cause(err)})") from err

    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _jobs(folder: Path, paths: list[Path], out: Path) -> Iterator[Job]:
    """A job for each; where two differ by their ending alone, it stays in the captions' names."""
    stems = Counter(str(path.with_suffix("")).casefold() for path in paths)
    for path in paths:
        below = path.relative_to(folder)
        alone = stems[str(path.with_suffix("")).casefold()] == 1
        stem = below.with_suffix("") if alone else below
        try:
            found = path.stat()
        except OSError as err:
            raise DataError(f"{path}: cannot be read ({cause(err)})") from err
        yield Job(below.as_posix(), str(path), str(out / stem), found.st_size, found.st_mtime_ns)


class Done:
    """The list of what is done, in a file that a stop at any moment leaves readable.

    Parameters
    ----------
    out : the folder that is written to
    how : with what it is captioned; what was done otherwise is done again

    Raises
    ------
    DataError : it cannot be read or written
    """

    def __init__(self, out: Path, how: str) -> None:
        self._path, self._how = out / DONE, how
        self._known: dict[str, dict] = {}
        self._cut = False  # whether the last line was not written to its end
        try:
            out.mkdir(parents=True, exist_ok=True)
            if self._path.exists():
                self._read()
            self._file: TextIO = self._path.open("a", encoding="utf-8")
            if self._cut:
                self._file.write("\n")
        except OSError as err:
            raise DataError(f"{self._path}: cannot be written ({cause(err)})") from err

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _read(self) -> None:
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines(True):
            self._cut = not line.endswith("\n")
            try:
                found = json.loads(line)
                self._known[found["name"]] = found
            except (ValueError, TypeError, KeyError):
                continue  # it is done again

    def has(self, job: Job) -> bool:
        """Whether captions of the recording, as it is now, are there."""
        found = self._known.get(job.name, {})
        same = (found.get("size"), found.get("modified_ns")) == (job.size, job.modified_ns)
        same = same and found.get("how") == self._how and found.get("written") is True
        return same and all(path.is_file() for path in job.outputs.values())

    def add(self, job: Job, outcome: Outcome) -> None:
        """Write down what became of a recording.

        Raises
        ------
        DataError : it cannot be written
        """
        known = asdict(outcome) | {
            "size": job.size,
            "modified_ns": job.modified_ns,
            "how": self._how,
        }
        try:
            self._file.write(json.dumps(known, ensure_ascii=False) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as err:
            raise DataError(f"{self._path}: cannot be written ({cause(err)})") from err


def write(job: Job, texts: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Write captions in each form: whole, or as they were.

    Parameters
    ----------
    texts : pairs of a form and its parts

    Raises
    ------
    DataError : they cannot be written
    """
    for form, parts in texts:
        path = job.outputs[form]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole(path) as part, part.open("w", encoding="utf-8") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
        except OSError as err:
            raise DataError(f"{path}: cannot be written ({cause(err)})") from err
