"""The pipeline: sound in, captions out.

It knows a recogniser and tags by what they do; `app.py` hands it the real ones. The same
`Captioner` serves the microphone, a file and the benchmark.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from utils.asr import Stream, Transcriber
from utils.audio import SAMPLE_RATE
from utils.captions.segmenter import Segmenter
from utils.captions.sounds import Sounds
from utils.captions.steady import Corrections, SteadyText
from utils.captions.tagging import Said, Tagging
from utils.captions.vad import VoiceActivity
from utils.errors import NoMemoryError
from utils.events import AudioFrame, CaptionEvent, SpeechChunk, Word
from utils.monitoring import metrics
from utils.tags import Tag

Answer = TypeVar("Answer")

WORDLESS = 2  # segments without a word, one after the other, that are no mere cough,
WORDLESS_KEPT = 10 * SAMPLE_RATE  # and samples after the last for which that is worth telling


class Captioner:
    """Turns frames of sound into caption events, in order, on the caller's thread.

    Parameters
    ----------
    transcriber : hears the words
    tags : what is said of each line besides
    first_segment : number of the first line, where others of the session are there already
    detector : of speech; None loads one

    Attributes
    ----------
    tags : those that are asked now, and what is still to come of them
    sounds : names what sounds while nobody speaks, once it has a model
    live : somebody reads along, so text that was shown stays as it is. Where nobody does, the
        recogniser's last word is the best.

    Raises
    ------
    ModelError : the voice activity detector cannot be loaded
    """

    def __init__(
        self,
        transcriber: Transcriber,
        tags: Sequence[Tag] = (),
        first_segment: int = 0,
        detector: VoiceActivity | None = None,
    ) -> None:
        self.transcriber = transcriber
        self.live = True
        self.tags = Tagging(tags)
        self.sounds = Sounds()
        self._corrections = Corrections()
        self._segmenter = Segmenter(detector or VoiceActivity(), self._hear_beside, first_segment)
        self._beside: list[CaptionEvent] = []  # of sounds, not handed out yet
        self._stream: Stream | None = None
        self._steady: SteadyText | None = None
        self._heard = np.zeros(0, np.float32)  # all of the segment so far
        self._text = ""  # that was shown last
        self._shown: Said = {}  # of the tags, then
        self._end = 0  # of the segment before
        self._now = 0  # where the last frame began
        self._wordless = 0  # segments since the last that had words
        self._retired: list[Transcriber] = []  # to be closed once no stream needs them
        self._changing = threading.Lock()
        self._closed = False

    def change(self, transcriber: Transcriber) -> None:
        """Use another transcriber from the next segment on; from any thread.

        What is being said is finished by the one that began it, which is then closed.
        After `close` the new one is closed at once.
        """
        with self._changing:
            if self._closed:
                transcriber.close()
                return
            self._retired.append(self.transcriber)
            self.transcriber = transcriber
            if self._stream is None:
                self._retire()

    def close(self) -> None:
        """Let the models go, and any that was replaced. No other call may follow."""
        with self._changing:
            if not self._closed:
                self._closed = True
                self._retire()
                self.transcriber.close()
                self.tags.close()

    def renewed(self) -> "Captioner":
        """The same engines, as if nothing had been heard; this one is not used again."""
        self.clear()
        self.forget()
        other = Captioner(self.transcriber)
        other.live, other.tags = self.live, self.tags
        sounds, other.sounds.model = other.sounds, self.sounds.model
        sounds.on, sounds.missing = self.sounds.on, self.sounds.missing
        return other

    def _retire(self) -> None:
        while self._retired:
            self._retired.pop().close()

    def _let_go(self) -> None:
        """The stream has ended."""
        with self._changing:
            self._stream = None
            self._retire()

    @property
    def hearing(self) -> bool:
        """Whether speech is under way."""
        return self._stream is not None

    @property
    def unheard(self) -> bool:
        """Whether something like speech has been heard of late, and no words in it."""
        lately = self._now - self._end < WORDLESS_KEPT
        return (lately and self._wordless >= WORDLESS) or self._segmenter.doubtful

    @property
    def humming(self) -> bool:
        """Whether the mains hum as loud as a voice."""
        return self._segmenter.humming

    def push(self, frame: AudioFrame) -> Iterator[CaptionEvent]:
        """Take the next frame; yield what it changes."""
        self._now = frame.start
        yield from self._take_all(self._segmenter.push(frame))
        yield from self.tags.late()

    def flush(self) -> Iterator[CaptionEvent]:
        """Finish what is being said: no more sound comes."""
        yield from self._take_all(self._segmenter.flush())
        yield from self.sounds.flush()
        yield from self.tags.late()

    def abandon(self) -> None:
        """Give up what is being said: an engine has failed."""
        self.forget()
        self._let_go()
        self._steady = None
        for _ in self._segmenter.flush():
            pass
        self.sounds.forget()
        self._beside.clear()

    def clear(self) -> None:
        """Give up what is being said, and let nothing come of what was."""
        self.abandon()
        self.tags.forget_lines()

    def forget(self) -> None:
        """Have the tags forget who was heard: whoever speaks next is no other voice."""
        self.tags.forget()

    def _hear_beside(self, start: int, window: np.ndarray) -> None:
        self._beside += self.sounds.hear(start, window, self._segmenter.take_number)

    def _take_all(self, chunks: Iterator[SpeechChunk]) -> Iterator[CaptionEvent]:
        """Speech, and what sounds between it, in their order."""
        for chunk in chunks:
            yield from self._told_beside()
            yield from self._take(chunk)
        yield from self._told_beside()

    def _told_beside(self) -> Iterator[CaptionEvent]:
        told, self._beside = self._beside, []
        return iter(told)

    def _take(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        if self._stream is None:
            yield from self.sounds.begin_speech()
            self._begin(chunk)
        if len(chunk.samples) > len(self._heard) or not chunk.last:
            yield from self._grow(chunk)
        if chunk.pause and self.live:  # else a final pass that more speech makes useless
            self._opened().work_ahead()
        if chunk.last:
            yield from self._finish(chunk)

    def _opened(self) -> Stream:
        """The stream of the segment; a new one where there is none."""
        with self._changing:
            if self._stream is None:
                self._stream = self.transcriber.stream(growing=self.live)
            return self._stream

    def _begin(self, chunk: SpeechChunk) -> None:
        self._opened()
        self.tags.begin(self.live)
        self._start = chunk.start
        self._text, self._shown = "", {}
        self._heard = chunk.samples[:0]
        settle_s = self.transcriber.settle_s
        # Words beyond a split belong to what follows at once, not to what is said much later.
        beyond = self._steady.beyond if self._steady and chunk.start == self._end else ()
        self._steady = None
        if self.live and settle_s is not None:
            self._steady = SteadyText(settle_s, self._corrections, beyond)

    def _grow(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        samples = self._heard = chunk.samples
        text = self._ask(lambda stream: stream.grow(samples))
        if self._steady:
            text = self._steady.accept(text, len(samples))
        tags, shown = self.tags.grow(samples)
        if text != self._text or (text and shown != self._shown):
            yield self._event(chunk, text, tags)
        self._text, self._shown = text, shown
        if not text:
            yield from self.sounds.grow_speech(chunk)

    def _finish(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        samples, self._end = chunk.samples, chunk.end
        # Tags first: the words are often worked out beside them, on another thread.
        tags = self.tags.finish(samples)
        result = self._ask(lambda stream: stream.finish(samples))
        self._let_go()
        if self._steady:
            result = self._steady.finish(result, split=len(samples) < len(self._heard))
        self._wordless = 0 if result.text else self._wordless + 1
        if sound := self.sounds.end_speech(chunk, len(result.text.split())):
            yield sound
        elif result.text:
            words = tuple(
                Word(w.text, self._seconds(w.start_s), self._seconds(w.end_s), w.confidence)
                for w in result.words
            )
            line = self._event(chunk, result.text, tags, final=True, words=words)
            yield self.tags.complete(line, samples)
        elif self._text:  # takes back a line that is on the page
            yield self._event(chunk, "", {}, final=True)

    def _ask(self, ask: Callable[[Stream], Answer]) -> Answer:
        """Ask the recogniser; where memory is short, once more without the tags that cost some."""
        try:
            with metrics.STEPS.time():
                return ask(self._opened())
        except NoMemoryError as err:
            if not self.tags.save_memory(err):
                raise
        with self._changing:
            again = self._stream = self.transcriber.stream(growing=self.live)
        if len(self._heard):
            again.grow(self._heard)
        return ask(again)

    def _event(
        self,
        chunk: SpeechChunk,
        text: str,
        tags: Said,
        final: bool = False,
        words: tuple[Word, ...] = (),
    ) -> CaptionEvent:
        end_s = self._seconds((chunk.end - self._start) / SAMPLE_RATE)
        return CaptionEvent(chunk.segment, self._seconds(0.0), end_s, text, final, tags, words)

    def _seconds(self, in_segment_s: float) -> float:
        """The session's time of a moment in the segment, to the millisecond."""
        return round(self._start / SAMPLE_RATE + in_segment_s, 3)
