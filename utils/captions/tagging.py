"""The tags of a line, asked one after the other; one that fails is given up, and words go on."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from utils.captions.late import LateTags
from utils.errors import AppError, AudioError
from utils.events import CaptionEvent
from utils.faults import cause
from utils.tags import Tag

log = logging.getLogger(__name__)

Said = dict[str, object]  # by the names of the tags


class Tagging:
    """Asks tags what is to be said of each line.

    Parameters
    ----------
    tags : that are asked

    Attributes
    ----------
    missing : told the code of a sentence and a reason, where a tag is given up
    """

    def __init__(self, tags: Sequence[Tag] = ()) -> None:
        self.missing: Callable[[str, str], None] = _untold
        self._tags = list(tags)
        self._asked: list[Tag] = []  # of the line
        self._live = True
        self._late = LateTags(self._late_failed)

    def add(self, tag: Tag) -> None:
        """Ask a tag as well, from the next line on."""
        self._tags.append(tag)

    def find(self, name: str) -> Tag | None:
        """The tag of that name; None where there is none, or it was given up."""
        return next((tag for tag in self._tags if tag.name == name), None)

    def begin(self, live: bool) -> None:
        """A line begins, with the tags that are on now.

        Parameters
        ----------
        live : somebody reads along, so that no tag is waited for
        """
        self._live = live
        self._asked = [tag for tag in self._tags if tag.on]
        self._ask(lambda tag: tag.begin(live))

    def grow(self, samples: np.ndarray) -> tuple[Said, Said]:
        """What they say while a line grows, and what a reader sees of it."""
        return self._ask(lambda tag: tag.grow(samples))

    def finish(self, samples: np.ndarray) -> Said:
        """What they say of the whole line."""
        return self._ask(lambda tag: tag.finish(samples))[0]

    def complete(self, line: CaptionEvent, samples: np.ndarray) -> CaptionEvent:
        """A final line, with what they say once its words are known.

        Where somebody reads along, what a tag says later comes by `late`; else it is waited for.
        """
        said = self._ask(lambda tag: tag.after_text(line.text, samples))[0]
        later = {name: value for name, value in said.items() if isinstance(value, Future)}
        said = {name: value for name, value in said.items() if name not in later}
        if not self._live:
            said |= self._late.results(later)
            later.clear()
        for name, value in said.items():
            line = line.tagged(name, value)
        self._late.wait(line, later)
        return line

    def late(self) -> list[CaptionEvent]:
        """Finished lines again, with what has been said of them since."""
        return self._late.come()

    @property
    def to_come(self) -> set[str]:
        """Names of the tags that some finished line waits for."""
        return self._late.names

    def forget(self) -> None:
        """Forget who was heard: whoever speaks next is no other voice."""
        for tag in self._tags:
            tag.forget()

    def forget_lines(self) -> None:
        """Let nothing come of the lines that there were."""
        self._late.forget()

    def save_memory(self, err: Exception) -> bool:
        """Give up those that cost memory, for want of it; return whether there were any."""
        costly = [tag for tag in self._tags if tag.missing]
        for tag in costly:
            log.warning("%s; %s given up", err, tag.name)
            self._give_up(tag, err)
        return bool(costly)

    def close(self) -> None:
        """Let go of their threads and memory."""
        for tag in self._tags:
            tag.close()

    def _ask(self, ask: Callable[[Tag], object]) -> tuple[Said, Said]:
        """What the tags of the line answer, and what a reader sees of it."""
        values, seen = {}, {}
        for tag in list(self._asked):
            try:
                if (value := ask(tag)) is not None:
                    values[tag.name], seen[tag.name] = value, tag.seen(value)
            except Exception as err:  # words without it are better than none
                self._failed(tag, err)
        return values, seen

    def _failed(self, tag: Tag, err: Exception) -> None:
        """A tag has failed: it is given up, unless this sound alone is to blame."""
        if isinstance(err, AudioError):
            log.warning("no %s of a line: %s", tag.name, err)
            return
        trace = None if isinstance(err, AppError) else err
        log.error("no %s from here on: %s", tag.name, err, exc_info=trace)
        self._give_up(tag, err)

    def _late_failed(self, name: str, err: Exception) -> None:
        if tag := self.find(name):
            self._failed(tag, err)

    def _give_up(self, tag: Tag, err: Exception) -> None:
        if tag in self._tags:
            self._tags.remove(tag)
            self._asked = [asked for asked in self._asked if asked is not tag]
            tag.close()
            if tag.missing:
                self.missing(tag.missing, cause(err))


def _untold(code: str, reason: str) -> None:
    """For callers that show no remarks."""
