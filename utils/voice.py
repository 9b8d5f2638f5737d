"""A voice for who answers in writing: espeak-ng, where it is installed."""

import logging
import shutil
import subprocess
import threading
import time
import unicodedata
from collections.abc import Callable

from utils.errors import DataError

PROGRAM = "espeak-ng"
MISSING = "espeak-ng is not installed on the computer that shows the captions"
LONGEST = 500  # characters: half a minute of speech
LANGUAGES = ("en", "ko")
PATIENCE_S = 90.0
TAIL_S = 0.3  # until the room is quiet again, and the microphone has heard it

log = logging.getLogger(__name__)


class Voice:
    """Speaks one text at a time; the next takes the place of one that is being spoken.

    Parameters
    ----------
    changed : told True when it begins to speak and False when it has ended
    failed : told why, where it could not
    """

    def __init__(self, changed: Callable[[bool], None], failed: Callable[[str], None]) -> None:
        self._changed, self._failed = changed, failed
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None

    @property
    def available(self) -> bool:
        """Whether espeak-ng is installed, at this moment."""
        return shutil.which(PROGRAM) is not None

    def speak(self, text: str, language: str) -> None:
        """Begin to speak; returns at once.

        Raises
        ------
        DataError : no text, too long, a language it does not know, or no espeak-ng that runs
        """
        if not self.available:
            raise DataError(MISSING)
        # Control characters could be commands to the voice; none is ever spoken.
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text).strip()
        if not text or len(text) > LONGEST:
            raise DataError(f"{len(text)} characters; expected 1 to {LONGEST}")
        if language not in LANGUAGES:
            raise DataError(f"language {language:.20}; expected {' or '.join(LANGUAGES)}")
        with self._lock:
            before, self._process = self._process, self._start(language)
        if before is not None:
            before.kill()
        threading.Thread(
            target=self._wait, args=(self._process, text), name="voice", daemon=True
        ).start()

    def close(self) -> None:
        """Be silent."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _start(self, language: str) -> subprocess.Popen:
        # The text goes in by a pipe, so that nothing in it can be taken for an option.
        command = [PROGRAM, "-v", language, "--stdin"]
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe)
        except OSError as err:
            raise DataError(f"espeak-ng does not start ({err.strerror})") from err

    def _wait(self, process: subprocess.Popen, text: str) -> None:
        self._changed(True)
        try:
            _, complaint = process.communicate(text.encode(), timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            _, complaint = process.communicate()
        with self._lock:
            newest = self._process is process
            if newest:
                self._process = None
        if not newest:
            return  # another text has taken its place
        time.sleep(TAIL_S)
        self._changed(False)
        # Without a sound device it complains, and yet ends with 0.
        last = (complaint.decode(errors="replace").strip().splitlines() or [""])[-1]
        if process.returncode or last.startswith("error"):
            log.warning("espeak-ng ended with %s: %s", process.returncode, last)
            self._failed(f"espeak-ng says: {last[:200] or process.returncode}")
