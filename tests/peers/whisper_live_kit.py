"""WhisperLiveKit: its server's audio processor, with Whisper tiny.en by LocalAgreement."""

import asyncio
import threading
from concurrent.futures import Future

import numpy as np
from playing import Page, play
from whisperlivekit import AudioProcessor, TranscriptionEngine

PATIENCE_S = 30.0  # for the last words of a session


class WhisperLiveKit:
    """One session of its server after another, a take each; the model stays loaded.

    A line is finished when it stands as it stays: once its session has told that a pause
    begins, or later, where the text changes after that.
    """

    def __init__(self, page: Page, model: str) -> None:
        self._page = page
        self._engine = TranscriptionEngine(
            model_path=model,
            lan="en",
            pcm_input=True,
            backend_policy="localagreement",
            backend="faster-whisper",
            warmup_file="",
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._session: AudioProcessor | None = None
        self._results: Future[None] | None = None
        self._text, self._paused, self._settled_s = "", False, 0.0

    def feed(self, block: np.ndarray) -> None:
        if self._session is None:
            self._wait_for(self._begin())
        self._wait_for(self._session.process_audio(block.tobytes()))

    def busy(self) -> bool:
        return bool(self._text) and not self._paused

    def end_take(self) -> None:
        self._wait_for(self._session.process_audio(b""))
        self._results.result(PATIENCE_S)
        self._wait_for(self._session.cleanup())
        self._page.show(self._text, True, self._settled_s)
        self._session = None

    def _wait_for(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _begin(self) -> None:
        self._text, self._paused, self._settled_s = "", False, 0.0
        events: asyncio.Queue = asyncio.Queue()
        self._session = AudioProcessor(
            transcription_engine=self._engine, stream_event_queue=events
        )
        results = await self._session.create_tasks()
        self._results = asyncio.run_coroutine_threadsafe(self._read(results), self._loop)
        self._events = self._loop.create_task(self._watch(events))

    async def _read(self, results) -> None:
        async for front in results:
            lines = [line.text for line in front.lines if line.text]
            text = " ".join([*lines, front.buffer_transcription])
            if text.split() != self._text.split():
                self._text, self._settled_s = text, self._page.now()
                self._page.show(text, False)

    async def _watch(self, events: asyncio.Queue) -> None:
        while True:
            event = await events.get()
            if event.kind == "speech_started":
                self._paused = False
            elif event.kind == "silence_transcription_ready":
                self._paused, self._settled_s = True, self._page.now()


if __name__ == "__main__":
    play(WhisperLiveKit)
