"""Keeping up with the speech: less work when sound piles up, more again when it can be."""

from utils.asr import Transcriber

LATE_S = 1.5  # of sound waiting, at which the recogniser is asked to do less
EASY_S = 0.5  # of sound waiting, below which there is room
SETTLE_S = 10.0  # for the backlog to shrink, before less is asked for again
# Of speech with room, before more is tried; twice as long each time that it proved too much.
PATIENCE_S = 10.0
LONGEST_PATIENCE_S = 64 * PATIENCE_S
PROVED_S = 60.0  # of speech that more has been kept up with, after which it was not too much


class PaceKeeper:
    """Watches the backlog, and steps a recogniser down and up.

    Times are those of the sound, so that a judgement does not depend on the clock. Only
    speech counts towards more: silence shows nothing about what speech costs.

    Attributes
    ----------
    steps : by how many the recogniser does less than it was opened for
    """

    def __init__(self) -> None:
        self.steps = 0
        self._of: Transcriber | None = None  # whose they are
        self._since_step_s = SETTLE_S
        self._easy_s = 0.0
        self._patience_s = PATIENCE_S
        self._tried_s: float | None = None  # of speech since more was tried, until that is proved

    def judge(
        self, transcriber: Transcriber, late_s: float, frame_s: float, hearing: bool
    ) -> str | None:
        """Take the next frame's length and how much sound waits behind it.

        Parameters
        ----------
        late_s, frame_s : in seconds
        hearing : whether the frame is speech

        Returns
        -------
        "down" or "up" where the pace was changed, else None
        """
        if transcriber is not self._of:
            self._of, self.steps, self._tried_s = transcriber, 0, None
        self._since_step_s += frame_s
        if late_s > LATE_S:
            return self._down(transcriber)
        if hearing:
            self._prove(frame_s)
        if late_s > EASY_S:
            self._easy_s = 0.0
        elif hearing:
            self._easy_s += frame_s
        return self._up(transcriber) if self._easy_s >= self._patience_s else None

    def _prove(self, frame_s: float) -> None:
        if self._tried_s is None:
            return
        self._tried_s += frame_s
        if self._tried_s >= PROVED_S:
            self._tried_s, self._patience_s = None, PATIENCE_S

    def _down(self, transcriber: Transcriber) -> str | None:
        self._easy_s = 0.0
        if self._since_step_s < SETTLE_S or not transcriber.step_down():
            return None
        if self._tried_s is not None:  # more proved too much: wait longer before the next attempt
            self._patience_s = min(2 * self._patience_s, LONGEST_PATIENCE_S)
        self.steps, self._since_step_s, self._tried_s = self.steps + 1, 0.0, None
        return "down"

    def _up(self, transcriber: Transcriber) -> str | None:
        self._easy_s = 0.0
        if not transcriber.step_up():
            return None
        self.steps, self._since_step_s, self._tried_s = self.steps - 1, 0.0, 0.0
        return "up"


def at_full_pace(transcriber: Transcriber) -> None:
    """Have a recogniser do all that it was opened for."""
    while transcriber.step_up():
        pass
