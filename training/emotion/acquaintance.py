"""How speech usually sounds where a clip was said: what its voice, or its corpus, says else."""

from collections.abc import Iterable

import numpy as np

CALM = ("neutral", "calm")  # what most remarks of a life are
MOST = 64  # remarks that are known at most
DRAWN = 8  # of them that a mean is of: more hardly change it
OWN = 0.6  # share of draws in which all are of the voice itself; else of any of its corpus


class Acquaintance:
    """Remarks by voice and by place, and what is usual there.

    Parameters
    ----------
    width : of a description
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._calm: dict[str, list[np.ndarray]] = {}
        self._others: dict[str, dict[str, list[np.ndarray]]] = {}
        self._means: dict[str, np.ndarray] = {}

    def add(self, names: Iterable[str], label: str, description: np.ndarray) -> None:
        """A remark of `description` (width,) was made; `names` are its voice and its place."""
        for name in names:
            others = self._others.setdefault(name, {})
            if label in CALM:
                self._calm.setdefault(name, []).append(description)
            else:
                others.setdefault(label, []).append(description)

    def nothing(self) -> tuple[np.ndarray, int]:
        """Nothing is known: a mean (width,) that does not count, of no remarks."""
        return np.zeros(self._width, np.float32), 0

    def some(self, voice: str, place: str, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """Mean description (width,) of so many remarks of a voice, or of all of its place."""
        n = int(MOST ** rng.random())
        name = voice if rng.random() < OWN else place
        return self.draw(name, min(n, DRAWN), rng.random(), rng), n

    def anybody(self, rng: np.random.Generator) -> str:
        """Some voice or place."""
        names = list(self._others)
        return names[rng.integers(len(names))]

    def draw(
        self,
        name: str,
        n: int,
        calm_share: float,
        rng: np.random.Generator,
        but: np.ndarray | None = None,
    ) -> np.ndarray:
        """Mean description (width,) of `n` remarks of a voice or place, that share of them calm.

        Parameters
        ----------
        but : the description that `add` was given of a remark that is not to be drawn
        """
        calm = [found for found in self._calm.get(name, []) if found is not but]
        others = [
            pile
            for own in self._others.get(name, {}).values()
            if (pile := [found for found in own if found is not but])
        ]
        total = np.zeros(self._width, np.float32)
        for _ in range(n):
            is_calm = bool(calm) and (not others or rng.random() < calm_share)
            pile = calm if is_calm else others[rng.integers(len(others))]
            total += pile[rng.integers(len(pile))] / n
        return total

    def move(self, voice: str, to: str, rng: np.random.Generator) -> np.ndarray:
        """What makes a description (width,) some way like one of another voice."""
        return (rng.random() * (self._mean(to) - self._mean(voice))).astype(np.float32)

    def _mean(self, name: str) -> np.ndarray:
        """Mean description of a voice, in which emotions count the same."""
        if (found := self._means.get(name)) is None:
            calm = [pile for pile in (self._calm.get(name),) if pile]
            piles = [*calm, *self._others[name].values()]
            found = self._means[name] = np.mean([np.mean(pile, axis=0) for pile in piles], axis=0)
        return found
