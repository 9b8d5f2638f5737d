"""Captions at once by what is embedded, and a better model that takes over when it is ready.

A NeMo model takes many seconds to load, and minutes to fetch; nobody waits for either.
"""

import logging
import queue
from pathlib import Path

from utils.asr import Transcriber, Tuning
from utils.asr.choose import open_found
from utils.asr.registry import built_in, find
from utils.errors import ModelError
from utils.live.engines import Better, Course, Notice, Offer
from utils.messages import Message, say
from utils.models.catalogue import NEMO, WHISPER, models_folder
from utils.models.download import check_space
from utils.models.fetch import Fetch
from utils.models.here import Wanted, asked, fitting, to_fetch
from utils.models.hub import NetworkError
from utils.models.memory import check_fits
from utils.models.whisper.files import name_of

POLL_S = 0.5  # between looks whether the program is closing

log = logging.getLogger(__name__)


def takeover(asr: str, model: str | None, language: str, tuning: Tuning) -> Better | None:
    """What brings the model that these settings want; None where there is nothing to bring.

    What is embedded for the language listens until then; where nothing is here for it, the
    model is waited for.

    Parameters
    ----------
    asr, model, language : as in `utils.asr.choose.check_choice`, and checked by it
    tuning : its pace and phrases
    """
    if asr not in {"auto", NEMO, WHISPER} or not built_in(language):
        return None
    wanted = asked(asr, model, language)
    if wanted is None:
        return _bring_here(language, tuning) if fitting(language) else None
    return None if wanted.is_embedded else _bring_asked(wanted, language, tuning)


def offered(asr: str, model: str | None, language: str, tuning: Tuning) -> Offer | None:
    """The recommended model, where what is embedded listens and this machine has room for it.

    Parameters
    ----------
    asr, model, language, tuning : as in `takeover`
    """
    best = to_fetch(asr, model, language)
    if best is None or find(best.kind).missing() or not built_in(language):
        return None
    size = best.about_mb * 1_000_000
    try:
        check_fits(best.name, size, best.kind)
        check_space(best.name, size, models_folder() / best.name)
    except ModelError as err:
        log.info("not offered: %s", err)
        return None
    wanted = Wanted(best.name, best.kind, "")

    def bring(notice: Notice, course: Course) -> tuple[Transcriber, Message]:
        transcriber = _open_first([_fetch(wanted, notice, course)], language, tuning, notice)
        return transcriber, say("ready.recommended", engine=transcriber.name, language=language)

    return Offer(best.name, best.about_mb, bring)


def _bring_here(language: str, tuning: Tuning) -> Better:
    def bring(notice: Notice, course: Course) -> tuple[Transcriber, Message]:
        transcriber = _open_first(fitting(language), language, tuning, notice)
        return transcriber, say("ready.here", engine=transcriber.name)

    return bring


def _bring_asked(wanted: Wanted, language: str, tuning: Tuning) -> Better:
    def bring(notice: Notice, course: Course) -> tuple[Transcriber, Message]:
        path = wanted.here() or _fetch(wanted, notice, course)
        transcriber = _open_first([path], language, tuning, notice)
        return transcriber, say("ready.asked", engine=transcriber.name, option=wanted.option)

    return bring


def _fetch(wanted: Wanted, notice: Notice, course: Course) -> Path:
    """Fetch a model, slowly enough for the captions; the page sees how far it is."""

    def tell(done_bytes: int, total_bytes: int) -> None:
        done_mb, total_mb = done_bytes // 1_000_000, total_bytes // 1_000_000
        notice("engine.fetching", done_mb=done_mb, total_mb=total_mb)

    def wait(err: NetworkError) -> None:
        notice("engine.waiting", reason=str(err))

    ended: queue.SimpleQueue[Path | ModelError] = queue.SimpleQueue()
    fetch = Fetch(wanted.name, tell, kind=wanted.kind, on_wait=wait)
    fetch.start(ended.put)
    while not course.closing.is_set():
        if course.again.is_set():
            course.again.clear()
            fetch.try_now()
        try:
            outcome = ended.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome
    fetch.stop()
    raise ModelError(f"fetching {wanted.name} was stopped; it goes on at the next start")


def _open_first(paths: list[Path], language: str, tuning: Tuning, notice: Notice) -> Transcriber:
    """The first model that loads.

    Raises
    ------
    ModelError : none does; it tells of the last
    """
    for i, path in enumerate(paths):
        notice("engine.loading", name=name_of(path) if path.is_dir() else path.stem)
        try:
            return open_found(path, language, tuning)
        except ModelError:
            if i == len(paths) - 1:
                raise
    raise ModelError("the model is not on this machine any more; get one with: app.py models get")
