"""Audio bytes in, captions and emotion out: the program's live session, with topics for a page.

It knows no ROS: `ros1` and `ros2` bring the messages and take the records.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Self

from app import HOME, load_engines
from deploy.ros.pcm import Audio, Form
from utils.captions.offending import masking
from utils.config import Settings, load, settings_file
from utils.errors import ConfigError
from utils.events import CaptionEvent, Emotion
from utils.live.board import Board
from utils.live.engines import Engines
from utils.live.loader import Progress
from utils.live.session import Session
from utils.models.hub import forbid_network

# Settings of the program that are parameters of the node, too.
PARAMETERS = (
    "asr",
    "model",
    "language",
    "pace",
    "phrases",
    "emotion",
    "emotion_model",
    "sounds",
    "offending",
    "offline",
)
LINES = 64  # whose emotion is known; a late one comes within a few lines
WARNED = {"lost", "lost.stuck"} | {
    f"listening.{how}" for how in ("late", "catching_up", "silent", "hum", "clipped", "faint")
}
PASSING = {"listening.quiet"}  # a robot in an empty room is no news
NEWS = {"engine.fetching", "engine.loading", "engine.changed", "pace.up"}  # that are no warning

Level = Literal["info", "warning", "error"]
Tell = Callable[[Level, str], None]


@dataclass(frozen=True)
class Caption:
    """A line as it stands: the fields of `Caption.msg` but its header, described there."""

    line: int
    final: bool
    begin_s: float
    end_s: float
    text: str
    sound: str
    language: str
    emotion: str
    grade: str


@dataclass(frozen=True)
class Feeling:
    """How a line is said: the fields of `Emotion.msg` but its header, described there."""

    line: int
    final: bool
    begin_s: float
    end_s: float
    label: str
    grade: str
    confidence: float
    classes: list[str]
    scores: list[float]


@dataclass(frozen=True)
class Outlet:
    """Who takes what there is; any of them on any thread, one call at a time.

    Parameters
    ----------
    caption, feeling : take a record and the sender's time of the line's beginning, in seconds
    tell : takes a level and a sentence for the log
    end : nothing comes any more; the log says why
    """

    caption: Callable[[Caption, float], None]
    feeling: Callable[[Feeling, float], None]
    tell: Tell
    end: Callable[[], None] = lambda: None


# The value of a node's parameter, by its name and what it is where nobody set it.
Given = Callable[[str, str | int | bool], object]


def gather(given: Given) -> Settings:
    """The program's settings, from its file and environment, under a node's parameters.

    Parameters
    ----------
    given : of `PARAMETERS`

    Raises
    ------
    ConfigError : one of them cannot be
    """
    path = settings_file(HOME)
    below = load({}, path)
    flags = {name: given(name, getattr(below, name)) for name in PARAMETERS}
    return load({n: v if isinstance(v, bool) else str(v) for n, v in flags.items()}, path)


def gather_form(given: Given) -> Form:
    """How the sound is, where nothing that comes with it tells.

    Parameters
    ----------
    given : of `sample_rate` and `channels`

    Raises
    ------
    ConfigError : it cannot be
    """
    values = {"sample_rate": given("sample_rate", 16_000), "channels": given("channels", 1)}
    for name, value in values.items():
        if type(value) is not int:
            raise ConfigError(f"{name} {value!r:.80}: expected a whole number")
    return Form(*values.values())  # type: ignore[arg-type]


class Captions:
    """Captions what an `Audio` brings, from entering its context to leaving it.

    It loads on a thread of its own, listens as soon as it can, and goes on by itself after
    sound that failed to come.

    Parameters
    ----------
    settings : of the program
    audio : what is heard
    outlet : gets what comes of it
    load : builds the engines

    Attributes
    ----------
    failed : it has ended by itself
    """

    def __init__(
        self,
        settings: Settings,
        audio: Audio,
        outlet: Outlet,
        load: Callable[[Settings, Progress], Engines] = load_engines,
    ) -> None:
        if settings.offline:
            forbid_network()
        self.failed = threading.Event()
        self._outlet = outlet
        self._journal = Journal(outlet.tell)
        lines = Lines(settings, audio, outlet)
        self._session = Session(
            partial(load, settings), audio.source, lines, self._published, listen=True
        )

    def __enter__(self) -> Self:
        self._session.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Finish and hand over what was said until now, and let the engines go."""
        self._session.__exit__(*error)

    def _published(self, name: str, payload: dict) -> None:
        if name != "status":
            return
        self._journal.take(payload)
        if payload["state"] == "error" and not self.failed.is_set():
            self.failed.set()
            self._outlet.end()


class Lines(Board):
    """Hands on what is said as it comes, and keeps nothing of it: a robot runs for months."""

    def __init__(self, settings: Settings, audio: Audio, outlet: Outlet) -> None:
        super().__init__(lambda name, payload: None)
        self._language = settings.language
        self._mask = masking(settings.offending)
        self._stamp_s = audio.stamp_s
        self._outlet = outlet
        self._felt: dict[int, tuple[str, str, bool]] = {}  # of a line, as it was told

    def show(self, event: CaptionEvent, cuts: int) -> None:
        """Take a line as it stands."""
        with self.lock:
            event = self._mask(event)
            stamp_s = self._stamp_s(event.start_s)
            emotion = event.emotion or Emotion("", 0.0, {})
            grade = emotion.grade if emotion.label else ""
            self._outlet.caption(self._caption(event, emotion.label, grade), stamp_s)
            told = self._felt.get(event.segment, ("", "", False))
            now = emotion.label, grade, event.final
            if now != told and (emotion.label or told[0]):
                self._outlet.feeling(feeling(event, emotion, grade), stamp_s)
                self._felt[event.segment] = now
                while len(self._felt) > LINES:
                    del self._felt[next(iter(self._felt))]

    def _caption(self, event: CaptionEvent, emotion: str, grade: str) -> Caption:
        return Caption(
            event.segment,
            event.final,
            event.start_s,
            event.end_s,
            event.text,
            event.sound or "",
            self._language,
            emotion,
            grade,
        )


def feeling(event: CaptionEvent, emotion: Emotion, grade: str) -> Feeling:
    """What is told of an emotion; its label is "" where one that was told is taken back."""
    return Feeling(
        event.segment,
        event.final,
        event.start_s,
        event.end_s,
        emotion.label,
        grade,
        emotion.confidence,
        list(emotion.scores),
        list(emotion.scores.values()),
    )


class Journal:
    """Says in the log how the session goes, each thing once as long as it stands.

    Parameters
    ----------
    tell : takes a level and a sentence
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._said: Hashable = None
        self._noticed: set[Hashable] = set()

    def take(self, status: Mapping) -> None:
        """Take a `status` event of the session."""
        for notice in status["notices"]:
            if told_of(notice) not in self._noticed:
                level: Level = "info" if notice["code"] in NEWS else "warning"
                self._tell(level, notice["message"])
        self._noticed = {told_of(notice) for notice in status["notices"]}
        if status["code"] in PASSING or told_of(status) == self._said:
            return
        self._said = told_of(status)
        if status["state"] == "error":
            self._tell("error", f"Captions have ended: {status['values']['reason']}")
        else:
            self._tell("warning" if status["code"] in WARNED else "info", status["message"])


def told_of(message: Mapping) -> Hashable:
    """What a sentence is about; by how much it is late or done is no other thing."""
    return message["code"], message["values"].get("reason")
