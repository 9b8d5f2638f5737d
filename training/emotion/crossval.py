"""Cross-validation: a network for each fold and seed, kept so that a killed run goes on."""

import hashlib
import json
import logging
import time
from functools import partial
from pathlib import Path

import torch

from training.emotion.bench import Bench
from training.emotion.predictions import Predictions, join
from training.emotion.protocols import Protocol
from training.emotion.splits import Split
from training.emotion.train import logits
from training.emotion.workshop import Workshop
from training.run import forget, make_folder, seconds_of, write_file
from utils.emotion.networks import Network
from utils.errors import DataError

logger = logging.getLogger(__name__)

PREDICTIONS = "predictions.npz"  # in the folder of a fold, and of the protocol when all are done
FACTS = "facts.json"  # of a network that was trained and tested: size, time, first weights
ABOUT = ("protocol", "network", "features", "settings")  # of a run
RUN = "run.json"  # in the folder of the protocol: what is run, and the folders of its folds


def crossval(
    workshop: Workshop | Bench,
    protocol: Protocol,
    seeds: int,
    folder: Path,
    about: dict[str, str],
    only: int | None = None,
) -> Predictions:
    """Answers to every clip that a protocol tests, by networks that never heard its speaker.

    Parameters
    ----------
    seeds : how many networks each fold gets
    folder : a folder in it for each fold and seed keeps its answers, and until it has them its
        state; what is there from the same recipe and clips is not computed again
    about : what is run, for `results`: "protocol", "network", "features", "settings"
    only : number of the one fold that is run, from 1; None runs all

    Raises
    ------
    ConfigError : there is no such fold
    DataError : the folder cannot be written
    """
    splits = dict(enumerate(protocol.splits(workshop.clips), start=1))
    if only is not None:
        splits = {only: protocol.fold(workshop.clips, only)}
    parts = [
        (seed, fold, split, f"{_identity(workshop, split, seed)}-seed{seed}-fold{fold}")
        for seed in range(seeds)
        for fold, split in splits.items()
    ]
    make_folder(folder)
    told = {**about, "folds": _folds(folder / RUN, [name for *_, name in parts])}
    write_file(folder / RUN, (json.dumps(told, indent=2) + "\n").encode())
    predictions = join(
        [
            _fold(workshop, protocol, split, fold, seed, folder / name)
            for seed, fold, split, name in parts
        ]
    )
    predictions.save(folder / PREDICTIONS)
    return predictions


def read_run(path: Path) -> tuple[dict[str, str], list[Path]]:
    """Of one run: what it is, and the folders of its folds.

    Raises
    ------
    DataError : there is none, or it is damaged
    """
    try:
        about = {"settings": "", **json.loads(path.read_text(encoding="utf-8"))}
        if not isinstance(about["folds"], list):
            raise TypeError("folds is no list")
        names = [str(name) for name in about["folds"]]
        about = {name: str(about[name]) for name in ABOUT}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise DataError(f"{path}: not readable ({err}); run its crossval again") from err
    return about, [path.parent / name for name in names]


def _folds(path: Path, names: list[str]) -> list[str]:
    """Folders of folds that count as this run: those of more seeds, asked for before, too.

    A fold that both have tells that recordings and recipe are the same; else what was there is
    of others, and is no longer counted.
    """
    try:
        before = [folder.name for folder in read_run(path)[1]]
    except DataError:
        return names
    if not set(names) & set(before):
        logger.warning("%s: of other recordings or another version; it counts no longer", path)
        return names
    return [*names, *(name for name in before if name not in names)]


def _fold(
    workshop: Workshop | Bench, protocol: Protocol, split: Split, fold: int, seed: int, own: Path
) -> Predictions:
    """One network, trained and tested, or its answers from an earlier run."""
    name = f"{protocol.name}, seed {seed}, fold {fold}"
    if (own / PREDICTIONS).is_file():
        try:
            found = Predictions.load(own / PREDICTIONS)
        except DataError as err:
            logger.warning("%s; tested again", err)
        else:
            logger.info("%s: done before", name)
            forget(own)  # it may have been killed just before it did
            return found
    since = time.process_time()
    model = workshop.train(split.train, seed, own, name)
    trained_s = time.process_time() - since
    tested = [clip for clip in split.test if clip.corpus in protocol.test_corpora]
    predictions = workshop.test(partial(logits, model), tested, fold, seed)
    facts = {
        "parameters": n_parameters(model),
        "weights": workshop.origin,
        "train_s": round(seconds_of(own) or trained_s, 1),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "processor",
        "threads": torch.get_num_threads(),
    }
    make_folder(own)
    write_file(own / FACTS, (json.dumps(facts, indent=2) + "\n").encode())
    predictions.save(own / PREDICTIONS)
    forget(own)
    return predictions


def n_parameters(model: Network) -> int:
    """Numbers that were learnt; of a support vector machine those that it keeps."""
    learnt = sum(weight.numel() for weight in model.parameters())
    return learnt or sum(kept.numel() for kept in model.buffers())


def _identity(workshop: Workshop | Bench, split: Split, seed: int) -> str:
    """Tells runs of one recipe and the same clips from all others."""
    clips = [f"{part}{c.identity}" for part in ("train", "test") for c in getattr(split, part)]
    clips += [f"reads {c.speaker}/{c.path.name}" for c in workshop.read]
    recipe = f"{workshop.config} {workshop.model_config} {workshop.identity} {seed}"
    return hashlib.sha256("\n".join([recipe, *clips]).encode()).hexdigest()[:8]
