"""Whether the presenter is to be greeted with the set-up: once on a machine, done or skipped."""

import logging
from pathlib import Path

from utils.folders import write_whole

log = logging.getLogger(__name__)


class First:
    """The note that the set-up was done, or is not wanted.

    Parameters
    ----------
    path : of the note
    wanted : whether there is anything to set up; who has written settings by hand needs no greeting
    """

    def __init__(self, path: Path, wanted: bool) -> None:
        self._path = path
        self.greets = wanted and not path.exists()

    def end(self) -> None:
        """Greet nobody any more, on this machine; where that cannot be noted, in this run."""
        if not self.greets:
            return
        self.greets = False
        try:
            write_whole(self._path, "")
        except OSError as err:
            log.warning("the next start may greet with the set-up again: %s", err)
