"""What pages need of a room, whichever computer captions it."""

from collections.abc import Callable
from typing import Protocol

from utils.captions.export.marks import ENGLISH, Wording
from utils.captions.offending import OffendingWords
from utils.live.session import Told


class Monitored(Protocol):
    """What a monitor asks."""

    def health(self, whole: bool = True) -> dict:
        """How it goes, as plain JSON types; with what is nobody else's business, or without."""

    def alive(self) -> bool:
        """Whether nothing stands that only a new start would mend."""

    def ready(self) -> bool:
        """Whether captions come, or would as soon as somebody presses Start."""

    def measure(self) -> None:
        """Bring those metrics up to date that stand for now."""


class Shown(Protocol):
    """A room as its readers see it: `utils.live.room.Room`, which keeps all in memory, and
    `utils.live.sharing.mirror.Mirror`, which follows one in Redis.

    Attributes
    ----------
    reader_url : where phones read along; None where they cannot reach this machine
    offending : finds words that offend
    """

    reader_url: str | None
    offending: OffendingWords

    @property
    def blank(self) -> bool:
        """Whether nothing is shown."""

    @property
    def how_offending(self) -> str:
        """How words that offend are shown to whoever makes no choice of their own."""

    @property
    def answers(self) -> bool:
        """Whether readers, too, may answer whoever speaks."""

    @property
    def monitored(self) -> Monitored:
        """The room, for whoever asks how it goes."""

    def count_screen(self, place: str, by: int) -> None:
        """Note that a screen that faces whoever speaks came (1) or went (-1)."""

    def state(self, presenter: bool) -> dict:
        """The `room` event."""

    def greet(self, tell: Callable[[Told, bool], None]) -> None:
        """Hand over what a page that opens now is to be told, and whether screens are blank."""

    def export(
        self, form: str, how: str | None = None, wording: Wording = ENGLISH
    ) -> tuple[bytes, ...]:
        """The finished lines in a form."""
