"""The rooms that one Redis has: which they are, and how each is."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from utils.live.sharing.server import LIFE_S, Keys
from utils.live.status import in_short
from utils.messages import say

ROOMS = "captions:rooms"  # a sorted set: name -> when its program was last known to run
MOST = 500  # that are listed
COUNTS_S = 5  # after which the readers of a node count no more: it is gone


def enlist(server: redis.Redis, name: str) -> None:
    """Note that a room is there; one without a name is in no list, and one long gone no more."""
    if name:
        server.zadd(ROOMS, {name: time.time()})
        server.zremrangebyscore(ROOMS, "-inf", time.time() - LIFE_S)
        server.expire(ROOMS, LIFE_S)


def strike(server: redis.Redis, name: str) -> None:
    """Note that a room has ended."""
    server.zrem(ROOMS, name)


def has(server: redis.Redis, name: str) -> bool:
    """Whether a room is there."""
    return server.zscore(ROOMS, name) is not None


def told_now(readers: int) -> str:
    """What a node tells of its readers: how many, and when."""
    return f"{readers} {time.time():.0f}"


def rooms(server: redis.Redis, operator: bool = False) -> list[dict[str, Any]]:
    """Each room by its name, and how it is: plain JSON types.

    Parameters
    ----------
    operator : tell what is wrong, and what readers need not know

    Raises
    ------
    RedisError, OSError : Redis is away
    ValueError, TypeError, KeyError : it has what is no room
    """
    names: Any = server.zrange(ROOMS, time.time() - LIFE_S, "+inf", byscore=True)  # type: ignore[arg-type]
    names = sorted(names, key=str.casefold)[:MOST]
    pipe = server.pipeline(transaction=False)
    for keys in map(Keys, names):
        pipe.hgetall(keys.state)
        pipe.get(keys.alive)
        pipe.get(keys.watched)
        pipe.hvals(keys.readers)
    told = pipe.execute()
    found = []
    for at, name in enumerate(names):
        state, alive, watched, readers = told[4 * at : 4 * at + 4]
        if "status" in state:
            room = _seen(state, json.loads(watched or "{}"), readers) if operator else _read(state)
            if not alive:
                room |= {"state": "lost", **say("sharing.gone").to_dict()}
            found.append({"name": name, **room})
    return found


def _read(state: Mapping[str, str]) -> dict[str, Any]:
    """What a reader is told of a room."""
    return in_short(json.loads(state["status"]))


def _seen(state: Mapping[str, str], watched: dict, readers: Sequence[str]) -> dict[str, Any]:
    """What an operator is told of a room."""
    since_s = round(time.time() - float(state["said"])) if "said" in state else None
    counted = (told.split() for told in readers)
    elsewhere = sum(int(number) for number, at in counted if time.time() - int(at) < COUNTS_S)
    seen = {**_read(state), **watched, "said_s": since_s and max(0, since_s)}
    return {**seen, "readers": watched.get("readers", 0) + elsewhere}
