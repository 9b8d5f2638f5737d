"""The room: what the presenter has set for everyone who reads."""

import logging
import threading
from collections.abc import Callable

from utils.errors import RequestError
from utils.messages import say
from utils.session import Session

LONGEST_CLEAR_AFTER_MIN = 24 * 60
TIDY_S = 1.0  # between looks whether the lines are to be cleared

log = logging.getLogger(__name__)


class Room:
    """Settings that hold for every page, beside the session itself.

    Parameters
    ----------
    session : whose lines they are
    announce : tells every page how the room is now
    language : of the speech
    reader_url : where phones read along; None where they cannot reach this machine
    """

    def __init__(
        self,
        session: Session,
        announce: Callable[[], None],
        language: str = "en",
        reader_url: str | None = None,
    ) -> None:
        self.session = session
        self._announce = announce
        self._language = language
        self._reader_url = reader_url
        self._clear_after_min = 0
        self._closed = threading.Event()
        threading.Thread(target=self._tidy, name="tidy", daemon=True).start()

    def state(self, presenter: bool) -> dict:
        """The `room` event as it goes over the wire."""
        board = self.session.board
        return {
            "presenter": presenter,
            "blank": board.blank,
            "emotion": board.emotion and self.session.has_emotion,
            "clear_after_min": self._clear_after_min,
            "saving": None,
            "reader_url": self._reader_url,
            "speech": False,
            "phrases": [],
            "language": self._language,
        }

    def clear(self) -> None:
        """Forget every line on every page."""
        self.session.clear()

    def set_blank(self, on: bool) -> None:
        """Hide every line on every page, or show them again."""
        self.session.set_blank(on)
        self._announce()

    def set_emotion(self, on: bool) -> None:
        """Show emotion to everyone, or to nobody."""
        if on and not self.session.has_emotion:
            raise RequestError(say("refused.no_emotion"))
        self.session.board.set_emotion(on)
        self._announce()

    def set_clear_after(self, minutes: int) -> None:
        """Clear by itself once nobody has spoken for so many minutes; 0 is never."""
        if not 0 <= minutes <= LONGEST_CLEAR_AFTER_MIN:
            reason = f"{minutes} minutes; expected 0 to {LONGEST_CLEAR_AFTER_MIN}"
            raise RequestError(say("refused.value", reason=reason))
        self._clear_after_min = minutes
        self._announce()

    def close(self) -> None:
        """End what runs beside; the room is not used again."""
        self._closed.set()

    def _tidy(self) -> None:
        while not self._closed.wait(TIDY_S):
            minutes, idle_s = self._clear_after_min, self.session.board.idle_s
            if minutes and idle_s is not None and idle_s >= 60 * minutes:
                log.info("nobody has spoken for %d minutes: the lines are cleared", minutes)
                self.clear()
