"""The program as a user starts it: `python app.py …` in a process of its own."""

import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import engineio
import socketio

APP = Path(__file__).resolve().parents[1] / "app.py"
PATIENCE_S = 120.0  # for models to load on a busy machine
# Below those that systems give away by themselves; each process of the run begins at another one.
PORTS = range(12_000, 32_000)
_ports = islice(cycle(PORTS), random.Random().randrange(len(PORTS)), None)


def run(arguments: Sequence[object], **options: Any) -> subprocess.CompletedProcess:
    """Run a command of the program to its end; its output as text."""
    return subprocess.run(
        [sys.executable, APP, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        **options,
    )


def free_port() -> int:
    """A port that nobody uses, each time another one.

    A program that starts is bound to it only seconds later: of those that systems give away,
    somebody else would be given it meanwhile, once in some thousand times.
    """
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port := next(_ports)))
            return port


class _InTurn(engineio.Client):
    """Begins to take a message when the one before it has been taken."""

    _last: threading.Thread | None = None

    def start_background_task(
        self, target: Callable[..., object], *args: object, **kwargs: object
    ) -> threading.Thread:
        if target != self.handlers.get("message"):
            return super().start_background_task(target, *args, **kwargs)
        before = self._last

        def take() -> None:
            if before:
                before.join()
            target(*args, **kwargs)

        self._last = super().start_background_task(take)
        return self._last


class PageSocket(socketio.Client):
    """A page without a browser, whose messages come in the order in which they were sent.

    The library's own client has a thread for each message, and on a busy machine they overtake
    each other. What it is told with may not wait for an answer of the program.
    """

    def _engineio_client_class(self) -> type[engineio.Client]:
        return _InTurn

    def hang_up(self) -> None:
        """End the connection, also one that was given up because the program was slow to answer.

        Such a one is left open by the library, and the collector of garbage tells of it in another
        test.
        """
        self.disconnect()
        if self.eio.ws:
            self.eio.ws.shutdown()


class Program:
    """The running server; ends with the `with` block.

    Parameters
    ----------
    arguments : of the command line, beside the port
    environment : added to this process's
    port : to serve at; a free one if None
    home : of its token and phrases, such as another one's `home`; one of its own if None
    script : that starts it
    before : words before the command, such as those of a tool that limits it
    fresh : nobody has set it up, so that presenters are greeted with the set-up
    """

    def __init__(
        self,
        arguments: Sequence[object] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
        port: int | None = None,
        home: str | None = None,
        script: Path = APP,
        before: Sequence[str] = (),
        fresh: bool = False,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._home = tempfile.TemporaryDirectory()  # its token and phrases are not the user's
        self.home = home or self._home.name
        self.environment = {
            "XDG_STATE_HOME": self.home,
            "XDG_CONFIG_HOME": self.home,
            **environment,
        }
        if not fresh:
            set_up = Path(self.home) / "recognition_helpers/set-up"
            with suppress(OSError):  # a home that is none is a test's own matter
                set_up.parent.mkdir(mode=0o700, exist_ok=True)
                set_up.touch()
        self.process = subprocess.Popen(
            [*before, sys.executable, script, "--port", str(self.port), *map(str, arguments)],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self.process.stdout
        line = self.process.stdout.readline()  # printed once the port is open
        if self.url not in line:
            self.process.kill()
            _, errors = self.process.communicate()
            raise RuntimeError(f"the program did not start: {line}{errors}")
        self._printed_link = re.findall(r"http\S+", self.process.stdout.readline())[0]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.output, self.errors = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.output, self.errors = self.process.communicate()
            raise
        finally:
            self._home.cleanup()  # to the end it may write there

    @cached_property
    def presenter(self) -> dict[str, str]:
        """Headers of a browser that is the presenter's, by the link that the program printed."""
        code = self._printed_link.rpartition("#present=")[2]
        answer = urllib.request.Request(f"{self.url}/present", code.encode(), method="POST")
        with urllib.request.urlopen(answer, timeout=30) as given:
            return {"Cookie": given.headers["Set-Cookie"].partition(";")[0]}

    def link(self) -> str:
        """A fresh link that makes a browser of this computer the presenter's."""
        printed = run(["link", "--here"], env={**os.environ, **self.environment})
        return printed.stdout.strip()

    def health(self) -> dict:
        """What GET /health says now."""
        with urllib.request.urlopen(f"{self.url}/health", timeout=30) as answer:
            return json.load(answer)

    def wait_for(self, state: str) -> dict:
        """Wait for a state, and return the health then."""
        deadline = time.monotonic() + PATIENCE_S
        while (health := self.health())["state"] != state:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"state {state} did not come: {health}")
            time.sleep(0.1)
        return health
