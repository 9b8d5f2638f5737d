"""The languages that the page has words for: each is one file of `static/words`."""

import json
from functools import cache
from pathlib import Path

from utils.captions.export.marks import ENGLISH, Wording

FOLDER = Path(__file__).resolve().parents[1] / "static" / "words"


@cache
def languages(folder: Path = FOLDER) -> dict[str, str]:
    """Language code -> its own name for itself, in the order of the codes.

    Raises
    ------
    OSError, ValueError, KeyError : a file cannot be read, is not JSON, or names no language
    """
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))["language.name"]
        for path in sorted(folder.glob("*.json"))
    }


def words(code: str) -> dict[str, str] | None:
    """The page's sentences in a language, by key; None where it has none."""
    return _read(code) if code in languages() else None  # of what strangers ask nothing is kept


@cache
def _read(code: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    return found


def wording(code: str) -> Wording | None:
    """In which words exports tell what is known of a line; None where there are none.

    English is the exports' own, which other programs may read.
    """
    if code == ENGLISH.language:
        return ENGLISH
    found = words(code)
    return None if found is None else Wording(code, found)
