"""Quick phrases: what a person who answers in writing says often. The operator edits them."""

import json
import logging
import os
import unicodedata
from pathlib import Path

from utils.errors import DataError
from utils.folders import write_whole

MOST = 40
LONGEST = 200  # characters
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
    """

    def __init__(self, path: Path, language: str) -> None:
        self._path = path
        self.texts = DEFAULTS.get(language.split("-")[0].lower(), DEFAULTS["en"])
        self.problem: str | None = None
        if not path.exists():
            return
        try:
            self.texts = checked(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, DataError) as err:
            self.problem = f"{path}: {err}"
            log.warning("the quick phrases are not used: %s", self.problem)

    def replace(self, phrases: object) -> None:
        """Put other phrases in their place, and keep them.

        Raises
        ------
        DataError : not a list of short texts, or the file cannot be written
        """
        new = checked(phrases)
        try:
            if self.problem:  # what the operator wrote there by hand is not lost
                os.replace(self._path, self._path.with_suffix(".bad.json"))
                self.problem = None
            write_whole(self._path, json.dumps(new, ensure_ascii=False, indent=1) + "\n")
        except OSError as err:
            raise DataError(f"{self._path}: cannot be written ({err.strerror})") from err
        self.texts = new


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
