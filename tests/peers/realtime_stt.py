"""RealtimeSTT: its recorder, fed instead of its microphone, with Whisper tiny.en for both roles."""

import threading

import numpy as np
from playing import Page, play
from RealtimeSTT import AudioToTextRecorder


class RealtimeStt:
    """The recorder with its own settings, on the processor with 8-bit weights.

    Its Silero model is the ONNX file of the silero-vad package, not torch.hub's download.
    """

    def __init__(self, page: Page, model: str) -> None:
        self._page, self._recording = page, False
        self._recorder = AudioToTextRecorder(
            model=model,
            realtime_model_type=model,
            language="en",
            device="cpu",
            compute_type="int8",
            use_microphone=False,
            spinner=False,
            no_log_file=True,
            enable_realtime_transcription=True,
            on_recording_start=self._starts,
            on_realtime_transcription_update=lambda text: page.show(text, final=False),
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _starts(self) -> None:
        self._recording = True

    def _listen(self) -> None:
        while True:
            text = self._recorder.text()
            self._page.show(text, final=True)
            self._recording = False

    def feed(self, block: np.ndarray) -> None:
        self._recorder.feed_audio(block.tobytes())

    def busy(self) -> bool:
        return self._recording

    def end_take(self) -> None:
        pass


if __name__ == "__main__":
    play(RealtimeStt)
