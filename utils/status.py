"""The state of the session, as the page shows it, and the remark beside it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from utils.messages import Message, Value, say

NOTICE_S = 20.0  # that a remark on something done stays on the page


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
    notice : a remark beside the state, such as a model that is being fetched
    """

    state: str
    message: Message
    engine: str = ""
    progress: float | None = None
    quiet: bool = False
    offer: dict[str, str | int | bool] | None = None
    notice: Message | None = None

    def to_dict(self) -> dict:
        """The status as it goes over the wire."""
        notice = self.notice.to_dict() if self.notice else None
        return {**vars(self), **self.message.to_dict(), "notice": notice}


class StatusLine:
    """The present status and the remark beside it; a change of either is published.

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

    def set(self, status: Status) -> None:
        """Show another status; the remark stays."""
        with self._lock:
            self._show(replace(status, notice=self.status.notice))

    def notice(self, message: Message | None) -> None:
        """Show a remark in place of the last; None shows none."""
        with self._lock:
            self._show(replace(self.status, notice=message))

    def withdraw(self, code: str) -> None:
        """Take a remark back, if it is the one that is shown."""
        with self._lock:
            if self.status.notice and self.status.notice.code == code:
                self.notice(None)

    def remark(self, code: str, **values: Value) -> None:
        """Show a remark that goes by itself."""
        mine = say(code, **values)
        self.notice(mine)

        def end() -> None:
            with self._lock:
                if self.status.notice is mine:
                    self.notice(None)

        timer = threading.Timer(NOTICE_S, end)
        timer.daemon = True
        timer.start()

    def _show(self, status: Status) -> None:
        changed, self.status = status != self.status, status
        if changed:
            self._publish(status)
