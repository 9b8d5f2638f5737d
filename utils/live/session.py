"""The live session: one room, one microphone, everyone sees the same.

A worker thread takes frames from the source and runs the pipeline. What happens is
published as events: `status`, `level`, `caption` and `cleared`. A `status` tells the session's
id, how often it was cleared and, where it greets a page, which line is the last that is not
sent again (`left_out`): whoever was away then knows what has become of the lines it shows.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from functools import partial

from utils.audio import SAMPLE_RATE
from utils.captions.pace import PaceKeeper
from utils.captions.pipeline import Captioner
from utils.errors import AppError, AudioError, CaptureError
from utils.events import AudioFrame, CaptionEvent
from utils.live.board import Board, Publish
from utils.live.engines import Engines
from utils.live.loader import Loader, Progress, unexpected
from utils.live.pulse import Pulse
from utils.live.resume import Resume
from utils.live.status import Status, StatusLine
from utils.live.watch import Moves, Watch
from utils.messages import Message, Value, say
from utils.sources import Source

log = logging.getLogger(__name__)

RETRY_S = 1.0  # between attempts to open a lost microphone
STUCK_S = 10.0  # of work on one frame, after which the page says that captions do not come


class Session:
    """Loads the engines, listens, and publishes what happens.

    Parameters
    ----------
    load : builds the engines, on a background thread; tells its progress
    open_source : opens the microphone, given the sample index to count from
    publish : sends an event, by name and payload, to every page
    listen : begin to listen as soon as the engines are loaded, without being asked
    resume : notes that it listens, for the start after a crash
    """

    def __init__(
        self,
        load: Callable[[Progress], Engines],
        open_source: Callable[[int], Source],
        publish: Publish,
        listen: bool = False,
        resume: Resume | None = None,
    ) -> None:
        self._open_source = open_source
        self._publish = publish
        self._listen_first = listen
        self._resume = resume or Resume(None)
        self._id = uuid.uuid4().hex  # lets a page tell that the program was started anew
        self._pressing = threading.Lock()  # two people pressing at once take turns
        self._source: Source | None = None
        self._worker: threading.Thread | None = None
        self._stopping = threading.Event()
        self._pace = PaceKeeper()
        self._began = 0.0  # when the session's clock was zero
        self._last_frame = 0.0
        self._working_since: float | None = None  # on the frame that is being captioned
        self._cuts = 0  # of the board, when the pipeline was last emptied for one
        self._stale = 0  # frames that wait, heard before the last cut
        self._clears = 0
        self.speaking = False  # the computer itself, whose voice is not to be captioned
        self.board = Board(publish)
        beginning = Status("loading", say("starting"), progress=0.0)
        self._line = StatusLine(beginning, self._publish_status, self.board.lock)
        self._loader = Loader(load, self._line, self.board.lock)
        self._loader.start()
        self._pulse = Pulse(self._beat)
        self._pulse.start()

    # What pages ask for

    @property
    def status(self) -> dict:
        """The present `status` event."""
        return self._on_wire(self._line.status)

    def greet(self, send: Publish) -> None:
        """Tell a page that opens now how things are, with nothing coming in between."""
        with self.board.lock:
            lines, left_out = self.board.latest()
            send("status", {**self.status, "left_out": left_out})
            for line in lines:
                send("caption", self.board.payload(line))

    @property
    def microphone(self) -> str:
        """The device that is heard, as the system calls it to people; "" if that is not known."""
        return source.heard if (source := self._source) else ""

    def health(self) -> dict:
        """The session for a monitor: plain JSON types, read without waiting."""
        source = self._source
        return {
            "state": self._line.status.state,
            "message": str(self._line.status.message),
            "engine": self._line.status.engine,
            "microphone": source.name if source else None,
            "last_frame_age_s": round(time.monotonic() - self._last_frame, 3) if source else None,
            "queue_depth": source.queue_depth if source else 0,
            "dropped_frames": source.dropped if source else 0,
        }

    def start(self) -> None:
        """Begin to listen. Does nothing while loading or when listening already."""
        with self._pressing:
            if (engines := self._loader.engines) is None:
                return
            if self._worker and self._worker.is_alive():
                if not self._stopping.is_set():
                    return
                self._worker.join()
            self._stopping.clear()
            self._began = self._began or time.monotonic()
            work = partial(self._run, engines.captioner)
            self._worker = threading.Thread(target=work, name="captions", daemon=True)
            self._worker.start()

    def stop(self) -> None:
        """End listening; what was said until now is still finished and published."""
        self._listen_first = False
        self._stopping.set()
        if source := self._source:
            source.close()

    def fetch(self) -> None:
        """Fetch the better model that is offered; it takes over while captions go on."""
        self._loader.fetch()

    def clear(self) -> None:
        """Forget every line on every page, and what is being said now."""
        with self.board.lock:
            self.board.clear()
            self._clears += 1
            self._leave_waiting()

    def set_blank(self, on: bool) -> None:
        """Show and keep nothing of what is said from now on, or go on showing."""
        with self.board.lock:
            self.board.set_blank(on)
            self._leave_waiting()

    @property
    def has_emotion(self) -> bool:
        """Whether there is a model of emotion, as far as is known by now."""
        engines = self._loader.engines
        return engines is None or engines.captioner.tags.find("emotion") is not None

    def notice(self, code: str, **values: Value) -> None:
        """Say a remark beside the state, for as long as it is not taken back."""
        self._line.notice(say(code, **values))

    def remark(self, code: str, **values: Value) -> None:
        """Say a remark on something that is over; it goes by itself."""
        self._line.remark(code, **values)

    def withdraw(self, code: str) -> None:
        """Take a remark back, if it is shown."""
        self._line.withdraw(code)

    def close(self) -> None:
        """Stop, and let the engines go. The session is not used again."""
        self._loader.close()
        self._pulse.close()
        self.stop()
        if self._worker:
            self._worker.join(timeout=10)
        self._resume.forget()
        if engines := self._loader.engines:
            engines.captioner.close()

    # Beside listening: the pulse's thread

    def _beat(self, still_s: float) -> None:
        if self._listen_first and self._loader.engines:
            self._listen_first = False
            self.start()
        listening = self._worker is not None and self._worker.is_alive()
        if listening and still_s:
            log.warning("the program stood still for %.0f s", still_s)
            self._line.remark("sound.still", still_s=round(still_s))
        self._resume.keep(listening)
        with self.board.lock:  # what the worker tells of its next frame comes after this
            since = self._working_since or time.monotonic()
            if time.monotonic() - since > STUCK_S and not self._pulse.just_woke():
                self._line.set(self._loader.status("lost", say("lost.stuck")))

    # Listening: the worker thread

    def _run(self, captioner: Captioner) -> None:
        try:
            self._listen(captioner)
        except AppError as err:
            log.error("%s", err)
            captioner.abandon()
            self._line.set(self._loader.status("error", say("failed", reason=str(err))))
        except Exception as err:
            log.exception("listening failed")
            captioner.abandon()
            message = unexpected(err, "failed", "failed.mistake")
            self._line.set(self._loader.status("error", message))
        finally:
            captioner.forget()

    def _listen(self, captioner: Captioner) -> None:
        message, moves = say("ready"), Moves()
        while not self._stopping.is_set():
            try:
                message = self._capture(captioner, moves)
                break
            except CaptureError as err:
                self._captions(captioner.flush())
                lost = self._loader.status("lost", say("lost", reason=str(err)))
                if lost.message != self._line.status.message:
                    log.warning("%s (%s)", err, err.__cause__)
                self._line.set(lost)
                self._stopping.wait(RETRY_S)
            except AudioError:  # what came before the damage counts
                self._captions(captioner.flush())
                raise
        self._captions(captioner.flush())
        self._line.set(self._loader.status("ready", message))

    def _capture(self, captioner: Captioner, moves: Moves) -> Message:
        """Listen until the source ends; return why it did."""
        start = int((time.monotonic() - self._began) * SAMPLE_RATE)
        with self._open_source(start) as source:
            self._source = source
            try:
                if self._stopping.is_set():
                    return say("ready")
                watch = Watch(source, self._pulse.just_woke)
                self._last_frame = time.monotonic()
                if self._line.status.state != "lost":  # then it is the first frame that tells
                    self._line.set(self._loader.status("listening", say("listening")))
                for frame in source:
                    self._last_frame = self._working_since = time.monotonic()
                    self._hear(captioner, frame)
                    self._working_since = None
                    message, quiet = self._judge(watch, frame, captioner)
                    if watch.level_db is not None:
                        self._publish("level", {"db": watch.level_db})
                    self._line.set(self._loader.status("listening", message, quiet))
                    for news in (watch.lost, moves.judge(source.heard)):
                        if news:
                            self._line.remark(news.code, **news.values)
                    if not watch.catching_up:
                        self._keep_up(captioner, watch.late_s, len(frame.samples) / SAMPLE_RATE)
            finally:
                self._source = self._working_since = None
        return say("ready" if self._stopping.is_set() else "ready.ended")

    def _keep_up(self, captioner: Captioner, late_s: float, frame_s: float) -> None:
        step = self._pace.judge(captioner.transcriber, late_s, frame_s, captioner.hearing)
        if step:
            log.info("pace: one step %s, %.1f s of sound wait", step, late_s)
            self._line.remark(f"pace.{step}")

    def _leave_waiting(self) -> None:
        """Let nothing appear of what has been heard until now."""
        self._stale = source.queue_depth if (source := self._source) else 0

    def _wanted(self, captioner: Captioner) -> bool:
        """Whether the next frame is to be captioned."""
        with self.board.lock:
            if self._cuts != self.board.cuts:
                captioner.clear()
                self._cuts = self.board.cuts
            if emotion := captioner.tags.find("emotion"):
                emotion.on = self.board.emotion
            if self._stale:
                self._stale -= 1
                return False
            return not (self.board.blank or self.speaking)

    def _hear(self, captioner: Captioner, frame: AudioFrame) -> None:
        """Caption a frame, unless it is not to be; then what came before it ends."""
        if self._wanted(captioner):
            self._captions(captioner.push(frame))
        elif captioner.hearing:
            self._captions(captioner.flush())

    def _judge(self, watch: Watch, frame: AudioFrame, captioner: Captioner) -> tuple[Message, bool]:
        """How listening goes, and whether nothing has been heard for long."""
        hearing = captioner.hearing or self.board.blank or self.speaking
        message, quiet = watch.judge(frame, hearing, captioner.unheard, captioner.humming)
        if self.board.blank:
            message = say("listening.blank")
        elif self.speaking:
            message = say("listening.speaking")
        return message, quiet

    def _captions(self, events: Iterable[CaptionEvent]) -> None:
        for event in events:
            self.board.show(event, self._cuts)

    def _publish_status(self, status: Status) -> None:
        self._publish("status", self._on_wire(status))

    def _on_wire(self, status: Status) -> dict:
        return {**status.to_dict(), "session": self._id, "clears": self._clears}
