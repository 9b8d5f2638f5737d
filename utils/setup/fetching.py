"""Fetching a model for the presenter: its progress, a pause, and giving it up."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from utils.errors import ModelError, RequestError
from utils.messages import say
from utils.models.catalogue import get, models_folder
from utils.models.download import delete, parts
from utils.models.fetch import Fetch
from utils.models.hub import NetworkError

log = logging.getLogger(__name__)


class Fetching:
    """Fetches one model at a time; what has come before is not fetched again.

    Parameters
    ----------
    tell : told that something has changed
    arrived : told the name of a model that has come
    """

    def __init__(self, tell: Callable[[], None], arrived: Callable[[str], None]) -> None:
        self._tell, self._arrived = tell, arrived
        self._fetch: Fetch | None = None
        self._turns = threading.RLock()
        self._state: dict[str, object] = {}

    def state(self) -> dict[str, object]:
        """The last fetch as it goes over the wire; empty where there was none.

        `state` is fetching, waiting (for the network), paused or failed.
        """
        return dict(self._state)

    def get(self, name: str) -> None:
        """Begin to fetch a model, go on after a pause, or wait for the network no longer.

        Raises
        ------
        RequestError : another one is being fetched
        ModelError : there is none of that name
        """
        model = get(name)
        with self._turns:
            if self._fetch and self._state["name"] == model.name:
                self._fetch.try_now()
                return
            if self._fetch:
                raise RequestError(say("refused.fetching", name=str(self._state["name"])))
            fetch = Fetch(model.name, self._on_progress, on_wait=self._on_wait)
            self._fetch = fetch
            self._set(name=model.name, state="fetching", done_mb=0, total_mb=model.about_mb)
            fetch.start(lambda outcome: self._on_end(fetch, outcome))

    def pause(self) -> None:
        """Fetch no more for now; what has come is kept."""
        with self._turns:
            if self._stop():
                self._set(state="paused")

    def cancel(self, name: str) -> None:
        """Give a fetch up, and the room that it took.

        Raises
        ------
        ModelError : there is no model of that name, or its parts cannot be deleted
        """
        model = get(name)
        with self._turns:
            if self._state.get("name") == model.name:
                self._stop()
                self._state = {}
            try:
                for part in parts(models_folder(), model.name):
                    delete(part)
            except OSError as err:
                raise ModelError(f"{err.filename} cannot be deleted ({err.strerror})") from err
            finally:
                self._tell()

    def close(self) -> None:
        """Fetch no more, as the program ends."""
        self._stop()

    def _stop(self) -> bool:
        fetch, self._fetch = self._fetch, None
        if fetch:
            fetch.stop()
        return fetch is not None

    # The thread that fetches

    def _on_progress(self, done_bytes: int, total_bytes: int) -> None:
        if self._fetch:
            done_mb, total_mb = done_bytes // 1_000_000, total_bytes // 1_000_000
            self._set(state="fetching", done_mb=done_mb, total_mb=total_mb, reason="")

    def _on_wait(self, err: NetworkError) -> None:
        if self._fetch:
            self._set(state="waiting", reason=str(err))

    def _on_end(self, fetch: Fetch, outcome: Path | ModelError) -> None:
        with self._turns:
            if self._fetch is not fetch:
                return
            self._fetch = None
            if isinstance(outcome, ModelError):
                log.warning("%s", outcome)
                self._set(state="failed", reason=str(outcome))
                return
            self._state = {}
        self._tell()
        self._arrived(fetch.name)

    def _set(self, **changes: object) -> None:
        self._state = self._state | changes
        self._tell()
