"""The files of a model that translates, in a folder or in a zip; nothing of them is believed."""

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from utils import untrusted
from utils.errors import DataError, ModelError
from utils.models.places import damaged

SUFFIX = ".argosmodel"
METADATA = "metadata.json"
EXPECTED = (
    f"expected a package of Argos Translate ({SUFFIX}), or the folder of an OPUS-MT in "
    "CTranslate2's form with model.bin, source.spm and target.spm inside"
)
_MOST_FILES = 200  # in a package
MOST_BYTES = 2_000_000_000  # of a file
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # as Argos has it, and no memory bombs
# What zipfile and zlib raise on a damaged or a malicious file, beside OSError.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)


class Files:
    """The files of a package, by their names below its top folder."""

    def __init__(self, path: Path, names: dict[str, Any], archive: zipfile.ZipFile | None) -> None:
        self._path, self._names, self._archive = path, names, archive

    @property
    def size(self) -> int:
        """Bytes of all of them, unpacked."""
        found = self._names.values()
        if self._archive:
            return sum(place.file_size for place in found)
        return sum(place.stat().st_size for place in found if place.is_file())

    def has(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str, most: int) -> bytes:
        """All of a file, of `most` bytes at most."""
        with self.open(name, most) as (file, size):
            return file.read(size)

    @contextmanager
    def open(self, name: str, most: int = MOST_BYTES) -> Iterator[tuple[BinaryIO, int]]:
        """A file, and how many bytes it has, `most` at most."""
        if name not in self._names:
            raise damaged(self._path, f"it has no {name}")
        place = self._names[name]
        try:
            if self._archive:
                if place.compress_type not in _PACKED:
                    raise damaged(self._path, f"its {name} is packed in a way that Argos has not")
                file, size = cast(BinaryIO, self._archive.open(place)), place.file_size
            else:
                file, size = untrusted.opened(place), place.stat().st_size
            with file:
                if size > most:
                    raise damaged(self._path, f"its {name} is far too large")
                yield file, size
        except (OSError, *_DAMAGED) as err:
            reason = getattr(err, "strerror", None) or str(err) or "it ends too early"
            raise damaged(self._path, f"its {name} cannot be read ({reason})") from err


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    try:
        if path.is_dir():
            inside = [*path.glob("*"), *path.glob("model/*")]
            yield Files(path, {file.relative_to(path).as_posix(): file for file in inside}, None)
            return
        with untrusted.opened(path) as file, _archive(path, file) as archive:
            members = archive.infolist()
            if len(members) > _MOST_FILES:
                raise damaged(path, f"it holds more than {_MOST_FILES} files")
            tops = [m.filename[: -len(METADATA)] for m in members if _is_metadata(m.filename)]
            top = min(tops, key=len, default="")
            names = {m.filename.removeprefix(top): m for m in members if m.filename.startswith(top)}
            yield Files(path, names, archive)
    except FileNotFoundError as err:
        raise ModelError(f"{path}: no such file or folder; {EXPECTED}") from err
    except OSError as err:
        raise ModelError(f"{path} cannot be read ({err.strerror or err}); {EXPECTED}") from err


def _archive(path: Path, file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except _DAMAGED as err:  # also of a name that is no UTF-8, or a version that zipfile has not
        raise ModelError(f"{path} is no whole zip ({err}); {EXPECTED}") from err


def _is_metadata(name: str) -> bool:
    return PurePosixPath(name).name == METADATA


def unpack(path: Path, folder: Path, names: Iterable[str]) -> None:
    """Put those of a model's files that there are into a new folder.

    Raises
    ------
    ModelError : it is damaged
    DataError : they cannot be written
    """
    with opened(path) as files:
        for name in filter(files.has, names):
            with files.open(name) as (file, _):
                _copy(file, folder / name)


def _copy(file: BinaryIO, path: Path) -> None:
    blocks = iter(lambda: file.read(1 << 20), b"")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.open("xb")
    except OSError as err:
        raise DataError(f"{path} cannot be written ({err.strerror or err})") from err
    with new:
        for block in blocks:
            try:
                new.write(block)
            except OSError as err:
                raise DataError(f"{path} cannot be written ({err.strerror or err})") from err


def unpacked_bytes(path: Path) -> int:
    """Bytes of the files in a package.

    Raises
    ------
    ModelError : it cannot be read
    """
    with opened(path) as files:
        return files.size
