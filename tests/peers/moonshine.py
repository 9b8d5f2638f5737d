"""Moonshine's own live transcriber, with the tiny English model that its package carries."""

import numpy as np
from moonshine_voice import (
    LineCompleted,
    LineTextChanged,
    ModelArch,
    Transcriber,
    TranscriptEventListener,
    get_model_path,
)
from playing import Page, play


class Moonshine(TranscriptEventListener):
    """One stream with the library's own settings: an update every half second."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._transcriber = Transcriber(get_model_path("tiny-en"), ModelArch.TINY)
        self._stream = self._transcriber.create_stream()
        self._stream.add_listener(self)
        self._stream.start()

    def on_line_text_changed(self, event: LineTextChanged) -> None:
        self._page.show(event.line.text, final=False)

    def on_line_completed(self, event: LineCompleted) -> None:
        self._page.show(event.line.text, final=True)

    def feed(self, block: np.ndarray) -> None:
        self._stream.add_audio((block / np.float32(32_768)).tolist(), 16_000)

    def busy(self) -> bool:
        return self._page.line_is_open

    def end_take(self) -> None:
        pass


if __name__ == "__main__":
    play(lambda page, model: Moonshine(page))
