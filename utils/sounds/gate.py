"""When something sounds: levels alone, so that quiet costs next to nothing.

The level is compared with that of the room, which is followed down at once and up slowly. What
rises above it is listened to soon and often, what goes on and on ever more rarely.
"""

import math
from collections import deque

import numpy as np

from utils.audio import SAMPLE_RATE, level_db

BLOCK = 512  # samples whose level is taken: 32 ms, as the detector of speech has them
LONGEST = 4 * SAMPLE_RATE  # samples that are heard at a time
BEFORE = SAMPLE_RATE // 10  # samples from before the rise, so that its start is heard
RISE_DB, STAY_DB = 8.0, 5.0  # over the room, at which something begins to sound, and goes on
QUIET_DB = -65.0  # dBFS below which nothing is heard, however quiet the room
QUIETEST_DB = -70.0  # dBFS of the room at first, and at the least
FALL, CLIMB_DB = 0.3, 0.05  # of the room's level in a block: share of what it is below, dB up
LINGER = int(0.4 * SAMPLE_RATE)  # samples for which a pause ends nothing
# Samples after a rise at which there is something to judge; the first two whatever comes after it,
# since a bark is over by then.
STEP = SAMPLE_RATE // 2
CERTAIN = 2 * STEP
SLOWER = 4  # later, as many times fewer than have been heard
RARELY = 4 * SAMPLE_RATE  # samples between two looks at what goes on and on


class Gate:
    """Follows the level of a room, and hands out what is to be judged.

    Attributes
    ----------
    now : index one past the last sample that was heard
    onset : index of the first sample of what sounds, or sounded last
    loud : index one past the last sample that was louder than the room
    sounding : whether something is louder than the room, or was a moment ago
    """

    def __init__(self) -> None:
        self.reset(0)

    def reset(self, start: int) -> None:
        """Forget what was heard, and the level of the room; go on from a sample index."""
        self.now, self.onset = start, start - CERTAIN - 1
        self.sounding = False
        self._room_db = QUIETEST_DB
        self._held: deque[np.ndarray] = deque(maxlen=LONGEST // BLOCK)
        self._lately: deque[float] = deque(maxlen=SAMPLE_RATE // BLOCK)  # levels of the last second
        self.loud = start  # where it was last loud enough
        self._next = start + RARELY  # where there is something to judge next

    def hear(self, block: np.ndarray) -> np.ndarray | None:
        """Take the next block, float32 (512,); return what is to be judged now, if anything.

        Returns
        -------
        float32 (n,) that ends here and is no longer than `LONGEST`, or None
        """
        level = level_db(block)
        self._held.append(block)
        self.now += len(block)
        self._follow(level)
        if self.now < self._next or not self.sounding and self._next - self.onset > CERTAIN:
            return None
        heard = self.now - self.onset
        self._next += min(max(STEP, heard // SLOWER // STEP * STEP), RARELY)
        n_samples = min(heard + BEFORE, LONGEST)
        n_blocks = math.ceil(n_samples / BLOCK)
        return np.concatenate(list(self._held)[-n_blocks:])

    def skip(self, start: int) -> None:
        """Go on from a sample index: what lay before it is not to be judged. The room stays."""
        self._held.clear()
        self._lately.clear()
        self.now = self.loud = self._next = start
        self.onset, self.sounding = start - CERTAIN - 1, False

    def _follow(self, level: float) -> None:
        """Compare a level with the room's, and follow that."""
        room, over = self._room_db, level - self._room_db
        lately = float(np.median(self._lately)) if self._lately else room
        heard = level > QUIET_DB
        again = level - lately >= RISE_DB and self.now - self.onset > CERTAIN
        if heard and over >= RISE_DB and (again or not self.sounding):
            self._begin()
        if heard and over >= STAY_DB:
            self.loud = self.now
        elif self.now - self.loud > LINGER:
            self.sounding = False
        self._lately.append(level)
        room += FALL * over if over < 0 else min(CLIMB_DB, over)
        self._room_db = max(room, QUIETEST_DB)

    def _begin(self) -> None:
        self.sounding, self.loud = True, self.now
        self.onset = self.now - BLOCK
        self._next = self.onset + STEP
