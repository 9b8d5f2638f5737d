"""`python -m training evaluate`: a checkpoint on speech that it never heard.

Of a corpus it has features kept and labels known; of loose recordings (`loose`) it hears
each as the live program does, and labels are known only where names tell them.
"""

import argparse
import csv
import hashlib
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from emotion_model import EmotionRecognizer
from training import corpora as readers
from training.corpora import READERS, TABLE, Clip
from training.emotion.predictions import CLEAN, Predictions, labels_of
from training.emotion.train import logits
from training.evaluation.loose import Loose, read_loose
from training.inputs import cache_of
from training.reports.terminal import classes_text, named_text, say_report
from training.run import make_folder, write_file
from utils.command_line.output import counted
from utils.errors import AudioError, ConfigError, DataError
from utils.events import Emotion

ANSWERS = "answers.csv"  # beside the report: a line for each loose recording
LEAST = 1e-12  # of a score whose logarithm is taken


@dataclass(frozen=True)
class Answer:
    """What was named of a loose recording.

    Attributes
    ----------
    of : the recording
    emotion : None where nothing was sure or likely
    scores : calibrated probability of each class
    duration_s : of its sound
    """

    of: Loose
    emotion: Emotion | None
    scores: dict[str, float]
    duration_s: float


def evaluate_(options: argparse.Namespace) -> None:
    """Test a checkpoint on a corpus that it did not train on, or on a folder of recordings."""
    recognizer = EmotionRecognizer.load(options.weights)
    if options.folder is None:
        _evaluate_loose(recognizer, Path(options.what), options)
    elif options.what in READERS:
        _evaluate_corpus(recognizer, options.what, options)
    else:
        raise ConfigError(
            f"{options.what}: no corpus of that name, expected one of {', '.join(READERS)}; a "
            "folder of recordings of your own is named without --corpora"
        )


def taught(recognizer: EmotionRecognizer) -> tuple[str, ...]:
    """The classes of which its training had examples, as far as the checkpoint tells; else all."""
    facts = recognizer.facts
    if "classes" in facts:
        known = set(facts["classes"])
    else:  # of before it was kept
        known = {x for corpus in facts.get("corpora", ()) for x in TABLE.get(corpus, {}).values()}
    return tuple(x for x in recognizer.labels if x in known) or recognizer.labels


def _evaluate_corpus(
    recognizer: EmotionRecognizer, corpus: str, options: argparse.Namespace
) -> None:
    clips = _unheard(recognizer, readers.read(corpus, options.folder / corpus))
    if not clips:
        raise DataError(
            f"{options.weights} trained on every speaker of {corpus}, expected unheard "
            "ones: `crossval` tests its recipe on them"
        )
    clips = _learnt(recognizer, clips)
    if not clips:
        raise DataError(f"{options.weights} learnt no class that {corpus} has")
    cache = cache_of(options, recognizer.feature_config, recognizer.encoder)
    clips = cache.prepare(clips, 1)
    found = logits(recognizer.model, [cache.get(clip, 0) for clip in clips])
    lengths_s = [cache.length_s(clip) for clip in clips]
    predictions = _predictions(recognizer.labels, found, clips, lengths_s)
    figures = say_report(
        predictions.restrict(labels_of(predictions)),
        _place(options.folder / corpus, options),
        f"{options.weights.name} on {corpus}",
        recognizer.trusted().temperature,
    )
    print(classes_text(figures))


def _evaluate_loose(
    recognizer: EmotionRecognizer, folder: Path, options: argparse.Namespace
) -> None:
    if not folder.is_dir() and options.what in READERS:
        raise ConfigError(f"{options.what}: give --corpora DIR too, the folder that it lies in")
    if not folder.is_dir():
        what = "is one file" if folder.exists() else "no such folder"
        raise DataError(
            f"{folder}: {what}; give a folder of recordings, or ask of one recording with: "
            "python emotion_model.py analyze FILE"
        )
    loose = read_loose(folder)
    answers = _hear(recognizer, loose)
    all_of_them = counted(len(loose), "recording")
    if not answers:
        raise DataError(f"{folder}: none of {all_of_them} can be heard, as told above")
    print(f"{len(answers)} of {all_of_them} in {folder}, by {options.weights.name}")
    print(named_text([(answer.emotion, answer.scores) for answer in answers], recognizer.labels))
    out = _place(folder, options)
    make_folder(out)
    write_file(out / ANSWERS, _csv(answers, recognizer.labels))
    print(f"each of them: {out / ANSWERS}")
    for reason, n in Counter(a.of.reason for a in answers if a.of.reason).items():
        print(f"{n} without a label: {reason}")
    _judge_loose(recognizer, answers, out, options.weights.name)


