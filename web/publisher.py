"""What happens, on its way to pages: put into bytes once, on a thread of its own.

Nobody who tells something waits for pages: neither the thread that captions, nor a presenter.
Events go out in the order in which they were told, and a page that opens stands in that
order too: it is sent what was so until then, and after that whatever follows.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue

from flask_socketio import SocketIO

from utils.live.session import Told
from utils.monitoring.of_room import same_room
from web.engine import Engine
from web.outbox import frame

PRESENTERS, READERS = "presenters", "readers"
WAITING = {PRESENTERS: "waiting presenters", READERS: "waiting readers"}  # for the end of a blank
STANDS_S = 10.0  # in which what is told has gone out, or the thread stands
MADE = 1000  # frames that are kept for pages that open

log = logging.getLogger(__name__)


class Publisher:
    """Sends events to the pages they are for.

    Parameters
    ----------
    socketio : that the pages are connected to
    engine : that sends to them
    """

    def __init__(self, socketio: SocketIO, engine: Engine) -> None:
        self._server, self._engine = socketio.server, engine
        self._made: dict[int, tuple[dict, bytes]] = {}  # by segment: captions, and their frames
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._asked_s, self._passed = 0.0, threading.Event()  # whether a task was done since
        self._passed.set()

    def start(self) -> None:
        """Begin to send, also what was told until now."""
        threading.Thread(target=same_room(self._run), name="publisher", daemon=True).start()

    def publish(self, name: str, payload: dict, *audiences: str) -> None:
        """Send an event to every page of some audiences; all of them if none is named."""
        self._tasks.put(partial(self._publish, name, payload, audiences or (PRESENTERS, READERS)))

    def welcome(
        self, sid: str, audiences: Sequence[str], room: Callable[[], dict], told: Told
    ) -> None:
        """Tell a page that opens how things are, and send it what follows.

        Parameters
        ----------
        room : called once the page stands in the order, so that no change of the room is missed
        """
        self._tasks.put(partial(self._welcome, sid, audiences, room, told))

    def end_waiting(self, audience: str, told: Told) -> None:
        """Tell the pages of an audience that wait how things are; they wait no more."""
        self._tasks.put(partial(self._end_waiting, WAITING[audience], told))

    def sends(self) -> bool:
        """Whether what was told some seconds ago has gone out; asks again each time."""
        if self._passed.is_set():
            self._passed.clear()
            self._asked_s = time.monotonic()
            self._tasks.put(self._passed.set)
        return time.monotonic() - self._asked_s < STANDS_S

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                task()
            except Exception:  # the next event goes out all the same
                log.exception("an event was not sent")

    def _publish(self, name: str, payload: dict, audiences: Sequence[str]) -> None:
        if name == "cleared":
            self._made.clear()
        self._send(audiences, [(name, payload)])

    def _welcome(
        self, sid: str, audiences: Sequence[str], room: Callable[[], dict], told: Told
    ) -> None:
        try:
            for audience in audiences:
                self._server.enter_room(sid, audience, namespace="/")
        except (KeyError, ValueError):
            return  # it has gone again
        self._send([sid], [("room", room()), *told])

    def _end_waiting(self, room: str, told: Told) -> None:
        self._send([room], told)
        self._server.close_room(room, namespace="/")

    def _send(self, audiences: Sequence[str], told: Told) -> None:
        frames = [self._frame(name, payload) for name, payload in told]
        for audience in audiences:
            for _, page in self._server.manager.get_participants("/", audience):
                self._engine.send_frames(page, *frames)

    def _frame(self, name: str, payload: dict) -> bytes:
        segment = payload["segment"] if name == "caption" else None
        made = None if segment is None else self._made.get(segment)
        if made is not None and made[0] is payload:
            return made[1]
        data = frame("42" + json.dumps([name, payload], separators=(",", ":")))
        if segment is not None:
            self._made[segment] = payload, data
            if len(self._made) > MADE:
                del self._made[next(iter(self._made))]
        return data
