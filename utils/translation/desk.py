"""Who translates: one thread behind the captions, which gives way to them, and its models."""

import logging
import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from utils.models.translation.package import Package
from utils.translation.translator import Translator, check_usable

log = logging.getLogger(__name__)

NICE = 10  # as `man 7 sched` has it: others of this computer go before
MOST_WAITING = 20  # lines, after which the oldest is given up


class Desk:
    """Translates lines one after the other, from one language to some others.

    Parameters
    ----------
    routes : language -> the models by which it is reached, as `files.route` gives them

    Raises
    ------
    ModelError : a model cannot be used
    """

    def __init__(self, routes: Mapping[str, Sequence[Package]]) -> None:
        packages = {p.path: p for way in routes.values() for p in way}
        check_usable(list(packages.values()))
        self.languages = tuple(routes)
        self._lock = threading.Lock()
        self._waiting: deque[Future[object]] = deque()
        self._thread = ThreadPoolExecutor(1, "translate", initializer=_give_way)
        # CTranslate2's own thread takes its rank from the one that loads.
        loading = self._thread.submit(lambda: {at: Translator(p) for at, p in packages.items()})
        try:
            loaded = loading.result()
        except BaseException:
            self.close()
            raise
        self._routes = {to: [loaded[p.path] for p in way] for to, way in routes.items()}

    def translate(self, text: str) -> "Future[object]":
        """The words in each language, later, or None; cancelled where too many lines wait."""
        with self._lock:
            self._waiting = deque(one for one in self._waiting if not one.done())
            while len(self._waiting) >= MOST_WAITING:
                if self._waiting.popleft().cancel():
                    log.warning("translation is late: a line has none")
            later: Future[object] = Future()
            try:
                later = self._thread.submit(self._translate, text)
            except RuntimeError:  # it is closed
                later.cancel()
            self._waiting.append(later)
            return later

    def close(self) -> None:
        """Finish the line that is translated, and no other."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _translate(self, text: str) -> object:
        found = {to: words for to, way in self._routes.items() if (words := _along(way, text))}
        return found or None


def _along(way: Sequence[Translator], text: str) -> str:
    for translator in way:
        text = translator.translate(text)
    return text


def _give_way() -> None:
    with suppress(AttributeError, OSError):  # no such thing but on Linux
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
