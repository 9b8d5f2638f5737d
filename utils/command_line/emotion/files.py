"""`python emotion_model.py FILE…`: how recordings were spoken, a JSON line each."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
from tqdm import tqdm

from utils.command_line.emotion.recognizer import Recognizer, answer
from utils.command_line.output import note, put
from utils.emotion.place import MOST, Place
from utils.errors import AudioError


def say_files(recognizer: Recognizer, paths: Sequence[str], together: bool) -> int:
    """Print one JSON line per recording; the exit status is 1 where one was unusable.

    Parameters
    ----------
    together : they are of one microphone and its room
    """
    described = _describe_some(recognizer, paths) if together else {}
    status = 0
    for path in paths:
        try:
            emotion, scores, duration_s = recognizer.predict_file(path, _among(described, path))
        except AudioError as err:
            note(str(err))
            status = 1
            continue
        line = {
            "path": path,
            **answer(emotion, scores),
            "duration_s": duration_s,
        }
        put(json.dumps(line) + "\n")
    return status


def _describe_some(
    recognizer: Recognizer, paths: Sequence[str]
) -> dict[str, list[tuple[np.ndarray, int]]]:
    """How recordings sound, by path: of so many as a place knows, spread over all.

    One that is unusable is left out; it is told when its turn comes.
    """
    rows = np.linspace(0, len(paths) - 1, min(len(paths), MOST)).round().astype(int)
    found: dict[str, list[tuple[np.ndarray, int]]] = {}
    for row in tqdm(rows.tolist(), desc="how they sound", unit="recording", disable=None):
        with suppress(AudioError):
            found[paths[row]] = list(recognizer.describe_file(paths[row]))
    return found


def _among(described: Mapping[str, list[tuple[np.ndarray, int]]], path: str) -> Place:
    """The place where a recording was made, as the others make it known."""
    place = Place()
    for other, windows_of_it in described.items():
        if other != path:
            for description, n_samples in windows_of_it:
                place.add(description, n_samples)
    return place