def _place(tested: Path, options: argparse.Namespace) -> Path:
    """Where the answers of a checkpoint to the recordings of a folder lie, and those of no other.

    Names of both are there to be found by; others may have the same, but not the same paths.
    """
    folder, weights = (Path(os.path.abspath(path)) for path in (tested, options.weights))
    digest = hashlib.sha256(os.fsencode(folder) + b"\0" + os.fsencode(weights)).hexdigest()[:8]
    return options.runs / f"evaluate-{folder.name}-{weights.stem}-{digest}"


def _judge_loose(
    recognizer: EmotionRecognizer, answers: Sequence[Answer], out: Path, name: str
) -> None:
    """How often those are recognised whose names tell a label that was learnt by other voices."""
    clips = _unheard(recognizer, [answer.of.clip for answer in answers if answer.of.clip])
    clips = _learnt(recognizer, clips)
    if not clips:
        print("No accuracy: no label is known that the network could be asked about.")
        return
    by_path = {answer.of.path: answer for answer in answers}
    own = [by_path[clip.path] for clip in clips]
    scores = np.array([[answer.scores[x] for x in recognizer.labels] for answer in own])
    temperature = recognizer.trusted().temperature
    found = (temperature * np.log(np.maximum(scores, LEAST))).astype(np.float32)
    lengths_s = [answer.duration_s for answer in own]
    predictions = _predictions(recognizer.labels, found, clips, lengths_s)
    title = f"{name} on {counted(len(own), 'recording')} labelled by name"
    figures = say_report(predictions.restrict(taught(recognizer)), out, title, temperature)
    print(classes_text(figures))


def _hear(recognizer: EmotionRecognizer, loose: Sequence[Loose]) -> list[Answer]:
    """What is named of each recording, as live; those that cannot be heard are told."""
    answers = []
    for each in tqdm(loose, desc="recordings", disable=None):
        try:
            emotion, scores, duration_s = recognizer.predict_file(each.path)
        except AudioError as err:
            tqdm.write(f"left out: {each.path}: {str(err).removeprefix(f'{each.path}: ')}")
        else:
            answers.append(Answer(each, emotion, scores, duration_s))
    return answers


def _unheard(recognizer: EmotionRecognizer, clips: Sequence[Clip]) -> list[Clip]:
    """Clips without the voices of its training; how many those are is told."""
    heard = set(recognizer.facts.get("speakers", ()))
    unheard = [clip for clip in clips if clip.speaker not in heard]
    if n := len(clips) - len(unheard):
        print(f"left out of what is judged: {n} by voices that it trained on")
    return unheard


def _learnt(recognizer: EmotionRecognizer, clips: Sequence[Clip]) -> list[Clip]:
    """Clips of the classes that it had examples of; how many others there are is told."""
    known = taught(recognizer)
    if others := Counter(clip.label for clip in clips if clip.label not in known):
        counts = ", ".join(f"{label} ({n})" for label, n in others.items())
        print(f"left out of what is judged: {counts}; the network learnt {', '.join(known)} alone")
    return [clip for clip in clips if clip.label in known]


def _predictions(
    labels: tuple[str, ...],
    found: np.ndarray,
    clips: Sequence[Clip],
    lengths_s: Sequence[float],
) -> Predictions:
    n = len(clips)
    zeros = np.zeros(n, int)
    return Predictions(
        labels, found, tuple(clips), zeros, zeros, np.array(lengths_s), np.full(n, CLEAN)
    )


def _csv(answers: Sequence[Answer], labels: Sequence[str]) -> bytes:
    """Of each recording its label where one is known, what was named, and its scores."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(("path", "label", "named", "grade", "duration_s", *labels))
    for answer in answers:
        label = answer.of.clip.label if answer.of.clip else ""
        emotion = answer.emotion
        named = (emotion.label, emotion.grade) if emotion else ("", "")
        scores = [f"{answer.scores[x]:.4f}" for x in labels]
        table.writerow((answer.of.path, label, *named, f"{answer.duration_s:.2f}", *scores))
    return file.getvalue().encode(errors="backslashreplace")  # a name may hold any bytes
