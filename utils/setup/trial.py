"""A microphone is tried: what is heard goes to presenters alone, and is forgotten at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from utils.errors import RequestError
from utils.live.board import Board, Publish
from utils.live.listener import Listener
from utils.live.session import Session
from utils.live.status import Status, StatusLine
from utils.messages import say
from utils.sources import Source

LONGEST_S = 300.0  # then the microphone is let go of: somebody has gone away


class Trial:
    """Hears and captions a microphone as the session would, while the session does not listen.

    It tells `trial` events: how it goes, in the words that a session has for it, the level, and
    what was understood.

    Parameters
    ----------
    session : whose engines it uses, and before which it ends
    open_source : opens a microphone by its name, given the sample index to count from
    publish : sends an event to presenters
    """

    def __init__(
        self, session: Session, open_source: Callable[[str, int], Source], publish: Publish
    ) -> None:
        self._session, self._open_source, self._publish = session, open_source, publish
        self._listener: Listener | None = None
        self._microphone = ""
        self._by = ""  # the page that tries
        self._turns = threading.RLock()
        self._limit: threading.Timer | None = None
        session.start_within(self._apart)

    def begin(self, microphone: str, by: str) -> None:
        """Try a microphone, instead of the one that is being tried.

        Parameters
        ----------
        microphone : its name; "" for the system's default
        by : the page that asks, with which the trial ends

        Raises
        ------
        RequestError : the session listens, or has not loaded yet what it takes
        """
        with self._turns:
            engines = self._session.engines
            if engines is None:
                raise RequestError(say("refused.loading"))
            if not self._session.ended():  # its last words may still be captioned
                raise RequestError(say("refused.live"))
            self.end()
            self._microphone, self._by = microphone, by
            board = Board(self._told)
            ready = Status("ready", say("ready"))
            line = StatusLine(ready, self._show, board.lock)
            self._listener = self._session.listener(
                lambda start: self._open_source(microphone, start), board, line, self._told
            )
            self._publish("trial", {"state": "opening", "microphone": microphone})
            self._limit = threading.Timer(LONGEST_S, self.end)
            self._limit.daemon = True
            self._limit.start()
            self._listener.start(engines.captioner)

    def end(self) -> None:
        """Let the microphone go; returns once it has been."""
        with self._turns:
            listener, self._listener = self._listener, None
            if listener is None:
                return
            if self._limit:
                self._limit.cancel()
            listener.abandon()
            if engines := self._session.engines:
                engines.captioner.clear()  # nothing of it comes to the session's lines
            self._publish("trial", {"state": "over", "microphone": self._microphone})

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Let the microphone go, and begin no trial meanwhile."""
        with self._turns:
            self.end()
            yield

    def left(self, page: str) -> None:
        """A page has gone, perhaps the one that tried."""
        if page == self._by:
            self.end()

    def _show(self, status: Status) -> None:
        told = status.to_dict()
        kept = ("state", "code", "values", "message", "quiet")
        heard = self._listener.microphone if self._listener else ""
        shown = {name: told[name] for name in kept}
        self._publish("trial", shown | {"microphone": self._microphone, "heard": heard})

    def _told(self, name: str, payload: dict) -> None:
        if name == "level":
            self._publish("trial_level", payload)
        elif name == "caption":
            fields = ("segment", "text", "final")
            self._publish("trial_words", {field: payload[field] for field in fields})
