"""Tags that come after the final line: it is then sent again with them."""

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass

from utils.events import CaptionEvent


@dataclass
class _Waiting:
    """A finished line, and the tags by their names that are still to come."""

    line: CaptionEvent
    later: dict[str, Future[object]]


class LateTags:
    """Finished lines that wait for tags.

    Parameters
    ----------
    failed : told the name of a tag that did not come, and why
    """

    def __init__(self, failed: Callable[[str, Exception], None]) -> None:
        self._failed = failed
        self._waiting: list[_Waiting] = []

    @property
    def names(self) -> set[str]:
        """Of the tags that some line waits for."""
        return {name for waiting in self._waiting for name in waiting.later}

    def wait(self, line: CaptionEvent, later: Mapping[str, Future[object]]) -> None:
        """Have a line wait for tags, by their names."""
        if later:
            self._waiting.append(_Waiting(line, dict(later)))

    def come(self) -> list[CaptionEvent]:
        """Lines again, each once, with the tags that have come since; none is waited for."""
        came = []
        for waiting in self._waiting:
            done = {name: future for name, future in waiting.later.items() if future.done()}
            waiting.later = {n: f for n, f in waiting.later.items() if n not in done}
            if said := self.results(done):
                for name, value in said.items():
                    waiting.line = waiting.line.tagged(name, value)
                came.append(waiting.line)
        self._waiting = [waiting for waiting in self._waiting if waiting.later]
        return came

    def forget(self) -> None:
        """Let no line come again."""
        self._waiting = []

    def results(self, later: Mapping[str, Future[object]]) -> dict[str, object]:
        """What tags say, by their names; those that are not there yet are waited for."""
        said = {}
        for name, future in later.items():
            try:
                if (value := future.result()) is not None:
                    said[name] = value
            except CancelledError:  # the tag was closed
                continue
            except Exception as err:  # of the tag's own kinds: captions go on
                self._failed(name, err)
        return said
