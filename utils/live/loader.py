"""The engines of a session: loaded in the background, and exchanged for better ones."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from utils.errors import AppError
from utils.faults import of_machine
from utils.live.engines import Better, Course, Engines, bring_better
from utils.live.status import Status, StatusLine
from utils.messages import Message, say
from utils.monitoring.of_room import same_room

log = logging.getLogger(__name__)

Progress = Callable[[float, Message], None]


class Loader:
    """Loads the engines, and tells on the status line how that goes.

    Parameters
    ----------
    load : builds the engines, on a background thread; tells its progress
    line : the status line of the session
    lock : held while the engines change, so that it takes turns with what pages are told
    """

    def __init__(
        self, load: Callable[[Progress], Engines], line: StatusLine, lock: threading.RLock
    ) -> None:
        self.engines: Engines | None = None
        self._load = load
        self._line = line
        self._lock = lock
        self._loading = False
        self._next: Better | None = None  # to be brought after what is under way
        self._bringing = False  # a better recogniser is on its way
        self._failed: Better | None = None  # that could not be had, and may be asked for again
        self._course = Course()

    def start(self) -> None:
        """Begin to load."""
        self._loading = True
        threading.Thread(target=same_room(self._run), name="load", daemon=True).start()

    def close(self) -> None:
        """Fetch and load no more; what has been fetched is kept."""
        self._course.closing.set()

    def status(self, state: str, message: Message, quiet: bool = False) -> Status:
        """A status of the session, with the present engine beside it."""
        engines = self.engines
        if engines is None:
            return Status(state, message)
        offer: dict[str, str | int | bool] | None = None
        if found := engines.offer:
            offer = {"name": found.name, "size_mb": found.size_mb, "busy": self._bringing}
        name = engines.captioner.transcriber.name
        return Status(state, message, name, quiet=quiet, offer=offer)

    def fetch(self) -> None:
        """Fetch what is offered, or what could not be had, and let it take over.

        What is under way and waits for the network tries again at once.
        """
        with self._lock:
            if self._bringing:
                self._course.again.set()
            elif (engines := self.engines) and engines.offer:
                self._bring(engines, engines.offer.bring)
            elif engines and self._failed:
                self._bring(engines, self._failed)

    def change(self, bring: Better) -> None:
        """Have another recogniser take over, once what is under way has come to its end.

        Where nothing could be loaded, all is loaded anew, by the settings as they are now.
        """
        with self._lock:
            if self._loading or self._bringing:
                self._next = bring
            elif self.engines:
                self._bring(self.engines, bring)
            else:
                self._line.set(Status("loading", say("starting"), progress=0.0))
                self.start()

    def _run(self) -> None:
        self._load_engines()
        with self._lock:
            self._loading = False
            self._bring_next()

    def _bring_next(self) -> None:
        bring, self._next = self._next, None
        if bring:
            self.change(bring)

    def _load_engines(self) -> None:
        def progress(done: float, message: Message) -> None:
            self._line.set(Status("loading", message, progress=done))

        try:
            self._begin(self._load(progress))
        except AppError as err:
            log.error("%s", err)
            self._line.set(Status("error", say("failed.loading", reason=str(err))))
        except Exception as err:
            log.exception("loading failed")
            message = unexpected(err, "failed.loading", "failed.loading_mistake")
            self._line.set(Status("error", message))

    def _begin(self, engines: Engines) -> None:
        """Engines are there: say so, and bring what is to take over."""
        with self._lock:
            self.engines = engines
            engines.captioner.tags.missing = self._missing
            engines.captioner.sounds.missing = self._missing
            self._line.set(self.status("ready", engines.ready))
            for message in engines.missing:
                self._line.notice(message)
            if engines.better:
                self._bring(engines, engines.better)

    def _missing(self, code: str, reason: str) -> None:
        self._line.notice(say(code, reason=reason))

    def _bring(self, engines: Engines, bring: Better) -> None:
        """Bring a better recogniser, one at a time, on a thread of its own."""
        if self._bringing:
            return
        self._bringing = True
        self._course.again.clear()
        self._line.withdraw("engine.kept")
        self._refresh()
        work = partial(self._improve, engines, bring)
        threading.Thread(target=same_room(work), name="better", daemon=True).start()

    def _improve(self, engines: Engines, bring: Better) -> None:
        """Bring the better recogniser; it takes the next segment over."""

        kept: list[Message] = []  # told when it can be tried again

        def notice(code: str, **values: str | int) -> None:
            if code == "engine.kept":
                kept.append(say(code, **values))
                return
            self._line.notice(say(code, **values))
            if code == "engine.waiting":
                self._promise_nothing()

        better = bring_better(engines, bring, notice, self._course)
        with self._lock:
            self._bringing = False
            self._failed = None if better else bring
            self.engines = better or _kept(engines)
            self._refresh()
            for message in kept:
                self._line.notice(message)
            self._bring_next()
        if better:
            self._line.remark("engine.changed", engine=better.captioner.transcriber.name)

    def _promise_nothing(self) -> None:
        """Say no more that a better recogniser is about to come."""
        with self._lock:
            if (engines := self.engines) and engines.ready.code == "ready.until":
                ready = say("ready.built_in", engine=engines.captioner.transcriber.name)
                self.engines = replace(engines, ready=ready)
                self._refresh()

    def _refresh(self) -> None:
        """Show the present engine beside the state that there is."""
        status = self._line.status
        ready = status.message.code.startswith("ready") and status.message.code != "ready.ended"
        message = self.engines.ready if ready and self.engines else status.message
        self._line.set(self.status(status.state, message, status.quiet))


def unexpected(err: Exception, fault: str, mistake: str) -> Message:
    """What to say of an error that nobody raised on purpose.

    Parameters
    ----------
    fault, mistake : codes of what is said where the machine is to blame, and the program
    """
    if reason := of_machine(err):
        return say(fault, reason=reason)
    return say(mistake, reason=str(err) or type(err).__name__)


def _kept(engines: Engines) -> Engines:
    """The engines as they are once it is known that the first one stays."""
    if engines.ready.code not in ("ready.until", "ready.built_in"):
        return engines
    ready = say("ready.kept", engine=engines.captioner.transcriber.name)
    return replace(engines, ready=ready, better=None)
