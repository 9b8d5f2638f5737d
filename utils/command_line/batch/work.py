"""What is done with each recording, in whatever process: captioned whole, then written."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from utils.captions.offending import masking
from utils.captions.transcript import FORMATS
from utils.command_line.batch.plan import FORMS, Job, Outcome, write
from utils.command_line.recordings import caption_events, final_lines
from utils.config import Settings
from utils.errors import AudioError
from utils.events import CaptionEvent
from utils.live.engines import Engines
from utils.sources import FileSource


@dataclass(frozen=True)
class Work:
    """How recordings are captioned; it goes to other processes, and to other machines.

    Parameters
    ----------
    settings : of the recogniser and of what is told
    load : where the function stands that makes `Engines` of them, as "module:name"
    """

    settings: Settings
    load: str


class Worker:
    """Captions one recording after the other with the same engines.

    Attributes
    ----------
    said : what the engines have to say, in sentences

    Raises
    ------
    AppError : the engines cannot be loaded
    """

    def __init__(self, work: Work) -> None:
        load: Callable[[Settings], Engines] = pkgutil.resolve_name(work.load)
        engines = load(work.settings)
        self._captioner = engines.captioner
        self._mask = masking(work.settings.offending)
        self.said = [str(message) for message in (engines.ready, *engines.missing)]

    def caption(self, job: Job) -> Outcome:
        """Caption a recording and write what was said.

        Raises
        ------
        DataError : it cannot be written
        AppError : the recogniser has failed
        """
        captioner = self._captioner = self._captioner.renewed()
        captioner.live = False
        try:
            source = FileSource(job.path, realtime=False)
        except AudioError as err:
            return Outcome(job.name, written=False, problem=str(err))
        lines: list[CaptionEvent] = []
        problem = ""
        try:
            lines.extend(map(self._mask, final_lines(caption_events(captioner, source))))
        except AudioError as err:  # what came before the damage is there
            problem = str(err)
        write(job, ((form, FORMATS[form](lines)) for form in FORMS))
        length_s = source.duration_s or (lines[-1].end_s if lines else 0.0)
        return Outcome(job.name, True, len(lines), length_s, problem)

    def close(self) -> None:
        """Let the engines go."""
        self._captioner.close()


@cache
def worker(work: Work) -> Worker:
    """The worker of this process; its engines are loaded once."""
    return Worker(work)
