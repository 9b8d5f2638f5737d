"""Cross-validation: a network for each fold and seed, kept so that a killed run goes on."""

import hashlib
import logging
from functools import partial
from pathlib import Path

from training.emotion.baseline import Baseline
from training.emotion.predictions import Predictions, join
from training.emotion.protocols import Protocol
from training.emotion.splits import Split
from training.emotion.train import logits
from training.emotion.workshop import Workshop
from utils.errors import DataError

logger = logging.getLogger(__name__)

PREDICTIONS = "predictions.npz"  # in the folder of a fold, and of the protocol when all are done


def crossval(
    workshop: Workshop, protocol: Protocol, seeds: int, folder: Path, svm: bool = False
) -> Predictions:
    """Answers to every clip that a protocol tests, by networks that never heard its speaker.

    Parameters
    ----------
    seeds : how many networks each fold gets
    folder : a folder in it for each fold and seed keeps its state and its answers; what is
        there from the same recipe and clips is not computed again
    svm : test the baseline instead, which has no seed

    Raises
    ------
    DataError : the folder cannot be written
    """
    splits = protocol.splits(workshop.clips)
    parts = [
        _fold(workshop, protocol, split, fold, seed, folder, svm)
        for seed in range(1 if svm else seeds)
        for fold, split in enumerate(splits, start=1)
    ]
    predictions = join(parts)
    predictions.save(folder / PREDICTIONS)
    return predictions


def _fold(
    workshop: Workshop,
    protocol: Protocol,
    split: Split,
    fold: int,
    seed: int,
    folder: Path,
    svm: bool,
) -> Predictions:
    """One network, trained and tested, or its answers from an earlier run."""
    name = f"{protocol.name}, seed {seed}, fold {fold}"
    own = folder / f"{_identity(workshop, split, seed)}-seed{seed}-fold{fold}"
    if (own / PREDICTIONS).is_file():
        try:
            found = Predictions.load(own / PREDICTIONS)
        except DataError as err:
            logger.warning("%s; tested again", err)
        else:
            logger.info("%s: done before", name)
            return found
    if svm:
        answer = Baseline(workshop.examples, split.train).logits
    else:
        answer = partial(logits, workshop.train(split.train, seed, own, name))
    tested = [clip for clip in split.test if clip.corpus in protocol.test_corpora]
    predictions = workshop.test(answer, tested, fold, seed)
    predictions.save(own / PREDICTIONS)
    return predictions


def _identity(workshop: Workshop, split: Split, seed: int) -> str:
    """Tells runs of one recipe and the same clips from all others."""
    clips = [
        f"{part}{c.speaker}/{c.path.name}/{c.label}"
        for part in ("train", "test")
        for c in getattr(split, part)
    ]
    clips += [f"reads {c.speaker}/{c.path.name}" for c in workshop.read]
    recipe = f"{workshop.config} {workshop.model_config} {workshop.examples.identity} {seed}"
    return hashlib.sha256("\n".join([recipe, *clips]).encode()).hexdigest()[:8]
