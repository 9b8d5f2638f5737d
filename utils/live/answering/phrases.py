"""Quick phrases: what a person who answers in writing says often. The operator edits them."""

import json
import logging
import os
import unicodedata
from pathlib import Path

from utils.errors import DataError
from utils.faults import cause
from utils.folders import write_whole
from utils.language import two_letters
from utils.untrusted import read_text

MOST = 40
LONGEST = 200  # letters: code points, of up to 4 bytes in UTF-8
# Bytes that they take in an event: up to 12 a letter, as "\\ud83d\\ude00", by clients that escape.
LONGEST_JSON = MOST * (12 * LONGEST + 4) + 2
LONGEST_FILE = 1_000_000  # bytes
DEFAULTS = {
    "en": [
        "Yes.",
        "No.",
        "Thank you.",
        "Please say that again.",
        "Please speak more slowly.",
        "I am deaf. I read what you say here.",
        "Please wait a moment. I am writing.",
    ],
    "ko": [
        "네.",
        "아니요.",
        "감사합니다.",
        "다시 한번 말씀해 주세요.",
        "조금 천천히 말씀해 주세요.",
        "저는 청각 장애가 있어서 자막으로 읽습니다.",
        "잠시만 기다려 주세요. 쓰고 있습니다.",
    ],
}

log = logging.getLogger(__name__)


class Phrases:
    """The quick phrases, in a file that the operator may also edit by hand.

    Parameters
    ----------
    path : a JSON list of texts; where it is not there, or not that, the defaults hold
    language : of the defaults

    Attributes
    ----------
    texts : the phrases, in the operator's order
    problem : why those of the file are not used, if so
    not_kept : why the present ones are gone after this run, if so
    """

    def __init__(self, path: Path, language: str) -> None:
        self._path = path
        self.texts = DEFAULTS.get(two_letters(language), DEFAULTS["en"])
        self.problem: str | None = None
        self.not_kept: str | None = None
        try:
            self.texts = checked(json.loads(read_text(path, LONGEST_FILE)))
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, ValueError, RecursionError, DataError) as err:
            self.problem = f"{path}: {getattr(err, 'strerror', None) or err}"
            # what the file holds is for people, not for the log
            log.warning("%s: the quick phrases are not used (%s)", path, type(err).__name__)

    def replace(self, phrases: object) -> None:
        """Put other phrases in their place, and keep them where they can be kept.

        Raises
        ------
        DataError : not a list of short texts
        """
        self.texts = checked(phrases)
        text = json.dumps(self.texts, ensure_ascii=False, indent=1) + "\n"
        try:
            if self.problem:  # what the operator wrote there by hand is not lost
                os.replace(self._path, self._path.with_suffix(".bad.json"))
                self.problem = None
            write_whole(self._path, text)
            self.not_kept = None
        except OSError as err:  # they hold in this run
            self.not_kept = cause(err, str(self._path))
            log.warning("the quick phrases are not kept: %s", self.not_kept)


def checked(phrases: object) -> list[str]:
    """Phrases without blank ones and double ones, each on one line.

    Raises
    ------
    DataError : not a list of texts, too many, or one that is too long
    """
    if not isinstance(phrases, list) or not all(isinstance(p, str) for p in phrases):
        raise DataError("expected a list of texts")
    neat = [" ".join(_printable(p).split()) for p in phrases]
    neat = list(dict.fromkeys(p for p in neat if p))
    if len(neat) > MOST:
        raise DataError(f"{len(neat)} phrases; expected {MOST} at most")
    if long := [p for p in neat if len(p) > LONGEST]:
        raise DataError(f"“{long[0][:30]}…” is too long; expected {LONGEST} characters at most")
    return neat


def _printable(text: str) -> str:
    """Without control characters and halves of characters, which no file can hold."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
