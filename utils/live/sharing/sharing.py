"""The room's side: what readers are told goes into Redis, in order, and waits while that is away.

Nobody who tells something waits for Redis. Each event has a number, and a batch of them is written
whole or not at all, together with what a page that opens later needs; so nothing is lost, and
nothing is there twice, wherever the connection breaks.
"""

import json
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import redis
from redis.exceptions import ResponseError

from utils.live.saved import DAMAGED
from utils.live.session import Earlier, Told
from utils.live.sharing.orders import Orderly
from utils.live.sharing.record import earlier, in_order
from utils.live.sharing.rooms import enlist, strike
from utils.live.sharing.server import (
    ALIVE_S,
    BEAT_S,
    LIFE_S,
    MOST_EVENTS,
    TROUBLE,
    Keys,
    reason,
    runs,
    this_program,
)
from utils.live.sharing.shared import Operated
from utils.live.sharing.waiting import Item, Waiting
from utils.live.status import for_readers
from utils.monitoring.of_room import same_room

SHARED = {"caption", "cleared", "status", "room", "answer"}  # what readers are told
LIST_S = 60.0  # between words that the room is there
RETRY_S = 1.0  # between attempts while Redis is away
TAKEN = "another program captions this room; give each a name of its own with --room"

# Redis runs a script as one step, and nothing else meanwhile.
COMPARE_AND_WRITE = """
if (redis.call('HGET', KEYS[1], 'at') or '') ~= ARGV[1] then return 0 end
for i = 2, #ARGV do redis.call(unpack(cjson.decode(ARGV[i]))) end
return 1
"""

log = logging.getLogger(__name__)


