"""The room: what the presenter has set for everyone who reads."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from utils.captions.export.marks import ENGLISH, Wording
from utils.captions.offending import OffendingWords
from utils.config import LONGEST_CLEAR_AFTER_MIN, OFFENDING
from utils.errors import RequestError
from utils.live.answering.phrases import LONGEST, MOST, Phrases
from utils.live.answering.speaker import Voice
from utils.live.board import Board
from utils.live.history import History
from utils.live.kiosk import Kiosk
from utils.live.mending.corrections import Corrections
from utils.live.mending.remembered import Remembered
from utils.live.saving import SavedLines
from utils.live.session import Session, Told
from utils.messages import say
from utils.monitoring.of_room import same_room

TIDY_S = 1.0  # between looks whether the lines are to be cleared

log = logging.getLogger(__name__)


class Room:
    """What pages ask for: the session and its lines, and settings that hold for every page.

    It looks after them by itself from entering its context to leaving it.

    Parameters
    ----------
    session : that listens
    board : has its lines
    announce : tells every page how the room is now
    phrases : the quick phrases
    remembered : words that the recogniser had wrong
    offending : finds words that offend; how they are shown is the presenter's choice, which a
        reader may change for themselves
    saving_folder : where lines are saved, while that is turned on
    reader_url : where phones read along; None where they cannot reach this machine
    language : of the speech

    Attributes
    ----------
    name : of the room, that every page shows; "" for none
    """

    def __init__(
        self,
        session: Session,
        board: Board,
        announce: Callable[[], None],
        phrases: Phrases,
        remembered: Remembered,
        offending: OffendingWords,
        saving_folder: Path,
        reader_url: str | None,
        language: str,
    ) -> None:
        self._session = session
        self._board = board
        self.reader_url = reader_url
        self._announce = announce
        self._phrases = phrases
        self.corrections = Corrections(board, session, remembered)
        self.kiosk = Kiosk(board.tell, announce, lambda: board.blank)
        self.offending = offending
        self._how_offending = OFFENDING[0]
        self._folder = saving_folder
        self.language = language
        self.name = ""
        self._clear_after_min = 0
        self._microphone = ""  # as it was told last
        self._of_words: tuple[object, ...] = ((), False)  # so too
        self._saved: SavedLines | None = None
        self.history = History(
            saving_folder, lambda: saved.path.name if (saved := self._saved) else ""
        )
        self._turns = threading.RLock()  # two who change the room at once take turns
        self._voice = Voice(self._on_voice, self._on_speech_failed)
        self._closed = threading.Event()
        if phrases.problem:
            session.notice("phrases.bad", reason=phrases.problem)
        if offending.problem:
            session.notice("offending.bad", reason=offending.problem)

    def __enter__(self) -> Self:
        """Begin to look after the lines and the devices."""
        threading.Thread(target=same_room(self._tidy), name="tidy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Be silent, and end what is saved."""
        self._closed.set()
        self._voice.close()
        with self._turns:
            self._end_saving()

    # Of the session and its lines

    @property
    def how_offending(self) -> str:
        """How words that offend are shown to whoever makes no choice of their own."""
        return self._how_offending

    @property
    def blank(self) -> bool:
        """Whether nothing is shown, nor kept."""
        return self._board.blank

    def greet(self, tell: Callable[[Told, bool], None]) -> None:
        """Hand over what a page that opens now is to be told; nothing comes in between.

        Parameters
        ----------
        tell : takes the events, and whether the screens are blank
        """
        self._session.greet(lambda told: tell(told + self.kiosk.shown(), self._board.blank))

    def export(
        self, form: str, how: str | None = None, wording: Wording = ENGLISH
    ) -> tuple[bytes, ...]:
        """The finished lines in a form, as `Board.export` gives them.

        Parameters
        ----------
        how : words that offend, one of `OFFENDING`; None for the room's
        wording : of what is known of a line
        """
        how = how or self._how_offending
        return self._board.export(form, how, lambda line: self.offending.mask(line, how), wording)

    def whole(self, tell: Callable[[Told], None]) -> None:
        """Hand over all that readers may be told; nothing of it comes in between."""

        def add(told: Told) -> None:
            tell([*told, ("room", self.state(False)), *self.kiosk.shown()])

        self._session.whole(add)

    @property
    def answers(self) -> bool:
        """Whether readers, too, may answer whoever speaks."""
        return self.kiosk.answers

    def count_screen(self, place: str, by: int) -> None:
        """Note that a screen that faces whoever speaks came or went, as `Kiosk.count_screen`."""
        self.kiosk.count_screen(place, by)

    @property
    def monitored(self) -> Session:
        """The session, for whoever asks how it goes."""
        return self._session

    def start(self) -> None:
        """Begin to listen."""
        self._session.start()

    def stop(self) -> None:
        """End listening."""
        self._session.stop()

    def fetch(self) -> None:
        """Fetch the better model that is offered."""
        self._session.fetch()

    def clear(self) -> None:
        """Forget every line and the answer, here and on every page."""
        self._session.clear()
        self.kiosk.take_away()

    # Of the room

    def state(self, presenter: bool) -> dict:
        """The `room` event as it goes over the wire.

        Folders, and what devices are called ("Anna's headset"), are the presenter's business.
        """
        saved = self._saved
        saving = {"file": saved.path.name} if saved else None
        if saved and saving and presenter:
            saving["folder"] = str(saved.path.parent)
        return {
            "presenter": presenter,
            "blank": self.blank,
            "offending": self._how_offending,
            "emotion": self._board.emotion and self._session.has_emotion,
            "sounds": self._board.sounds and self._session.has_sounds,
            "translations": list(self._session.translations),
            "text_emotion": self._board.emotion and self._session.has_text_emotion,
            "clear_after_min": self._clear_after_min,
            "saving": saving,
            "history": self.history.open,
            "microphone": self._session.microphone if presenter else "",
            "reader_url": self.reader_url,
            "speech": presenter and self._voice.available,
            "phrases": self._phrases.texts,
            "phrases_limits": {"most": MOST, "letters": LONGEST},
            "language": self.language,
            "name": self.name,
            **self.kiosk.state(),
        }

    def set_blank(self, on: bool) -> None:
        """Hide every line on every page, or show them again."""
        self._session.set_blank(on)
        self.kiosk.take_away()
        self._announce()

    def set_emotion(self, on: bool) -> None:
        """Show emotion to everyone, or to nobody."""
        if on and not self._session.has_emotion:
            raise RequestError(say("refused.no_emotion"))
        self._board.set_emotion(on)
        self._announce()

    def set_sounds(self, on: bool) -> None:
        """Tell everyone of sounds that are no speech, or nobody."""
        if on and not self._session.has_sounds:
            raise RequestError(say("refused.no_sounds"))
        self._board.set_sounds(on)
        self._announce()

    def set_offending(self, how: str) -> None:
        """Show words that offend as one of `OFFENDING`, to whoever makes no choice of their own."""
        if how not in OFFENDING:
            reason = f"{how!r:.40}; expected {', '.join(OFFENDING)}"
            raise RequestError(say("refused.value", reason=reason))
        self._how_offending = how
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
                self._session.withdraw(code)
            if on:
                self._saved = self._begin_saving()
                self._board.set_keep(self._saved.add)
            else:
                self._end_saving()
        self._announce()

    def set_history(self, on: bool) -> None:
        """Let readers see what was saved, or presenters alone."""
        self.history.open = on
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
            self._session.withdraw(code)
        if reason:
            self._session.notice("phrases.not_kept", reason=reason)
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
        self._board.set_keep(None)
        if saved := self._saved:
            saved.close()  # until then its file is one that is being written
            self._saved = None
            self._session.withdraw("saving.waiting")

    def _on_saving_failed(self, reason: str) -> None:
        self._board.set_keep(None)
        self._saved = None
        self._session.withdraw("saving.waiting")
        self._session.notice("saving.failed", reason=reason)
        self._announce()

    def _on_waiting(self, reason: str) -> None:
        if reason:
            self._session.notice("saving.waiting", reason=reason)
        else:
            self._session.withdraw("saving.waiting")

    def _on_moved(self) -> None:
        if saved := self._saved:
            self._session.notice("saving.moved", file=saved.path.name)
            self._announce()

    def _on_voice(self, speaking: bool) -> None:
        self._session.set_speaking(speaking)
        if speaking:
            self._session.withdraw("speech.failed")

    def _on_speech_failed(self, reason: str) -> None:
        self._session.remark("speech.failed", reason=reason)

    def _tidy(self) -> None:
        while not self._closed.wait(TIDY_S):
            try:
                self._look()
            except Exception:  # the next look may go well, and lines are to be cleared
                log.exception("looking after the room failed")

    def _look(self) -> None:
        """What is looked after now and then: the file, the microphone, and old lines."""
        self.kiosk.look()
        if saved := self._saved:
            saved.look()
        if (microphone := self._session.microphone) != self._microphone:
            self._microphone = microphone
            self._announce()
        of_words = (self._session.translations, self._session.has_text_emotion)
        if of_words != self._of_words:
            self._of_words = of_words
            self._announce()
        minutes, idle_s = self._clear_after_min, self._board.idle_s
        if minutes and idle_s is not None and idle_s >= 60 * minutes:
            log.info("nobody has spoken for %d minutes: the lines are cleared", minutes)
            self.clear()
