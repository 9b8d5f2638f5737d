"""The program's watch on itself: memory, disk, a microphone that gives nothing, work that stands.

What is wrong is told on the presenter's page and in the metrics, and mended where it can be: memory
is given back, the microphone opened anew. Where systemd watches over the program, its word comes
from here, and only as long as sound comes and captions go out; else it starts the program anew.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from utils.folders import free_space
from utils.live.pulse import Pulse, now_s
from utils.live.session import Session
from utils.messages import Value
from utils.models.memory import give_back, resident_bytes
from utils.monitoring import metrics, systemd

LOOK_S = 10.0  # between looks at memory and disk
DISK_LOW_BYTES, DISK_FINE_BYTES = 200_000_000, 300_000_000  # told below the first, until the second
GIVE_BACK_S = 600.0  # between attempts, each of which takes a part of a second
PAUSE_S = 2.0  # without words, in which to look for memory disturbs nobody,
QUIET_S = 60.0  # and in which a new start does not
STANDS_S = 30.0  # without a frame, or an attempt to get one, after which the worker stands
LOST_S = 600.0  # without a microphone, after which a new start may find it

log = logging.getLogger(__name__)


class Care:
    """Looks after the program's rooms, from entering its context to leaving it.

    Parameters
    ----------
    sessions : that are looked after, one for each room
    publishes : whether what is told still goes out to pages
    folder : whose disk is watched
    limit_bytes : of memory; 0 sets none
    environment : in which systemd says where it listens
    used_bytes, free_bytes : of memory, and of the disk of a folder
    clock : seconds that pass
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        publishes: Callable[[], bool],
        folder: Path,
        limit_bytes: int = 0,
        environment: Mapping[str, str] = os.environ,
        used_bytes: Callable[[], int] | None = None,
        free_bytes: Callable[[Path], int] | None = None,
        clock: Callable[[], float] = now_s,
    ) -> None:
        self._sessions = sessions
        self._publishes = publishes
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._environment = environment
        self._used_bytes = used_bytes or resident_bytes
        self._free_bytes = free_bytes or (lambda folder: free_space(folder)[1])
        self._clock = clock
        self._looked_s = self._gave_back_s = -GIVE_BACK_S
        self._told: set[tuple[str, Session | None]] = set()  # in one room, or in all
        self._stands = ""  # why a new start is wanted
        self._pulse = Pulse(lambda still_s: self.look())
        metrics.MEMORY_LIMIT.set(limit_bytes)

    def __enter__(self) -> Self:
        """Begin, and tell systemd that the program serves."""
        systemd.notify("READY=1", self._environment)
        self._pulse.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; what ends in order is not waited for as if it stood."""
        systemd.notify("STOPPING=1", self._environment)
        self._pulse.close()

    def look(self) -> None:
        """Look at everything once."""
        if self._clock() - self._looked_s >= LOOK_S:
            self._looked_s = self._clock()
            self._look_at_disk()
            self._look_at_memory()
            for session in self._sessions:
                unheard = (signs := session.signs) is not None and signs.unheard
                self._tell("microphone.day", unheard, session)
        self._say_word()

    def _say_word(self) -> None:
        """Tell systemd that all goes on; nothing where it does not."""
        reason = self._reason()
        if reason and not self._stands and systemd.watched(self._environment):
            log.error("systemd is to start the program anew: %s", reason)
        self._stands = reason
        if not reason:
            systemd.notify("WATCHDOG=1", self._environment)

    def _reason(self) -> str:
        """What only a new start would mend; "" for nothing.

        A room that stands waits for that as long as another one listens and works.
        """
        if not self._publishes():
            return "captions do not go out"
        listening = [session for session in self._sessions if session.signs]
        reasons = [_stands(session) for session in listening or self._sessions]
        if all(reasons):
            return reasons[0]
        if ("memory.high", None) in self._told and self._quiet(QUIET_S):
            return "too much memory is used, and nobody speaks"
        return ""

    def _quiet(self, seconds: float) -> bool:
        """Whether nobody has spoken for so long, in any room."""
        signs = [session.signs for session in self._sessions]
        return all(one.quiet_s > seconds for one in signs if one)

    def _look_at_disk(self) -> None:
        try:
            free = self._free_bytes(self._folder)
        except OSError as err:  # a stick that is pulled; saving tells of that itself
            log.debug("%s: %s", self._folder, err)
            return
        metrics.DISK_FREE.set(free)
        least = DISK_FINE_BYTES if ("disk.low", None) in self._told else DISK_LOW_BYTES
        self._tell("disk.low", free < least, free_mb=free // 1_000_000)

    def _look_at_memory(self) -> None:
        if not self._limit_bytes:
            return
        used = self._used_bytes()
        due = self._clock() - self._gave_back_s >= GIVE_BACK_S
        if used > self._limit_bytes and due and self._quiet(PAUSE_S):
            self._gave_back_s = self._clock()
            give_back()
            used = self._used_bytes()
        limit_mb, used_mb = self._limit_bytes // 1_000_000, used // 1_000_000
        high = used > self._limit_bytes
        self._tell("memory.high", high, used_mb=used_mb, limit_mb=limit_mb)

    def _tell(self, code: str, on: bool, session: Session | None = None, **values: Value) -> None:
        """Say a remark in a room, or in all of them, or take it back; logged when it begins."""
        told = code, session
        if on:
            if told not in self._told:
                log.warning("%s: %s", code, values)
            self._told.add(told)
            for one in [session] if session else self._sessions:
                one.notice(code, **values)
        elif told in self._told:
            self._told.discard(told)
            for one in [session] if session else self._sessions:
                one.withdraw(code)


def _stands(session: Session) -> str:
    """Why a room stands, as far as only a new start would mend it; "" where it does not."""
    if not session.alive():
        return "the recogniser does not answer"
    if (signs := session.signs) and signs.stands_s > STANDS_S:
        return "no sound is taken from the microphone"
    if signs and signs.lost_s > LOST_S:
        return "the microphone does not come back"
    return ""
