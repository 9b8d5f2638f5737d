"""How listening goes: nothing heard, no sound at all, or late."""

import numpy as np

from utils.audio import SAMPLE_RATE, level_db
from utils.events import AudioFrame
from utils.messages import Message, say
from utils.sources import FRAME_SAMPLES, Source

QUIET_S = 10.0  # without speech, after which the page says that nothing is heard
ZEROS_S = 5.0  # of digital silence, which a working microphone does not give
LATE_S = 3.0  # of sound waiting, after which the page says that captions are late
LEVEL_FRAMES = 3  # frames to a level: about ten a second


class Watch:
    """Judges how listening goes, frame by frame.

    Parameters
    ----------
    source : whose frames they are, and whose queue tells how late it is
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._since_speech_s = 0.0
        self._zeros_s = 0.0
        self._recent: list[np.ndarray] = []
        self.level_db: float | None = None  # set on every `LEVEL_FRAMES`th frame

    def judge(self, frame: AudioFrame, hearing: bool) -> tuple[Message, bool]:
        """Return the message for the page, and whether nothing has been heard for long."""
        frame_s = len(frame.samples) / SAMPLE_RATE
        self._since_speech_s = 0.0 if hearing else self._since_speech_s + frame_s
        self._zeros_s = 0.0 if frame.samples.any() else self._zeros_s + frame_s
        self._recent.append(frame.samples)
        self.level_db = None
        if len(self._recent) >= LEVEL_FRAMES:
            self.level_db = round(level_db(np.concatenate(self._recent)), 1)
            self._recent.clear()
        return self._message()

    @property
    def late_s(self) -> float:
        """Sound that waits to be heard, in seconds."""
        return self._source.queue_depth * FRAME_SAMPLES / SAMPLE_RATE

    def _message(self) -> tuple[Message, bool]:
        if self.late_s > LATE_S:
            return say("listening.late", late_s=round(self.late_s)), False
        if lost_s := self._source.dropped * FRAME_SAMPLES / SAMPLE_RATE:
            return say("listening.dropped", lost_s=round(lost_s, 1)), False
        if self._zeros_s > ZEROS_S:
            return say("listening.silent"), True
        if self._since_speech_s > QUIET_S:
            return say("listening.quiet"), True
        return say("listening"), False
