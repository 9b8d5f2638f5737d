"""Keeping up with the speech: less work when sound piles up, more again when it can be."""

from utils.asr import Transcriber

LATE_S = 1.5  # of sound waiting, at which the recogniser is asked to do less
EASY_S = 0.5  # of sound waiting, below which there is room
SETTLE_S = 10.0  # for the backlog to shrink, before less is asked for again
PATIENCE_S = 60.0  # of speech with room, before more is tried
LONGEST_PATIENCE_S = 16 * PATIENCE_S


class PaceKeeper:
    """Watches the backlog, and steps a recogniser down and up.

    Times are those of the sound, so that a judgement does not depend on the clock. Only
    speech counts towards more: silence shows nothing about what speech costs.
    """

    def __init__(self) -> None:
        self._since_step_s = SETTLE_S
        self._easy_s = 0.0
        self._patience_s = PATIENCE_S
        self._tried_up = False

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
        self._since_step_s += frame_s
        if late_s > LATE_S:
            return self._down(transcriber)
        if late_s > EASY_S:
            self._easy_s = 0.0
        elif hearing:
            self._easy_s += frame_s
        return self._up(transcriber) if self._easy_s >= self._patience_s else None

    def _down(self, transcriber: Transcriber) -> str | None:
        self._easy_s = 0.0
        if self._since_step_s < SETTLE_S or not transcriber.step_down():
            return None
        if self._tried_up:  # more proved too much: wait longer before the next attempt
            self._patience_s = min(2 * self._patience_s, LONGEST_PATIENCE_S)
        self._since_step_s, self._tried_up = 0.0, False
        return "down"

    def _up(self, transcriber: Transcriber) -> str | None:
        self._easy_s = 0.0
        if not transcriber.step_up():
            return None
        self._since_step_s, self._tried_up = 0.0, True
        return "up"
