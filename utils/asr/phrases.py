"""Names and places that a recogniser should prefer, from a plain list."""

import unicodedata
from pathlib import Path

from utils.errors import ConfigError
from utils.untrusted import read_text

MOST_PHRASES, LONGEST = 1000, 100  # lines, and characters of one
LONGEST_FILE = 1_000_000  # bytes
WRONG = "expected one phrase a line in UTF-8, such as: Ada Lovelace"


def read_phrases(path: Path | str) -> tuple[str, ...]:
    """The phrases of a list, one a line; empty lines and repetitions are left out.

    Raises
    ------
    ConfigError : the list cannot be read, is no text, has no phrase or too many, or a line is
        too long; each wrong line is named
    """
    path = Path(path)
    try:
        text = read_text(path, LONGEST_FILE)
    except UnicodeDecodeError as err:
        raise ConfigError(f"{path}: not UTF-8 (byte {err.start}); {WRONG}") from err
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or err
        raise ConfigError(f"{path}: cannot be read ({reason}); {WRONG}") from err
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST:
            raise ConfigError(
                f"{path}:{number}: {len(line)} characters, expected at most {LONGEST}; {WRONG}"
            )
        if any(unicodedata.category(letter) == "Cc" for letter in line):
            raise ConfigError(f"{path}:{number}: holds control characters; {WRONG}")
    phrases = tuple(dict.fromkeys(unicodedata.normalize("NFC", line) for line in lines if line))
    if not phrases:
        raise ConfigError(f"{path}: has no phrase; {WRONG}")
    if len(phrases) > MOST_PHRASES:
        raise ConfigError(
            f"{path}: {len(phrases)} phrases, expected at most {MOST_PHRASES}; the more there "
            "are, the less each one helps"
        )
    return phrases
