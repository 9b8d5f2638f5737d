"""Speech recognition: one small interface, one file or folder an engine.

A `Transcriber` holds what is loaded once (weights, decoders); a `Stream` holds the state
of one segment. Only the files in this folder import a recognition engine, and each does
so where it is opened, so that everything else starts and tests without it. A new engine is a
module with an `ENGINE`, and a line in `utils.asr.registry`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from utils.errors import ModelError
from utils.events import Transcription
from utils.messages import Message
from utils.models.fetch import OnFetch


@dataclass(frozen=True)
class Tuning:
    """How a model is to be used.

    Parameters
    ----------
    pace : how long words may wait for what follows them, which makes them more accurate:
        one of `utils.config.PACES`, or "auto" for "balanced" where this machine is fast enough
        for it, and else "accurate", which costs it less
    phrases : names and places to prefer; an engine that cannot refuses them
    remembered : more of them, which an engine that cannot prefer them leaves out
    rooms : how many hear by the same model at a time
    """

    pace: str = "auto"
    phrases: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    rooms: int = 1


class Stream(Protocol):
    """The recognition of one segment."""

    def grow(self, samples: np.ndarray) -> str:
        """Hear on; return the text so far.

        The text is a guess that later samples may change; engines that only know whole
        segments return "".

        Parameters
        ----------
        samples : all of the segment so far, float32 (n,) at 16 kHz, never less than before. It is
            a view of its one copy, stays as it is, and is not to be written to.
        """
        ...

    def work_ahead(self) -> None:
        """Speech has paused: start on the final text, in case nothing more comes."""
        ...

    def finish(self, samples: np.ndarray) -> Transcription:
        """End the segment and return its final text. No other call may follow.

        Parameters
        ----------
        samples : all of it, which may be less than was there while it grew
        """
        ...


class Transcriber(Protocol):
    """A loaded engine. One stream is open at a time, where an engine does not say more."""

    name: str  # as people read it: "Whisper tiny.en"
    # How long a word of growing text must have stood, in seconds, before it is worth showing: 0
    # where a stream gives only words that stay, None where its final text is not to be held to
    # what was shown, as it hardly ever differs.
    settle_s: float | None = None

    def stream(self, growing: bool = True) -> Stream:
        """Begin a segment; one that was not finished is given up.

        Parameters
        ----------
        growing : whether somebody reads the text so far; an engine that has to work for it gives
            none otherwise
        """
        ...

    def step_down(self) -> bool:
        """Do less work from the next segment on, because this machine falls behind.

        Returns
        -------
        whether there was anything to give up
        """
        return False

    def step_up(self) -> bool:
        """Take back one `step_down`; False where none is left."""
        return False

    def prefer(self, remembered: tuple[str, ...]) -> None:
        """Prefer these words from the next pass on, in place of those of `Tuning.remembered`.

        Engines that would have to be loaded anew for it do so from their next start.
        """
        return

    def twin(self) -> "Transcriber":
        """Another one on the same weights, for another room: with its streams and its own pace.

        The two may hear at a time. Closing it lets go of nothing; this one outlasts it. What keeps
        nothing from one call to the next is its own twin.
        """
        return self

    def close(self) -> None:
        """Let go of processes and memory. The transcriber is not used again."""
        ...


def _never(language: str) -> bool:
    return False


def _cannot(*_: object) -> Transcriber:
    raise ModelError("this recogniser opens no such model; choose another with --asr")


@dataclass(frozen=True)
class Engine:
    """A kind of recogniser: what `--asr` names, and what is known of it before it is loaded.

    Parameters
    ----------
    check : refuses settings (asr, model, language) that cannot work; raises ConfigError or
        ModelError
    open : loads it, given (asr, model, language, tuning), and says which one it is and why. None
        where its models are files of the catalogue, which are found or fetched for it.
    open_file : loads a model's file or folder, given (path, language, tuning)
    built_in : whether it can listen to a language at once, without a network
    open_built_in : loads what it listens with then, given (language, tuning, on_fetch)
    remedy : how a language can be had with it, or ""
    missing : why none of its models can be opened on this machine, or ""
    """

    check: Callable[[str, str | None, str], None]
    open: Callable[[str, str | None, str, Tuning], tuple[Transcriber, Message]] | None = None
    open_file: Callable[[Path, str, Tuning], Transcriber] = _cannot
    built_in: Callable[[str], bool] = _never
    open_built_in: Callable[[str, Tuning, OnFetch], Transcriber] = _cannot
    remedy: Callable[[str], str] = lambda language: ""
    missing: Callable[[], str] = lambda: ""
