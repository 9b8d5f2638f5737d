"""A note on disk that the program listens, so that after a crash it goes on listening.

The note holds nothing. It goes when listening ends in order; a program that was killed, or a
computer that lost its power, leaves it behind.
"""

import logging
import time
from pathlib import Path

RENEW_S = 60.0  # between signs that it still listens
RESUME_S = 600.0  # after the last of them a start is no going on any more

log = logging.getLogger(__name__)


class Resume:
    """The note of one program; where it cannot be written, there is none.

    Parameters
    ----------
    path : the file that it is; None keeps no note
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._noted_s: float | None = None  # when it was; None while it is not to be there

    def wanted(self) -> bool:
        """Whether the program listened when it broke off, not long ago."""
        try:
            age_s = time.time() - self._path.stat().st_mtime if self._path else RESUME_S
        except OSError:
            return False
        return 0 <= age_s < RESUME_S

    def keep(self, listening: bool) -> None:
        """Note that it listens, or that it does so no more; cheap to say often."""
        if listening and (self._noted_s is None or time.monotonic() - self._noted_s > RENEW_S):
            self._note()
        elif not listening and self._noted_s is not None:
            self.forget()

    def forget(self) -> None:
        """Take the note away, whoever has left it; the program ends in order."""
        self._noted_s = None
        try:
            if self._path is not None:
                self._path.unlink(missing_ok=True)
        except OSError as err:
            log.warning("the next start may go on listening by itself: %s", err)

    def _note(self) -> None:
        first, self._noted_s = self._noted_s is None, time.monotonic()
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
        except OSError as err:
            if first:
                log.warning("after a crash it will not go on listening by itself: %s", err)
