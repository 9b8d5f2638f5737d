"""The files that recordings are read from: regular ones, handed to FFmpeg without their names."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from utils.errors import AudioError


class Nameless:
    """A file without its name, that ends at every place beyond it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read, self.tell = file.read, file.tell

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of a file; a damaged header sends FFmpeg to places that no file has."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return self._file.seek(0, os.SEEK_END)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, if it is one.

    Raises
    ------
    AudioError : missing, not to be opened, or a folder, pipe or device, which has no end
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return open(path, "rb")
    except FileNotFoundError as err:
        raise AudioError(f"{path}: no such file") from err
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or str(err)
        raise AudioError(f"{path}: cannot be opened ({reason}); give a file") from err
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    kind = kinds.get(stat.S_IFMT(mode), "device")
    raise AudioError(f"{path}: is a {kind}, not a file; save the recording to a file first")
