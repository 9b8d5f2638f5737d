"""Who may operate the rooms of one Redis: whoever was handed a link, by any node.

Redis has nothing by which anybody could pass for an operator: of codes and of what browsers keep
it has the SHA-256 alone, which is enough as both are 256 bits of chance.
"""

import hashlib
import secrets
from typing import Any

import redis

CODE_S = 600  # from when a link is printed until it is opened
OPERATES_S = 30 * 24 * 3600  # from when it was opened
_CODES, _BROWSERS = "captions:operators:codes", "captions:operators:browsers"


def new_code(server: redis.Redis) -> str:
    """A code for one link; it is taken once, within `CODE_S`."""
    code = secrets.token_urlsafe(32)
    server.set(_key(_CODES, code), "1", ex=CODE_S)
    return code


def take(server: redis.Redis, code: str) -> str | None:
    """What makes a browser an operator's, for a code; None where that is not good, or was taken."""
    if not server.delete(_key(_CODES, code)):
        return None
    secret = secrets.token_urlsafe(32)
    server.set(_key(_BROWSERS, secret), "1", ex=OPERATES_S)
    return secret


def operates(server: redis.Redis, secret: str | None) -> bool:
    """Whether a browser that shows this is an operator's."""
    return bool(secret) and bool(server.exists(_key(_BROWSERS, str(secret))))


def end_all(server: redis.Redis) -> None:
    """Take the power from every link and browser."""
    for kind in (_CODES, _BROWSERS):
        found: Any = list(server.scan_iter(f"{kind}:*"))
        if found:
            server.delete(*found)


def _key(kind: str, text: str) -> str:
    return f"{kind}:{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"
