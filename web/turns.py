"""Turns for all that readers ask for: one at a time, within a share of one processor.

Python runs one thread at a time. Whatever strangers can make the web's threads do takes that
time from the thread that captions, unless it is bounded: here, for requests and packets of
every kind. Who has asked for least lately comes first, so that a flood delays the flooder.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeVar

from utils.address import site
from web.limits import SITE

SHARE = 0.3  # of one processor, in the long run
SAVED_S = 1.0  # of processor time that may be used at once after quiet: a room that opens the page
LATELY_S = 10.0  # for which it is remembered who has used how much

Piece = TypeVar("Piece")


class Turns:
    """Lets one thread at a time work for strangers, and measures what that costs.

    Parameters
    ----------
    share : of one processor that all may use together
    saved_s : processor seconds that may be used at once, after a time without work
    """

    def __init__(self, share: float = SHARE, saved_s: float = SAVED_S) -> None:
        self._share, self._saved_s = share, saved_s
        self._lock = threading.Lock()
        self._holder: int | None = None  # the thread whose turn it is; 0 while it is woken
        self._account, self._began_s = "", 0.0
        self._waiting: dict[str, deque[threading.Lock]] = {}
        self._used_s: dict[str, float] = {}  # lately, by account, and by site
        self._forget_at = time.monotonic() + LATELY_S
        self._purse_s, self._filled_at = saved_s, time.monotonic()

    def enter(self, account: str) -> None:
        """Wait for a turn, which is paid from the share of an account: a peer, and for what."""
        me, woken = threading.get_ident(), None
        with self._lock:
            if self._holder == me:
                return
            if self._holder is None:
                self._holder = me
            else:
                woken = threading.Lock()
                woken.acquire()
                self._waiting.setdefault(account, deque()).append(woken)
        if woken:
            woken.acquire()
            self._holder = me
        self._account = account
        if (owed_s := self._owed_s()) > 0:
            time.sleep(owed_s)
        self._began_s = time.thread_time()

    def leave(self) -> None:
        """End this thread's turn, if it has one."""
        if self._holder != threading.get_ident():
            return
        cost_s = time.thread_time() - self._began_s
        with self._lock:
            self._purse_s -= cost_s
            for payer in {self._account, _site(self._account)}:
                self._used_s[payer] = self._used_s.get(payer, 0.0) + cost_s
            if not self._waiting:
                self._holder = None
                return
            self._holder = 0
            account = min(self._waiting, key=self._has_used_s)
            woken = self._waiting[account].popleft()
            if not self._waiting[account]:
                del self._waiting[account]
        woken.release()

    def _has_used_s(self, account: str) -> float:
        """What an account has used lately; of all the peers of one site none is new for ever."""
        own_s, sites_s = (self._used_s.get(one, 0.0) for one in (account, _site(account)))
        return max(own_s, sites_s / SITE)

    def pieces(self, account: str, work: Iterable[Piece]) -> Iterator[Piece]:
        """Pieces of a long work, each made in a turn of its own; others come between."""
        self.leave()
        pieces = iter(work)
        while True:
            self.enter(account)
            try:
                piece = next(pieces, None)
            finally:
                self.leave()
            if piece is None:
                return
            yield piece

    def _owed_s(self) -> float:
        """How long whoever has the turn must wait until it is paid for."""
        now = time.monotonic()
        earned_s = (now - self._filled_at) * self._share
        self._purse_s = min(self._saved_s, self._purse_s + earned_s)
        self._filled_at = now
        if now > self._forget_at:
            self._used_s.clear()
            self._forget_at = now + LATELY_S
        return max(0.0, -self._purse_s / self._share)


@lru_cache(maxsize=1000)
def _site(account: str) -> str:
    """The site of IPv6 that an account is of; else the account itself."""
    peer, _, _ = account.partition(" ")
    return account if (whole := site(peer)) == peer else whole


turns = Turns()  # of the whole process
