"""The state of the session, as the page shows it, and the remarks beside it."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from utils.messages import ALSO_FOR_READERS, TO_READERS, Message, Value, rank, say

log = logging.getLogger(__name__)

NOTICE_S = 20.0  # that a remark on something that is over stays on the page
# Of these the next one tells what became of the last, and takes its place.
CHAINS = {"saving", "sharing", "engine", "pace", "sound"}
# What the state says already, in other words, is not said beside it.
SAID = {"listening.late": {"pace.down"}, "listening.catching_up": {"pace.down"}}


@dataclass(frozen=True)
class Status:
    """What the page shows of the session's state.

    Parameters
    ----------
    state : loading, ready, listening, lost or error
    message : what the page says of it
    engine : name of the recogniser; "" until it is loaded
    progress : of loading, in [0, 1]; None otherwise
    quiet : listening, but nothing has been heard for a while
    offer : a better model that can be fetched, as `name`, `size_mb` and whether it is on its
        way (`busy`); None where there is none
    notices : remarks beside the state, such as a model that is being fetched; the worst first
    """

    state: str
    message: Message
    engine: str = ""
    progress: float | None = None
    quiet: bool = False
    offer: dict[str, str | int | bool] | None = None
    notices: tuple[Message, ...] = ()

    def to_dict(self) -> dict:
        """The status as it goes over the wire."""
        notices = [notice.to_dict() for notice in self.notices]
        return {**vars(self), **self.message.to_dict(), "notices": notices}


def for_readers(told: dict) -> dict:
    """The `status` event as readers get it: without what only a presenter can mend.

    Reasons may hold folders and what devices are called, which are nobody else's business.
    """
    code = told["code"]
    plain = say(TO_READERS[code]).to_dict() if code in TO_READERS else {}
    notices = [notice for notice in told["notices"] if notice["code"] in ALSO_FOR_READERS]
    return {**told, **plain, "offer": None, "notices": notices}


def in_short(told: dict) -> dict:
    """Of a `status` event what a list of rooms shows of each."""
    return {part: told[part] for part in ("state", "code", "values", "message", "engine")}


class StatusLine:
    """The present status and the remarks beside it; a change of either is published.

    Parameters
    ----------
    status : to begin with
    publish : takes a status that differs from the one before it
    lock : held while it changes, so that it takes turns with what else pages are told
    """

    def __init__(
        self, status: Status, publish: Callable[[Status], None], lock: threading.RLock
    ) -> None:
        self.status = status
        self._publish = publish
        self._lock = lock
        self._notices: dict[str, Message] = {}  # by code, or by what their chain is about

    def set(self, status: Status, over: str = "") -> None:
        """Show another status; the remarks stay, but for one that is `over` with it."""
        with self._lock:
            self._take_back(over)
            self._show(replace(status, notices=self._beside(status)))

    def notice(self, message: Message) -> None:
        """Show a remark until it is taken back, beside those that are there."""
        with self._lock:
            self._notices[_place(message.code)] = message
            self._refresh()

    def withdraw(self, code: str) -> None:
        """Take a remark back, if it is shown."""
        with self._lock:
            self._take_back(code)
            self._refresh()

    def remark(self, code: str, **values: Value) -> None:
        """Show a remark that goes by itself."""
        mine = say(code, **values)
        self.notice(mine)

        def end() -> None:
            with self._lock:
                if self._notices.get(_place(code)) is mine:
                    self.withdraw(code)

        timer = threading.Timer(NOTICE_S, end)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError as err:  # at the limit of threads: it stays, and captions go on
            log.warning("%s", err)

    def _take_back(self, code: str) -> None:
        notice = self._notices.get(_place(code))
        if notice and notice.code == code:
            del self._notices[_place(code)]

    def _refresh(self) -> None:
        self._show(replace(self.status, notices=self._beside(self.status)))

    def _beside(self, status: Status) -> tuple[Message, ...]:
        """The remarks beside a state, the worst first."""
        said = SAID.get(status.message.code, set())
        notices = [notice for notice in self._notices.values() if notice.code not in said]
        return tuple(sorted(notices, key=lambda notice: rank(notice.code)))

    def _show(self, status: Status) -> None:
        before, self.status = self.status, status
        if (before.state, before.engine) != (status.state, status.engine):
            log.info("%s: %s (%s)", status.state, status.message.code, status.engine or "no engine")
        changed = status != before
        if changed:
            self._publish(status)


def _place(code: str) -> str:
    """Where a remark stands: one of the same place takes its own."""
    chain = code.partition(".")[0]
    return chain if chain in CHAINS else code
