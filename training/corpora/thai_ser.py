"""THAI-SER: Thai speech emotion recognition corpus."""

import json
import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import TABLE
from utils.errors import DataError

EXAMPLE = "studio1-10/studio001/con/s001_con_actor001_impro1_1.flac"
LABEL_FILE = "emotion_label.json"
ACTOR_FILE = "actor_demography.json"
NAME = re.compile(r"[sz]\d{3}_[a-z]+_actor(\d{3})_(?:impro|script)\w+")


def read(folder: Path) -> list[Clip]:
    """Utterances of THAI-SER that most of their raters gave one of our labels.

    `folder` holds emotion_label.json, actor_demography.json and the unpacked studio and zoom
    archives, or some of them. Each utterance was recorded by several microphones and is
    labelled for one (`con` in studios, `mic` on Zoom): only that one is read. The label is
    the corpus's `majority_emo`; where its raters tied, it says None and the utterance is left
    out. Wongpithayadisai and others, "THAI Speech Emotion Recognition (THAI-SER) corpus",
    arXiv 2507.09618. CC BY-SA 4.0.

    Raises
    ------
    DataError : no such folder, no recordings or no labels in it, an unexpected file name, or
        a label file that is not as published
    """
    layout.existing(folder, EXAMPLE)
    emotions = _emotions(folder / LABEL_FILE)
    genders = _genders(folder / ACTOR_FILE)

    def parse(path: Path) -> Clip | None:
        if (match := NAME.fullmatch(path.stem)) is None:
            raise ValueError(path.name)
        label = emotions.get(path.stem)
        if label is None:
            return None
        actor = match[1]
        return Clip(path, label, f"thai-ser-{actor}", "thai-ser", "th", genders.get(actor))

    return layout.named(folder, EXAMPLE, parse)


def _emotions(path: Path) -> dict[str, str | None]:
    """Our label by file name without suffix."""
    try:
        return {
            Path(name).stem: TABLE["thai-ser"][entries[0]["majority_emo"]]
            for name, entries in _json(path).items()
        }
    except (AttributeError, IndexError, KeyError, TypeError) as err:
        raise DataError(
            f"{path}: unexpected contents ({err!r}), expected entries like "
            f'{{"{Path(EXAMPLE).name}": [{{"majority_emo": "Neutral"}}]}} with one of '
            f"{', '.join(TABLE['thai-ser'])}"
        ) from err


def _genders(path: Path) -> dict[str, str]:
    """Gender by actor number; nobody's where the file was not fetched."""
    if not path.is_file():
        return {}
    try:
        return {actor["Actor's ID"]: actor["Sex"].lower() for actor in _json(path)["data"]}
    except (AttributeError, KeyError, TypeError) as err:
        raise DataError(
            f"{path}: unexpected contents ({err!r}), expected entries like "
            '{"data": [{"Actor\'s ID": "001", "Sex": "Female"}]}'
        ) from err


def _json(path: Path) -> dict:
    try:
        return json.loads(layout.text(path))
    except json.JSONDecodeError as err:
        raise DataError(f"{path}: is no JSON ({err}); fetch the corpus again") from err
