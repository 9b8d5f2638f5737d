"""Arrays kept on disk by key, some hundred to a file, memory-mapped so that processes share them.

A shard is a line of JSON, padded to `ALIGN` bytes, then the frames of its arrays, float16, row
by row. It is written beside its name and then moved there, so that a killed run leaves whole
shards only. A damaged one is deleted, and its arrays are missing again.
"""

import hashlib
import json
import logging
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

logger = logging.getLogger(__name__)

ALIGN = 64
# MFCC reach some hundreds, where float16 is 0.1 off: at most 0.3 % of a column's standard
# deviation, measured on 60 clips of four corpora.
DTYPE = np.dtype(np.float16)


@dataclass(eq=False)
class _Shard:
    """One file; `sound` once its checksum was found right."""

    path: Path
    frames: np.ndarray
    crc32: int
    sound: bool = False


class Shards:
    """The arrays in a folder, of which new shards may come while it is open."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._seen: set[Path] = set()
        self._where: dict[str, tuple[_Shard, int, int]] = {}

    def get(self, key: str) -> np.ndarray:
        """The array of a key that is not missing, float32 (n_frames, n_columns)."""
        shard, start, stop = self._where[key]
        return shard.frames[start:stop].astype(np.float32)

    def n_frames(self, key: str) -> int:
        """Rows of the array of a key that is not missing."""
        _, start, stop = self._where[key]
        return stop - start

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Those of `keys` for which there is no undamaged array."""
        for path in sorted(set(self.folder.glob("*.shard")) - self._seen):
            self._open(path)
        return {key for key in keys if not self._is_sound(key)}

    def _open(self, path: Path) -> None:
        self._seen.add(path)
        try:
            with path.open("rb") as file:
                header = json.loads(file.readline())
                offset = file.tell()
            ends = np.cumsum([0, *header["lengths"]]).tolist()
            shape = ends[-1], header["columns"]
            if path.stat().st_size != offset + shape[0] * shape[1] * DTYPE.itemsize:
                raise ValueError("cut short")
            frames = np.asarray(np.memmap(path, DTYPE, "r", offset, shape))
            shard = _Shard(path, frames, header["crc32"])
            found = {key: (shard, *ends[k : k + 2]) for k, key in enumerate(header["keys"])}
        except (OSError, ValueError, LookupError, TypeError) as err:
            self._discard(path, err)
        else:
            self._where.update(found)

    def _is_sound(self, key: str) -> bool:
        if key not in self._where:
            return False
        shard = self._where[key][0]
        if not shard.sound:
            if zlib.crc32(shard.frames.data) != shard.crc32:
                self._discard(shard.path, "wrong checksum")
                self._where = {k: at for k, at in self._where.items() if at[0] is not shard}
                return False
            shard.sound = True
        return True

    def _discard(self, path: Path, reason: object) -> None:
        logger.warning("%s: damaged (%s), its features are computed again", path, reason)
        path.unlink(missing_ok=True)
        self._seen.discard(path)


def write(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Add a shard with these arrays, (n_frames, n_columns) each, to a folder that exists."""
    frames = np.concatenate(list(arrays.values())).astype(DTYPE)
    header = json.dumps(
        {
            "keys": list(arrays),
            "lengths": [len(array) for array in arrays.values()],
            "columns": frames.shape[1],
            "crc32": zlib.crc32(frames.data),
        }
    )
    line = header.ljust(-(len(header) + 1) % ALIGN + len(header)) + "\n"
    name = hashlib.sha256("".join(arrays).encode()).hexdigest()[:16]
    replace(Path(folder) / f"{name}.shard", line.encode() + frames.tobytes())


def replace(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole, or as it was before."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
