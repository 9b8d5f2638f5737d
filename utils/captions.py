"""The pipeline: sound in, captions out.

It knows a recogniser of words and one of emotion by what they do; `app.py` hands it the
real ones. The same `Captioner` serves the microphone, a file and the benchmark.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from utils.asr import Stream, Transcriber
from utils.audio import SAMPLE_RATE
from utils.events import AudioFrame, CaptionEvent, Emotion, SpeechChunk, Word
from utils.segmenter import Segmenter
from utils.vad import VoiceActivity


class EmotionPredictor(Protocol):
    """What the pipeline needs of an emotion model."""

    def predict(self, samples: np.ndarray) -> Emotion | None:
        """Estimate the emotion in float32 (n,) at 16 kHz; None when not sure enough."""
        ...


class Captioner:
    """Turns frames of sound into caption events, in order, on the caller's thread.

    Parameters
    ----------
    transcriber : hears the words
    emotions : estimates how they were said; None shows no emotion

    Raises
    ------
    ModelError : the voice activity detector cannot be loaded
    """

    def __init__(self, transcriber: Transcriber, emotions: EmotionPredictor | None) -> None:
        self.transcriber = transcriber
        self.emotions = emotions
        self._segmenter = Segmenter(VoiceActivity())
        self._stream: Stream | None = None

    @property
    def hearing(self) -> bool:
        """Whether speech is under way."""
        return self._stream is not None

    def push(self, frame: AudioFrame) -> Iterator[CaptionEvent]:
        """Take the next frame; yield what it changes."""
        for chunk in self._segmenter.push(frame):
            yield from self._take(chunk)

    def flush(self) -> Iterator[CaptionEvent]:
        """Finish what is being said: no more sound comes."""
        for chunk in self._segmenter.flush():
            yield from self._take(chunk)

    def abandon(self) -> None:
        """Give up what is being said: an engine has failed in the middle of it."""
        self._stream = None
        for _ in self._segmenter.flush():
            pass

    def _take(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        if self._stream is None:
            self._stream = self.transcriber.stream()
            self._start = chunk.start
            self._heard: list[np.ndarray] = []
            self._text = ""
        if len(chunk.samples):
            self._heard.append(chunk.samples)
            text = self._stream.accept(chunk.samples)
            if text != self._text:
                self._text = text
                yield self._event(chunk, text)
        if chunk.pause:
            self._stream.work_ahead()
        if chunk.last:
            yield from self._finish(chunk)

    def _finish(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        n_samples = chunk.end - self._start
        # Emotion first: the words are often worked out beside it, in another process.
        emotion = None
        if self.emotions is not None:
            emotion = self.emotions.predict(np.concatenate(self._heard)[:n_samples])
        stream, self._stream = self._stream, None
        result = stream.finish(n_samples)
        words = tuple(
            Word(w.text, self._seconds(w.start_s), self._seconds(w.end_s), w.confidence)
            for w in result.words
        )
        if result.text:
            yield self._event(chunk, result.text, final=True, emotion=emotion, words=words)
        elif self._text:  # takes back a line that is on the page
            yield self._event(chunk, "", final=True)

    def _event(
        self,
        chunk: SpeechChunk,
        text: str,
        final: bool = False,
        emotion: Emotion | None = None,
        words: tuple[Word, ...] = (),
    ) -> CaptionEvent:
        end_s = self._seconds((chunk.end - self._start) / SAMPLE_RATE)
        return CaptionEvent(
            chunk.segment, self._seconds(0.0), end_s, text, final, emotion, words
        )

    def _seconds(self, in_segment_s: float) -> float:
        """The session's time of a moment in the segment, to the millisecond."""
        return round(self._start / SAMPLE_RATE + in_segment_s, 3)
