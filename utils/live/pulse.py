"""A beat beside everything else, which notices when the whole program stood still."""

import logging
import threading
import time
from collections.abc import Callable

from utils.monitoring.of_room import same_room

BEAT_S = 0.5
STILL_S = 3.0  # without a beat, after which the program stood still; a busy machine is sooner
RECENT_S = 3.0  # after it, while its consequences come


log = logging.getLogger(__name__)


def now_s() -> float:
    """Seconds that have passed, those of a computer that slept included, where it tells."""
    if not hasattr(time, "clock_gettime"):
        return time.monotonic()
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Elapsed:
    """Seconds since listening first began, for all who listen for one session.

    Parameters
    ----------
    before_s : that had passed when the program broke off, where it goes on
    """

    def __init__(self, before_s: float = 0.0) -> None:
        self._before_s = before_s
        self._began_s: float | None = None

    def begin(self) -> None:
        """Listening begins, perhaps not for the first time."""
        if self._began_s is None:
            self._began_s = time.monotonic() - self._before_s

    @property
    def seconds(self) -> float:
        """As of now."""
        return self._before_s if self._began_s is None else time.monotonic() - self._began_s


class Pulse:
    """Calls a function every `BEAT_S` seconds, on a thread of its own.

    A computer that sleeps, a program that is stopped or a machine without memory holds every
    thread up; work of another thread does not.

    Parameters
    ----------
    beat : is given the seconds that the program stood still before this beat; mostly 0.0
    """

    def __init__(self, beat: Callable[[float], None]) -> None:
        self._beat = beat
        self._last_s = now_s()
        self._woke_s = -RECENT_S
        self._closed = threading.Event()
        self._thread = threading.Thread(target=same_room(self._run), name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._last_s = now_s()
        self._thread.start()

    def close(self) -> None:
        """Beat no more; a beat that is under way comes to its end."""
        self._closed.set()
        self._thread.join(timeout=BEAT_S + STILL_S)

    @property
    def beats(self) -> bool:
        """Whether its beats come, or have come until a moment ago."""
        return now_s() - self._last_s < 2 * BEAT_S + STILL_S

    def just_woke(self) -> bool:
        """Whether the program stood still until a moment ago; true from its first step on."""
        now = now_s()  # before the last beat is looked at: it may come in between
        return now - self._last_s > BEAT_S + STILL_S or now - self._woke_s < RECENT_S

    def _run(self) -> None:
        while not self._closed.wait(BEAT_S):
            now = now_s()
            still_s = now - self._last_s - BEAT_S
            if still_s <= STILL_S:
                still_s = 0.0
            else:
                self._woke_s = now
            self._last_s = now
            try:
                self._beat(still_s)
            except Exception:  # without its beat the program would seem to stand still
                log.exception("a beat failed")
