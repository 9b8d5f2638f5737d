"""Captions at once by PocketSphinx, and a NeMo model that takes over when it is ready.

A NeMo model takes many seconds to load, and minutes to fetch; nobody waits for either.
"""

import queue
import threading
from pathlib import Path

from utils.asr import Transcriber, Tuning
from utils.asr.catalogue import recommended
from utils.asr.choose import fitting, open_nemo, to_fetch, two_letters
from utils.asr.fetch import Fetch
from utils.asr.nemo_files import on_this_machine
from utils.engines import Better, Notice
from utils.errors import ModelError
from utils.messages import Message, say

POLL_S = 0.5  # between looks whether the program is closing


def takeover(asr: str, model: str | None, language: str, tuning: Tuning) -> Better | None:
    """What brings the NeMo model that these settings want; None where there is nothing to bring.

    PocketSphinx, which speaks English only, listens until then.

    Parameters
    ----------
    asr, model, language : as in `utils.asr.choose.check_choice`
    tuning : of the NeMo model
    """
    if two_letters(language) != "en" or asr not in {"auto", "nemo"}:
        return None
    if asr == "auto" and not model and not fitting(language) and not to_fetch(asr, model, language):
        return None

    def bring(notice: Notice, closing: threading.Event) -> tuple[Transcriber, Message]:
        if asr == "auto" and not model:
            paths, reason = _here_or_fetched(language, notice, closing)
        else:
            asked = f"--model {model}" if model else "--asr nemo"
            wanted = model or recommended(language).name
            path = on_this_machine(wanted) or _fetch(wanted, notice, closing)
            paths, reason = [path], f"as asked with {asked}"
        return _open_first(paths, language, tuning, reason, notice)

    return bring


def _here_or_fetched(
    language: str, notice: Notice, closing: threading.Event
) -> tuple[list[Path], str]:
    if wanted := to_fetch("auto", None, language):
        return [_fetch(wanted.name, notice, closing)], f"because it is recommended for {language}"
    return fitting(language), "because it is on this machine"


def _fetch(name: str, notice: Notice, closing: threading.Event) -> Path:
    """Fetch a model, slowly enough for the captions; the page sees how far it is."""

    def tell(done_bytes: int, total_bytes: int) -> None:
        done_mb, total_mb = done_bytes // 1_000_000, total_bytes // 1_000_000
        notice("engine.fetching", done_mb=done_mb, total_mb=total_mb)

    ended: queue.SimpleQueue[Path | ModelError] = queue.SimpleQueue()
    fetch = Fetch(name, tell)
    fetch.start(ended.put)
    while not closing.is_set():
        try:
            outcome = ended.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if isinstance(outcome, ModelError):
            raise outcome
        return outcome
    fetch.stop()
    raise ModelError(f"fetching {name} was stopped; it goes on at the next start")


def _open_first(
    paths: list[Path], language: str, tuning: Tuning, reason: str, notice: Notice
) -> tuple[Transcriber, Message]:
    """The first model that loads.

    Raises
    ------
    ModelError : none does; it tells of the last
    """
    for i, path in enumerate(paths):
        notice("engine.loading", name=path.stem)
        try:
            transcriber, engine = open_nemo(path, language, reason, tuning)
        except ModelError:
            if i == len(paths) - 1:
                raise
        else:
            return transcriber, say("ready.engine", engine=engine)
    raise ModelError("no NeMo model is on this machine any more; get one with: app.py models get")
