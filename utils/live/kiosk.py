"""Where nobody minds the screens: locked controls, and answers to whoever speaks."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from utils.errors import DataError, RequestError
from utils.live.board import Publish
from utils.messages import say

ANSWER_S = 300.0  # an answer stays so long: whoever comes next need not read it
HERE, ELSEWHERE = "here", "elsewhere"  # on this computer itself, or another
LONGEST_ANSWER = 500  # letters, as the page's field takes

log = logging.getLogger(__name__)


class Kiosk:
    """The lock on readers' controls, and the answer on the screen that faces whoever speaks.

    The answer is in memory only, and in no export, file or log.

    Parameters
    ----------
    publish : sends an event, by name and payload, to every page
    announce : tells every page how the room is now
    is_blank : whether nothing may be shown
    """

    def __init__(
        self, publish: Publish, announce: Callable[[], None], is_blank: Callable[[], bool]
    ) -> None:
        self._publish = publish
        self._announce = announce
        self._is_blank = is_blank
        self._keep: Callable[[Mapping[str, bool]], object] = lambda values: None
        self._lock = threading.Lock()
        self._answer = ""
        self._answered = 0.0
        self._screens = {HERE: 0, ELSEWHERE: 0}  # that face whoever speaks
        self.locked = False
        self.answers = False  # also readers' own

    def begin(
        self, locked: bool, answers: bool, keep: Callable[[Mapping[str, bool]], object]
    ) -> None:
        """Take the settings of the start, and what keeps them for the next one.

        Parameters
        ----------
        keep : takes settings by name; raises DataError where they hold for this run alone
        """
        self.locked, self.answers, self._keep = locked, answers, keep

    def state(self) -> dict[str, bool | str]:
        """What the `room` event tells of it."""
        return {"locked": self.locked, "answers": self.answers, "facing": self._facing()}

    def shown(self) -> list[tuple[str, dict]]:
        """What a page that opens now is told of the answer: an event, or none."""
        return [("answer", {"text": self._answer})] if self._answer else []

    def set_locked(self, on: bool) -> None:
        """Hide the controls of every reader's page behind a long press, or show them."""
        self.locked = on
        self._settle("locked", on)

    def set_answers(self, on: bool) -> None:
        """Let readers put answers on the screen that faces whoever speaks, or presenters alone."""
        self.answers = on
        self._settle("answers", on)

    def answer(self, text: str) -> None:
        """Show a text on the screen that faces whoever speaks; an empty one takes it away.

        Raises
        ------
        RequestError : it is too long, or the screens are blank
        """
        text = text.strip()
        if len(text) > LONGEST_ANSWER:
            reason = f"{len(text)} letters; expected {LONGEST_ANSWER} at the most"
            raise RequestError(say("refused.value", reason=reason))
        with self._lock:
            if text and self._is_blank():
                raise RequestError(say("refused.blank"))
            self._show(text)

    def take_away(self) -> None:
        """Show no answer any more."""
        with self._lock:
            self._show("")

    def look(self) -> None:
        """Take an answer away that has stood for long; called now and then."""
        with self._lock:
            if self._answer and time.monotonic() - self._answered >= ANSWER_S:
                self._show("")

    def count_screen(self, place: str, by: int) -> None:
        """Note that a screen that faces whoever speaks came (1) or went (-1), here or elsewhere."""
        with self._lock:
            before = self._facing()
            self._screens[place] += by
            changed = before != self._facing()
        if changed:
            self._announce()

    def _facing(self) -> str:
        """Where such a screen is, the nearest; "" where there is none."""
        return next((place for place in (HERE, ELSEWHERE) if self._screens[place]), "")

    def _show(self, text: str) -> None:
        changed = text != self._answer
        self._answer, self._answered = text, time.monotonic()
        if changed:  # told when it is so: a page that opens now misses none
            self._publish("answer", {"text": text})

    def _settle(self, name: str, on: bool) -> None:
        try:
            self._keep({name: on})
        except DataError as err:
            log.warning("%s holds until the program ends: %s", name, err)
        self._announce()
