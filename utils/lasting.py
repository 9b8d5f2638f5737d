"""A state that neither comes nor goes for a moment only."""

from typing import Generic, TypeVar

Value = TypeVar("Value")


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


class Shown(Generic[Value]):
    """What is shown stays long enough to be read, unless something worse takes its place.

    Parameters
    ----------
    value : to begin with
    least_s : that each is shown for
    """

    def __init__(self, value: Value, least_s: float) -> None:
        self.value = value
        self._least_s = least_s
        self._rank = 0
        self._for_s = least_s  # what was there at the beginning may go at once

    def take(self, value: Value, rank: int, seconds: float) -> Value:
        """Take what is so for so long; return what is to be shown.

        Parameters
        ----------
        rank : the higher the worse; a value of the same rank is the same state, told anew
        """
        self._for_s += seconds
        if rank < self._rank and self._for_s < self._least_s:
            return self.value
        if rank != self._rank:
            self._rank, self._for_s = rank, 0.0
        self.value = value
        return value
