"""The languages that the page has words for: each is one file of `static/words`."""

import json
from functools import cache
from pathlib import Path

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
