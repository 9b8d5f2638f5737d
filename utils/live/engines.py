"""What a session listens with, and how a better recogniser takes over while it listens."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from utils.asr import Transcriber
from utils.captions.pipeline import Captioner
from utils.errors import AppError
from utils.faults import cause
from utils.messages import Message, say
from utils.models.memory import give_back

log = logging.getLogger(__name__)

Part = TypeVar("Part")
Notice = Callable[..., None]  # takes a code of `utils.messages` and its values


class Course:
    """Steers what brings a recogniser, from other threads.

    Attributes
    ----------
    closing : set once it is to be given up
    again : set while somebody wants another attempt now
    """

    def __init__(self) -> None:
        self.closing = threading.Event()
        self.again = threading.Event()


Better = Callable[[Notice, Course], tuple[Transcriber, Message]]


@dataclass(frozen=True)
class Offer:
    """A better recogniser that could be fetched, if the presenter wants it.

    Parameters
    ----------
    name : of its model
    size_mb : of what is to be fetched, in 10⁶ bytes
    bring : fetches and loads it
    """

    name: str
    size_mb: int
    bring: Better


def _none(first_segment: int) -> Captioner:
    raise RuntimeError("these engines are for one room")


@dataclass(frozen=True)
class Engines:
    """What loading brings.

    Parameters
    ----------
    captioner : the pipeline
    ready : what to say of it
    better : brings a better recogniser, and what to say of it, while the first one listens;
        it tells how far it is, gives up and tries again as its course says, and raises AppError
    offer : another one, that is brought only if somebody asks for it
    missing : what there is to say of parts that captions do without
    another : makes a pipeline on the same models for another room, given the number of its
        first line
    """

    captioner: Captioner
    ready: Message
    better: Better | None = None
    offer: Offer | None = None
    missing: tuple[Message, ...] = ()
    another: Callable[[int], Captioner] = _none


def optional(open_part: Callable[[], Part], code: str, missing: list[Message]) -> Part | None:
    """Open a part that captions can do without.

    Parameters
    ----------
    open_part : opens it
    code : of the sentence that says that it is missing, for a `reason`
    missing : gets that sentence where it cannot be opened

    Returns
    -------
    the part, or None where it cannot be opened
    """
    try:
        return open_part()
    except Exception as err:  # of a library's own kinds too: captions go on
        if isinstance(err, AppError):
            log.error("%s", err)
        else:
            log.exception("captions do without what cannot be opened")
        missing.append(say(code, reason=cause(err)))
        return None


def bring_better(engines: Engines, bring: Better, notice: Notice, course: Course) -> Engines | None:
    """Load the better recogniser and have it take the next segment over.

    Where it cannot be had, the one that worked before goes on listening, and a notice says so.

    Returns
    -------
    the engines as they are then, or None where nothing changed
    """
    try:
        transcriber, ready = bring(notice, course)
    except Exception as err:  # of the engine's own kinds too: captions go on
        if course.closing.is_set():
            return None
        if isinstance(err, AppError):
            log.error("%s", err)
        else:
            log.exception("loading the better recogniser failed")
        notice("engine.kept", engine=engines.captioner.transcriber.name, reason=cause(err))
        return None
    engines.captioner.change(transcriber)
    give_back()
    log.info("%s has taken over", transcriber.name)
    return replace(engines, ready=ready, better=None, offer=None)
