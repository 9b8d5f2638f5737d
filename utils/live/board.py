"""What every page shows of the session: the lines, unless they are cleared or blank."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from utils.captions.transcript import SharedExport, Transcript
from utils.events import CaptionEvent

LATE_JOINER_LINES = 200  # what a page is sent when it opens

Publish = Callable[[str, dict], None]
Mask = Callable[[CaptionEvent], CaptionEvent]


class Board:
    """Keeps the lines, in memory only, and publishes their `caption` and `cleared` events.

    What is shown and what is forgotten take turns, so that nothing that was said before a
    clear can come to a page after it.

    Parameters
    ----------
    publish : sends an event, by name and payload, to every page
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._transcript = Transcript()
        self._exports: dict[tuple[str, str], tuple[int, SharedExport]] = {}  # of an edition
        self._exporting = threading.Lock()
        self._wire: dict[int, tuple[CaptionEvent, dict]] = {}  # the latest, as they were sent
        self._last_words = time.monotonic()
        self.lock = threading.RLock()
        self.cuts = 0  # how often all that was being said was cut off
        self.blank = False
        self.emotion = True
        self._keep: Callable[[CaptionEvent], None] | None = None

    def show(self, event: CaptionEvent, cuts: int) -> None:
        """Show an event of speech that was heard after so many cuts; an older one is dropped."""
        with self.lock:
            if cuts == self.cuts and not self.blank:
                self._show(event if self.emotion else event.tagged("emotion", None))

    def latest(self) -> tuple[list[CaptionEvent], int | None]:
        """What a page that opens now should show, oldest first.

        Returns
        -------
        the lines, and the segment of the line before them, which such a page is not sent
        """
        with self.lock:
            lines = [] if self.blank else self._transcript.latest(LATE_JOINER_LINES + 1)
            left_out = lines.pop(0).segment if len(lines) > LATE_JOINER_LINES else None
            return lines, left_out

    def export(self, form: str, how: str = "off", mask: Mask | None = None) -> tuple[bytes, ...]:
        """The finished lines in a form of `FORMS`, in UTF-8.

        Made once and shared: each line is put into words once, beside the lock, and who asks
        later gets the same blocks.

        Parameters
        ----------
        how, mask : how words that offend are to be read, and what makes a line so
        """
        with self._exporting:
            with self.lock:
                edition, export = self._exports.get((form, how), (None, SharedExport(form, mask)))
                if edition != self._transcript.edition:
                    edition, export = self._transcript.edition, SharedExport(form, mask)
                    self._exports[form, how] = edition, export
                lines = self._transcript.final(after=export.lines)
            export.add(lines)
            return export.blocks()

    @property
    def idle_s(self) -> float | None:
        """Seconds since the last words came; None where no line is kept."""
        with self.lock:
            return time.monotonic() - self._last_words if self._transcript.latest(1) else None

    def payload(self, line: CaptionEvent) -> dict:
        """The `caption` event of one of the latest lines, made once for all who get it."""
        with self.lock:
            made = self._wire.get(line.segment)
            if made is None or made[0] is not line:
                made = self._wire[line.segment] = line, line.to_dict()
                while len(self._wire) > 2 * LATE_JOINER_LINES:
                    del self._wire[next(iter(self._wire))]
            return made[1]

    def clear(self) -> None:
        """Forget every line, here and on every page, and what is being said now."""
        with self.lock:
            self.cuts += 1
            self._transcript.clear()
            self._exports.clear()
            self._wire.clear()
            self._publish("cleared", {})

    def set_blank(self, on: bool) -> None:
        """Show and keep nothing of what is said from now on, or go on showing.

        The line that is growing ends as it stands.
        """
        with self.lock:
            if on and (growing := self._transcript.growing()):
                self._show(replace(growing, final=True))
            if on != self.blank:
                self.cuts += 1
            self.blank = on

    def set_keep(self, keep: Callable[[CaptionEvent], None] | None) -> None:
        """Have finished lines kept; none is on its way any more to what kept them before.

        Parameters
        ----------
        keep : takes them to disk; None where nothing does
        """
        with self.lock:
            self._keep = keep

    def set_emotion(self, on: bool) -> None:
        """Show emotion from now on, or do not, and forget what was estimated."""
        with self.lock:
            self.emotion = on
            if not on:
                self._transcript.forget_emotion()
                self._exports.clear()
                self._wire.clear()

    def _show(self, event: CaptionEvent) -> None:
        self._last_words = time.monotonic()
        self._transcript.add(event)
        self._publish("caption", self.payload(event))
        if self._keep and event.final:
            self._keep(event)
