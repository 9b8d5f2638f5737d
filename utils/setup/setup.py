"""The set-up of the page: what is chosen takes effect, is kept, and is told to every presenter."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from utils.asr import Transcriber
from utils.asr.choose import open_transcriber
from utils.config import Gathered, Settings
from utils.errors import AppError, RequestError
from utils.language import two_letters
from utils.live.board import Publish
from utils.live.engines import Better, Course, Notice
from utils.live.loading import choice
from utils.live.room import Room
from utils.live.session import Session
from utils.live.takeover import takeover
from utils.messages import Message, say
from utils.models.catalogue import find
from utils.setup.choices import Choices, Kept
from utils.setup.fetching import Fetching
from utils.setup.first import First
from utils.setup.recognisers import AUTOMATIC, hears, languages, recognisers
from utils.setup.speed import Speeds
from utils.setup.trial import Trial
from utils.sources import Source, input_devices

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Around:
    """What the set-up reaches into.

    Parameters
    ----------
    session, room : that are set up
    open_source : opens a microphone by its name, given the sample index to count from
    publish : sends an event to presenters
    announce : tells every page how the room is
    serve_at : has the page served to others, or no more, by its settings
    saving_folder : where lines are saved, where that is turned on
    rooms : names of the program's rooms, where they are several; then the file alone sets them up
    """

    session: Session
    room: Room
    open_source: Callable[[str, int], Source]
    publish: Publish
    announce: Callable[[], None]
    serve_at: Callable[[Settings], None]
    saving_folder: Path
    rooms: tuple[str, ...] = ()


class Setup:
    """What presenters ask for in the set-up.

    Parameters
    ----------
    gathered : as the program was started; problems of the file are told
    """

    def __init__(
        self, gathered: Gathered, choices: Choices, first: First, speeds: Speeds, around: Around
    ) -> None:
        self._choices, self._first, self._speeds, self._around = choices, first, speeds, around
        self.trial = Trial(around.session, around.open_source, around.publish)
        self._fetching = Fetching(self._tell_fetch, self._arrived)
        self._measuring = ""  # name of the recogniser that is being measured
        self._working = threading.Lock()
        self._telling, self._telling_recognisers = threading.Lock(), threading.Lock()
        self._heard_with: str | None = None  # the microphone that the session has opened
        session = around.session
        if gathered.problems:
            session.notice("settings.bad", reason="; ".join(gathered.problems))
        if gathered.unknown:
            session.notice("settings.unknown", names=", ".join(gathered.unknown))

    @property
    def settings(self) -> Settings:
        """As they are now."""
        return self._choices.settings

    def opens(self, start: int) -> Source:
        """The microphone that is chosen now, for the session."""
        self._heard_with = self.settings.microphone
        self.tell()  # what was pending is no more
        return self._around.open_source(self._heard_with, start)

    def close(self) -> None:
        """Let go of the microphone and the network, as the program ends."""
        self.trial.end()
        self._fetching.close()

    # What pages are told

    def state(self) -> dict:
        """The `setup` event."""
        pending = self._around.session.listening and self._heard_with != self.settings.microphone
        return {
            "first": self._first.greets,
            "settings": self._choices.state(),
            "file": str(self._choices.file.path),
            "saving_folder": str(self._around.saving_folder),
            "pending": ["microphone"] if pending else [],
            "recording": bool(self.settings.source),
            "rooms": list(self._around.rooms),
        }

    def tell(self) -> None:
        """Tell presenters how things are set."""
        with self._telling:  # who looked earlier is not told later
            self._around.publish("setup", self.state())

    def look(self) -> None:
        """Tell presenters, soon, what there is: devices, languages and recognisers."""
        self._beside("devices", self._tell_devices)
        self._beside("recognisers", self._tell_recognisers)

    def devices(self) -> None:
        """Tell presenters, soon, which microphones there are now."""
        self._beside("devices", self._tell_devices)

    def _tell_devices(self) -> None:
        reason, found = "", []
        try:
            found = [vars(device) for device in input_devices()]
        except AppError as err:
            reason = str(err)
        self._around.publish("setup_devices", {"devices": found, "reason": reason})

    def _tell_recognisers(self) -> None:
        with self._telling_recognisers:  # nor who looked in another language
            language = self.settings.language
            told = {
                "language": language,
                "languages": languages(),
                "hears": hears(language),
                "recognisers": recognisers(language),
                "speeds": self._speeds.of(language),
                "measuring": self._measuring,
            }
            self._around.publish("setup_recognisers", told)
        self._tell_fetch()

    def _tell_fetch(self) -> None:
        self._around.publish("setup_fetch", self._fetching.state())

    def _beside(self, what: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception:
                log.exception("looking for %s failed", what)

        try:
            threading.Thread(target=guarded, name=what, daemon=True).start()
        except RuntimeError as err:  # at the limit of threads
            log.warning("%s", err)

    # What presenters ask for

    def end(self) -> None:
        """The set-up is done, or not wanted; nobody is greeted with it again."""
        self._first.end()
        self.trial.end()
        self.tell()

    def choose(self, name: str, value: str) -> None:
        """Choose a setting; it takes effect, and is kept.

        Raises
        ------
        AppError : it cannot be
        """
        values = {name: value}
        if name == "save":
            values["save"] = str(self._around.saving_folder) if value else ""
        if name == "language" and not self._knows(value):
            values["model"] = AUTOMATIC
        self._note(self._choices.choose(values, partial(self._apply, name)))
        self.tell()
        if name in ("language", "model"):
            self._beside("recognisers", self._tell_recognisers)

    def listen_anew(self) -> None:
        """Stop, and listen with what is chosen now."""
        self._around.session.stop()
        self._around.session.start()
        self.tell()

    def fetch(self, name: str) -> None:
        """Fetch a model, which is used as soon as it has come.

        Raises
        ------
        RequestError, ModelError : as `Fetching.get`
        """
        self._fetching.get(name)

    def pause(self) -> None:
        """Fetch no more for now."""
        self._fetching.pause()
        self._beside("recognisers", self._tell_recognisers)

    def cancel(self, name: str) -> None:
        """Give a fetch up, and the room that it took.

        Raises
        ------
        ModelError : as `Fetching.cancel`
        """
        self._fetching.cancel(name)
        self._beside("recognisers", self._tell_recognisers)

    def measure(self, name: str) -> None:
        """Measure how fast a recogniser is, and tell it soon.

        Raises
        ------
        RequestError : captions are live, and one would disturb the other
        """
        if self._around.session.listening:
            raise RequestError(say("refused.live"))
        self.trial.end()
        self._beside("speeds", partial(self._measure, name, self.settings.language))

    # How it takes effect

    def _measure(self, name: str, language: str) -> None:
        if not self._working.acquire(blocking=False):  # another one is being measured
            return
        self._measuring = name
        try:
            self._tell_recognisers()
            self._speeds.measure(name, language)
        except AppError as err:
            self._around.session.remark("settings.not_measured", reason=str(err))
        finally:
            self._measuring = ""
            self._working.release()
            self._tell_recognisers()

    def _apply(self, name: str, settings: Settings) -> None:
        around = self._around
        if name == "host":
            around.serve_at(settings)
        elif name == "save":
            around.room.set_saving(bool(settings.save))
        elif name == "clear_after":
            around.room.set_clear_after(settings.clear_after)
        elif name == "room":
            around.room.name = settings.room
        elif name == "language":
            around.room.language = settings.language
        if name in ("model", "language") and hears(settings.language):
            around.session.change(bringing(settings))
        around.announce()

    def _arrived(self, name: str) -> None:
        """A model has come: it is used, where it is still of use."""
        model = find(name)
        if model and two_letters(self.settings.language) in model.languages:
            try:
                self.choose("model", name)
                return
            except AppError as err:
                log.warning("%s", err)
        self._tell_recognisers()

    def _knows(self, language: str) -> bool:
        """Whether the model that is chosen may know a language."""
        model = find(self.settings.model)
        return model is None or two_letters(language) in model.languages

    def _note(self, kept: Kept) -> None:
        session = self._around.session
        session.withdraw("settings.not_kept")
        if kept.not_kept:
            session.notice("settings.not_kept", reason=kept.not_kept)
        if kept.aside:
            session.withdraw("settings.bad")
            session.notice("settings.aside", file=kept.aside)


def bringing(settings: Settings) -> Better:
    """What brings the recogniser of these settings, while another one listens."""

    def bring(notice: Notice, course: Course) -> tuple[Transcriber, Message]:
        asked = choice(settings)
        if better := takeover(*asked):
            return better(notice, course)
        return open_transcriber(*asked)

    return bring
