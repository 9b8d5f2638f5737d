"""How speech usually sounds in one place: what a remark made there is heard against."""

import numpy as np

from utils.audio import SAMPLE_RATE

LONG_ENOUGH = SAMPLE_RATE  # samples of a remark that says something of how others will sound
FAMILIAR = 8  # remarks after which it is trusted to be known
MOST = 64  # remarks that count alike; from then on each new one drives out as much of the old


class Place:
    """A microphone, its room, and who speaks there: nothing is known of it at first.

    Features are shifted more by these than by a feeling. On corpora that no training heard, it
    recognises far more once it has heard some remarks (`training/README.md`). All that is kept
    is their mean description, in memory.

    Attributes
    ----------
    mean : (width,) mean description of its remarks; None where nothing is known
    n_remarks : how many they are, `MOST` at most
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As if nothing had been heard there yet."""
        self.n_remarks = 0
        self.mean: np.ndarray | None = None

    @property
    def familiar(self) -> bool:
        """Whether enough was heard there to go by it."""
        return self.n_remarks >= FAMILIAR

    def add(self, description: np.ndarray, n_samples: int) -> None:
        """A remark was made there.

        Parameters
        ----------
        description : (width,) `utils.emotion.network.description` of it
        n_samples : its length at 16 kHz; one that is too short changes nothing
        """
        if n_samples < LONG_ENOUGH:
            return
        if self.mean is None or self.mean.shape != description.shape:  # nothing yet, or another
            self.forget()
            self.mean = np.zeros_like(description, dtype=np.float64)
        self.n_remarks = min(self.n_remarks + 1, MOST)
        self.mean += (description - self.mean) / self.n_remarks
