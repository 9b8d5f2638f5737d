"""The settings file, as the page changes it: whole or not at all, and nothing else in it lost."""

import logging
import threading
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import tomlkit
from tomlkit.exceptions import ParseError

from utils.config import LONGEST_FILE
from utils.errors import DataError
from utils.faults import cause
from utils.folders import write_whole
from utils.untrusted import read_text

BEGINNING = """\
# Settings of the live captions, as the presenter has chosen them on the page. They may be changed
# here too; that holds from the next start on. Flags (--language) and environment variables
# (CAPTIONS_LANGUAGE) win over them.
"""

log = logging.getLogger(__name__)


class SettingsFile:
    """Puts settings into a TOML file, whose comments, order and unknown names stay.

    Two who put settings at once take turns, so that neither loses the other's.

    Parameters
    ----------
    path : the file, which need not be there
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turns = threading.Lock()

    def put(self, values: Mapping[str, str | int | bool]) -> Path | None:
        """Write settings.

        Returns
        -------
        where the file was put that stood there and could not be read; None where it could

        Raises
        ------
        DataError : it cannot be written, and is as it was
        """
        try:
            with self._turns:
                path = self.path.resolve()  # a link stays one
                document, aside = self._read(path)
                for name, value in values.items():
                    document[name] = value
                write_whole(path, tomlkit.dumps(document))
        except (OSError, RuntimeError) as err:  # RuntimeError: links in a circle
            raise DataError(cause(err, str(self.path))) from err
        return aside

    def _read(self, path: Path) -> tuple[tomlkit.TOMLDocument, Path | None]:
        """What stands there; a file that cannot be read is put aside, for a person to mend."""
        try:
            return tomlkit.parse(read_text(path, LONGEST_FILE)), None
        except FileNotFoundError:
            return tomlkit.parse(BEGINNING), None
        except (ParseError, ValueError, RecursionError) as err:
            aside = next(
                place
                for number in count(1)
                if not (place := path.with_name(f"{path.name}.unreadable-{number}")).exists()
            )
            path.rename(aside)
            log.warning("%s cannot be read (%s); it is kept as %s", path, err, aside.name)
            return tomlkit.parse(BEGINNING), aside
