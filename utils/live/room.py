"""The room: what the presenter has set for everyone who reads."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from utils.config import LONGEST_CLEAR_AFTER_MIN
from utils.errors import RequestError
from utils.events import CaptionEvent
from utils.live.phrases import LONGEST, MOST, Phrases
from utils.live.saving import SavedLines
from utils.live.session import Session
from utils.live.speaker import Voice
from utils.messages import say

TIDY_S = 1.0  # between looks whether the lines are to be cleared

log = logging.getLogger(__name__)


class Room:
    """Settings that hold for every page, beside the session itself.

    Parameters
    ----------
    session : whose lines they are
    announce : tells every page how the room is now
    phrases : the quick phrases
    saving_folder : where lines are saved, while that is turned on
    reader_url : where phones read along; None where they cannot reach this machine
    language : of the speech
    """

    def __init__(
        self,
        session: Session,
        announce: Callable[[], None],
        phrases: Phrases,
        saving_folder: Path,
        reader_url: str | None,
        language: str,
    ) -> None:
        self.session = session
        self.reader_url = reader_url
        self._announce = announce
        self._phrases = phrases
        self._folder = saving_folder
        self._language = language
        self._clear_after_min = 0
        self._microphone = ""  # as it was told last
        self._saved: SavedLines | None = None
        self._turns = threading.RLock()  # two who change the room at once take turns
        self._voice = Voice(self._on_voice, self._on_speech_failed)
        self._closed = threading.Event()
        if phrases.problem:
            session.notice("phrases.bad", reason=phrases.problem)
        threading.Thread(target=self._tidy, name="tidy", daemon=True).start()

    def state(self, presenter: bool) -> dict:
        """The `room` event as it goes over the wire.

        Folders, and what devices are called ("Anna's headset"), are the presenter's business.
        """
        board, saved = self.session.board, self._saved
        saving = {"file": saved.path.name} if saved else None
        if saved and saving and presenter:
            saving["folder"] = str(saved.path.parent)
        return {
            "presenter": presenter,
            "blank": board.blank,
            "emotion": board.emotion and self.session.has_emotion,
            "clear_after_min": self._clear_after_min,
            "saving": saving,
            "microphone": self.session.microphone if presenter else "",
            "reader_url": self.reader_url,
            "speech": presenter and self._voice.available,
            "phrases": self._phrases.texts,
            "phrases_limits": {"most": MOST, "letters": LONGEST},
            "language": self._language,
        }

    def set_blank(self, on: bool) -> None:
        """Hide every line on every page, or show them again."""
        self.session.set_blank(on)
        self._announce()

    def set_emotion(self, on: bool) -> None:
        """Show emotion to everyone, or to nobody."""
        if on and not self.session.has_emotion:
            raise RequestError(say("refused.no_emotion"))
        self.session.board.set_emotion(on)
        self._announce()

    def set_clear_after(self, minutes: int) -> None:
        """Clear by itself once nobody has spoken for so many minutes; 0 is never."""
        if not 0 <= minutes <= LONGEST_CLEAR_AFTER_MIN:
            reason = f"{minutes} minutes; expected 0 to {LONGEST_CLEAR_AFTER_MIN}"
            raise RequestError(say("refused.value", reason=reason))
        self._clear_after_min = minutes
        self._announce()

    def set_saving(self, on: bool) -> None:
        """Write finished lines to a new file from now on, or write no more.

        Raises
        ------
        DataError : the file cannot be made
        """
        with self._turns:
            if on == (self._saved is not None):
                return
            for code in ("saving.failed", "saving.waiting", "saving.moved"):
                self.session.withdraw(code)
            if on:
                self._saved = self._begin_saving()
                self._keep(self._saved.add)
            else:
                self._end_saving()
        self._announce()

    def set_phrases(self, phrases: list) -> None:
        """Put other quick phrases in place of these.

        Raises
        ------
        DataError : they are no short texts
        """
        with self._turns:
            self._phrases.replace(phrases)
            reason = self._phrases.not_kept
        for code in ("phrases.bad", "phrases.not_kept"):
            self.session.withdraw(code)
        if reason:
            self.session.notice("phrases.not_kept", reason=reason)
        self._announce()

    def speak(self, text: str, language: str) -> None:
        """Speak a text aloud on this computer.

        Raises
        ------
        DataError : it cannot be spoken
        """
        try:
            self._voice.speak(text, language)
        finally:
            if not self._voice.available:
                self._announce()  # pages may still think that this computer has a voice

    def close(self) -> None:
        """End what runs beside; the room is not used again."""
        self._closed.set()
        self._voice.close()
        with self._turns:
            self._end_saving()

    def _begin_saving(self) -> SavedLines:
        """A new file; what an older one tells late, as its disk hung, is not of this one."""

        def of_this(tell: Callable[..., None]) -> Callable[..., None]:
            return lambda *told: tell(*told) if self._saved is saved else None

        saved = SavedLines(
            self._folder,
            of_this(self._on_moved),
            of_this(self._on_saving_failed),
            of_this(self._on_waiting),
        )
        return saved

    def _end_saving(self) -> None:
        saved, self._saved = self._saved, None
        self._keep(None)
        if saved:
            saved.close()

    def _keep(self, keep: Callable[[CaptionEvent], None] | None) -> None:
        """Have finished lines kept; no line is on its way to what kept them before."""
        with self.session.board.lock:
            self.session.board.keep = keep

    def _on_saving_failed(self, reason: str) -> None:
        self._saved = None
        self._keep(None)
        self.session.withdraw("saving.waiting")
        self.session.notice("saving.failed", reason=reason)
        self._announce()

    def _on_waiting(self, reason: str) -> None:
        if reason:
            self.session.notice("saving.waiting", reason=reason)
        else:
            self.session.withdraw("saving.waiting")

    def _on_moved(self) -> None:
        if saved := self._saved:
            self.session.notice("saving.moved", file=saved.path.name)
            self._announce()

    def _on_voice(self, speaking: bool) -> None:
        self.session.speaking = speaking
        if speaking:
            self.session.withdraw("speech.failed")

    def _on_speech_failed(self, reason: str) -> None:
        self.session.remark("speech.failed", reason=reason)

    def _tidy(self) -> None:
        while not self._closed.wait(TIDY_S):
            if saved := self._saved:
                saved.look()
            if (microphone := self.session.microphone) != self._microphone:
                self._microphone = microphone
                self._announce()
            minutes, idle_s = self._clear_after_min, self.session.board.idle_s
            if minutes and idle_s is not None and idle_s >= 60 * minutes:
                log.info("nobody has spoken for %d minutes: the lines are cleared", minutes)
                self.session.clear()
