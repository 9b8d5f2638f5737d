"""What flows through the program: frozen records, from samples to captions.

Time is an integer sample index at `utils.audio.SAMPLE_RATE` until it leaves the
pipeline; seconds live only in `Word`, `Transcription` and `CaptionEvent`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True, eq=False)
class AudioFrame:
    """A stretch of captured sound.

    Parameters
    ----------
    start : index of the first sample since the source was opened
    samples : float32 (n,), mono, 16 kHz, in [-1, 1]
    """

    start: int
    samples: np.ndarray


@dataclass(frozen=True, eq=False)
class SpeechChunk:
    """A stretch of speech as far as it is known, on its way to the recogniser.

    Parameters
    ----------
    segment : number of the segment, from 0, never reused in a session
    start : index of the first sample
    samples : float32 (n,), all of the segment so far, not to be written to; no more than the
        last time while a pause lasts
    last : the segment ends at `end`. After a long segment was split in hindsight that
        lies before what was already known: the rest comes again under the next segment.
    pause : speech has paused; the segment will end at `end` unless it goes on
    """

    segment: int
    start: int
    samples: np.ndarray
    last: bool = False
    pause: bool = False

    @property
    def end(self) -> int:
        """Index one past the last sample."""
        return self.start + len(self.samples)


@dataclass(frozen=True)
class Word:
    """A recognised word with its place in time, in seconds, and probability if known."""

    text: str
    start_s: float
    end_s: float
    confidence: float | None = None

    def later(self, by_s: float) -> "Word":
        """The same word, so many seconds later."""
        return replace(self, start_s=self.start_s + by_s, end_s=self.end_s + by_s)


@dataclass(frozen=True)
class Transcription:
    """What an engine heard in a segment; `words` is empty where it gives no times.

    Word times count from the first sample that the stream was given.
    """

    text: str
    words: tuple[Word, ...] = ()


Grade = Literal["sure", "likely"]
SILENT = "neutral"  # a class that counts in the timeline and says nothing on a line


@dataclass(frozen=True)
class Emotion:
    """An estimate of how a thing was said.

    Parameters
    ----------
    label : one of the model's classes
    confidence : probability of `label`, in [0, 1]
    scores : class -> probability; they sum to 1
    grade : how far it can be trusted: "sure" or "likely" (`utils.emotion.judgement`)
    """

    label: str
    confidence: float
    scores: dict[str, float]
    grade: Grade = "sure"


@dataclass(frozen=True)
class CaptionEvent:
    """One state of a caption line; a later event of the same segment replaces it.

    Parameters
    ----------
    segment : number of the segment, as in `SpeechChunk`
    start_s, end_s : place in the session, in seconds
    text : the words so far; empty in a final event when nothing was understood
    final : the words will not change any more; a tag may still come
    tags : what is said of the line besides its words, by name (`utils.tags`); a tag that has
        nothing to say is left out. It may change until the line is final.
    words : times of the words, in the session's seconds, where the engine gives them
    sound : a sound that is no speech, such as "dog barking"; its text is empty
    """

    segment: int
    start_s: float
    end_s: float
    text: str
    final: bool
    tags: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[Word, ...] = field(default=())
    sound: str | None = None

    @property
    def emotion(self) -> Emotion | None:
        """How it was said, where the model is sure enough."""
        return self.tags.get("emotion")

    def tagged(self, name: str, value: object) -> "CaptionEvent":
        """The event with a tag; without it where the value is None."""
        tags = {n: v for n, v in self.tags.items() if n != name}
        return replace(self, tags=tags if value is None else tags | {name: value})

    def to_dict(self) -> dict[str, Any]:
        """The event as it goes over the wire: plain JSON types only."""
        entry = asdict(self)
        # As they were named before there were tags; they go with the next version.
        for name, nothing in (("emotion", None), ("loudness", None), ("new_voice", False)):
            entry[name] = entry["tags"].get(name, nothing)
        return entry
