"""The parts of a `.nemo` file, one after another, within bounds.

It is a tar archive; NeMo before 1.7 packed it with gzip, whose few bytes can unpack to gigabytes.
What is odd is refused here, before NeMo unpacks it all into a temporary folder.
"""

import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from utils.errors import ModelError
from utils.untrusted import opened

MOST_PARTS = 1_000  # a model for forty languages, each with a tokenizer, has some 120
MOST_RATIO = 10  # of unpacked to packed: weights hardly shrink
MOST_AT_ONCE = 4_000_000  # bytes of a configuration, or of what tar itself notes of a part
MOST_READ = 64_000_000  # bytes of them together
LARGEST_TEXT = 64_000_000  # bytes of a vocabulary or a tokenizer; the largest have 5 MB
_LARGEST = dict.fromkeys((".json", ".model", ".txt", ".vocab"), LARGEST_TEXT)
_LARGEST |= dict.fromkeys((".yaml", ".yml"), MOST_AT_ONCE)
_GZIP, _NAMED = b"\x1f\x8b\x08", 8  # how gzip begins, and its mark for a file's name behind that
_STEP = 1 << 16

# What tarfile and zlib raise on a damaged or a malicious file.
BAD_TAR = (
    *(tarfile.TarError, zlib.error, EOFError, OSError),
    *(OverflowError, RecursionError, ValueError),
)


class _Source(Protocol):
    def read(self, n_bytes: int) -> bytes: ...

    def seek(self, place: int) -> int: ...

    def tell(self) -> int: ...


class Parts:
    """The parts of an open archive, in order.

    Parameters
    ----------
    file : the archive, unpacked
    size : bytes that the archive may have at the most
    """

    def __init__(self, file: _Source, size: int) -> None:
        self._file, self._size = file, size
        self._read = 0
        # It has no file of its own, and what it reads is closed by whoever opened that.
        self._tar = tarfile.open(fileobj=self, mode="r:")  # type: ignore[call-overload]  # noqa: SIM115

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """Each file inside, with its place in `name`.

        Raises
        ------
        BAD_TAR : the archive is cut short, or holds what no model does
        """
        seen: set[str] = set()
        for n_parts, part in enumerate(self._tar):
            self._check(part)
            part.name = str(PurePosixPath(part.name))
            if part.name.lower() in seen or n_parts >= MOST_PARTS:
                raise ValueError(f"{part.name} is there twice, or there are far too many parts")
            seen.add(part.name.lower())
            if part.type != tarfile.DIRTYPE:
                yield part

    def _check(self, part: tarfile.TarInfo) -> None:
        path = PurePosixPath(part.name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{part.name} lies outside")
        plain = part.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
        if not plain or part.sparse is not None:
            raise ValueError(f"{part.name} is a link, a device, a pipe or a file with holes")
        if not 0 <= part.size <= self._size or part.offset_data + part.size > self._size:
            raise ValueError(f"{part.name} would be larger than the whole")
        if part.size > _LARGEST.get(path.suffix, part.size):
            raise ValueError(f"{part.name} is far too large")

    def text(self, part: tarfile.TarInfo) -> str:
        """What a small part says; only of the one that came last."""
        self.seek(part.offset_data)
        found = self.read(part.size)
        if len(found) < part.size:
            raise EOFError("it ends too early")
        return found.decode("utf-8", "replace")

    @contextmanager
    def part_file(self, part: tarfile.TarInfo) -> Iterator[BinaryIO]:
        """A part as a file that can be sought in; only of the one that came last.

        Raises
        ------
        ModelError : there is no room for a part of a packed archive
        """
        if not isinstance(self._file, _Unpacked):
            yield self._tar.extractfile(part)  # type: ignore[misc]
            return
        with _temporary() as copy:
            self._file.seek(part.offset_data)
            left = part.size
            while left:
                piece = self._file.read(min(left, _STEP))
                if not piece:
                    raise EOFError("it ends too early")
                _write(copy, piece)
                left -= len(piece)
            yield copy

    # What tarfile reads through: it would read what an archive announces, at once.

    def read(self, n_bytes: int) -> bytes:
        self._read += n_bytes
        if not 0 <= n_bytes <= MOST_AT_ONCE or self._read > MOST_READ:
            raise ValueError("what is noted of its parts is far too long")
        return self._file.read(n_bytes)

    def seek(self, place: int) -> int:
        return self._file.seek(place)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _temporary() -> BinaryIO:
    try:
        return tempfile.TemporaryFile()
    except OSError as err:
        raise _no_room(err) from err


def _write(copy: BinaryIO, piece: bytes) -> None:
    try:
        copy.write(piece)
        copy.flush()
    except OSError as err:
        raise _no_room(err) from err


def _no_room(err: OSError) -> ModelError:
    return ModelError(
        f"{tempfile.gettempdir()}: the model cannot be unpacked there ({err.strerror}); free some "
        "of that disk, or name another folder with TMPDIR"
    )


@contextmanager
def parts(path: Path, most_bytes: int | None = None) -> Iterator[Parts]:
    """Open a `.nemo` file for reading.

    Parameters
    ----------
    most_bytes : of a packed one, after which it is given up; None for as many as it may have

    Raises
    ------
    BAD_TAR : there is none, it cannot be read, or it is no such archive
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            found = Parts(file, size)  # as NeMo does: plain first, whatever it begins like
        except tarfile.ReadError:
            file.seek(0)
            if not file.read(len(_GZIP)) == _GZIP:
                raise
            size = min(MOST_RATIO * size, most_bytes or MOST_RATIO * size) + _STEP
            found = Parts(_Unpacked(file, size), size)
        yield found


class _Unpacked:
    """What a file unpacks to, forwards only."""

    def __init__(self, file: BinaryIO, most_bytes: int) -> None:
        file.seek(0)
        head = file.read(1024)
        if head[3] & ~_NAMED or (head[3] & _NAMED and b"\0" not in head[10:]):
            raise ValueError("it is packed in an odd way")  # `gzip` reads a name byte by byte
        file.seek(0)
        self._file, self._most = file, most_bytes
        self._unpack = zlib.decompressobj(wbits=31)
        self._ready = b""
        self._place = 0

    def read(self, n_bytes: int) -> bytes:
        while len(self._ready) < n_bytes and not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._file.read(_STEP)
            if not packed:
                raise EOFError("it ends too early")
            self._ready += self._unpack.decompress(packed, _STEP)
        found, self._ready = self._ready[:n_bytes], self._ready[n_bytes:]
        self._place += len(found)
        if self._place > self._most:
            raise ValueError("it unpacks to far more than a model does")
        return found

    def seek(self, place: int) -> int:
        if place < self._place:
            raise ValueError("its parts overlap")
        while self._place < place and self.read(min(place - self._place, _STEP)):
            pass
        return self._place

    def tell(self) -> int:
        return self._place
