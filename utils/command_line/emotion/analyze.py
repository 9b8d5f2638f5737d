"""`python emotion_model.py analyze`: how speech sounds along a recording."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tqdm import tqdm

from utils.audio.recording import Recording
from utils.command_line.emotion.bars import Table
from utils.command_line.emotion.chunks import Chunk, Ear
from utils.command_line.emotion.fetched import fetched, is_address
from utils.command_line.emotion.kept import Kept
from utils.command_line.emotion.player import Player
from utils.command_line.emotion.recognizer import Recognizer
from utils.command_line.emotion.timeline import Timeline
from utils.command_line.output import note, put
from utils.errors import AudioError

BAR = "{desc}{percentage:3.0f} %  {elapsed} so far, {remaining} left"


def analyze(
    recognizer: Recognizer,
    what: str,
    chunk_s: float,
    plays: bool = False,
    jsonl: bool = False,
    plot: Kept | None = None,
) -> None:
    """Tell the emotion of each chunk as it is heard, and draw all of them.

    Parameters
    ----------
    what : a file, or an address of the web
    plays : each chunk is told when its sound begins
    jsonl : JSON lines instead of a table of bars
    plot : where the timeline goes

    Raises
    ------
    AudioError : unreadable, too short, without speech; or damaged, after all that could be read
    CaptureError : it cannot be played
    ConfigError : what it needs is not installed
    DataError : the timeline cannot be kept
    """
    timeline = Timeline(recognizer.labels, Path(what).name or what) if plot else None
    with ExitStack() as stack:
        path = stack.enter_context(fetched(what)) if is_address(what) else Path(what)
        stack.enter_context(_called(what, path))
        recording = stack.enter_context(Recording(path))
        player = stack.enter_context(Player()) if plays else None
        with _Shown(recognizer, what, jsonl, recording.duration_s) as shown:
            error = _tell(
                Ear(recognizer).along(recording.voice(), chunk_s), shown, player, timeline
            )
        if plot and timeline and shown.hears_speech:
            plot.write(timeline.png())
            note(f"drawn in {plot.path}")
        if error:
            raise error
        if not shown.hears_speech:
            raise AudioError("no speech is heard in it; give a recording of somebody who speaks")


def _tell(
    chunks: Iterator[Chunk], shown: "_Shown", player: Player | None, timeline: Timeline | None
) -> AudioError | None:
    """Show each chunk as it comes; return why they ended before their time, else None."""
    error = None
    try:
        for chunk in chunks:
            if player:
                player.play(chunk.samples)
            shown.add(chunk)
            if timeline:
                timeline.add(chunk)
    except AudioError as err:  # what could be read counts
        error = err
    if player:
        player.finish()
    return error


@contextmanager
def _called(what: str, path: Path) -> Iterator[None]:
    """Errors name a recording as whoever gave it does."""
    try:
        yield
    except AudioError as err:
        reason = str(err).removeprefix(f"{what}: ").removeprefix(f"{path}: ")
        raise AudioError(f"{what}: {reason}") from err


class _Shown:
    """What the terminal shows of chunks: a row or a JSON line each, and how far it is.

    Parameters
    ----------
    what : the recording's name
    duration_s : its length, where it is known

    Attributes
    ----------
    hears_speech : whether any chunk has some
    """

    def __init__(
        self, recognizer: Recognizer, what: str, jsonl: bool, duration_s: float | None
    ) -> None:
        self.hears_speech = False
        self._what, self._jsonl = what, jsonl
        self._table = Table(recognizer.labels)
        self._bar = tqdm(
            total=round(duration_s) if duration_s else None,
            bar_format=BAR if duration_s and duration_s >= 1 else None,
            unit=" s",
            disable=None,
            leave=False,
        )
        if not jsonl:
            self._put(self._table.head())

    def __enter__(self) -> "_Shown":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def add(self, chunk: Chunk) -> None:
        """The next one."""
        self.hears_speech |= chunk.scores is not None
        if self._jsonl:
            self._put(json.dumps(chunk.to_dict(self._what)) + "\n")
        else:
            self._put(self._table.row(chunk.start_s, chunk.named, chunk.scores))
        self._bar.update(round(chunk.end_s) - self._bar.n)

    def _put(self, text: str) -> None:
        with self._bar.external_write_mode():  # which may be on the same terminal
            put(text)
