"""The operator's page: every room of one Redis, watched and operated from one place.

Who may is known by a cookie that a link's code is exchanged for, at any node. An order needs that
cookie and the page's own origin, so no other page can send one.
"""

import logging

import redis
from flask import Flask, Response, abort, request

from utils.errors import RequestError
from utils.live.saved import DAMAGED
from utils.live.sharing import operators
from utils.live.sharing.orders import order
from utils.live.sharing.rooms import has, rooms
from utils.live.sharing.server import TROUBLE, reason
from utils.messages import say
from web.limits import Buckets, LogOnce
from web.peers import accepted_origin, peer
from web.turns import turns

COOKIE = "operator"
MAY_BE_ASKED = ("listen", "blank")
CODE_BYTES, ORDER_BYTES = 100, 1000
ORDERS_A_SECOND, ORDERS_AT_ONCE = 5, 20  # of an address; codes that are tried count as well

log = logging.getLogger(__name__)
refusals = LogOnce(log)


def add_operating(app: Flask, server: redis.Redis) -> None:
    """Serve the list of rooms, and let operators in, watch and order."""
    asked = Buckets(ORDERS_A_SECOND, ORDERS_AT_ONCE)

    def admit(kind: str) -> None:
        if not asked.take(address := peer(request.environ).address):
            refusals.warn(kind, address)
            abort(Response(status=429))

    @app.get("/rooms.json")
    def listed() -> tuple[dict, int]:
        try:
            operator = _operates(server)
            return {"rooms": rooms(server, operator), "operator": operator}, 200
        except (*TROUBLE, *DAMAGED) as err:
            log.warning("the rooms are asked for: %s", reason(err))
            return {"rooms": [], "operator": False}, 503

    @app.post("/operate")
    def operate() -> Response | tuple[dict, int]:
        admit("too many codes")
        request.max_content_length = CODE_BYTES
        code = request.get_data().decode("ascii", "replace")
        try:
            secret = operators.take(server, code)
        except TROUBLE as err:
            log.warning("an operator's link is opened: %s", reason(err))
            return say("unreachable.sharing").to_dict(), 503
        if secret is None:
            refusals.warn("an operator's link that holds no more", request.remote_addr or "")
            return say("refused.link").to_dict(), 403
        response = Response(status=204)
        response.set_cookie(
            COOKIE,
            secret,
            max_age=operators.OPERATES_S,
            path=None,  # behind a proxy only the browser knows where it is
            httponly=True,
            samesite="Strict",
            secure=request.is_secure,
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.post("/rooms/order")
    def give() -> tuple[dict, int]:
        admit("too many orders")
        request.max_content_length = ORDER_BYTES
        try:
            return _order(server), 200
        except RequestError as err:
            return {"ok": False, **err.message.to_dict()}, 200
        except TROUBLE as err:
            log.warning("a room is ordered: %s", reason(err))
            return {"ok": False, **say("unreachable.sharing").to_dict()}, 200


def _order(server: redis.Redis) -> dict:
    """Hand an order to a room, if who sends it may.

    Raises
    ------
    RequestError : they may not, it is none, or the room does not answer
    """
    origin = request.headers.get("Origin")
    if not (origin and accepted_origin(origin, request.environ) and _operates(server)):
        refusals.warn("an order without an operator's link", request.remote_addr or "")
        raise RequestError(say("refused.operator"))
    asked = request.get_json(silent=True)
    asked = asked if isinstance(asked, dict) else {}
    name, what, on = (asked.get(part) for part in ("room", "order", "on"))
    if not isinstance(name, str) or what not in MAY_BE_ASKED or not isinstance(on, bool):
        raise RequestError(say("refused.value", reason="expected room, order and on"))
    if not has(server, name):
        raise RequestError(say("sharing.none"))
    turns.leave()  # it may take its time, and is no stranger's
    return order(server, name, str(what), on)


def _operates(server: redis.Redis) -> bool:
    return operators.operates(server, request.cookies.get(COOKIE))
