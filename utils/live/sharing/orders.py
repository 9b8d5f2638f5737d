"""What an operator asks of a room, by Redis: asked, done and answered within seconds."""

import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import redis

from utils.errors import AppError, RequestError
from utils.live.sharing.server import TROUBLE, Keys
from utils.messages import say
from utils.monitoring.of_room import same_room

WAIT_S = 4  # for a room to take an order, and to answer; what is older is not done any more
ANSWER_S = 10  # that an answer is kept
LOOK_S = 1  # for orders at a time; well within the time in which Redis is to answer
RETRY_S = 1.0

log = logging.getLogger(__name__)

Orders = Mapping[str, Callable[[bool], None]]  # by name; each is given whether on or off


def order(server: redis.Redis, room: str, name: str, on: bool) -> dict:
    """Ask something of a room, and wait for what it answers: `{ok}`, or `{ok, code, message}`.

    Raises
    ------
    RedisError, OSError : Redis is away
    RequestError : the room does not answer
    """
    keys, number = Keys(room), uuid.uuid4().hex
    pipe = server.pipeline()
    pipe.rpush(keys.orders, json.dumps({"number": number, "name": name, "on": on}))
    pipe.expire(keys.orders, WAIT_S)
    pipe.execute()
    answer: Any = server.blpop([keys.answer(number)], timeout=WAIT_S)
    if answer is None:
        raise RequestError(say("sharing.gone"))
    return json.loads(answer[1])


class Orderly:
    """Does what operators ask of a room, on a thread of its own.

    Parameters
    ----------
    server : Redis
    keys : of the room
    owns : whether this program captions the room
    orders : what may be asked
    """

    def __init__(
        self, server: redis.Redis, keys: Keys, owns: Callable[[], bool], orders: Orders
    ) -> None:
        self._server, self._keys = server, keys
        self._owns, self._orders = owns, orders
        self._closed = threading.Event()
        threading.Thread(target=same_room(self._run), name="orders", daemon=True).start()

    def close(self) -> None:
        """Take no more; one that is being waited for is not."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            if not self._owns():
                self._closed.wait(RETRY_S)
                continue
            try:
                found: Any = self._server.blpop([self._keys.orders], timeout=LOOK_S)
                if found and not self._closed.is_set():
                    self._take(json.loads(found[1]))
            except TROUBLE:
                self._closed.wait(RETRY_S)  # the room says so already
            except Exception:  # the next one may be right
                log.exception("an operator's order failed")

    def _take(self, asked: dict) -> None:
        answer: dict = {"ok": True}
        try:
            self._orders[asked["name"]](asked["on"] is True)
        except RequestError as err:
            answer = {"ok": False, **err.message.to_dict()}
        except AppError as err:
            answer = {"ok": False, **say("refused.value", reason=str(err)).to_dict()}
        key = self._keys.answer(asked["number"])
        pipe = self._server.pipeline()
        pipe.rpush(key, json.dumps(answer))
        pipe.expire(key, ANSWER_S)
        pipe.execute()
