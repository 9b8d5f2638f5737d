"""Commands that need no server, and what `app.py caption` does with a recording."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from utils.captions.pipeline import Captioner
from utils.captions.transcript import FORMATS, Transcript
from utils.command_line.output import note, put
from utils.errors import AppError, AudioError
from utils.events import CaptionEvent
from utils.live.saved import read_saved
from utils.sources import Source, input_devices, microphones


def export(path: str, form: str, mask: Callable[[CaptionEvent], CaptionEvent]) -> int:
    """Print a saved session in another format, each line as `mask` makes it."""
    lines, bad = read_saved(Path(path))
    for text in FORMATS[form](map(mask, lines)):
        put(text)
    if bad:
        note(f"{path}: {bad} line(s) could not be read and are left out")
    return 0


def list_microphones() -> int:
    """Print the input devices."""
    devices = microphones()
    for device in devices:
        mark = "  (default)" if device.default else ""
        put(f"{device.index:3d}  {device.name}{mark}\n")
    if devices:
        for name in sorted({one.name for one in input_devices()} - {one.name for one in devices}):
            put(f"     {name}\n")  # the sound server's, each by its name
    if not devices:
        note("No microphone found. Connect one, and see that the sound server runs.")
    return 0 if devices else 1


def caption_events(captioner: Captioner, source: Source) -> Iterator[CaptionEvent]:
    """Caption a source to its end, or to where it breaks, and then raise why.

    Raises
    ------
    AppError : the source broke, or the recogniser
    """
    with source:
        try:
            for frame in source:
                yield from captioner.push(frame)
        except AudioError:
            yield from captioner.flush()
            raise
    yield from captioner.flush()


def final_lines(events: Iterator[CaptionEvent]) -> Iterator[CaptionEvent]:
    """The lines as they are in the end, each once; those before an error come before it.

    Raises
    ------
    AppError : as `events` does
    """
    transcript = Transcript()
    try:
        for event in events:
            transcript.add(event)
    except AppError:
        yield from transcript.final()
        raise
    yield from transcript.final()


def with_progress(events: Iterator[CaptionEvent], total_s: float | None) -> Iterator[CaptionEvent]:
    """Pass events on; on a terminal, tell how far the recording is, if its length is known."""
    terminal = sys.stderr.isatty()
    for event in events:
        if terminal:
            done = f"{min(event.end_s / total_s, 1):.0%}" if total_s else f"{event.end_s:.0f} s"
            print(f"\r{done:>8} ", end="", file=sys.stderr, flush=True)
        yield event
    if terminal:
        print("\r         \r", end="", file=sys.stderr, flush=True)
