"""`python emotion_model.py microphone`: line by line, how it is said and what the words say."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from utils.captions.export.marks import plain
from utils.captions.pipeline import Captioner
from utils.command_line.emotion.bars import clock
from utils.command_line.output import note, put
from utils.config import Settings
from utils.errors import ModelError
from utils.events import CaptionEvent
from utils.live import loading
from utils.messages import Message, say
from utils.models.catalogue import TEXT_EMOTIONS
from utils.models.text_emotion import find_text_emotions
from utils.sources import MicrophoneSource

_ROW = "{:>7}  {:<17}{}{}\n"


def tell_lines(
    open_emotion: loading.OpenEmotion,
    checkpoint: Path | None,
    device: str | None,
    language: str,
    reads: bool,
) -> None:
    """Tell each line that is spoken, until Ctrl+C: when, how it was said, what its words say.

    Parameters
    ----------
    device : as `MicrophoneSource` takes it
    language : of the speech
    reads : tell what the words say, too

    Raises
    ------
    ModelError : a model is missing, or cannot be used
    CaptureError : no microphone, or it was lost
    """
    if reads and not find_text_emotions():  # before all else is loaded
        raise ModelError(str(say("text_emotion.none", name=TEXT_EMOTIONS[0].name)))
    settings = Settings(
        language=language,
        emotion_model=str(checkpoint or ""),
        text_emotion=reads,
        sounds=False,
    )
    model = open_emotion(checkpoint)  # before all else too, and its error is told once
    captioner = _opened(settings, lambda _: model)
    try:
        put(_ROW.format("from", "voice", _column("words", reads), "").rstrip() + "\n")
        with ended_by_ctrl_c() as ended, MicrophoneSource(device) as microphone:
            note("Speak now; Ctrl+C ends it.")
            for frame in microphone:
                _tell(captioner.push(frame), reads)
                if ended.is_set():
                    break
        _tell(captioner.flush(), reads)
    finally:
        captioner.close()


def _tell(events: Iterator[CaptionEvent], reads: bool) -> None:
    for event in events:
        if event.final and event.text:
            put(row(event, reads))


@contextmanager
def ended_by_ctrl_c() -> Iterator[threading.Event]:
    """Set by the first Ctrl+C, so that what was being said is told; the second ends at once."""
    ended = threading.Event()

    def end(*_: object) -> None:
        ended.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield ended
    finally:
        signal.signal(signal.SIGINT, before)


def row(line: CaptionEvent, reads: bool) -> str:
    """A finished line: when it began, how it was said, what its words say, and the words."""
    voice = f"{line.emotion.label}, {line.emotion.grade}" if line.emotion else "unsure"
    said = line.tags.get("text_emotion")
    words = said["label"] if said else "unsure"
    return _ROW.format(clock(line.start_s), voice, _column(words, reads), plain(line.text))


def _column(words: str, shown: bool) -> str:
    return f"{words:<12}" if shown else ""


def _opened(settings: Settings, open_emotion: loading.OpenEmotion) -> Captioner:
    """What captions are made with, loaded; each line waits for all that is to be said of it."""

    def progress(done: float, message: Message) -> None:
        note(str(message))

    engines = loading.load_engines(settings, progress, open_emotion)
    captioner = engines.captioner
    captioner.live = False
    captioner.tags.missing = lambda code, reason: note(str(say(code, reason=reason)))
    try:
        for message in engines.missing:
            if message.code.startswith(("text_emotion", "emotion")):
                raise ModelError(str(message))
            note(str(message))
        tag = captioner.tags.find("text_emotion")
        later = tag.after_text("Yes.", np.zeros(0, np.float32)) if tag else None
        if isinstance(later, Future):
            later.result()  # which comes once its model is loaded
    except BaseException:
        captioner.close()
        raise
    return captioner
