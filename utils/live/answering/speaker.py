"""A voice for who answers in writing: espeak-ng, where it is installed."""

import logging
import os
import shutil
import signal
import subprocess
import threading
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress

from utils.errors import DataError
from utils.faults import cause
from utils.monitoring.of_room import same_room

PROGRAM = "espeak-ng"
MISSING = "espeak-ng is not installed on the computer that shows the captions"
NO_SOUND = (
    "the computer that shows the captions cannot play sound; connect a loudspeaker, or start the "
    "sound server (PulseAudio or PipeWire)"
)
UNABLE = f"{PROGRAM} makes no sound of it; install it anew, with its voices (espeak-ng-data)"
LONGEST = 500  # characters: half a minute of speech
LANGUAGES = ("en", "ko")
TRIAL_S = 10.0  # for espeak-ng to tell how long a text is, which takes it some milliseconds
GRACE_S = 3.0  # for the sound system to begin and to end
LONGEST_S = 120.0  # of speech, during which there are no captions
WAV_HEADER = 44  # bytes
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
        self._telling = threading.Lock()
        self._turn: object = None  # of the newest text
        self._sounding: object = None  # the turn that is being spoken
        self._process: subprocess.Popen | None = None

    @property
    def available(self) -> bool:
        """Whether espeak-ng is installed, at this moment."""
        return shutil.which(PROGRAM) is not None

    def speak(self, text: str, language: str) -> None:
        """Begin to speak; returns at once.

        Raises
        ------
        DataError : no text, too long, a language it does not know, or no espeak-ng
        """
        if not self.available:
            raise DataError(MISSING)
        # Control characters could be commands to the voice; none is ever spoken.
        text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text).strip()
        if not text or len(text) > LONGEST:
            raise DataError(f"{len(text)} characters; expected 1 to {LONGEST}")
        if language not in LANGUAGES:
            raise DataError(f"language {language:.20}; expected {' or '.join(LANGUAGES)}")
        turn = object()
        self._take_turn(turn)
        try:
            threading.Thread(
                target=same_room(self._run), args=(turn, text, language), name="voice", daemon=True
            ).start()
        except RuntimeError as err:
            raise DataError(cause(err)) from err

    def close(self) -> None:
        """Be silent."""
        self._take_turn(None)

    def _take_turn(self, turn: object) -> None:
        """Be the newest text; the one before it falls silent."""
        with self._lock:
            self._turn = turn
            if self._process is not None:
                _kill(self._process)

    def _run(self, turn: object, text: str, language: str) -> None:
        try:
            # Captions stop only for speech whose end is known: what hangs does not hold them up.
            limit_s = self._length_s(turn, text, language) + GRACE_S
            self._tell(turn, True)
            self._espeak(turn, [], text, language, limit_s)
        except DataError as err:
            self._tell_failure(turn, str(err))
        except Exception as err:  # captions go on
            log.exception("speaking failed")
            self._tell_failure(turn, cause(err) or type(err).__name__)
        finally:
            time.sleep(TAIL_S)
            self._tell(turn, False)

    def _tell_failure(self, turn: object, reason: str) -> None:
        if self._is_newest(turn):
            log.warning("%s", reason)
            self._failed(reason)

    def _is_newest(self, turn: object) -> bool:
        with self._lock:
            return self._turn is turn

    def _tell(self, turn: object, speaking: bool) -> None:
        with self._telling:
            before = self._sounding
            if speaking and self._is_newest(turn):
                self._sounding = turn
            elif not speaking and before is turn:
                self._sounding = None
            if (before is None) != (self._sounding is None):
                self._changed(self._sounding is not None)

    def _length_s(self, turn: object, text: str, language: str) -> float:
        """How long it takes to speak a text, in seconds.

        Raises
        ------
        DataError : espeak-ng does not tell, or it is longer than `LONGEST_S`
        """
        sound = self._espeak(turn, ["--stdout"], text, language, TRIAL_S)
        if len(sound) < WAV_HEADER:
            raise DataError(UNABLE)
        rate = int.from_bytes(sound[24:28], "little")  # of 16-bit samples, mono
        length_s = (len(sound) - WAV_HEADER) / (2 * max(rate, 1))
        if length_s > LONGEST_S:
            raise DataError(f"{length_s:.0f} s of speech; expected {LONGEST_S:.0f} at most")
        return length_s

    def _espeak(
        self, turn: object, options: list[str], text: str, language: str, limit_s: float
    ) -> bytes:
        """Run espeak-ng on a text, and return its output.

        Raises
        ------
        DataError : it does not start, fails, or is not done in time; in our words, as its own are
            for the log
        """
        # The text goes in by a pipe, so that nothing in it can be taken for an option.
        command = [PROGRAM, "-v", language, "--stdin", *options]
        pipe = subprocess.PIPE
        with self._lock:
            if self._turn is not turn:
                return b""
            try:
                process = self._process = subprocess.Popen(
                    command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
                )
            except OSError as err:
                raise DataError(f"{PROGRAM} does not start ({cause(err)})") from err
        try:
            output, complaint = _talk(process, text, limit_s)
        finally:
            with self._lock:
                if self._process is process:
                    self._process = None
        # Without a sound device it complains, and yet ends with 0.
        last = (complaint.decode(errors="replace").strip().splitlines() or [""])[-1]
        if (process.returncode or last.startswith("error")) and self._is_newest(turn):
            log.warning("%s ended with %s: %s", PROGRAM, process.returncode, last[:200])
            raise DataError(UNABLE if options else NO_SOUND)
        return output


def _talk(process: subprocess.Popen, text: str, limit_s: float) -> tuple[bytes, bytes]:
    """Give a process its text; what it writes, and what it complains of."""
    with process:
        try:
            return process.communicate(text.encode(), timeout=limit_s)
        except subprocess.TimeoutExpired as err:
            raise DataError(f"{PROGRAM} was not done after {limit_s:.0f} s") from err
        finally:
            _kill(process)  # with all that it may have started


def _kill(process: subprocess.Popen) -> None:
    """End a process and those that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
