"""The operator's page: several rooms, watched and operated from one place.

Who may is known by a cookie that a link's code is exchanged for. An order needs that cookie and
the page's own origin, so no other page can send one.
"""

import logging

from flask import Flask, Response, abort, request

from utils.errors import RequestError
from utils.live.sharing.operators import OPERATES_S
from utils.messages import say
from web.hall import Hall, HallAwayError
from web.limits import Buckets, LogOnce
from web.link import command
from web.peers import OPERATOR, accepted_origin, is_here, peer
from web.turns import turns

MAY_BE_ASKED = ("listen", "blank")
CODE_BYTES, ORDER_BYTES = 200, 1000
ORDERS_A_SECOND, ORDERS_AT_ONCE = 5, 20  # of an address; codes that are tried count as well

log = logging.getLogger(__name__)
refusals = LogOnce(log)


def add_operating(app: Flask, hall: Hall) -> None:
    """Serve the list of rooms, and let operators in, watch and order."""
    asked = Buckets(ORDERS_A_SECOND, ORDERS_AT_ONCE)

    def admit(kind: str) -> None:
        if not asked.take(address := peer(request.environ).address):
            refusals.warn(kind, address)
            abort(Response(status=429))

    @app.get("/rooms.json")
    def listed() -> tuple[dict, int]:
        try:
            operator = _operates(hall)
            told = {"operator": operator, "presents": operator and hall.presents}
            return {"rooms": hall.rooms(operator), **told}, 200
        except HallAwayError:
            return {"rooms": [], "operator": False, "presents": False}, 503

    @app.post("/operate")
    def operate() -> Response | tuple[dict, int]:
        admit("too many codes")
        request.max_content_length = CODE_BYTES
        code = request.get_data().decode("ascii", "replace")
        try:
            secret = hall.take(code)
        except HallAwayError:
            return say("unreachable.sharing").to_dict(), 503
        if secret is None:
            refusals.warn("an operator's link that holds no more", request.remote_addr or "")
            again = command(here=is_here(request.environ), operate=True)
            return say("refused.link", command=again).to_dict(), 403
        response = Response(status=204)
        response.set_cookie(
            OPERATOR,
            secret,
            max_age=OPERATES_S,
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
            return _order(hall), 200
        except RequestError as err:
            return {"ok": False, **err.message.to_dict()}, 200
        except HallAwayError:
            return {"ok": False, **say("unreachable.sharing").to_dict()}, 200


def _order(hall: Hall) -> dict:
    """Hand an order to a room, if who sends it may.

    Raises
    ------
    RequestError : they may not, it is none, or the room does not answer
    """
    origin = request.headers.get("Origin")
    if not (origin and accepted_origin(origin, request.environ) and _operates(hall)):
        refusals.warn("an order without an operator's link", request.remote_addr or "")
        raise RequestError(say("refused.operator"))
    asked = request.get_json(silent=True)
    asked = asked if isinstance(asked, dict) else {}
    name, what, on = (asked.get(part) for part in ("room", "order", "on"))
    if not isinstance(name, str) or what not in MAY_BE_ASKED or not isinstance(on, bool):
        raise RequestError(say("refused.value", reason="expected room, order and on"))
    turns.leave()  # it may take its time, and is no stranger's
    return hall.order(name, str(what), on)


def _operates(hall: Hall) -> bool:
    return hall.operates(peer(request.environ).operator)
