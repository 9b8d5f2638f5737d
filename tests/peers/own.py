"""This program: its whole pipeline, with the recogniser that a machine without a network has."""

from collections.abc import Callable

import numpy as np
from playing import Page, play

from emotion_model import EmotionRecognizer
from utils import audio
from utils.asr import Transcriber
from utils.asr.choose import open_embedded
from utils.captions.pipeline import Captioner
from utils.events import AudioFrame
from utils.tags.emotion import EmotionTag


def embedded() -> Transcriber:
    return open_embedded()


class Own:
    """The captioner, fed as the microphone's queue feeds it."""

    def __init__(self, page: Page, open_transcriber: Callable[[], Transcriber]) -> None:
        self._page = page
        self._captioner = Captioner(open_transcriber(), [EmotionTag(EmotionRecognizer.load())])
        self._at = 0

    def feed(self, block: np.ndarray) -> None:
        for event in self._captioner.push(AudioFrame(self._at, audio.check(block))):
            self._page.show(event.text, event.final)
        self._at += len(block)

    def busy(self) -> bool:
        return self._captioner.hearing or self._page.line_is_open

    def end_take(self) -> None:
        pass


if __name__ == "__main__":
    play(lambda page, model: Own(page, embedded))