class Commands:
    """What Redis is to do in one go."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, *words: str | float) -> None:
        """A command, as Redis takes it: its name, and what it is given."""
        self.texts.append(json.dumps([str(word) for word in words]))


class Sharing:
    """Puts into Redis what the readers of a room are told.

    Parameters
    ----------
    server : Redis
    keys : of the room
    """

    def __init__(self, server: redis.Redis, keys: Keys) -> None:
        self._server = server
        self._keys = keys
        self._script = server.register_script(COMPARE_AND_WRITE)
        self._program = this_program()
        self._waiting = Waiting()
        self._status: dict = {}  # as readers were told it last
        self._clears = 0
        self._order: dict[int, int] = {}  # of the lines, by segment
        self._place = 0  # of the last of them
        self._next = 0  # segment
        self._began_ms = self._number = 0  # what the last event's id is made of
        self._agreed = False  # whether Redis has what was sent until now
        self._listed_s = -LIST_S
        self._tried: tuple[str, Sequence[Item]] | None = None  # of which it is not known
        self._trouble = ""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=same_room(self._run), name="sharing", daemon=True)

    def earlier(self) -> Earlier | None:
        """The session that broke off in this room not long ago, if any."""
        try:
            pipe = self._server.pipeline()
            pipe.get(self._keys.alive)
            pipe.hgetall(self._keys.state)
            pipe.hgetall(self._keys.lines)
            alive, state, lines = pipe.execute()
            if alive and runs(alive):
                return None
            found = earlier(state, lines)
            self._next = found.next_segment if found else 0
            return found
        except (*TROUBLE, *DAMAGED) as err:
            log.warning("no earlier session is looked for: %s", reason(err))
            return None

    def open(self, room: Operated) -> None:
        """Begin to send, and to take orders."""
        self._room = room
        self._orderly = Orderly(self._server, self._keys, lambda: self._agreed, room.orders)
        self._thread.start()

    def close(self) -> None:
        """End in order: nothing of the room stays in Redis, as nothing stays in memory."""
        self._closed.set()
        self._orderly.close()
        self._waiting.close()
        self._thread.join(timeout=2 * BEAT_S)
        if not self._agreed:
            return
        before, todo = self._id(), Commands()
        for key in ("lines", "state", "alive", "watched", "readers"):
            todo.add("DEL", getattr(self._keys, key))
        self._add(todo, "begin", "{}")  # whoever follows looks anew
        todo.add("EXPIRE", self._keys.events, ALIVE_S)  # in which they take the last line
        try:
            self._commit(before, todo)
            strike(self._server, self._keys.room)
        except TROUBLE as err:
            log.warning("what readers were told stays in Redis for an hour: %s", reason(err))

    def publish(self, name: str, payload: dict) -> None:
        """Let an event be sent, if it is one that readers are told; waits for nothing."""
        if name not in SHARED:
            return
        if name == "status":
            payload = for_readers(payload)
            if payload == self._status:
                return
            self._status = payload
        if name == "cleared":
            self._clears += 1
            payload = {"clears": self._clears}
        self._waiting.put(name, payload)

    @property
    def waiting(self) -> int:
        """How many events Redis has not got yet."""
        return len(self._waiting)

    # The thread

    def _run(self) -> None:
        while not (self._closed.is_set() and (self._trouble or not self.waiting)):
            try:
                told = self._send()
            except TROUBLE as err:
                self._agreed, told = False, reason(err)
            except Exception:  # the next attempt begins anew
                log.exception("sharing the room failed")
                self._agreed, self._tried, told = False, None, "a mistake in the program"
            if told != self._trouble:
                self._trouble = told
                log.warning("what readers elsewhere are told waits: %s", told or "no more")
                self._room.trouble(told)
            if told:
                self._closed.wait(RETRY_S)

    def _send(self) -> str:
        """Send what waits, if need be all anew; return why that may not be."""
        if self._waiting.gave_up:
            self._agreed, self._tried, self._number = False, None, 0
        if not self._agreed:
            alive: Any = self._server.get(self._keys.alive)
            if alive and alive != self._program and runs(alive):
                return TAKEN
            at = str(self._server.hget(self._keys.state, "at") or "")
            if self._tried and at == self._tried[0]:
                self._number += len(self._tried[1])
                self._waiting.sent(self._tried[1])
            elif (not self._number or at != self._id()) and not self._begin(at):
                return TAKEN  # somebody else wrote at this very moment
            self._agreed, self._tried, self._listed_s = True, None, -LIST_S
        if time.monotonic() - self._listed_s >= LIST_S:
            enlist(self._server, self._keys.room)
            self._listed_s = time.monotonic()
        self._write(self._waiting.batch(0 if self._trouble else BEAT_S))
        return ""

    def _write(self, batch: Sequence[Item]) -> None:
        """Write a batch, whole or not at all; an empty one tells that the program runs."""
        number, before, todo = self._number, self._id(), Commands()
        for (name, segment), payload in batch:
            self._put(todo, name, segment, payload)
        self._seal(todo)
        self._tried = self._id(), batch
        try:
            written = self._commit(before, todo)
        except ResponseError:  # not all of it was done
            self._number = 0
            raise
        except TROUBLE:
            self._number = number  # as far as is known
            raise
        self._tried = None
        if written:
            self._waiting.sent(batch)
        else:  # Redis was started anew, and has less than it had; or another program wrote
            self._agreed, self._number = False, 0

    def _begin(self, at: str) -> bool:
        """Put all that there is in place of what Redis has; tell whether nobody else wrote."""
        told: Told = []

        def take(all_of_it: Told) -> None:
            told.extend(all_of_it)
            self._waiting.forget()
            self._status = for_readers(dict(all_of_it)["status"])
            self._clears = self._status["clears"]

        self._room.whole(take)
        newest: Any = self._server.xrevrange(self._keys.events, count=1)
        newest_ms = int(newest[0][0].partition("-")[0]) if newest else 0
        self._began_ms, self._number = max(time.time_ns() // 1_000_000, newest_ms + 1), 0
        self._order.clear()
        todo = Commands()
        todo.add("DEL", self._keys.lines, self._keys.state)
        todo.add("XTRIM", self._keys.events, "MAXLEN", 0)  # it may have what was cleared meanwhile
        for name, payload in told:
            segment = payload["segment"] if name == "caption" else 0
            shown = self._status if name == "status" else payload
            self._keep(todo, name, segment, shown, json.dumps(shown))
        self._add(todo, "begin", "{}")
        self._seal(todo)
        return self._commit(at, todo)

    def _commit(self, before: str, todo: Commands) -> bool:
        """Write, unless Redis is no more where it was; then nothing is written.

        What Redis takes late, of a connection that was given up, changes nothing by that.
        """
        return bool(self._script(keys=[self._keys.state], args=[before, *todo.texts]))

    def _put(self, todo: Commands, name: str, segment: int, payload: dict) -> None:
        """Write an event, and what a page that opens later is to know of it."""
        text = json.dumps(payload)
        if name == "cleared":  # of what is cleared nothing stays
            todo.add("XTRIM", self._keys.events, "MAXLEN", 0)
        self._add(todo, name, text)
        self._keep(todo, name, segment, payload, text)

    def _add(self, todo: Commands, name: str, text: str) -> None:
        self._number += 1
        short = ("MAXLEN", "~", MOST_EVENTS)
        todo.add("XADD", self._keys.events, *short, self._id(), name, text)

    def _keep(self, todo: Commands, name: str, segment: int, payload: dict, text: str) -> None:
        if name == "cleared":
            self._order.clear()
            todo.add("DEL", self._keys.lines)
        elif name != "caption":
            todo.add("HSET", self._keys.state, name, text)
        elif payload["final"] and not (payload["text"] or payload["sound"]):
            self._order.pop(segment, None)
            todo.add("HDEL", self._keys.lines, segment)
        else:
            self._next = max(self._next, segment + 1)
            if segment not in self._order:
                self._order[segment] = self._place = self._place + 1
            todo.add("HSET", self._keys.lines, segment, in_order(self._order[segment], text))
            todo.add("HSET", self._keys.state, "said", time.time())

    def _seal(self, todo: Commands) -> None:
        """Note how far it has come, and that this program runs."""
        known = ("at", self._id(), "next", self._next, "clears", self._clears)
        todo.add("HSET", self._keys.state, *known)
        for key in (self._keys.events, self._keys.lines, self._keys.state):
            todo.add("EXPIRE", key, LIFE_S)
        todo.add("SET", self._keys.alive, self._program, "EX", ALIVE_S)
        watched = json.dumps(self._room.watched())
        todo.add("SET", self._keys.watched, watched, "EX", LIFE_S)

    def _id(self) -> str:
        return f"{self._began_ms}-{self._number}"
