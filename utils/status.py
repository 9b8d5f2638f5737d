"""The state of the session, as the page shows it."""

from dataclasses import dataclass

from utils.messages import Message


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
    advice : how to get better captions, as text and command
    notice : a remark beside the state, such as a model that is being fetched
    """

    state: str
    message: Message
    engine: str = ""
    progress: float | None = None
    quiet: bool = False
    advice: dict[str, str] | None = None
    notice: Message | None = None

    def to_dict(self) -> dict:
        """The status as it goes over the wire."""
        notice = self.notice.to_dict() if self.notice else None
        return {**vars(self), **self.message.to_dict(), "notice": notice}
