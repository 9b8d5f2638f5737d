"""Tags that come after the final line: it is then sent again with them."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future

from utils.events import CaptionEvent

log = logging.getLogger(__name__)


class LateTags:
    """Finished lines that wait for tags, in order."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, str, Future[object]]] = []  # segment, name of the tag
        self._lines: dict[int, CaptionEvent] = {}  # by segment

    def wait(self, line: CaptionEvent, later: Mapping[str, Future[object]]) -> None:
        """Have a line wait for tags, by their names."""
        if later:
            self._lines[line.segment] = line
            self._waiting += [(line.segment, name, future) for name, future in later.items()]

    def forget(self) -> None:
        """Let no line come again."""
        self._waiting.clear()
        self._lines.clear()

    def come(self, live: bool) -> Iterator[CaptionEvent]:
        """Lines again, with the tags that have come; all tags are waited for where not `live`."""
        waiting, self._waiting = self._waiting, []
        for segment, name, future in waiting:
            if live and not future.done():
                self._waiting.append((segment, name, future))
                continue
            try:
                said = future.result()
            except CancelledError:
                continue
            except Exception as err:  # of the tag's own kinds: captions go on
                log.error("no %s of a line: %s", name, err)
                continue
            line = self._lines[segment] = self._lines[segment].tagged(name, said)
            yield line
        open_ = {segment for segment, _, _ in self._waiting}
        self._lines = {n: line for n, line in self._lines.items() if n in open_}
