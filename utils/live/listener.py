"""Listening: the thread that takes frames from the source and runs the pipeline on them."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from utils.audio import SAMPLE_RATE
from utils.captions.delay import WordDelays
from utils.captions.pace import PaceKeeper, at_full_pace
from utils.captions.pipeline import Captioner
from utils.errors import AppError, AudioError, CaptureError
from utils.events import AudioFrame, CaptionEvent
from utils.live.board import Board, Publish
from utils.live.loader import Loader, unexpected
from utils.live.pulse import Elapsed
from utils.live.status import StatusLine
from utils.live.watch import Moves, Signs, Watch
from utils.messages import Message, say
from utils.monitoring import metrics
from utils.monitoring.of_room import same_room
from utils.sources import Source

log = logging.getLogger(__name__)

RETRY_S = 1.0  # between attempts to open a lost microphone
STUCK_S = 10.0  # of work on one frame, after which captions do not come
BACK_S = 1.0  # of sound from a microphone that was lost, after which it is called back
LATE_S = 5.0  # after listening, in which tags of the last lines may still come,
LATE_LOOK_S = 0.1  # and between looks whether they have


class Counted:
    """Counts what a source gives, from when it was opened.

    Parameters
    ----------
    source : whose frames they are
    again : it was lost before; its first frame tells that it is there again
    """

    def __init__(self, source: Source, again: bool) -> None:
        self._source, self._again, self._dropped = source, again, 0

    def frame(self) -> None:
        """One more has been heard."""
        metrics.FRAMES.inc()
        metrics.QUEUE.set(self._source.queue_depth)
        new, self._dropped = self._source.dropped - self._dropped, self._source.dropped
        metrics.DROPPED.inc(new)
        if self._again:
            self._again = False
            metrics.RECONNECTIONS.inc()


class Listener:
    """Hears the source on a thread of its own, has it captioned, and shows how that goes.

    Parameters
    ----------
    open_source : opens the microphone, given the sample index to count from
    board : shows the lines
    line, loader : show the state, with the present engine beside it
    publish : sends `level` events
    just_woke : whether the program stood still until a moment ago
    elapsed : the session's clock

    Attributes
    ----------
    speaking : the computer itself, whose voice is not to be captioned
    delay_s : of the last word that was shown; None before the first
    level_db : of the sound, as it was told last; None while nothing is heard
    """

    def __init__(
        self,
        open_source: Callable[[int], Source],
        board: Board,
        line: StatusLine,
        loader: Loader,
        publish: Publish,
        just_woke: Callable[[], bool],
        elapsed: Elapsed,
    ) -> None:
        self._elapsed = elapsed
        self._open_source = open_source
        self._board = board
        self._line = line
        self._loader = loader
        self._publish = publish
        self._just_woke = just_woke
        self._pressing = threading.Lock()  # two people pressing at once take turns
        self._source: Source | None = None
        self._worker: threading.Thread | None = None
        self._stopping = threading.Event()  # from the press, or the end of the source, on
        self._again = threading.Event()  # somebody waits for it to listen again
        self._pace = PaceKeeper()
        self._delays = WordDelays()
        self.signs = Signs()
        self._last_frame = 0.0
        self._working_since: float | None = None  # on the frame that is being captioned
        self._cuts = 0  # of the board, when the pipeline was last emptied for one
        self._stale = 0  # frames that wait, heard before the last cut
        self.speaking = False
        self.delay_s: float | None = None
        self.level_db: float | None = None

    @property
    def listening(self) -> bool:
        """Whether it listens, or tries to."""
        alive = self._worker is not None and self._worker.is_alive()
        return alive and not self._stopping.is_set()

    @property
    def microphone(self) -> str:
        """The device that is heard, as the system calls it to people; "" if that is not known."""
        return source.heard if (source := self._source) else ""

    @property
    def stuck(self) -> bool:
        """Whether the work on one frame takes far too long."""
        since = self._working_since
        return since is not None and time.monotonic() - since > STUCK_S

    def health(self) -> dict:
        """What a monitor is told of the source."""
        source = self._source
        return {
            "microphone": source.name if source else None,
            "last_frame_age_s": round(time.monotonic() - self._last_frame, 3) if source else None,
            "queue_depth": source.queue_depth if source else 0,
            "dropped_frames": source.dropped if source else 0,
        }

    def start(self, captioner: Captioner, wanted: Callable[[], bool] = lambda: True) -> None:
        """Begin to listen. Does nothing when listening already.

        Parameters
        ----------
        wanted : whether nobody has pressed Stop since; asked once what came before has ended
        """
        with self._pressing:
            if self.listening:
                return
            if self._worker:
                self._again.set()
                self._worker.join()
            self._again.clear()
            self._stopping.clear()
            if not wanted():  # asked behind `clear`, which would lose a `stop` that comes before
                return
            self.signs.begin()
            self._elapsed.begin()
            work = partial(self._run, captioner)
            self._worker = threading.Thread(target=same_room(work), name="captions", daemon=True)
            self._worker.start()

    def stop(self) -> None:
        """End listening; what was said until now is still finished and published."""
        self._stopping.set()
        if source := self._source:
            source.close()

    def close(self) -> None:
        """Stop, and wait for the end; it is not used again."""
        self.stop()
        self.ended()

    def abandon(self) -> None:
        """Stop, and wait for nothing that might still be said of the last lines."""
        self._again.set()
        self.close()

    def ended(self) -> bool:
        """Wait until what it did has ended; return whether it has, and did not begin anew."""
        if self._worker and not self.listening:
            self._worker.join(timeout=2 * LATE_S)
        return self._worker is None or not self._worker.is_alive()

    def leave_waiting(self) -> None:
        """Let nothing appear of what has been heard until now."""
        self._stale = source.queue_depth if (source := self._source) else 0

    # The worker thread

    def _run(self, captioner: Captioner) -> None:
        try:
            self._listen(captioner)
        except AppError as err:
            log.error("%s", err)
            self._fail(captioner, say("failed", reason=str(err)))
        except Exception as err:
            log.exception("listening failed")
            self._fail(captioner, unexpected(err, "failed", "failed.mistake"))
        finally:
            captioner.forget()
        self._wait_for_tags(captioner)

    def _fail(self, captioner: Captioner, message: Message) -> None:
        captioner.abandon()
        self._stopping.set()  # whoever sees that it has failed may start it again
        self._line.set(self._loader.status("error", message), over="pace.down")

    def _listen(self, captioner: Captioner) -> None:
        message, moves = say("ready"), Moves()
        self._pace = PaceKeeper()
        at_full_pace(captioner.transcriber)  # what was too much then may not be now
        while not self._stopping.is_set():
            self.signs.attempt()
            try:
                message = self._capture(captioner, moves)
                break
            except CaptureError as err:
                self._captions(captioner.flush())
                if self._line.status.state != "lost":
                    metrics.LOSSES.inc()
                lost = self._loader.status("lost", say("lost", reason=str(err)))
                if lost.message != self._line.status.message:
                    why = f" ({err.__cause__})" if err.__cause__ else ""
                    log.warning("%s%s", err, why)
                self._line.set(lost)
                self._stopping.wait(RETRY_S)
            except AudioError:  # what came before the damage counts
                self._captions(captioner.flush())
                raise
        self._captions(captioner.flush())
        self._stopping.set()  # whoever sees that it is ready may start it again
        self._line.set(self._loader.status("ready", message), over="pace.down")

    def _wait_for_tags(self, captioner: Captioner) -> None:
        """Show what is still said of the last lines; nobody who starts again waits for it."""
        until_s = time.monotonic() + LATE_S
        while (names := captioner.tags.to_come) and time.monotonic() < until_s:
            if self._again.wait(LATE_LOOK_S):
                return  # it comes beside what is said next
            self._captions(captioner.tags.late())
        if names:
            told = " or ".join(sorted(names))
            log.warning("the last lines have no %s, which did not come in %.0f s", told, LATE_S)
            captioner.tags.forget_lines()

    def _capture(self, captioner: Captioner, moves: Moves) -> Message:
        """Listen until the source ends; return why it did."""
        start = int(self._elapsed.seconds * SAMPLE_RATE)
        with self._open_source(start) as source:
            self._source = source
            try:
                if self._stopping.is_set():
                    return say("ready")
                watch = Watch(source, self._just_woke)
                self._last_frame = time.monotonic()
                counted = Counted(source, again=self._line.status.state == "lost")
                if self._line.status.state != "lost":  # then it is the first frame that tells
                    self._line.set(self._loader.status("listening", say("listening")))
                for frame in source:
                    self._last_frame = self._working_since = time.monotonic()
                    self._hear(captioner, frame)
                    self._working_since = None
                    counted.frame()
                    if self.signs.renew():
                        raise CaptureError("nobody was heard for a day; it is opened anew")
                    self._tell(watch, frame, captioner)
                    for news in (watch.lost, moves.judge(source.heard)):
                        if news:
                            self._line.remark(news.code, **news.values)
            finally:
                self._source = self._working_since = self.level_db = None
        return say("ready" if self._stopping.is_set() else "ready.ended")

    def _hear(self, captioner: Captioner, frame: AudioFrame) -> None:
        """Caption a frame, unless it is not to be; then what came before it ends."""
        if self._wanted(captioner):
            self._captions(captioner.push(frame))
        elif captioner.hearing:
            self._captions(captioner.flush())
        else:
            self._captions(captioner.tags.late())

    def _wanted(self, captioner: Captioner) -> bool:
        """Whether the next frame is to be captioned."""
        with self._board.lock:
            if self._cuts != self._board.cuts:
                captioner.clear()
                self._cuts = self._board.cuts
            if emotion := captioner.tags.find("emotion"):
                emotion.on = self._board.emotion
            captioner.sounds.on = self._board.sounds
            if self._stale:
                self._stale -= 1
                return False
            return not (self._board.blank or self.speaking)

    def _captions(self, events: Iterable[CaptionEvent]) -> None:
        for event in events:
            self._board.show(event, self._cuts)
            delays = self._delays.take(event, self._elapsed.seconds)
            if delays is not None and event.text:
                metrics.LINES.inc()
                for delay_s in delays:
                    metrics.WORD_DELAY.observe(delay_s)
                    self.delay_s = delay_s

    def _tell(self, watch: Watch, frame: AudioFrame, captioner: Captioner) -> None:
        """Tell how listening goes, and have less or more done where it falls behind."""
        hearing = captioner.hearing or self._board.blank or self.speaking
        self.signs.frame(hearing)
        message, quiet = watch.judge(frame, hearing, captioner.unheard, captioner.humming)
        if self._board.blank:
            message = say("listening.blank")
        elif self.speaking:
            message = say("listening.speaking")
        if watch.level_db is not None:
            self.level_db = watch.level_db
            self._publish("level", {"db": watch.level_db})
        if self._line.status.message.code != "lost" or watch.heard_s > BACK_S:
            self._line.set(self._loader.status("listening", message, quiet))
        if not watch.catching_up:
            self._keep_up(captioner, watch.late_s, len(frame.samples) / SAMPLE_RATE)

    def _keep_up(self, captioner: Captioner, late_s: float, frame_s: float) -> None:
        slower = self._pace.steps
        step = self._pace.judge(captioner.transcriber, late_s, frame_s, captioner.hearing)
        if step:
            log.info("pace: one step %s, %.1f s of sound wait", step, late_s)
            metrics.PACE.labels(step).inc()
        if self._pace.steps and not slower:
            self._line.notice(say("pace.down"))
        elif slower and not self._pace.steps:  # or another recogniser has taken over
            self._line.remark("pace.up") if step else self._line.withdraw("pace.down")
