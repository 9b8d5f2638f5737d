"""How much one connection or one peer may ask for, and how refusals are logged."""

import logging
import threading
import time
from collections import Counter

from utils.address import network, site
from utils.monitoring.metrics import REFUSALS

# What all peers of a site of IPv6 may ask for together, in shares of one: those of a room are
# mostly in one /64, and who has a /48 to himself is not 65,536 peers.
SITE = 4
KEPT_PEERS = 1000  # of which it is remembered what they were refused, or have asked for


class TokenBucket:
    """Lets so many requests a second through, and a burst of so many at once.

    Parameters
    ----------
    rate : requests a second in the long run
    burst : requests at once
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = float(burst), time.monotonic()

    def take(self) -> bool:
        """Whether one more request may pass now."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Buckets:
    """A bucket of tokens for each peer, and one for each site of IPv6.

    All addresses of a host of IPv6 are one peer.

    Parameters
    ----------
    rate, burst : of each peer, as in `TokenBucket`; a site has `SITE` times as much
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: dict[str, TokenBucket] = {}
        self._lock = threading.Lock()

    def take(self, peer: str) -> bool:
        """Whether one more request of a peer may pass now."""
        peer = network(peer)
        whole = site(peer)
        with self._lock:
            return self._take(peer, 1) and (whole == peer or self._take(whole, SITE))

    def _take(self, who: str, share: int) -> bool:
        bucket = self._buckets.pop(who, None)
        if bucket is None:
            bucket = TokenBucket(share * self._rate, share * self._burst)
        self._buckets[who] = bucket  # the latest stand last
        if len(self._buckets) > KEPT_PEERS:
            del self._buckets[next(iter(self._buckets))]
        return bucket.take()


class AtOnce:
    """Counts what is being answered at the same time; a host of IPv6 is one peer.

    Parameters
    ----------
    of_a_peer, in_all : how much may be; a site of IPv6 leaves others a share
    """

    def __init__(self, of_a_peer: int, in_all: int) -> None:
        self._of_a_peer, self._in_all = of_a_peer, in_all
        self._of_a_site = (of_a_peer + in_all) // 2
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, peer: str) -> bool:
        """Whether one more may be answered; then `give_back` follows when it has been."""
        peer = network(peer)
        with self._lock:
            if self._now[peer] >= self._of_a_peer or self._now.total() >= self._in_all:
                return False
            if self._of_site(peer) >= self._of_a_site:
                return False
            self._now[peer] += 1
            return True

    def _of_site(self, peer: str) -> int:
        """How much of a peer's site, where it is of one, is being answered."""
        whole = site(peer)
        if whole == peer:
            return 0
        return sum(now for other, now in self._now.items() if site(other) == whole)

    def give_back(self, peer: str) -> None:
        """One has been answered."""
        with self._lock:
            self._now[network(peer)] -= 1
            self._now += Counter()  # forgets who has none


class LogOnce:
    """Logs a refusal once for each kind and peer, so that nobody can fill the log."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._seen: dict[tuple[str, str], None] = {}
        self._lock = threading.Lock()

    def warn(self, kind: str, peer: str) -> None:
        """Say that a peer was refused for this kind of reason, unless that was said."""
        REFUSALS.labels(self._log.name).inc()
        peer = network(peer)
        with self._lock:
            if (kind, peer) in self._seen:
                return
            if len(self._seen) >= KEPT_PEERS:
                self._seen.pop(next(iter(self._seen)))
            self._seen[kind, peer] = None
        # A kind of its own in the log, too, where a flood of one kind is counted.
        sentence = f"refused {kind.replace('%', '%%')} from %s (told once)"
        self._log.warning(sentence, peer)
