"""Bringing a model to this machine: in the foreground for a command, or behind the captions."""

import logging
import os
import re
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from utils.errors import ModelError
from utils.models import text_emotion as words
from utils.models.catalogue import (
    NEMO,
    TEXT_EMOTION,
    TRANSLATION,
    WHISPER,
    find,
    models_folder,
    repository,
    stem,
)
from utils.models.download import Download, Progress, StoppedError, delete
from utils.models.hub import MissingError, NetworkError, Remote, look_up
from utils.models.memory import check_fits
from utils.models.nemo.archive import check_whole
from utils.models.translation.package import (
    CONFIG,
    SOURCE_PIECES,
    TARGET_PIECES,
    VOCABULARIES,
    WEIGHTS,
)
from utils.models.translation.package import check_whole as check_translation
from utils.models.whisper.folder import check_readable
from utils.models.whisper.texts import FILES, MELS

log = logging.getLogger(__name__)

OnFetch = Callable[[str, int, int], None]  # told the name, bytes done, bytes in all

# Before a next attempt, when the network breaks; begun anew whenever some bytes have come.
PAUSES_S = (2.0, 5.0, 15.0)  # somebody waits
PAUSES_BEHIND_S = (5.0, 15.0, 60.0, 180.0, 600.0)  # nobody does


