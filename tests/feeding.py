"""A recogniser's stream that is fed piece by piece, as the segmenter's growing segments feed it."""

import numpy as np

from utils.asr import Stream
from utils.captions.segment import Segment
from utils.events import Transcription


class Fed:
    """A stream and the one copy of what it hears."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.segment = Segment(0, 0)

    def accept(self, samples: np.ndarray) -> str:
        """Hear on: the next samples, float32 (n,)."""
        self.segment.add(samples)
        return self.stream.grow(self.segment.samples)

    def work_ahead(self) -> None:
        """Speech has paused."""
        self.stream.work_ahead()

    def finish(self, n_samples: int) -> Transcription:
        """End after the first `n_samples`, or all that there are."""
        return self.stream.finish(self.segment.samples[:n_samples])
