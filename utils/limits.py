"""How much one connection may ask for, and how refusals are logged."""

import logging
import threading
import time

KEPT_PEERS = 1000  # of which a refusal is remembered as logged


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


class LogOnce:
    """Logs a refusal once for each kind and peer, so that nobody can fill the log."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._seen: dict[tuple[str, str], None] = {}
        self._lock = threading.Lock()

    def warn(self, kind: str, peer: str) -> None:
        """Say that a peer was refused for this kind of reason, unless that was said."""
        with self._lock:
            if (kind, peer) in self._seen:
                return
            if len(self._seen) >= KEPT_PEERS:
                self._seen.pop(next(iter(self._seen)))
            self._seen[kind, peer] = None
        self._log.warning("refused %s from %s (told once)", kind, peer)
