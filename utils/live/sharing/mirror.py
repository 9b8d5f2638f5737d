"""A room of another computer as its readers see it here: followed in Redis, and kept in step."""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import redis

from utils.captions.export.marks import ENGLISH, Wording
from utils.captions.offending import OffendingWords
from utils.config import OFFENDING
from utils.live.board import Board, Publish
from utils.live.saved import DAMAGED, event_of
from utils.live.session import Told
from utils.live.sharing.record import Record, follows, record, taken_back
from utils.live.sharing.rooms import told_now
from utils.live.sharing.server import ANSWER_S, LIFE_S, TROUBLE, Keys, reason, this_program
from utils.messages import say

RETRY_S = 0.5  # between attempts while Redis is away
LOOK_S = 1.0  # between looks whether the room's program runs
AT_ONCE = 500  # events that are taken
EMPTY_S = 3 * ANSWER_S  # in which a room that runs has written anew what Redis has lost
# What a reader may not change here, nor see: it lies on the room's own computer.
NOT_HERE = {"presenter": False, "history": False, "answers": False, "facing": "", "speech": False}

log = logging.getLogger(__name__)


class Mirror:
    """What the pages of this computer need of a room that another one captions.

    It follows from entering its context to leaving it. What it keeps can be lost at any time: all
    of it comes from Redis.

    Parameters
    ----------
    server : Redis
    keys : of the room
    publish : sends an event, by name and payload, to every page
    announce : tells every page how the room is now
    offending : finds words that offend
    reader_url : where phones read along; None where they cannot reach this machine
    readers : how many pages of the room are open here
    """

    def __init__(
        self,
        server: redis.Redis,
        keys: Keys,
        publish: Publish,
        announce: Callable[[], None],
        offending: OffendingWords,
        reader_url: str | None,
        readers: Callable[[], int],
    ) -> None:
        self._server, self._keys, self._readers = server, keys, readers
        self._program = this_program()
        self._publish, self._announce = publish, announce
        self.offending, self.reader_url = offending, reader_url
        self.known = False  # whether Redis has told of the room, if only that nobody captions it
        self._lock = threading.RLock()
        self._board = Board(publish)
        self._status: dict = {"session": "", "clears": 0, "engine": "", "progress": None}
        self._status |= {"quiet": False, "offer": None, "notices": []}
        self._status |= {"state": "ready", **say("sharing.none").to_dict()}
        self._shown: dict = {}  # the status as pages were told it last
        self._room: dict = {}
        self._answer: dict = {"text": ""}
        self._at = ""  # the event that was taken last
        self._alive = True
        self._trouble = ""
        self._looked_s = 0.0
        self._empty_s: float | None = None  # since when Redis has nothing of a room it had
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def __enter__(self) -> Self:
        """Begin to follow."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Follow no more."""
        self._closed.set()
        self._thread.join(timeout=2 * LOOK_S)

    # What pages need

    @property
    def blank(self) -> bool:
        """Whether nothing is shown."""
        return bool(self._room.get("blank"))

    @property
    def how_offending(self) -> str:
        """How words that offend are shown to whoever makes no choice of their own."""
        return self._room.get("offending", OFFENDING[0])

    @property
    def answers(self) -> bool:
        """Whether readers may answer: not from here."""
        return False

    def count_screen(self, place: str, by: int) -> None:
        """Screens that face whoever speaks stand in the room itself."""

    def state(self, presenter: bool) -> dict:
        """The `room` event as readers get it."""
        return {**self._room, **NOT_HERE}

    def greet(self, tell: Callable[[Told, bool], None]) -> None:
        """Hand over what a page that opens now is to be told; nothing comes in between."""
        with self._lock:
            lines, left_out = ([], None) if self.blank else self._board.latest()
            told = [("status", {**self._now(), "left_out": left_out})]
            told += [("caption", self._board.payload(line)) for line in lines]
            if self._answer["text"]:
                told.append(("answer", self._answer))
            tell(told, self.blank)

    def export(
        self, form: str, how: str | None = None, wording: Wording = ENGLISH
    ) -> tuple[bytes, ...]:
        """The finished lines in a form, as `Board.export` gives them."""
        how = how or self.how_offending
        return self._board.export(form, how, lambda line: self.offending.mask(line, how), wording)

    @property
    def monitored(self) -> Self:
        """What a monitor asks."""
        return self

    def health(self, whole: bool = True) -> dict:
        """The room for a monitor; of sound there is none here."""
        told = {name: self._now()[name] for name in ("state", "message", "engine")}
        return told | {
            "microphone": None,
            "last_frame_age_s": None,
            "queue_depth": 0,
            "dropped_frames": 0,
        }

    def alive(self) -> bool:
        """Whether nothing stands that only a new start would mend."""
        return self._thread.is_alive()

    def ready(self) -> bool:
        """Whether pages get what Redis has."""
        return self.known and not self._trouble

    def measure(self) -> None:
        """There is nothing to bring up to date."""

    # The thread

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                if not self._load():
                    self._tell("Redis has lost its data")
                    self._closed.wait(RETRY_S)
                while not self._closed.is_set() and not self._empty_s and self._follow():
                    pass
            except TROUBLE as err:
                self._tell(reason(err))
                self._closed.wait(RETRY_S)
            except DAMAGED as err:
                log.error("Redis has what is no room of this version: %s", type(err).__name__)
                self._tell("Redis has what is no room of this version")
                self._closed.wait(RETRY_S)

    def _tell(self, trouble: str) -> None:
        """Tell pages, in words, where they stand now."""
        if trouble != self._trouble:
            log.warning("following the room: %s", trouble or "goes on")
        with self._lock:
            self._trouble = trouble
            if (now := self._now()) != self._shown:
                self._shown = now
                self._publish("status", now)

    def _now(self) -> dict:
        """The status that holds here."""
        if self._trouble:
            return {**self._status, "state": "lost", **say("sharing.lost").to_dict()}
        if not self._alive:
            return {**self._status, "state": "lost", **say("sharing.gone").to_dict()}
        return self._status

    def _load(self) -> bool:
        """Take all that Redis has; pages are told what is other than they know.

        Returns
        -------
        False where it has lost what it had: a room that ended in order leaves its events for some
        seconds, and one that still runs writes all of it anew
        """
        pipe = self._server.pipeline()
        pipe.hgetall(self._keys.state)
        pipe.hgetall(self._keys.lines)
        pipe.exists(self._keys.alive)
        pipe.exists(self._keys.events)
        state, lines, alive, events = pipe.execute()
        found = record(state, lines)
        if found is None and self._at and not events:
            self._empty_s = self._empty_s or time.monotonic()
            if time.monotonic() - self._empty_s < EMPTY_S:
                return False
        self._empty_s = None
        with self._lock:
            if found is None:
                self._end()
            else:
                self._alive, self._at = bool(alive), found.at
                self._take_record(found)
            self.known, self._looked_s = True, time.monotonic()
        self._tell("")
        return True

    def _end(self) -> None:
        """Nobody captions the room: open pages keep what they show, others have nothing to see."""
        self._alive, self._at = True, ""
        self._board = Board(self._publish)
        self._status = {**self._status, "state": "ready", "quiet": False, "notices": []}
        self._status |= say("sharing.none").to_dict()

    def _take_record(self, found: Record) -> None:
        same = found.status["session"] == self._status["session"]
        if not same:
            self._board = Board(self._publish)
        elif found.clears != self._status["clears"]:
            self._board.clear()
        self._take("status", {**found.status, "clears": found.clears})
        self._tell("")  # a page hears of another session before its lines
        if found.room != self._room:
            self._take("room", found.room)
        before = {line.segment: line for line in self._board.everything()}
        for line in found.lines:
            if before.pop(line.segment, None) != line:
                self._board.show(line, self._board.cuts)
        for line in before.values():
            self._board.show(taken_back(line), self._board.cuts)
        answer = found.answer or {"text": ""}
        if answer != self._answer:
            self._take("answer", answer)

    def _follow(self) -> bool:
        """Take what comes next, and look now and then; return whether it follows what was taken."""
        block_ms = round(1000 * LOOK_S)
        found: Any = []
        if self._at:
            wanted: Any = {self._keys.events: self._at}
            found = self._server.xread(wanted, count=AT_ONCE, block=block_ms)
        else:
            self._closed.wait(LOOK_S)
        for at, event in found[0][1] if found else []:
            name, text = next(iter(event.items()))
            if name == "begin" or not follows(at, self._at):
                return False
            with self._lock:
                self._take(name, json.loads(text))
                self._at = at
        return self._look()

    def _look(self) -> bool:
        """See whether the room's program runs, and whether the room is still there."""
        if time.monotonic() - self._looked_s < LOOK_S:
            return True
        self._looked_s = time.monotonic()
        pipe = self._server.pipeline()
        pipe.exists(self._keys.alive)
        pipe.hget(self._keys.state, "at")
        pipe.hset(self._keys.readers, self._program, told_now(self._readers()))
        pipe.expire(self._keys.readers, LIFE_S)
        alive, at, *_ = pipe.execute()
        self._alive = bool(alive) or not self._at
        self._tell("")
        return bool(at) == bool(self._at)

    def _take(self, name: str, payload: dict) -> None:
        """Take an event, and tell pages."""
        if name == "caption":
            self._board.show(event_of(payload), self._board.cuts)
        elif name == "cleared":
            self._status = {**self._status, "clears": payload["clears"]}
            self._board.clear()
        elif name == "status":
            self._status = payload
            self._tell(self._trouble)
        elif name == "room":
            self._room = payload
            self._announce()
        elif name == "answer":
            self._answer = payload
            self._publish("answer", payload)
