"""Who may do what: readers read, whoever has the presenter's token presents.

Nobody presents by where a request comes from, nor by what its headers say: behind a proxy
everybody comes from this very computer. A browser proves that it is let by a cookie, which it
gets for the code of a link. Only who can read the user's own files, or is handed a link by
someone who can, has one.
"""

import base64
import hashlib
import hmac
import logging
import secrets
import stat
import threading
import time
from pathlib import Path
from urllib.parse import quote

from utils.errors import ConfigError
from utils.folders import write_whole

TOKEN_FILE = "presenter-key"  # in the state folder
TOKEN_BYTES = 32  # 256 bits: nobody guesses it
LINK_S = 600  # from when a link is printed until it is opened

log = logging.getLogger(__name__)


class Token:
    """The presenter's token, in a file that the program and `app.py link` share.

    A new token in the file holds at once, also for a program that runs. The token itself goes
    to no browser; what goes there is signed with it. Where the file cannot be kept, the token
    holds until the program ends, and `problem` says why.

    Parameters
    ----------
    path : the file, private to the user; made when it is not there
    room : of several by one program, where what is signed holds in that room alone; "" for the
        only one, and for operators of all
    """

    def __init__(self, path: Path, room: str = "") -> None:
        self.path = path
        self.room = room
        self._of = f"room {quote(room, safe='')} " if room else ""
        self.problem: str | None = None
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
                self._go_without(err)
            return self._token

    def renew(self) -> None:
        """Put a new token in place of the old, whose links and browsers then have no power.

        Raises
        ------
        ConfigError : the file cannot be written
        """
        try:
            write_whole(self.path, secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        except OSError as err:
            raise ConfigError(f"{self.path}: no new token can be written ({err.strerror})") from err

    def sign(self, text: str) -> str:
        """What only who has the token can tell of a text; 43 letters, fit for addresses."""
        return self._signed(self._of + text)

    def _signed(self, text: str) -> str:
        digest = hmac.digest(self.value().encode(), text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def cookie(self) -> str:
        """What makes a browser the presenter's."""
        return self.sign("browser")

    def matches(self, given: str | None) -> bool:
        """Whether a given cookie is the right one; takes the same time for every wrong one."""
        return _equal(given or "", self.cookie())

    def for_operators(self) -> str:
        """What makes a browser an operator's, of all rooms of a program that has several."""
        return self._signed("operator")

    def operates(self, given: str | None) -> bool:
        """Whether a given cookie is an operator's, as `matches`."""
        return _equal(given or "", self.for_operators())

    def for_metrics(self) -> str:
        """What lets a monitor read the metrics from elsewhere, and gives no other right."""
        return self.sign("metrics")

    def reads_metrics(self, authorization: str) -> bool:
        """Whether a header `Authorization` holds that, as `Bearer …`."""
        return _equal(authorization, f"Bearer {self.for_metrics()}")

    def _go_without(self, err: OSError) -> None:
        if not self._token:
            self._token = secrets.token_urlsafe(TOKEN_BYTES)
        if self.problem is None:
            self.problem = (
                f"{self.path}: {err.strerror}; make the folder writable, or name another with "
                "XDG_STATE_HOME"
            )
            log.warning("the presenter's token holds until the program ends: %s", self.problem)

    def _read(self) -> None:
        if not self.path.exists():
            write_whole(self.path, (self._token or secrets.token_urlsafe(TOKEN_BYTES)) + "\n")
        found = self.path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
            raise OSError(None, "it is not a file")
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
        self.problem = None


class Links:
    """Codes in links: each is taken once, for `LINK_S`, while one run of the program lasts.

    What a browser keeps of a link, or a messenger, is of no use to who finds it later.

    Parameters
    ----------
    token : the presenter's; a new one ends all codes
    run : name of the run of the program that is to take them; "" for a run that begins now
    """

    def __init__(self, token: Token, run: str = "") -> None:
        self.run = run or secrets.token_urlsafe(16)
        self._token = token
        self._lock = threading.Lock()
        self._taken: dict[str, float] = {}  # code -> when it would have ended

    def new(self) -> str:
        """A code for one link."""
        # Counted since this computer was started, alike in all its programs; setting the
        # clock, as a computer without one does some time after its start, changes nothing.
        ends = f"{time.monotonic() + LINK_S:.0f}"
        told = f"{ends}.{secrets.token_urlsafe(16)}"
        return f"{told}.{self._sign(told)}"

    def take(self, code: str) -> bool:
        """Whether a code is good; from now on it is not."""
        told, _, signature = code.rpartition(".")
        if not _equal(signature, self._sign(told)):
            return False
        ends, now = float(told.partition(".")[0]), time.monotonic()
        with self._lock:
            self._taken = {old: end for old, end in self._taken.items() if end > now}
            if ends <= now or code in self._taken:
                return False
            self._taken[code] = ends
        return True

    def _sign(self, told: str) -> str:
        return self._token.sign(f"link {self.run} {told}")


def _equal(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
