"""What models answered to clips they did not train on: the file between testing and judging."""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from training.corpora import Clip
from utils.errors import DataError
from utils.folders import whole

FORMAT = "recognition-helpers/predictions/1"  # in every file; a new layout, a new number
CLEAN = "clean"  # the condition of a clip as it was recorded
READ_ALOUD = "read aloud"  # … of somebody who read, and acted no emotion
VOICE_KNOWN = "voice known"  # … heard against other remarks of its voice
PLACE_KNOWN = "place known"  # … heard against remarks of any voices of its corpus
UNAIDED = "without the encoder"  # … of a clip as it was recorded, where Whisper is not at hand
KNOWN_READ = f"{READ_ALOUD}, {VOICE_KNOWN}"
UNAIDED_READ = f"{READ_ALOUD}, {UNAIDED}"
UNKNOWN = "unknown"  # what `column` says where a clip does not
REMEDY = "make it with `python -m training crossval`"
_CLIP_FIELDS = tuple(field.name for field in fields(Clip))
_COLUMNS = ("fold", "seed", "duration_s", "condition")
# What numpy raises for a file that is none of its own, is cut short or has a flipped bit;
# a bare .npy array, which `np.load` also opens, is no context manager: TypeError.
_DAMAGE = (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class Predictions:
    """Answers of models to clips they did not train on, one row an answer.

    Parameters
    ----------
    labels : class names in the order of the logits
    logits : float32 (n, n_classes)
    clips : n clips; one stands once for each seed, fold and condition it was tested in
    fold : int (n,) the fold whose model answered
    seed : int (n,) the seed of that model
    duration_s : (n,) length of what the model heard
    condition : str (n,) what was done to the clip: "clean", "gain -30 dB", "noise 10 dB", "room";
        or "read aloud", of somebody who acted nothing

    Raises
    ------
    DataError : columns of unequal length, logits that are not finite, or a clip of another label
    """

    labels: tuple[str, ...]
    logits: np.ndarray
    clips: tuple[Clip, ...]
    fold: np.ndarray
    seed: np.ndarray
    duration_s: np.ndarray
    condition: np.ndarray

    def __post_init__(self) -> None:
        expected = (len(self.clips), len(self.labels))
        if self.logits.shape != expected or not np.isfinite(self.logits).all():
            raise DataError(
                f"logits {self.logits.shape}, expected finite numbers {expected}: "
                "a row for each clip, a column for each label"
            )
        for name in _COLUMNS:
            if (found := getattr(self, name).shape) != expected[:1]:
                raise DataError(f"{name} {found}, expected {expected[:1]}: one for each clip")
        if foreign := {clip.label for clip in self.clips} - set(self.labels):
            raise DataError(
                f"clips of {', '.join(sorted(foreign))}, which the model does not know; expected "
                f"only {', '.join(self.labels)}: leave the others out before testing"
            )

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def truth(self) -> np.ndarray:
        """Class number of each clip, int (n,)."""
        return np.array([self.labels.index(clip.label) for clip in self.clips], dtype=int)

    @property
    def answer(self) -> np.ndarray:
        """Class number of each answer, int (n,)."""
        return self.logits.argmax(axis=1)

    def column(self, name: str) -> np.ndarray:
        """A field of every clip, such as "speaker", as str (n,); "unknown" where it is None."""
        return np.array([str(getattr(c, name) or UNKNOWN) for c in self.clips], dtype=str)

    def acted(self) -> "Predictions":
        """The answers to clips in which somebody acted, in all conditions; not to readers."""
        return self.only(~np.char.startswith(self.condition, READ_ALOUD))

    def only(self, mask: np.ndarray) -> "Predictions":
        """The answers where `mask`, bool (n,), is true."""
        return self.take(np.flatnonzero(mask))

    def take(self, rows: Sequence[int] | np.ndarray) -> "Predictions":
        """The answers with these row numbers, in their order."""
        return Predictions(
            self.labels,
            self.logits[rows],
            tuple(self.clips[i] for i in rows),
            *(getattr(self, name)[rows] for name in _COLUMNS),
        )

    def restrict(self, labels: Sequence[str]) -> "Predictions":
        """The clips of `labels`, answered as if the model knew no other class.

        Raises
        ------
        DataError : a label that the model does not know
        """
        if unknown := set(labels) - set(self.labels):
            raise DataError(
                f"no class {', '.join(sorted(unknown))}, expected some of {', '.join(self.labels)}"
            )
        kept = self.only(np.array([clip.label in labels for clip in self.clips], dtype=bool))
        return Predictions(
            tuple(labels),
            kept.logits[:, [self.labels.index(label) for label in labels]],
            kept.clips,
            *(getattr(kept, name) for name in _COLUMNS),
        )

    def save(self, path: Path) -> None:
        """Write an .npz file, in one step: a kill leaves the old one or none.

        Raises
        ------
        DataError : the file cannot be written
        """
        arrays = {name: getattr(self, name) for name in ("logits", *_COLUMNS)}
        for name in _CLIP_FIELDS:
            values = ["" if (v := getattr(c, name)) is None else str(v) for c in self.clips]
            arrays[f"clip_{name}"] = np.array(values, dtype=str)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole(path) as part, part.open("wb") as file:
                np.savez_compressed(
                    file, format=np.array(FORMAT), labels=np.array(self.labels), **arrays
                )
        except OSError as err:
            raise DataError(
                f"{path}: cannot be written ({err.strerror}); name another file"
            ) from err

    @classmethod
    def load(cls, path: Path) -> "Predictions":
        """Read what `save` wrote.

        Raises
        ------
        DataError : no such file, a damaged one, or one that holds something else
        """
        found = _read(path)
        try:
            clips = _clips([found[f"clip_{name}"].tolist() for name in _CLIP_FIELDS])
            labels = tuple(found["labels"].tolist())
            return cls(labels, found["logits"], clips, *(found[name] for name in _COLUMNS))
        except (DataError, KeyError, TypeError, ValueError) as err:
            raise DataError(f"{path}: its parts do not fit ({err}); {REMEDY}") from err


def labels_of(predictions: Predictions) -> tuple[str, ...]:
    """The classes that the clips have, in the order of the predictions' own."""
    there = {clip.label for clip in predictions.clips}
    return tuple(label for label in predictions.labels if label in there)


def join(parts: Sequence[Predictions]) -> Predictions:
    """The answers of several runs as one, in their order.

    Raises
    ------
    DataError : nothing to join, or runs with different labels
    """
    if len(found := {part.labels for part in parts}) != 1:
        raise DataError(f"{len(parts)} runs with the labels {sorted(found)}, expected one set")
    return Predictions(
        parts[0].labels,
        np.concatenate([part.logits for part in parts]),
        tuple(clip for part in parts for clip in part.clips),
        *(np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS),
    )


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file that says it holds predictions."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; {REMEDY}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = dict(arrays)
    except _DAMAGE as err:
        raise DataError(f"{path}: not a readable file of predictions ({err}); {REMEDY}") from err
    if (tag := str(found.get("format"))) != FORMAT:
        raise DataError(f"{path}: predictions of format {tag}, expected {FORMAT}; {REMEDY}")
    return found


def _clips(columns: list[list[str]]) -> tuple[Clip, ...]:
    """Clips of their fields' texts, in which an absent one is empty."""
    rows = (dict(zip(_CLIP_FIELDS, row)) for row in zip(*columns, strict=True))
    return tuple(_clip(row) for row in rows)


def _clip(row: Mapping[str, str]) -> Clip:
    values: dict[str, Any] = {name: value or None for name, value in row.items()}
    return Clip(**values | {"path": Path(row["path"])})
