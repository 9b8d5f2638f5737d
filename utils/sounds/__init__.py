"""What sounds and is no speech: when there is something to hear, and what it is."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

OTHER = "other"  # the class of all that is not told: speech, rooms, machines, what nobody knows
LOOKS = 2  # in a row at one sound, whose mean score has to reach its threshold


class SoundModel(Protocol):
    """What the pipeline needs of a model that names sounds."""

    def scores(self, samples: np.ndarray) -> Mapping[str, float]:
        """How likely it is each sound that can be told, in float32 (n,) at 16 kHz.

        Raises
        ------
        AudioError : the samples are too short, or silent
        """
        ...

    def threshold(self, label: str, as_speech: bool) -> float:
        """The score from which on a sound may be told.

        Parameters
        ----------
        as_speech : of sound that the detector takes for speech, where words would be lost
        """
        ...
