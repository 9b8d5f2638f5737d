"""A real Redis server of the test's own, which can be killed and comes back with its data."""

import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from typing import Any

import redis

from tests.program import PATIENCE_S, free_port

REDIS = shutil.which("redis-server")
PASSWORD = "not-for-any-log"


def missing() -> str | None:
    """Why no Redis can be started here, or None."""
    return None if REDIS else "redis-server is not installed: apt-get install redis-server"


class RedisServer:
    """A running redis-server, whose data outlast it; ends with the `with` block."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}"
        self.client: Any = redis.Redis.from_url(self.url, decode_responses=True)

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert REDIS
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder.name}
        options |= {"appendonly": "yes", "save": "", "requirepass": PASSWORD}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen([REDIS, *words], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with suppress(redis.ConnectionError):
                if self.client.ping():
                    return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("redis-server did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Lose its data, while it does not run."""
        self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory()

    def stop(self) -> None:
        """Let it hang."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def everything(self) -> str:
        """All that it keeps, as text."""
        told = []
        for key in self.client.scan_iter():
            kind = self.client.type(key)
            read = {
                "hash": self.client.hgetall,
                "stream": self.client.xrange,
                "zset": lambda key: self.client.zrange(key, 0, -1),
                "list": lambda key: self.client.lrange(key, 0, -1),
                "string": self.client.get,
            }
            told.append(f"{key} {read.get(kind, str)(key)}")
        return "\n".join(told)
