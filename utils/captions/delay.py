"""How late words come: from when each was said until it was first shown."""

from utils.events import CaptionEvent


class WordDelays:
    """Notes when words of a line are first shown; the final line tells when they were said.

    A word that is corrected keeps the moment of the one in its place, which readers have read.
    """

    def __init__(self) -> None:
        self._segment = self._ended = -1
        self._shown_s: list[float] = []

    def take(self, event: CaptionEvent, now_s: float) -> list[float] | None:
        """Take what is shown now; return the delays of a line's words when it becomes final.

        Parameters
        ----------
        now_s : in the session's seconds, as those of the words

        Returns
        -------
        seconds, one for each word that the engine gives a time; None while the line grows, and
        where it comes again with a tag

        >>> from utils.events import Word
        >>> delays = WordDelays()
        >>> delays.take(CaptionEvent(0, 0.0, 1.0, "good", False), 1.25)
        >>> words = Word("good", 0.0, 0.5), Word("day", 0.5, 1.0)
        >>> delays.take(CaptionEvent(0, 0.0, 1.5, "good day", True, words=words), 1.75)
        [0.75, 0.75]
        """
        if event.segment <= self._ended:
            return None
        if event.segment != self._segment:
            self._segment, self._shown_s = event.segment, []
        new = len(event.text.split()) - len(self._shown_s)
        self._shown_s += [now_s] * max(0, new)
        if not event.final:
            return None
        self._ended = event.segment
        return [max(0.0, shown - word.end_s) for word, shown in zip(event.words, self._shown_s)]
