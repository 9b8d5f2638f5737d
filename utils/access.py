"""Who may do what: readers read, whoever has the presenter's token presents."""

import hmac
import logging
import secrets
import threading
from pathlib import Path

from utils.errors import ConfigError
from utils.folders import write_whole

TOKEN_BYTES = 32  # 256 bits: nobody guesses it

log = logging.getLogger(__name__)


class Token:
    """The presenter's token, in a file that the program and `app.py link` share.

    A new token in the file holds at once, also for a program that runs.

    Parameters
    ----------
    path : the file, private to the user; made when it is not there

    Raises
    ------
    ConfigError : the file cannot be read or written
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._token = ""
        self._stamp: tuple[int, int] | None = None  # of the file that `_token` is from
        self.value()

    def value(self) -> str:
        """The token that holds now."""
        with self._lock:
            try:
                self._read()
            except OSError as err:
                if not self._token:
                    raise ConfigError(
                        f"{self.path}: the presenter's token cannot be kept ({err.strerror}); "
                        "make the folder writable, or name another with XDG_STATE_HOME"
                    ) from err
            return self._token

    def renew(self) -> None:
        """Put a new token in place of the old, whose links then work no more.

        Raises
        ------
        ConfigError : the file cannot be written
        """
        try:
            write_whole(self.path, secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        except OSError as err:
            raise ConfigError(
                f"{self.path}: no new token can be written ({err.strerror})"
            ) from err

    def matches(self, given: str | None) -> bool:
        """Whether a given token is the right one; takes the same time for every wrong one."""
        return hmac.compare_digest((given or "").encode(), self.value().encode())

    def _read(self) -> None:
        if not self.path.exists():
            write_whole(self.path, (self._token or secrets.token_urlsafe(TOKEN_BYTES)) + "\n")
        found = self.path.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp == self._stamp:
            return
        if found.st_mode & 0o077:
            log.warning("%s could be read by others; it is private now", self.path)
            self.path.chmod(0o600)
        token = self.path.read_text(encoding="utf-8", errors="replace").strip()
        if len(token) < TOKEN_BYTES:  # cut short or emptied: nobody shall get in with that
            token = secrets.token_urlsafe(TOKEN_BYTES)
            write_whole(self.path, token + "\n")
            found = self.path.stat()
        self._token, self._stamp = token, (found.st_mtime_ns, found.st_ino)
