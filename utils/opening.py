"""The files that recordings are read from: regular ones, handed to FFmpeg without their names."""

import os
from pathlib import Path
from typing import BinaryIO

from utils.errors import AudioError
from utils.untrusted import opened


class Nameless:
    """A file without its name, that ends at every place beyond it.

    Parameters
    ----------
    file : what it is
    end : byte at which it ends; what stands behind is not to be read
    """

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._end = file, end
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        """As of a file."""
        return self._file.read(max(0, min(size, self._end - self._file.tell())))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of a file; a damaged header sends FFmpeg to places that no file has."""
        if whence == os.SEEK_END:
            offset, whence = self._end + offset, os.SEEK_SET
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return self._file.seek(self._end)


def open_recording(path: Path) -> BinaryIO:
    """Open a file for reading, if it is one.

    Raises
    ------
    AudioError : missing, not to be opened, or a folder, pipe or device, which has no end
    """
    try:
        return opened(path)
    except FileNotFoundError as err:
        raise AudioError(f"{path}: no such file") from err
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or str(err)
        if isinstance(err, OSError) and err.errno is None:
            raise AudioError(f"{path}: {reason}; save the recording to a file first") from err
        raise AudioError(f"{path}: cannot be opened ({reason}); give a file") from err