class Fetch:
    """Brings one model into `models_folder()`; what has come before is not fetched again.

    >>> fetch = Fetch("stt_en_fastconformer_hybrid_large_streaming_multi", show)  # doctest: +SKIP
    >>> fetch.start(on_end)  # doctest: +SKIP
    >>> fetch.stop()  # doctest: +SKIP

    `start` works behind the captions; `path = fetch.run()` waits.

    Parameters
    ----------
    name : of a model in the catalogue, or "org/name" on Hugging Face
    on_progress : told (bytes done, bytes in all), at most twice a second and at the end,
        from the thread that fetches
    pauses_s : before each further attempt when the network breaks; None for the usual ones
    kind : of a model that is not in the catalogue
    on_wait : told why nothing comes now, before each pause

    Raises
    ------
    ModelError : neither a name nor "org/name"
    """

    def __init__(
        self,
        name: str,
        on_progress: Progress,
        pauses_s: Sequence[float] | None = None,
        kind: str = NEMO,
        on_wait: Callable[[NetworkError], None] = lambda err: None,
    ) -> None:
        self.repo = repository(name)
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repo):
            raise ModelError(
                f"{name}: neither a .nemo file nor a Whisper's folder nor a model's name (org/name)"
            )
        model = find(self.repo)
        self.kind = model.kind if model else kind
        self.name = stem(self.repo)
        self.path = models_folder() / (self.name + (".nemo" if self.kind == NEMO else ""))
        self._on_progress = on_progress
        self._pauses_s = pauses_s
        self._on_wait = on_wait
        self._behind = False
        self._stopped = threading.Event()
        self._wake = threading.Event()  # ends a pause
        self._download: Download | None = None
        self._thread: threading.Thread | None = None

    @cached_property
    def remotes(self) -> tuple[Remote, ...]:
        """The files on the hub; asking for them is the first network call.

        Raises
        ------
        ModelError : as `utils.models.hub.look_up`
        """
        if self.kind == NEMO:
            return (look_up(self.repo, f"{self.repo.split('/')[1]}.nemo"),)
        if self.kind == TRANSLATION:
            return self._of_translation()
        if self.kind == TEXT_EMOTION:
            return self._of_text_emotion()
        weights = look_up(self.repo, FILES[0][0])
        found = [_look_up_first(names, weights) for names in FILES[1:]]
        try:
            found.append(look_up(self.repo, MELS, weights.commit))
        except MissingError:
            log.debug("%s has no %s", self.repo, MELS)
        return (weights, *found)

    def _of_translation(self) -> tuple[Remote, ...]:
        try:
            weights = look_up(self.repo, WEIGHTS)
        except MissingError as err:
            raise ModelError(
                f"{self.name}: Hugging Face has no {self.repo}; translate by English (FROM-en and "
                "en-TO), or download a package of Argos Translate and give it to "
                ".venv/bin/python app.py models add FILE.argosmodel"
            ) from err
        others = [(CONFIG,), VOCABULARIES, (SOURCE_PIECES,), (TARGET_PIECES,)]
        return (weights, *(_look_up_first(names, weights) for names in others))

    def _of_text_emotion(self) -> tuple[Remote, ...]:
        try:
            weights = look_up(self.repo, words.SAFE)
        except MissingError:
            weights = look_up(self.repo, words.PICKLED)
        others = (words.CONFIG, words.VOCABULARY, words.MERGES)
        return (weights, *(look_up(self.repo, name, weights.commit) for name in others))

    def download(self) -> Download:
        """The download of them, not begun."""
        return Download(self.remotes, self.path, self._tell, self._behind)

    def run(self) -> Path:
        """Fetch in this thread; return where the model lies, ready to be loaded.

        Raises
        ------
        StoppedError : by `stop`
        ModelError : it could not be fetched; the message says why and what to do
        """
        if os.path.exists(self.path):
            try:
                check(self.path, self.kind)
                return self.path
            except ModelError:
                log.warning("%s is damaged: fetching it anew", self.path)
                delete(self.path)
        if not self._behind:
            _ = self.remotes  # without a network, who waits is told at once
        pauses_s = list(self._pauses())
        while True:
            had = self._done_bytes()
            try:
                self._download = self.download()
                if self._stopped.is_set():
                    raise StoppedError(f"fetching {self.name} was stopped")
                self._download.run()
                return self.path
            except NetworkError as err:
                if self._done_bytes() > had:
                    pauses_s = list(self._pauses())
                if not pauses_s:
                    raise
                log.info("%s; next attempt in %.0f s", err, pauses_s[0])
                self._on_wait(err)
                self._wake.wait(pauses_s.pop(0))
                if self._stopped.is_set():
                    raise StoppedError(f"fetching {self.name} was stopped") from err
                self._wake.clear()

    def _done_bytes(self) -> int:
        return self._download.done_bytes if self._download else 0

    def _pauses(self) -> Sequence[float]:
        if self._pauses_s is not None:
            return self._pauses_s
        return PAUSES_BEHIND_S if self._behind else PAUSES_S

    def start(self, on_end: Callable[[Path | ModelError], None]) -> None:
        """Fetch in a thread, so slowly that captions do not notice.

        Nothing is fetched that the memory or the disk of this machine is too small for.

        Parameters
        ----------
        on_end : told once, from that thread, where the model lies or why it does not come;
            not told after `stop`
        """
        self._behind = True
        self._thread = threading.Thread(
            target=self._run_behind, args=(on_end,), name="fetch", daemon=True
        )
        self._thread.start()

    def try_now(self) -> None:
        """Wait no longer for the next attempt."""
        self._wake.set()

    def stop(self) -> None:
        """End within a second; nothing is told after that. What has come is kept."""
        self._stopped.set()
        self._wake.set()
        if self._download:
            self._download.stop()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(timeout=0.9)

    def _tell(self, done_bytes: int, total_bytes: int) -> None:
        if not self._stopped.is_set():
            self._on_progress(done_bytes, total_bytes)

    def _run_behind(self, on_end: Callable[[Path | ModelError], None]) -> None:
        try:
            if model := find(self.repo):
                check_fits(model.name, model.about_mb * 1_000_000, model.kind)
            outcome: Path | ModelError = self.run()
        except ModelError as err:
            outcome = err
        except Exception as err:
            log.exception("fetching failed")
            outcome = ModelError(f"fetching {self.repo} failed by a mistake in the program: {err}")
        if not self._stopped.is_set():
            on_end(outcome)


def _look_up_first(names: tuple[str, ...], weights: Remote) -> Remote:
    """The first of these files that the repository has, at the same commit."""
    for name in names[:-1]:
        try:
            return look_up(weights.repo, name, weights.commit)
        except MissingError:
            log.debug("%s has no %s", weights.repo, name)
    return look_up(weights.repo, names[-1], weights.commit)


def check(path: Path, kind: str) -> None:
    """Raise ModelError if a model of a kind was cut short or is damaged.

    Parameters
    ----------
    path : a `.nemo` file, or a folder
    kind : NEMO, WHISPER, TRANSLATION or TEXT_EMOTION
    """
    if kind == WHISPER:
        check_readable(path)
    elif kind == TRANSLATION:
        check_translation(path)
    elif kind == TEXT_EMOTION:
        words.check_whole(path)
    else:
        check_whole(path)
