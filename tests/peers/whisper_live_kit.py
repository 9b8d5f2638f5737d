"""WhisperLiveKit's server, its audio processor, with Whisper tiny.en by its default policy.

That policy, AlignAtt, decodes as far as the attention has not reached the end of the sound.
"""

import asyncio
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from pathlib import Path

import numpy as np
from playing import Page, play
from torch_weights import convert
from whisperlivekit import AudioProcessor, TranscriptionEngine
from whisperlivekit.timed_objects import FrontData
from whisperlivekit.whisper import _ALIGNMENT_HEADS

PATIENCE_S = 30.0  # for the last words of a session


class WhisperLiveKit:
    """One session of its server after another, a take each; the model stays loaded.

    A line is finished when it stands as it stays: once its session has told that a pause
    begins, or later, where the text changes after that.
    """

    def __init__(self, page: Page, **options: object) -> None:
        self._page = page
        self._engine = TranscriptionEngine(
            lan="en",
            pcm_input=True,
            backend="faster-whisper",
            warmup_file=str(next(Path(sys.argv[1]).glob("*.wav"))),  # else it fetches one
            **options,
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._session: AudioProcessor | None = None
        self._results: Future[None] | None = None
        self._events: Future[None] | None = None
        self._text, self._paused, self._settled_s = "", False, 0.0

    def feed(self, block: np.ndarray) -> None:
        if self._session is None:
            self._wait_for(self._begin())
        assert self._session
        self._wait_for(self._session.process_audio(block.tobytes()))

    def busy(self) -> bool:
        return bool(self._text) and not self._paused

    def end_take(self) -> None:
        assert self._session and self._results and self._events
        self._wait_for(self._session.process_audio(b""))
        self._results.result(PATIENCE_S)
        self._wait_for(self._session.cleanup())
        self._events.cancel()
        self._page.show(self._text, True, self._settled_s)
        self._session = None

    def _wait_for(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _begin(self) -> None:
        self._text, self._paused, self._settled_s = "", False, 0.0
        events: asyncio.Queue = asyncio.Queue()
        self._session = AudioProcessor(transcription_engine=self._engine, stream_event_queue=events)
        results = await self._session.create_tasks()
        self._results = asyncio.run_coroutine_threadsafe(self._read(results), self._loop)
        self._events = asyncio.run_coroutine_threadsafe(self._watch(events), self._loop)

    async def _read(self, results: AsyncIterator[FrontData]) -> None:
        async for front in results:
            lines = [line.text for line in front.lines if line.text]
            text = " ".join([*lines, front.buffer_transcription])
            if text.split() != self._text.split():
                self._text, self._settled_s = text, self._page.now()
                self._page.show(text, False, self._settled_s)

    async def _watch(self, events: asyncio.Queue) -> None:
        while True:
            event = await events.get()
            if event.kind == "speech_started":
                self._paused = False
            elif event.kind == "silence_transcription_ready":
                self._paused, self._settled_s = True, self._page.now()


def align_att(page: Page, model: str) -> WhisperLiveKit:
    """The policy that its server has unless told otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "tiny.en.pt"  # the name tells that the model is English
        convert(Path(model), checkpoint)
        return WhisperLiveKit(
            page,
            model_path=str(checkpoint),
            encoder_model_path=model,
            custom_alignment_heads=_ALIGNMENT_HEADS["tiny.en"].decode(),
        )


if __name__ == "__main__":
    play(align_att)
