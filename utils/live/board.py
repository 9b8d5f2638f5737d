"""What every page shows of the session: the lines, unless they are cleared or blank."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from utils.captions.export.marks import ENGLISH, Wording
from utils.captions.mending import TAG, Mended
from utils.captions.transcript import SharedExport, Transcript
from utils.errors import RequestError
from utils.events import CaptionEvent
from utils.live.mending.voice_names import VoiceNames
from utils.messages import say

FEELINGS = ("emotion", "text_emotion")  # tags that go where feelings are switched off for all
LATE_JOINER_LINES = 200  # what a page is sent when it opens
LONGEST_SESSION = 10**9  # lines

Publish = Callable[[str, dict], None]
Mask = Callable[[CaptionEvent], CaptionEvent]
Keep = Callable[[CaptionEvent, str | None], None]


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
        self._mended = Mended()
        self._voices = VoiceNames()
        # of an edition each, by form, how words that offend are read, and language
        self._exports: dict[tuple[str, str, str], tuple[int, SharedExport]] = {}
        self._exporting = threading.Lock()
        self._wire: dict[int, tuple[CaptionEvent, dict]] = {}  # the latest, as they were sent
        self._last_words = time.monotonic()
        self.lock = threading.RLock()
        self.cuts = 0  # how often all that was being said was cut off
        self.blank = False
        self.emotion = self.sounds = True
        self._keep: Keep | None = None
        self._kept: set[int] = set()  # segments of the lines that it was given

    def show(self, event: CaptionEvent, cuts: int) -> None:
        """Show an event of speech that was heard after so many cuts; an older one is dropped."""
        with self.lock:
            if cuts == self.cuts and not self.blank:
                self._show(self._voices.told(event if self.emotion else _unfeeling(event)))

    def mend(self, segment: int, text: str | None) -> None:
        """Put other words in place of a finished line's; None: those that were heard.

        Raises
        ------
        RequestError : there is no such line, or it cannot be seen now
        """
        with self.lock:
            line = None if self.blank else self._transcript.find(segment)
            if line is None or not line.final or line.sound:
                raise RequestError(say("refused.line"))
            other = self._mended.restore(line) if text is None else self._mended.mend(line, text)
            if other != line:
                self._show(other, corrects=line.text)

    def tell_anew(self, segment: int, text: str, tag: str, value: object) -> None:
        """Show a mended line, which had this text when a tag read it, with what that says."""
        with self.lock:
            hidden = self.blank or (tag in FEELINGS and not self.emotion)
            line = None if hidden else self._transcript.find(segment)
            if line and line.text == text and line.tags.get(TAG):
                self._show(self._mended.tell(line, tag, value), corrects=line.text)

    def name_voice(self, number: int, name: str) -> None:
        """Give a voice a name, on every line that it has; "" takes it away.

        Pages are sent the latest of these lines again.

        Raises
        ------
        RequestError : there is no such voice, it cannot be seen now, or the name is too long
        """
        with self.lock:
            if self.blank:
                raise RequestError(say("refused.voice"))
            self._voices.name(number, name)
            others = self._transcript.change(self._voices.named)
            for line in others[-LATE_JOINER_LINES:]:
                self._publish("caption", self.payload(line))
            for line in others:
                if self._keep and line.segment in self._kept:
                    self._keep(line, None)

    def tell(self, name: str, payload: dict) -> None:
        """Tell every page what is no line, in turn with the lines."""
        with self.lock:
            self._publish(name, payload)

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

    def export(
        self, form: str, how: str = "off", mask: Mask | None = None, wording: Wording = ENGLISH
    ) -> tuple[bytes, ...]:
        """The finished lines in a form of `FORMS`, in UTF-8.

        Made once and shared: each line is put into words once, beside the lock, and who asks
        later gets the same blocks.

        Parameters
        ----------
        how, mask : how words that offend are to be read, and what makes a line so
        wording : of what is known of a line
        """
        with self._exporting:
            with self.lock:
                kind = form, how, wording.language
                edition, export = self._exports.get(kind, (None, None))
                if export is None or edition != self._transcript.edition:
                    export = SharedExport(form, mask, wording)
                    self._exports[kind] = self._transcript.edition, export
                lines = self._transcript.final(after=export.lines)
            export.add(lines)
            return export.blocks()

    def everything(self) -> list[CaptionEvent]:
        """All lines that are kept, in the order in which they began to be said."""
        with self.lock:
            return self._transcript.latest(LONGEST_SESSION)

    def restore(self, lines: Iterable[CaptionEvent]) -> None:
        """Take lines of before the program broke off; nothing is published, nor saved again."""
        with self.lock:
            for line in lines:
                self._transcript.add(line)
                self._voices.restore(line)

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
            self._mended.clear()
            self._voices.clear()
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

    def set_keep(self, keep: Keep | None) -> None:
        """Have finished lines kept; none is on its way any more to what kept them before.

        Parameters
        ----------
        keep : takes them to disk, with the words that they correct, if any; None where nothing does
        """
        with self.lock:
            self._keep = keep
            self._kept.clear()

    def set_emotion(self, on: bool) -> None:
        """Show feelings from now on, or do not, and forget what was estimated."""
        with self.lock:
            self.emotion = on
            if not on:
                self._transcript.change(_unfeeling)
                self._mended.forget(FEELINGS)
                self._exports.clear()
                self._wire.clear()

    def set_sounds(self, on: bool) -> None:
        """Have sounds told from now on, or not; the lines that there are stay."""
        with self.lock:
            self.sounds = on

    def _show(self, event: CaptionEvent, corrects: str | None = None) -> None:
        if not event.sound:
            self._last_words = time.monotonic()
        event = self._mended.apply(event)
        self._transcript.add(event)
        self._publish("caption", self.payload(event))
        if not self._keep or not event.final:
            return
        if corrects is None or event.segment in self._kept:  # else it was said before
            self._kept.add(event.segment)
            self._keep(event, corrects)


def _unfeeling(line: CaptionEvent) -> CaptionEvent:
    for tag in FEELINGS:
        line = line.tagged(tag, None)
    return line
