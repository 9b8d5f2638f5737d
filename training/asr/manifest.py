"""An operator's own recordings and what is said in them: NeMo's manifests, or CSV."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from utils import audio
from utils.audio import SAMPLE_RATE
from utils.errors import AudioError, DataError

SHORTEST_S, LONGEST_S = 0.1, 40.0
COLUMNS = {
    "path": "audio_filepath",
    "audio_filepath": "audio_filepath",
    "text": "text",
    "speaker": "speaker",
    "speaker_id": "speaker",
}
EXPECTED = (
    'expected NeMo\'s manifest, a line such as {"audio_filepath": "a.wav", "duration": 2.1, '
    '"text": "hello"}, or CSV with the columns path and text'
)


@dataclass(frozen=True)
class Line:
    """A recording, or a part of one, and its words.

    Parameters
    ----------
    place : FILE:LINE, for messages
    start_s, duration_s : the part; to its end where there is no duration
    speaker : "" where it is not known
    """

    place: str
    path: Path
    text: str
    speaker: str = ""
    start_s: float = 0.0
    duration_s: float | None = None

    def samples(self) -> np.ndarray:
        """float32 (n,) at 16 kHz.

        Raises
        ------
        AudioError : it cannot be read
        """
        whole = audio.load(self.path)
        start = round(self.start_s * SAMPLE_RATE)
        end = (
            len(whole) if self.duration_s is None else start + round(self.duration_s * SAMPLE_RATE)
        )
        return whole[start:end]


def read(path: Path, progress: Callable[[int], None]) -> tuple[list[Line], list[str]]:
    """The lines of a manifest that can be used, and what is wrong with the others.

    Every recording is read once, so that nothing is found out in the middle of training.
    Paths are relative to the manifest's folder.

    Parameters
    ----------
    progress : called with 1 after each line

    Raises
    ------
    DataError : the manifest cannot be read, or none of its lines can be used
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"{path}: cannot be read ({err}); {EXPECTED}, in UTF-8") from err
    good, problems = [], []
    for place, entry in _entries(path, text):
        found = entry if isinstance(entry, str) else _line(place, path.parent, entry)
        if isinstance(found, Line):
            good.append(found)
        else:
            problems.append(f"{place}: {found}")
        progress(1)
    if not good:
        told = "\n".join(problems[:20]) or f"{path}: it is empty"
        raise DataError(f"{told}\n{path}: no line can be used; {EXPECTED}")
    return good, problems


def _entries(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Place and fields of each line, or what is wrong with it."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first and not first.lstrip().startswith("{"):
        yield from _csv_entries(path, lines)
        return
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            entry = json.loads(line)
        except ValueError as err:
            yield place, f"not JSON ({err})"
            continue
        yield place, entry if isinstance(entry, dict) else "not a JSON object"


def _csv_entries(path: Path, lines: list[str]) -> Iterator[tuple[str, dict[str, Any] | str]]:
    rows = csv.DictReader(lines)
    names = [name.strip() for name in rows.fieldnames or ()]
    known = {COLUMNS[name] for name in names if name in COLUMNS}
    if not {"audio_filepath", "text"} <= known:
        raise DataError(f"{path}: its first line is {','.join(names)[:80]!r}; {EXPECTED}")
    rows.fieldnames = [COLUMNS.get(name, name) for name in names]
    for row in rows:
        place = f"{path}:{rows.line_num}"
        if None in row or None in row.values():
            yield place, f"has other than {len(names)} columns; put text with commas in quotes"
        else:
            yield place, row


def _line(place: str, folder: Path, entry: Mapping[str, Any]) -> Line | str:
    """A line that can be used, or what is wrong with it."""
    name, text = entry.get("audio_filepath"), entry.get("text")
    if not isinstance(name, str) or not name.strip():
        return "names no recording (audio_filepath)"
    if not isinstance(text, str) or not text.strip():
        return "has no text"
    start_s, duration_s = entry.get("offset") or 0, entry.get("duration")
    if not all(isinstance(x, int | float) and x >= 0 for x in (start_s, duration_s or 0)):
        return f"offset {start_s!r} and duration {duration_s!r}, expected seconds"
    # Without an offset NeMo's duration is that of the whole recording.
    part_s = float(duration_s) if duration_s and "offset" in entry else None
    speaker = str(entry.get("speaker") or "")
    line = Line(
        place, folder / name.strip(), " ".join(text.split()), speaker, float(start_s), part_s
    )
    try:
        length_s = len(line.samples()) / SAMPLE_RATE
    except AudioError as err:
        return str(err)
    if not SHORTEST_S <= length_s <= LONGEST_S:
        return f"lasts {length_s:.1f} s, expected {SHORTEST_S} to {LONGEST_S:.0f} s; cut it"
    return Line(**{**vars(line), "duration_s": length_s})
