"""IEMOCAP: Interactive Emotional Dyadic Motion Capture, English."""

import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import TABLE
from utils.errors import DataError

EXAMPLE = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
EVALUATIONS = "Session[1-5]/dialog/EmoEvaluation/Ses*.txt"
# "[6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]"
TURN = re.compile(r"^\[[\d.]+ - [\d.]+\]\t(\S+)\t(\S+)\t\[", re.MULTILINE)
NAME = re.compile(r"Ses0([1-5])[FM]_\w+_([FM])\w*\d+")  # session, and who speaks in this turn
GENDERS = {"F": "female", "M": "male"}


def read(folder: Path) -> list[Clip]:
    """Turns of IEMOCAP that most of their raters gave one of our labels.

    `folder` is IEMOCAP_full_release, with Session1 to Session5 or some of them. Labels are
    those of dialog/EmoEvaluation, the majority among at least three raters; where the corpus
    found none (xxx), the turn is left out. Busso and others, "IEMOCAP: interactive emotional
    dyadic motion capture database", Language Resources and Evaluation 42, 2008. For research
    only, on application.

    Raises
    ------
    DataError : no such folder, no evaluations in it, a turn or a label that IEMOCAP does not
        use, or a turn without its recording
    """
    layout.existing(folder, EXAMPLE)
    evaluations = sorted(folder.glob(EVALUATIONS))
    if not evaluations:
        raise DataError(
            f"{folder}: no {EVALUATIONS} in it, expected the folder IEMOCAP_full_release; "
            f"found {layout.listed(sorted(p.name for p in folder.iterdir())) or 'nothing'}"
        )
    return [clip for path in evaluations for clip in _turns(path)]


def _turns(evaluation: Path) -> list[Clip]:
    """Clips of one dialogue."""
    turns = TURN.findall(layout.text(evaluation))
    if not turns:
        raise DataError(f"{evaluation}: no evaluated turn in it; fetch the corpus again")
    wav = evaluation.parents[2] / "sentences" / "wav" / evaluation.stem
    clips = []
    for turn, emotion in turns:
        match = NAME.fullmatch(turn)
        if match is None or emotion not in TABLE["iemocap"]:
            raise DataError(
                f"{evaluation}: turn {turn} labelled {emotion}, expected names like "
                f"{Path(EXAMPLE).stem} and labels among {', '.join(TABLE['iemocap'])}"
            )
        label, path = TABLE["iemocap"][emotion], wav / f"{turn}.wav"
        if label is None:
            continue
        if not path.is_file():
            raise DataError(f"{path}: no such file, though {evaluation.name} has the turn")
        session, who = match.groups()
        clips.append(Clip(path, label, f"iemocap-{session}{who}", "iemocap", "en", GENDERS[who]))
    return clips
