"""When a device that gives nothing is opened anew, and how nothing that is said is lost by it.

A device that gives nothing but zeros is muted, or has got lost behind the program's back. The
second stream is opened beside the first where a sound server hands out as many as one likes.
"""

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.sources.capture import Capture

FIRST_FRAME_S = 5.0  # some sources take up to 2 s before the first (notably null sinks)
LONGEST_FIRST_S = 300.0
FIRST_S = 5.0  # of zeros, after which a device is opened anew for the first time,
LONGEST_S = 60.0  # and the longest that is waited for the next: twice as long each time
TRIAL_S = 3.0  # of zeros from the new stream too, after which it is given up
OPENING_S = 8.0  # that the new stream has to open and to be tried
# The same sound comes through two streams within 0.1 s of each other. If the old one has it
# too, it goes on.
GRACE_S = 0.5


class Patience:
    """How long a stream's first frame is waited for: longer after each stream that gave none.

    A device that is asleep opens, gives nothing and leaves whoever reads it hanging, so that
    there must not be many of them. When it wakes, the stream that is open hears it at once.
    """

    def __init__(self) -> None:
        self.seconds = FIRST_FRAME_S

    def stalled(self) -> None:
        """A stream gave nothing in this time."""
        self.seconds = min(LONGEST_FIRST_S, 2 * self.seconds)

    def came(self) -> None:
        """A frame has come."""
        self.seconds = FIRST_FRAME_S


class Zeros:
    """Tells when digital silence has lasted so long that the device is worth opening anew.

    A muted microphone gives zeros as well, and opening it anew does not help. So each attempt
    doubles the wait, sound that comes back by itself leaves it as it is, and only an attempt
    that helped lets it begin with `FIRST_S` again.
    """

    def __init__(self) -> None:
        self._zero_s = 0.0
        self._wait_s = FIRST_S
        self._fresh = False  # opened anew, and no sound since

    def take(self, sound: bool, seconds: float) -> bool:
        """Take what came in so many seconds; return whether to open the device anew."""
        if not sound:
            self._zero_s += seconds
            return self._zero_s >= self._wait_s
        if self._fresh and self._zero_s < TRIAL_S:
            self.helped()
        self._fresh, self._zero_s = False, 0.0
        return False

    def renew(self, closed: bool = False) -> None:
        """The device is being opened anew; `closed`: what comes now is from the new stream."""
        self._wait_s = min(LONGEST_S, 2 * self._wait_s)
        self._fresh, self._zero_s = closed, 0.0

    def helped(self) -> None:
        """Sound has come because the device was opened anew."""
        self._wait_s = FIRST_S


class Trial:
    """A second stream beside a silent one; it takes its place if it alone has sound.

    Parameters
    ----------
    capture : the second stream

    Attributes
    ----------
    over : whether it is decided
    won : whether the second stream goes on, and not the first
    """

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.over = self.won = False
        self._found: list[np.ndarray] = []  # of the second, since it has sound
        self._held: list[np.ndarray] = []  # of the first in the meantime: zeros
        self._old_s = self._new_s = 0.0

    def take_old(self, samples: np.ndarray, sound: bool) -> list[np.ndarray]:
        """A block of the first stream; return what is to be heard now."""
        self._held.append(samples)
        self._old_s += len(samples) / SAMPLE_RATE
        if sound or self.capture.ended.is_set() or (not self._found and self._old_s >= OPENING_S):
            self.over = True
        if self._found and not self.over:
            return []
        held, self._held = self._held, []
        return held

    def take_new(self, samples: np.ndarray, sound: bool) -> list[np.ndarray]:
        """A block of the second stream; return what is to be heard now."""
        self._new_s += len(samples) / SAMPLE_RATE
        if not (self._found or sound):
            self.over = self._new_s >= TRIAL_S
            return []
        self._found.append(samples)
        if sum(map(len, self._found)) < GRACE_S * SAMPLE_RATE:
            return []
        self.over = self.won = True
        return self._found
