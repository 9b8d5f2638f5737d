"""How loud a line is said, beside the rest of the session: calm, and only when it is clear."""

from collections import deque

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.tags import Tag

BLOCK = SAMPLE_RATE // 20  # 50 ms: a syllable or so
SPOKEN_QUANTILE = 70  # the level of the voice in a line, above its pauses and weak sounds
KEPT_LINES = 30
LINES_NEEDED = 3  # before there is something to compare with
# A raised voice is some 10 dB above a normal one, a soft one some 6 dB below (ISO 9921, annex A:
# relaxed 54, normal 60, raised 66, loud 72 dB at 1 m). Each line varies by 2 to 3 dB by itself.
LOUD_DB, QUIET_DB = 7.0, -7.0


class LoudnessTag(Tag):
    """Compares the level of each line with the median of those before it."""

    name = "loudness"

    def __init__(self) -> None:
        super().__init__()
        self._levels_db: deque[float] = deque(maxlen=KEPT_LINES)

    def after_text(self, text: str, samples: np.ndarray) -> str | None:
        """Judge a whole line, float32 (n,): "loud", "quiet", or None in between."""
        level_db = spoken_level_db(samples)
        if level_db is None:
            return None
        usual_db = float(np.median(self._levels_db)) if self._levels_db else level_db
        known = len(self._levels_db) >= LINES_NEEDED
        self._levels_db.append(level_db)
        if not known:
            return None
        if level_db - usual_db >= LOUD_DB:
            return "loud"
        return "quiet" if level_db - usual_db <= QUIET_DB else None


def spoken_level_db(samples: np.ndarray) -> float | None:
    """Level of the voice in a line, in dB of full scale; None for less than half a second."""
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
    if len(blocks) < 10:
        return None
    power = np.mean(np.square(blocks, dtype=np.float64), axis=1)
    return float(10 * np.log10(np.percentile(power, SPOKEN_QUANTILE) + 1e-12))
