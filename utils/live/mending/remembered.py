"""Words that the presenter had remembered when a line was mended, for the recogniser to prefer.

They are a list such as `--phrases` takes, which the operator may also edit by hand.
"""

import logging
from pathlib import Path

from utils.asr.phrases import LONGEST, read_phrases
from utils.captions.export.marks import plain
from utils.errors import ConfigError, RequestError
from utils.faults import cause
from utils.folders import config_folder, write_whole
from utils.messages import say

MOST = 200  # of them, as each helps less the more there are

log = logging.getLogger(__name__)


def remembered_list() -> Path:
    """Where they are kept."""
    return config_folder() / "remembered.txt"


class Remembered:
    """The remembered words, in their file.

    Parameters
    ----------
    path : one phrase a line; it need not exist

    Attributes
    ----------
    phrases : in the order in which they were remembered
    problem : why those of the file are not used, if so
    not_kept : why the present ones are gone after this run, if so
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.phrases: tuple[str, ...] = ()
        self.problem: str | None = None
        self.not_kept: str | None = None
        try:
            if path.exists() and path.stat().st_size:
                self.phrases = read_phrases(path)
        except (ConfigError, OSError) as err:
            self.problem = str(err)
            log.warning("%s: the remembered words are not used", path)

    def add(self, phrase: str) -> None:
        """Remember a phrase, and keep it where it can be kept.

        Raises
        ------
        RequestError : it is none, too long, or there are too many
        """
        words = plain(phrase)
        if not any(map(str.isalnum, words)) or len(words) > LONGEST:
            reason = f"expected words of {LONGEST} characters at most"
            raise RequestError(say("refused.remembered", reason=reason))
        if words in self.phrases:
            return
        if len(self.phrases) >= MOST:
            reason = f"{MOST} are remembered already; {self._path} lists them"
            raise RequestError(say("refused.remembered", reason=reason))
        self.phrases = (*self.phrases, words)
        self._write()

    def _write(self) -> None:
        try:
            if self.problem:  # what the operator wrote there by hand is not lost
                self._path.replace(self._path.with_suffix(".bad.txt"))
                self.problem = None
            write_whole(self._path, "".join(f"{phrase}\n" for phrase in self.phrases))
            self.not_kept = None
        except OSError as err:  # they hold in this run
            self.not_kept = cause(err, str(self._path))
            log.warning("the remembered words are not kept: %s", self.not_kept)
