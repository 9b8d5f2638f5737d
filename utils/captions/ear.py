"""The evidence for speech in a stretch of sound: a sequential probability ratio test."""

import numpy as np

from utils.captions.enhance import SpeechEnhancer
from utils.captions.vad import EvenLevel, VoiceActivity

ON, OFF = 0.5, 0.35  # probability at which speech may begin, and below which it pauses
EVIDENCE = 2.5  # sum of log-odds, less a toll a window, at which it is speech
GIVE_UP = -10.0  # evidence at which a stretch is taken for noise
FORGET = 13  # windows of silence, 0.4 s, after which earlier evidence counts no more
# A toll, since a drone can look slightly like speech for hours; `make bench ARGS="noise quiet"`
# shows what both let through.
PLAIN_TOLL, CLEAR_TOLL = 1.0, 2.0
# Most gain, and the time in s in which the level that is known falls to a third. With its noise
# taken away a soft voice can be brought up further and sooner.
PLAIN_LEVEL, CLEAR_LEVEL = (300.0, 2.0), (1000.0, 1.0)


class Ear:
    """Hears sound in one way, and weighs how much it is like speech.

    Of 200 single digits at 8 kHz, as recorded, through GSM and by telephone, the plain ear takes
    100, 94 and 66 % for speech, the clear one 80, 72 and 24 %; of soft and distant voices the clear
    one takes some more. So there are both, and either is enough. Of 17 minutes of everyday noises
    the plain one makes six segments, both seven.

    Parameters
    ----------
    detector : of this ear alone
    clear : whether it hears sound without steady noise and late echo, or as it is
    """

    def __init__(self, detector: VoiceActivity, clear: bool) -> None:
        self._detector, self._clear = detector, clear
        self.reset()

    def reset(self) -> None:
        """Forget all that was heard."""
        self._detector.reset()
        self._enhancer = SpeechEnhancer() if self._clear else None
        self._level = EvenLevel(*(CLEAR_LEVEL if self._clear else PLAIN_LEVEL))
        self.forget()

    def forget(self) -> None:
        """Begin to weigh anew."""
        self.probability, self.odds = 0.0, 0.0  # of the last window; log-odds
        self.silent = 0  # windows since the last that looked like speech
        self._evidence: float | None = None  # None until a window looks like speech

    def hear(self, window: np.ndarray) -> None:
        """Take the next window, float32 (512,)."""
        if self._enhancer:
            window = self._enhancer.apply(window)
        self.probability = self._detector.probability(self._level.apply(window))
        # Clipped so that no single window decides.
        self.odds = float(np.log((self.probability + 1e-3) / (1 - self.probability + 1e-3)))
        threshold = OFF if self.weighing else ON
        self.silent = 0 if self.probability >= threshold else self.silent + 1

    @property
    def weighing(self) -> bool:
        """Whether there has been something like speech."""
        return self._evidence is not None

    def is_speech(self) -> bool:
        """Weigh the window of a stretch that is not known to be speech yet."""
        if not self.weighing and self.probability < ON:
            return False
        toll = CLEAR_TOLL if self._clear else PLAIN_TOLL
        self._evidence = (self._evidence or 0.0) + self.odds - toll
        if self._evidence >= EVIDENCE:
            return True
        if self._evidence <= GIVE_UP or self.silent >= FORGET:
            self._evidence = None
        return False
