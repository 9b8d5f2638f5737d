"""How loud a line is said, beside the rest of the session: calm, and only when it is clear."""

from collections import deque

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.tags import Tag

BLOCK = SAMPLE_RATE // 20  # 50 ms: a syllable or so
SPOKEN_QUANTILE = 70  # the level of the voice in a line, above its pauses and weak sounds
KEPT_LINES = 32
LINES_NEEDED = 5  # before there is something to compare with
# A raised voice is some 10 dB above a normal one, a soft one some 6 dB below (ISO 9921, annex A:
# relaxed 54, normal 60, raised 66, loud 72 dB at 1 m). Each line varies by 2 to 3 dB by itself.
LEAST_DB = 7.0
SPREADS = 2.5  # and beyond what this session's lines vary by: so many standard deviations
MAD = 1.4826  # from the median of absolute deviations to the standard deviation
# What is often is not what stands out: no more than one line in so many is called loud or quiet.
ONE_IN = 8


class LoudnessTag(Tag):
    """Compares the level of each line with those before it, of which it must stand out."""

    name = "loudness"

    def __init__(self) -> None:
        super().__init__()
        self._levels_db: deque[float] = deque(maxlen=KEPT_LINES)
        self._told: deque[bool] = deque(maxlen=KEPT_LINES)  # of those lines: whether it stood out

    def after_text(self, text: str, samples: np.ndarray) -> str | None:
        """Judge a whole line, float32 (n,): "loud", "quiet", or None in between."""
        level_db = spoken_level_db(samples)
        if level_db is None:
            return None
        above_db = self._above_db(level_db)
        told = above_db != 0 and (sum(self._told) + 1) * ONE_IN <= max(len(self._told) + 1, ONE_IN)
        self._levels_db.append(level_db)
        self._told.append(told)
        if not told:
            return None
        return "loud" if above_db > 0 else "quiet"

    def _above_db(self, level_db: float) -> float:
        """How far a level lies above the usual one, in dB; 0 where it does not stand out."""
        if len(self._levels_db) < LINES_NEEDED:
            return 0.0
        usual_db = float(np.median(self._levels_db))
        spread_db = MAD * float(np.median(np.abs(np.array(self._levels_db) - usual_db)))
        above_db = level_db - usual_db
        return above_db if abs(above_db) >= max(LEAST_DB, SPREADS * spread_db) else 0.0


def spoken_level_db(samples: np.ndarray) -> float | None:
    """Level of the voice in a line, in dB of full scale; None for less than half a second."""
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
    if len(blocks) < 10:
        return None
    power = np.mean(np.square(blocks, dtype=np.float64), axis=1)
    return float(10 * np.log10(np.percentile(power, SPOKEN_QUANTILE) + 1e-12))
