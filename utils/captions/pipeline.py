"""The pipeline: sound in, captions out.

It knows a recogniser of words and one of emotion by what they do; `app.py` hands it the
real ones. The same `Captioner` serves the microphone, a file and the benchmark.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np

from utils.asr import Stream, Transcriber
from utils.audio import SAMPLE_RATE
from utils.errors import NoMemoryError
from utils.events import AudioFrame, CaptionEvent, Emotion, SpeechChunk, Word
from utils.faults import cause
from utils.tags.loudness import Loudness
from utils.tags.emotion import EmotionPredictor, RunningEmotion
from utils.captions.segmenter import Segmenter
from utils.captions.steady import Corrections, SteadyText
from utils.captions.vad import VoiceActivity
from utils.tags.voices import VoiceModel, Voices

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

WORDLESS = 2  # segments without a word, one after the other, that are no mere cough,
WORDLESS_KEPT = 10 * SAMPLE_RATE  # and samples after the last for which that is worth telling


class Captioner:
    """Turns frames of sound into caption events, in order, on the caller's thread.

    Parameters
    ----------
    transcriber : hears the words
    emotions : estimates how they were said; None shows no emotion
    voice_model : tells voices apart; None marks no other voice

    Attributes
    ----------
    live : somebody reads along, so text that was shown stays as it is. Where nobody does, the
        recogniser's last word is the best.
    missing : told the code of a sentence and a reason, where emotion or voices are given up; words
        go on without them

    Raises
    ------
    ModelError : the voice activity detector cannot be loaded
    """

    def __init__(
        self,
        transcriber: Transcriber,
        emotions: EmotionPredictor | None = None,
        voice_model: VoiceModel | None = None,
    ) -> None:
        self.transcriber = transcriber
        self.emotions = emotions
        self.show_emotion = True  # from the next segment on
        self.live = True
        self.missing: Callable[[str, str], None] = _untold
        self._corrections = Corrections()
        self._loudness = Loudness()
        self.tell_apart(voice_model)
        self._segmenter = Segmenter(VoiceActivity())
        self._stream: Stream | None = None
        self._steady: SteadyText | None = None
        self._samples: list[np.ndarray] = []  # of the segment
        self._end = 0  # of the segment before
        self._now = 0  # where the last frame began
        self._wordless = 0  # segments since the last that had words
        self._retired: list[Transcriber] = []  # to be closed once no stream needs them
        self._changing = threading.Lock()
        self._closed = False

    def tell_apart(self, voice_model: VoiceModel | None) -> None:
        """Mark another voice by this model from the next segment on, or do not."""
        told = self._give_up_voices
        self._voices = Voices(voice_model, told) if voice_model is not None else None

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
                if self._voices:
                    self._voices.model.close()

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
        for chunk in self._segmenter.push(frame):
            yield from self._take(chunk)

    def flush(self) -> Iterator[CaptionEvent]:
        """Finish what is being said: no more sound comes."""
        for chunk in self._segmenter.flush():
            yield from self._take(chunk)

    def abandon(self) -> None:
        """Give up what is being said, and forget the voices.

        An engine has failed, or all that was said is to be forgotten.
        """
        self.forget_voices()
        self._let_go()
        self._steady = None
        for _ in self._segmenter.flush():
            pass

    def forget_voices(self) -> None:
        """Forget who has spoken: whoever speaks next is no other voice."""
        if self._voices:
            self._voices.forget()

    def _take(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        if self._stream is None:
            self._begin(chunk)
        if len(chunk.samples) or not chunk.last:
            yield from self._grow(chunk)
        if chunk.pause and self.live:  # else a final pass that more speech makes useless
            self._stream.work_ahead()
        if chunk.last:
            yield from self._finish(chunk)

    def _begin(self, chunk: SpeechChunk) -> None:
        with self._changing:
            self._stream = self.transcriber.stream(growing=self.live)
        shown = self.emotions if self.show_emotion else None
        told = self._give_up_emotion
        self._running = RunningEmotion(shown, told) if shown is not None else None
        self._start = chunk.start
        self._text, self._emotion, self._new_voice = "", None, False
        self._voice = self._voices.begin(wait=not self.live) if self._voices else None
        self._samples = []
        settle_s = self.transcriber.settle_s
        steady = self.live and settle_s is not None
        # Words beyond a split belong to what follows at once, not to what is said much later.
        beyond = self._steady.beyond if self._steady and chunk.start == self._end else ()
        self._steady = SteadyText(settle_s, self._corrections, beyond) if steady else None

    def _grow(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        text, emotion = self._ask(lambda stream: stream.accept(chunk.samples)), None
        self._samples.append(chunk.samples)
        if self._steady:
            text = self._steady.accept(text, chunk.end - self._start)
        if self._running is not None:
            emotion = self._running.accept(chunk.samples)
        shown = _label(self._emotion), self._new_voice
        if self._voice is not None:
            self._new_voice = self._voice.accept(chunk.samples)
        if text != self._text or (text and (_label(emotion), self._new_voice) != shown):
            yield self._event(chunk, text, emotion=emotion)
        self._text, self._emotion = text, emotion

    def _finish(self, chunk: SpeechChunk) -> Iterator[CaptionEvent]:
        n_samples, self._end = chunk.end - self._start, chunk.end
        # Emotion first: the words are often worked out beside it, in another process.
        emotion = self._running.finish(n_samples) if self._running is not None else None
        result = self._ask(lambda stream: stream.finish(n_samples))
        self._let_go()
        if self._steady:
            result = self._steady.finish(result, split=n_samples < sum(map(len, self._samples)))
        words = tuple(
            Word(w.text, self._seconds(w.start_s), self._seconds(w.end_s), w.confidence)
            for w in result.words
        )
        self._wordless = 0 if result.text else self._wordless + 1
        if result.text:
            if self._voice is not None:
                self._new_voice = self._voice.finish(n_samples)
            event = self._event(chunk, result.text, final=True, emotion=emotion, words=words)
            loudness = self._loudness.judge(np.concatenate(self._samples)[:n_samples])
            yield replace(event, loudness=loudness)
        elif self._text:  # takes back a line that is on the page
            yield self._event(chunk, "", final=True)

    def _ask(self, ask: Callable[[Stream], Answer]) -> Answer:
        """Ask the recogniser; where memory is short, once more without emotion and voices."""
        try:
            return ask(self._stream)
        except NoMemoryError as err:
            if self.emotions is None and self._voices is None:
                raise
            log.warning("%s; emotion and voices are given up", err)
            self._give_up_emotion(err)
            self._give_up_voices(err)
        with self._changing:
            self._stream = self.transcriber.stream(growing=self.live)
        if self._samples:
            self._stream.accept(np.concatenate(self._samples))
        return ask(self._stream)

    def _give_up_emotion(self, err: Exception) -> None:
        if self.emotions is not None:
            self.emotions = self._running = None
            self.missing("emotion.missing", cause(err))

    def _give_up_voices(self, err: Exception) -> None:
        voices, self._voices, self._voice = self._voices, None, None
        if voices:
            voices.model.close()
            self.missing("voices.missing", cause(err))

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
            chunk.segment, self._seconds(0.0), end_s, text, final, emotion, words,
            new_voice=self._new_voice,
        )  # fmt: skip

    def _seconds(self, in_segment_s: float) -> float:
        """The session's time of a moment in the segment, to the millisecond."""
        return round(self._start / SAMPLE_RATE + in_segment_s, 3)


def _untold(code: str, reason: str) -> None:
    """For callers that show no remarks."""


def _label(emotion: Emotion | None) -> str | None:
    return emotion.label if emotion else None
