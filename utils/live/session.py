"""The live session: one room, one microphone, everyone sees the same.

What happens is published as events: `status`, `level`, `caption` and `cleared`. A `status` tells
the session's id, how often it was cleared and, where it greets a page, which line is the last that
is not sent again (`left_out`): whoever was away then knows what has become of the lines it shows.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Self

from utils.captions.mending import OF_WORDS
from utils.errors import RequestError
from utils.events import CaptionEvent
from utils.live.board import Board, Publish
from utils.live.engines import Better, Engines
from utils.live.listener import Listener
from utils.live.loader import Loader, Progress
from utils.live.pulse import Elapsed, Pulse
from utils.live.resume import Resume
from utils.live.status import Status, StatusLine, for_readers, in_short
from utils.live.watch import Signs
from utils.messages import Value, say
from utils.monitoring import metrics
from utils.sources import Source
from utils.tags.of_words import OfWords
from utils.tags.translation import TranslationTag

log = logging.getLogger(__name__)

Told = list[tuple[str, dict]]  # events, by name and payload


@dataclass(frozen=True)
class Earlier:
    """Where a session had come to when its program broke off.

    Parameters
    ----------
    session, clears : its id, and how often it was cleared
    lines : that were said, all of them finished
    elapsed_s : since listening first began
    next_segment : the number of the next line
    blank : whether the screens were
    """

    session: str
    clears: int
    lines: tuple[CaptionEvent, ...]
    elapsed_s: float
    next_segment: int
    blank: bool


class Session:
    """Loads the engines, listens when it is asked to, and publishes what happens.

    It works from entering its context to leaving it, and only once.

    Parameters
    ----------
    load : builds the engines, on a background thread; tells its progress
    open_source : opens the microphone, given the sample index to count from
    board : shows the lines, and publishes to the same pages
    publish : sends an event, by name and payload, to every page
    listen : begin to listen as soon as the engines are loaded, without being asked
    resume : notes that it listens, for the start after a crash
    earlier : where the session that broke off had come to, if this one goes on with it
    """

    def __init__(
        self,
        load: Callable[[Progress], Engines],
        open_source: Callable[[int], Source],
        board: Board,
        publish: Publish,
        listen: bool = False,
        resume: Resume | None = None,
        earlier: Earlier | None = None,
    ) -> None:
        self._board = board
        self._publish = publish
        self._by_itself = self._listen_first = listen  # once the engines are loaded
        self._wanted = listen  # not stopped since it was last asked to listen
        self._resume = resume or Resume(None)
        # lets a page tell that the program was started anew
        self._id = earlier.session if earlier else uuid.uuid4().hex
        self._clears = earlier.clears if earlier else 0
        beginning = Status("loading", say("starting"), progress=0.0)
        self._line = StatusLine(beginning, self._publish_status, board.lock)
        self._loader = Loader(load, self._line, board.lock)
        self._pulse = Pulse(self._beat)
        self._elapsed = Elapsed(earlier.elapsed_s if earlier else 0.0)
        self._listener = self.listener(open_source, board, self._line, publish)
        self._alone: Callable[[], AbstractContextManager[None]] = nullcontext

    def __enter__(self) -> Self:
        """Begin to load the engines."""
        self._loader.start()
        self._pulse.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and let the engines go."""
        self._loader.close()
        self._pulse.close()
        self._listener.close()
        self._resume.forget()
        if engines := self._loader.engines:
            engines.captioner.close()

    def listener(
        self, open_source: Callable[[int], Source], board: Board, line: StatusLine, publish: Publish
    ) -> Listener:
        """One that listens by this session's engines and clock; never two at once."""
        return Listener(
            open_source, board, line, self._loader, publish, self._pulse.just_woke, self._elapsed
        )

    @property
    def engines(self) -> Engines | None:
        """What it listens with; None until that is loaded."""
        return self._loader.engines

    @property
    def listening(self) -> bool:
        """Whether it listens, or tries to."""
        return self._listener.listening

    @property
    def status(self) -> dict:
        """The present `status` event."""
        return self._on_wire(self._line.status)

    def greet(self, tell: Callable[[Told], None]) -> None:
        """Hand over what a page that opens now is to be told; nothing comes in between."""
        with self._board.lock:
            lines, left_out = self._board.latest()
            told = [("status", {**self.status, "left_out": left_out})]
            tell(told + [("caption", self._board.payload(line)) for line in lines])

    def whole(self, tell: Callable[[Told], None]) -> None:
        """Hand over all that there is of the session; nothing comes in between."""
        with self._board.lock:
            lines = self._board.everything()
            tell([("status", self.status)] + [("caption", line.to_dict()) for line in lines])

    @property
    def microphone(self) -> str:
        """The device that is heard, as the system calls it to people; "" if that is not known."""
        return self._listener.microphone

    def watched(self) -> dict:
        """The session as an operator sees it: plain JSON types."""
        with self._board.lock:
            idle_s, status = self._board.idle_s, self.status
        return {
            **in_short(status),
            "notices": status["notices"],
            "delay_s": self._listener.delay_s,
            "level_db": self._listener.level_db,
            "idle_s": idle_s,
            "blank": self._board.blank,
            "listening": self.listening,
        }

    def health(self, whole: bool = True) -> dict:
        """The session for a monitor: plain JSON types, read without waiting.

        Parameters
        ----------
        whole : with what is nobody else's business: what devices are called
        """
        status = self._line.status.to_dict()
        heard = self._listener.health()
        if not whole:
            status, heard = for_readers(status), {**heard, "microphone": None}
        return {name: status[name] for name in ("state", "message", "engine")} | heard

    def measure(self) -> None:
        """Bring those metrics up to date that stand for now."""
        measure([self])

    def stands(self) -> tuple[str, tuple[str, ...], float]:
        """For metrics: its state, the codes of its remarks, and seconds since the last frame."""
        status, age_s = self._line.status, self._listener.health()["last_frame_age_s"]
        return status.state, tuple(notice.code for notice in status.notices), age_s or 0.0

    def alive(self) -> bool:
        """Whether nothing stands that only a new start would mend."""
        return self._pulse.beats and not self._listener.stuck

    def ready(self) -> bool:
        """Whether captions come, or would as soon as somebody presses Start."""
        return self._line.status.state in {"ready", "listening"} and self.alive()

    @property
    def signs(self) -> Signs | None:
        """When the worker last did anything, and was given sound; None while it does not listen."""
        return self._listener.signs if self._listener.listening else None

    def start(self) -> None:
        """Begin to listen; while loading, as soon as that is over.

        Raises
        ------
        RequestError : nothing could be loaded
        """
        self._wanted = True
        if engines := self._loader.engines:
            self._listen(engines)
        elif self._line.status.state == "error":
            raise RequestError(self._line.status.message)
        else:
            self._listen_first = True

    def _listen(self, engines: Engines) -> None:
        """Begin to listen, unless Stop is pressed while others end."""
        self._by_itself = self._listen_first = False
        if not self.listening:
            with self._alone():
                self._listener.start(engines.captioner, lambda: self._wanted)

    def start_within(self, alone: Callable[[], AbstractContextManager[None]]) -> None:
        """Have others who listen by the same engines end, and not begin, while it begins to.

        Parameters
        ----------
        alone : ends them as it is entered; none begins until it is left
        """
        self._alone = alone

    def ended(self) -> bool:
        """Wait until what was heard is captioned; return whether nothing works with the engines."""
        return self._listener.ended()

    def change(self, bring: Better) -> None:
        """Have another recogniser take over, while captions go on."""
        if self._line.status.state == "error" and not self._loader.engines:
            self._listen_first = self._by_itself  # who pressed Start saw that it failed
        self._loader.change(bring)

    def stop(self) -> None:
        """End listening; what was said until now is still finished and published."""
        self._by_itself = self._listen_first = self._wanted = False
        self._listener.stop()

    def fetch(self) -> None:
        """Fetch the better model that is offered; it takes over while captions go on."""
        self._loader.fetch()

    def clear(self) -> None:
        """Forget every line on every page, and what is being said now."""
        with self._board.lock:
            self._board.clear()
            self._clears += 1
            self._listener.leave_waiting()

    def set_blank(self, on: bool) -> None:
        """Show and keep nothing of what is said from now on, or go on showing."""
        with self._board.lock:
            self._board.set_blank(on)
            self._listener.leave_waiting()

    def set_speaking(self, on: bool) -> None:
        """Caption nothing from now on, as the computer itself speaks, or go on."""
        self._listener.speaking = on

    @property
    def has_emotion(self) -> bool:
        """Whether there is a model of emotion, as far as is known by now."""
        engines = self._loader.engines
        return engines is None or engines.captioner.tags.find("emotion") is not None

    @property
    def has_sounds(self) -> bool:
        """Whether there is what names sounds, as far as is known by now."""
        engines = self._loader.engines
        return engines is None or engines.captioner.sounds.model is not None

    @property
    def has_text_emotion(self) -> bool:
        """Whether there is what tells what words say, as far as is known by now."""
        engines = self._loader.engines
        return engines is not None and engines.captioner.tags.find("text_emotion") is not None

    @property
    def translations(self) -> tuple[str, ...]:
        """The languages that lines are translated to, as far as is known by now."""
        tag = self._translation
        return tag.languages if tag else ()

    def of_words(self, text: str) -> "dict[str, Future[object]]":
        """What tags that read words say of words that were mended, later, by their names."""
        engines = self._loader.engines
        tags = [engines.captioner.tags.find(name) for name in OF_WORDS] if engines else []
        return {tag.name: tag.of(text) for tag in tags if isinstance(tag, OfWords)}

    @property
    def _translation(self) -> TranslationTag | None:
        engines = self._loader.engines
        tag = engines.captioner.tags.find(TranslationTag.name) if engines else None
        return tag if isinstance(tag, TranslationTag) else None

    def prefer(self, remembered: tuple[str, ...]) -> None:
        """Have the recogniser prefer these words from now on, where it can."""
        if engines := self._loader.engines:
            engines.captioner.transcriber.prefer(remembered)

    def notice(self, code: str, **values: Value) -> None:
        """Say a remark beside the state, for as long as it is not taken back."""
        self._line.notice(say(code, **values))

    def remark(self, code: str, **values: Value) -> None:
        """Say a remark on something that is over; it goes by itself."""
        self._line.remark(code, **values)

    def withdraw(self, code: str) -> None:
        """Take a remark back, if it is shown."""
        self._line.withdraw(code)

    def _beat(self, still_s: float) -> None:
        """Look, on the pulse's thread, at what the worker cannot see itself."""
        if self._listen_first and (engines := self._loader.engines):
            self._listen(engines)
        listening = self._listener.listening
        if listening and still_s:
            log.warning("the program stood still for %.0f s", still_s)
            self._line.remark("sound.still", still_s=round(still_s))
        self._resume.keep(listening)
        with self._board.lock:  # what the worker tells of its next frame comes after this
            if self._listener.stuck and not self._pulse.just_woke():
                self._line.set(self._loader.status("lost", say("lost.stuck")))

    def _publish_status(self, status: Status) -> None:
        self._publish("status", self._on_wire(status))

    def _on_wire(self, status: Status) -> dict:
        return {**status.to_dict(), "session": self._id, "clears": self._clears}


def measure(sessions: Sequence[Session]) -> None:
    """Bring the metrics up to date that stand for now, of all the rooms of the program."""
    stand = [session.stands() for session in sessions]
    metrics.show_states([state for state, _, _ in stand], [codes for _, codes, _ in stand])
    metrics.FRAME_AGE.set(max((age_s for _, _, age_s in stand), default=0.0))
