"""A state that neither comes nor goes for a moment only."""


class Lasting:
    """A state that begins, and ends, only after its sign has said so for a while.

    Parameters
    ----------
    begins_s, ends_s : for how long the sign must have been there, or not there
    """

    def __init__(self, begins_s: float, ends_s: float) -> None:
        self.on = False
        self._begins_s = begins_s
        self._ends_s = ends_s
        self._against_s = 0.0  # for how long the sign has said the opposite

    def take(self, sign: bool, seconds: float) -> bool:
        """Take what the sign says for so long; return whether the state is on."""
        self._against_s = self._against_s + seconds if sign != self.on else 0.0
        if self._against_s > (self._ends_s if self.on else self._begins_s):
            self.on, self._against_s = sign, 0.0
        return self.on
