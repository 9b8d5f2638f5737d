"""The usual way: SpeechRecognition records until a pause, and faster-whisper reads it then."""

import queue
import threading

import numpy as np
import speech_recognition
from faster_whisper import WhisperModel
from playing import SAMPLE_RATE, Page, play


class Fed(speech_recognition.AudioSource):
    """Blocks that are fed, as SpeechRecognition reads a microphone."""

    CHUNK, SAMPLE_RATE, SAMPLE_WIDTH = 1024, SAMPLE_RATE, 2

    def __init__(self) -> None:
        self.blocks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.stream = self
        self._rest = b""

    def read(self, size: int) -> bytes:
        while len(self._rest) < 2 * size:
            self._rest += self.blocks.get()
        block, self._rest = self._rest[: 2 * size], self._rest[2 * size :]
        return block


class RecordThenTranscribe:
    """Both with their own settings: 0.8 s of pause by an energy threshold; a beam of 5."""

    def __init__(self, page: Page, model: str) -> None:
        self._page, self._source = page, Fed()
        self._whisper = WhisperModel(model, device="cpu", compute_type="int8")
        self._transcribing = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        recogniser = speech_recognition.Recognizer()
        while True:
            recording = recogniser.listen(self._source)
            self._transcribing = True
            samples = np.frombuffer(recording.get_raw_data(), "<i2") / np.float32(32_768)
            segments, _ = self._whisper.transcribe(samples, language="en")
            self._page.show(" ".join(segment.text for segment in segments), final=True)
            self._transcribing = False

    def feed(self, block: np.ndarray) -> None:
        self._source.blocks.put(block.tobytes())

    def busy(self) -> bool:
        return self._transcribing or not self._source.blocks.empty()

    def end_take(self) -> None:
        pass


if __name__ == "__main__":
    play(RecordThenTranscribe)
