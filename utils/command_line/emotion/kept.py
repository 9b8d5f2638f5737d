"""A file that a command leaves: there whole or not at all, and never over another by accident."""

import os
from pathlib import Path

from utils.errors import DataError
from utils.faults import cause
from utils.folders import check_writable, nearest, write_whole


class Kept:
    """A file to be written, once it is known what is in it.

    Parameters
    ----------
    path : its name
    overwrite : it may take the place of another

    Raises
    ------
    DataError : there is one, or none can be written there
    """

    def __init__(self, path: Path, overwrite: bool) -> None:
        self.path, self._overwrite = path, overwrite
        try:
            self._check()
            folder = nearest(path)
        except OSError as err:  # such as a name that is too long
            raise DataError(
                f"cannot be written: {cause(err, str(path))}; name another file"
            ) from err
        try:
            check_writable(folder)
        except OSError as err:
            raise DataError(f"{path}: cannot be written in {folder}; name another file") from err

    def write(self, content: bytes) -> None:
        """Leave it.

        Raises
        ------
        DataError : it cannot be written, or somebody else has meanwhile
        """
        self._check()
        try:
            write_whole(self.path, content, mode=0o666)
        except OSError as err:
            raise DataError(
                f"cannot be written: {cause(err, str(self.path))}; name another file"
            ) from err

    def _check(self) -> None:
        if self.path.is_dir():
            raise DataError(f"{self.path}: is a folder; name a file")
        if os.path.lexists(self.path) and not self.path.is_file():
            raise DataError(f"{self.path}: is there already, and no plain file; name another file")
        if self.path.exists() and not self._overwrite:
            raise DataError(
                f"{self.path}: is there already; name another file, or replace it with --overwrite"
            )
