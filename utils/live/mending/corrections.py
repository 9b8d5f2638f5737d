"""What the presenter corrects: the words of a line, which may be remembered, and who speaks."""

from concurrent.futures import Future
from functools import partial

from utils.captions.mending import cleaned
from utils.live.board import Board
from utils.live.mending.remembered import Remembered
from utils.live.session import Session


class Corrections:
    """Mends lines, and has the recogniser prefer words that it had wrong.

    Of two who mend a line the last one wins.

    Parameters
    ----------
    board : has the lines
    session : whose recogniser is told
    remembered : keeps the words
    """

    def __init__(self, board: Board, session: Session, remembered: Remembered) -> None:
        self._board = board
        self._session = session
        self._remembered = remembered
        if remembered.problem:
            session.notice("remembered.bad", reason=remembered.problem)

    def correct(self, segment: int, text: str, remember: str) -> None:
        """Put other words in place of a finished line's.

        Parameters
        ----------
        remember : the words among them that the recogniser is to prefer; "" for none

        Raises
        ------
        RequestError : no such line, no such words, or they cannot be remembered
        """
        words = cleaned(text)
        self._board.mend(segment, words)
        for tag, later in self._session.of_words(words).items():
            later.add_done_callback(partial(self._told, segment, words, tag))
        if remember:
            self._remember(remember)

    def restore(self, segment: int) -> None:
        """Show a line as it was heard.

        Raises
        ------
        RequestError : no such line
        """
        self._board.mend(segment, None)

    def name_voice(self, number: int, name: str) -> None:
        """Give a voice a name on all its lines; "" takes it away.

        Raises
        ------
        RequestError : no such voice, or no such name
        """
        self._board.name_voice(number, name)

    def _told(self, segment: int, text: str, tag: str, later: "Future[object]") -> None:
        if not later.cancelled() and not later.exception() and (found := later.result()):
            self._board.tell_anew(segment, text, tag, found)

    def _remember(self, words: str) -> None:
        self._remembered.add(words)
        self._session.prefer(self._remembered.phrases)
        for code in ("remembered.bad", "remembered.not_kept"):
            self._session.withdraw(code)
        if reason := self._remembered.not_kept:
            self._session.notice("remembered.not_kept", reason=reason)
