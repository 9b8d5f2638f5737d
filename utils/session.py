"""The live session: one room, one microphone, everyone sees the same.

A worker thread takes frames from the source and runs the pipeline. What happens is
published as events of three names, the ones that the page listens to: `status`, `level`
and `caption`.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np

from utils.audio import SAMPLE_RATE, level_db
from utils.captions import Captioner
from utils.errors import AppError, AudioError, CaptureError
from utils.events import AudioFrame, CaptionEvent
from utils.sources import FRAME_SAMPLES, Source
from utils.transcript import Transcript

log = logging.getLogger(__name__)

RETRY_S = 1.0  # between attempts to open a lost microphone
QUIET_S = 10.0  # without speech, after which the page says that nothing is heard
ZEROS_S = 5.0  # of digital silence, which a working microphone does not give
LATE_S = 3.0  # of sound waiting, after which the page says that captions are late
LEVEL_FRAMES = 3  # frames to a level event: about ten events a second
LATE_JOINER_LINES = 200  # what a page is sent when it opens

Publish = Callable[[str, dict], None]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Engines:
    """What loading brings: the pipeline, why this recogniser, and advice for the page."""

    captioner: Captioner
    reason: str
    advice: dict[str, str] | None = None


@dataclass(frozen=True)
class Status:
    """What the page shows of the session's state.

    Parameters
    ----------
    state : loading, ready, listening, lost or error
    message : a plain sentence
    engine : name of the recogniser; "" until it is loaded
    progress : of loading, in [0, 1]; None otherwise
    quiet : listening, but nothing has been heard for a while
    advice : how to get better captions, as text and command
    """

    state: str
    message: str
    engine: str = ""
    progress: float | None = None
    quiet: bool = False
    advice: dict[str, str] | None = None


class Session:
    """Loads the engines, listens, and publishes what happens.

    Parameters
    ----------
    load : builds the engines, on a background thread; tells its progress
    open_source : opens the microphone, given the sample index to count from
    publish : sends an event, by name and payload, to every page
    """

    def __init__(
        self,
        load: Callable[[Progress], Engines],
        open_source: Callable[[int], Source],
        publish: Publish,
    ) -> None:
        self._load = load
        self._open_source = open_source
        self._publish = publish
        self._id = uuid.uuid4().hex  # lets a page tell that the program was started anew
        self._status = Status("loading", "Starting…", progress=0.0)
        self._pressing = threading.Lock()  # two people pressing at once take turns
        self._engines: Engines | None = None
        self._source: Source | None = None
        self._worker: threading.Thread | None = None
        self._stopping = threading.Event()
        self._began = 0.0  # when the session's clock was zero
        self._last_frame = 0.0
        self._transcript = Transcript()
        threading.Thread(target=self._run_load, name="load", daemon=True).start()

    # What pages ask for

    @property
    def status(self) -> dict:
        """The present `status` event."""
        return {**asdict(self._status), "session": self._id}

    def lines(self) -> list[dict]:
        """`caption` events of the lines that a page which opens now should show."""
        return [event.to_dict() for event in self._transcript.latest(LATE_JOINER_LINES)]

    def health(self) -> dict:
        """The session for a monitor: plain JSON types, read without waiting."""
        source = self._source
        return {
            "state": self._status.state,
            "message": self._status.message,
            "engine": self._status.engine,
            "microphone": source.name if source else None,
            "last_frame_age_s": round(time.monotonic() - self._last_frame, 3) if source else None,
            "queue_depth": source.queue_depth if source else 0,
            "dropped_frames": source.dropped if source else 0,
        }

    def start(self) -> None:
        """Begin to listen. Does nothing while loading or when listening already."""
        with self._pressing:
            if self._engines is None:
                return
            if self._worker and self._worker.is_alive():
                if not self._stopping.is_set():
                    return
                self._worker.join()
            self._stopping.clear()
            self._began = self._began or time.monotonic()
            self._worker = threading.Thread(target=self._run, name="captions", daemon=True)
            self._worker.start()

    def stop(self) -> None:
        """End listening; what was said until now is still finished and published."""
        self._stopping.set()
        if source := self._source:
            source.close()

    def close(self) -> None:
        """Stop, and let the engines go. The session is not used again."""
        self.stop()
        if self._worker:
            self._worker.join(timeout=10)
        if self._engines:
            self._engines.captioner.transcriber.close()

    # Loading

    def _run_load(self) -> None:
        def progress(done: float, message: str) -> None:
            self._set(Status("loading", message, progress=done))

        try:
            engines = self._load(progress)
        except AppError as err:
            log.error("%s", err)
            self._set(Status("error", f"Loading failed: {err}."))
        except Exception as err:
            log.exception("loading failed")
            message = f"Loading failed by a mistake in the program: {err}. The log says more."
            self._set(Status("error", message))
        else:
            self._engines = engines
            self._set(self._with_engine("ready", engines.reason))

    def _with_engine(self, state: str, message: str, quiet: bool = False) -> Status:
        engines = self._engines
        if engines is None:
            return Status(state, message)
        name = engines.captioner.transcriber.name
        return Status(state, message, name, quiet=quiet, advice=engines.advice)

    # Listening: the worker thread

    def _run(self) -> None:
        captioner = self._engines.captioner
        try:
            self._listen(captioner)
        except AppError as err:
            log.error("%s", err)
            captioner.abandon()
            self._set(self._with_engine("error", f"Stopped: {err}."))
        except Exception as err:
            log.exception("listening failed")
            captioner.abandon()
            message = f"Stopped by a mistake in the program: {err}. Press Start to go on."
            self._set(self._with_engine("error", message))

    def _listen(self, captioner: Captioner) -> None:
        message = "Ready."
        while not self._stopping.is_set():
            try:
                message = self._capture(captioner)
                break
            except CaptureError as err:
                self._captions(captioner.flush())
                lost = self._with_engine("lost", f"No sound: {err}. Trying again by itself…")
                if lost != self._status:
                    log.warning("%s (%s)", err, err.__cause__)
                self._set(lost)
                self._stopping.wait(RETRY_S)
            except AudioError:  # what came before the damage counts
                self._captions(captioner.flush())
                raise
        self._captions(captioner.flush())
        self._set(self._with_engine("ready", message))

    def _capture(self, captioner: Captioner) -> str:
        """Listen until the source ends; return why it did."""
        now = int((time.monotonic() - self._began) * SAMPLE_RATE)
        with self._open_source(now) as source:
            self._source = source
            try:
                if self._stopping.is_set():
                    return "Ready."
                watch = _Watch(source)
                self._last_frame = time.monotonic()
                self._set(self._with_engine("listening", "Listening."))
                for frame in source:
                    self._last_frame = time.monotonic()
                    self._captions(captioner.push(frame))
                    message, quiet = watch.judge(frame, captioner.hearing)
                    if watch.level_db is not None:
                        self._publish("level", {"db": watch.level_db})
                    self._set(self._with_engine("listening", message, quiet))
            finally:
                self._source = None
        return "Ready." if self._stopping.is_set() else "The recording has ended."

    def _captions(self, events: Iterable[CaptionEvent]) -> None:
        for event in events:
            self._transcript.add(event)
            self._publish("caption", event.to_dict())

    def _set(self, status: Status) -> None:
        if status != self._status:
            self._status = status
            self._publish("status", self.status)


class _Watch:
    """Judges how listening goes, frame by frame: nothing heard, no sound at all, late."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._since_speech_s = 0.0
        self._zeros_s = 0.0
        self._recent: list[np.ndarray] = []
        self.level_db: float | None = None  # set on every `LEVEL_FRAMES`th frame

    def judge(self, frame: AudioFrame, hearing: bool) -> tuple[str, bool]:
        """Return the message for the page, and whether nothing has been heard for long."""
        frame_s = len(frame.samples) / SAMPLE_RATE
        self._since_speech_s = 0.0 if hearing else self._since_speech_s + frame_s
        self._zeros_s = 0.0 if frame.samples.any() else self._zeros_s + frame_s
        self._recent.append(frame.samples)
        self.level_db = None
        if len(self._recent) >= LEVEL_FRAMES:
            self.level_db = round(level_db(np.concatenate(self._recent)), 1)
            self._recent.clear()
        return self._message()

    def _message(self) -> tuple[str, bool]:
        late_s = self._source.queue_depth * FRAME_SAMPLES / SAMPLE_RATE
        if late_s > LATE_S:
            return f"This computer is too slow: captions are {late_s:.0f} seconds late.", False
        if lost_s := self._source.dropped * FRAME_SAMPLES / SAMPLE_RATE:
            return f"This computer is too slow: {lost_s:.1f} seconds of sound were lost.", False
        if self._zeros_s > ZEROS_S:
            return "The microphone gives no sound at all. Is it muted or unplugged?", True
        if self._since_speech_s > QUIET_S:
            return "Listening, but no speech is heard. Speak louder or come closer.", True
        return "Listening.", False
