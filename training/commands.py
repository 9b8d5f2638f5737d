"""What the commands of `python -m training` do."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from tqdm import tqdm

from emotion_model import WEIGHTS, EmotionLSTM, EmotionRecognizer, Network
from training import corpora as readers
from training import parallel
from training.corpora import LABELS, SHIPPED, Clip
from training.corpora.overview import overview, to_text
from training.emotion.arguments import Choice, chosen
from training.emotion.bench import Bench
from training.emotion.calibrate import calibrate as run_calibrate
from training.emotion.calibrate import summary
from training.emotion.config import TrainConfig
from training.emotion.crossval import crossval as run_crossval
from training.emotion.predictions import Predictions, labels_of
from training.emotion.protocols import ALL, PROTOCOLS
from training.emotion.splits import LEAST_JUDGED, check_voices, validation_speakers
from training.emotion.workshop import Workshop
from training.features.commands import check_bare, extract_file
from training.inputs import features_here, read_all, read_aloud
from training.reports.eda import draw_corpora, measure
from training.reports.results import begun, collect, write_results
from training.reports.terminal import say_report
from training.run import forget, make_folder
from utils.checkpoint import check_place
from utils.command_line.output import counted
from utils.emotion.networks.config import OURS, SVM
from utils.errors import ConfigError, DataError

logger = logging.getLogger(__name__)


def corpora(options: argparse.Namespace) -> None:
    """Print a table of the corpora that are there; draw what they are like."""
    clips = read_all(options.folder)
    with tqdm(total=len(clips), desc="recordings", disable=None) as bar:
        found = overview(clips, lambda done, _: bar.update(done - bar.n))
    print(to_text(found))
    if options.plots:
        make_folder(options.plots, "--plots")
        with tqdm(total=len(clips), desc="lengths and levels", disable=None) as bar:
            measured = measure(clips, bar.update)
        if not measured:
            raise DataError(f"{options.folder}: none of {len(clips)} recordings can be read")
        print("\n".join(map(str, draw_corpora(measured, options.plots))))


def extract(options: argparse.Namespace) -> None:
    """Compute the features of every corpus that is there; or write some as a file."""
    if options.features is not None or options.out is not None:
        extract_file(options)
        return
    check_bare(options)
    workshop = _workshop(read_all(options.folder, options.only), options)
    print(f"ready in {options.cache}: {counted(len(workshop.clips), 'recording')}")


def crossval(options: argparse.Namespace) -> None:
    """Train and test by a protocol, and write a report for each corpus and set of classes."""
    choice, protocol = chosen(options), PROTOCOLS[options.protocol]
    workshop = _bench(protocol.read(options.folder), choice, options)
    one = [] if options.fold is None else [f"fold {options.fold}"]
    folder = options.runs / "-".join([protocol.name + choice.name, *one]).replace(" ", "")
    about = {
        "protocol": protocol.name,
        "network": choice.network,
        "features": choice.kind,
        "settings": ", ".join([*choice.settings, *one]),
    }
    seeds = 1 if choice.network == SVM else options.seeds  # it has no chance in it
    predictions = run_crossval(workshop, protocol, seeds, folder, about, options.fold)
    for corpus in protocol.test_corpora:
        part = predictions.only(predictions.column("corpus") == corpus)
        if not len(part):  # of a fold of fewer corpora
            continue
        known = labels_of(part)
        shipped = tuple(label for label in known if label in SHIPPED)
        for labels in dict.fromkeys((known, shipped)):
            title = f"{corpus}, {len(labels)} classes: {protocol.about}"
            say_report(part.restrict(labels), folder / f"report-{corpus}-{len(labels)}", title)


def train(options: argparse.Namespace) -> None:
    """Train on all voices but those that choose when to stop, and save the shipped classes."""
    choice = chosen(options)
    names = options.only or ALL
    clips = [c for name in names for c in readers.read(name, options.folder / name)]
    if choice.network != OURS and options.weights == WEIGHTS:
        raise ConfigError(
            f"{choice.network} is not the network that ships: name its --weights FILE"
        )
    if parallel.leads():
        check_place(options.weights)
    folder = options.runs / f"train{choice.name}-{options.seed}"
    if choice.network != OURS:
        clips = [clip for clip in clips if clip.label in SHIPPED]
    need = ("train with", "give --only corpora of more speakers")
    check_voices(clips, *need)
    with parallel.in_turn():  # the first fills the folder of features
        workshop = _bench(clips, choice, options, SHIPPED)
    check_voices(workshop.clips, *need)  # of whom some may be unreadable
    judged = validation_speakers(workshop.clips, options.seed)
    if not judged and parallel.leads():
        logger.warning(
            "no corpus has %d speakers, of whom one could judge: no voice chooses when to stop, "
            "and nothing is calibrated",
            LEAST_JUDGED,
        )
    model: Network
    judgement = None
    if isinstance(workshop, Workshop):
        ours = workshop.train(workshop.clips, options.seed, folder, "all voices")
        model = only_classes(ours, SHIPPED)
    else:
        model = other = workshop.train(workshop.clips, options.seed, folder, "all voices")
        judgement = workshop.judgement(other, options.seed)
    if not parallel.leads():
        return
    facts = {
        "network": choice.network,
        "recipe": asdict(workshop.config),
        "seed": options.seed,
        "first weights": workshop.origin,
        "corpora": sorted({clip.corpus for clip in workshop.clips}),
        "speakers": sorted({clip.speaker for clip in workshop.clips}),
        "classes": [x for x in SHIPPED if any(clip.label == x for clip in workshop.clips)],
    }
    recognizer = EmotionRecognizer(
        model,
        SHIPPED,
        workshop.cache.encoder,
        workshop.cache.config,
        judgement,
        facts=facts,
    )
    recognizer.save(options.weights)
    forget(folder)
    size_mb = options.weights.stat().st_size / 1e6
    if choice.network == OURS:
        then = "now calibrate it: until then it names nothing"
    elif judged:
        then = "app.py --emotion FILE hears with it"
    else:
        then = "nobody judged it: it names nothing"
    print(f"{options.weights}: {size_mb:.2f} MB; {then}")


def results(options: argparse.Namespace) -> None:
    """Collect finished and running folds into one table."""
    if not options.runs.is_dir():
        raise DataError(f"{options.runs}: no such folder; `python -m training crossval` makes it")
    print(write_results(collect(options.runs), options.out or options.runs / "results"))
    for line in begun(options.runs):
        print(f"no fold is finished yet of {line}")


def calibrate(options: argparse.Namespace) -> None:
    """Set temperature and thresholds of a checkpoint by answers to voices it never heard."""
    recognizer = EmotionRecognizer.load(options.weights)
    check_place(options.weights)
    voices, unheard = (
        [Predictions.load(path) for path in paths]
        for paths in (options.predictions, options.unheard)
    )
    run_calibrate(recognizer, voices, unheard)
    recognizer.save(options.weights)
    print(f"{options.weights}\n{summary(recognizer)}")


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
    labels = [x for x in labels_of(predictions) if not options.shipped or x in SHIPPED]
    title = f"{options.corpus or 'all corpora'}, {len(labels)} classes"
    say_report(predictions.restrict(labels), options.folder, title)


def only_classes(model: EmotionLSTM, labels: Sequence[str]) -> EmotionLSTM:
    """A network of `LABELS` without the classes that are not in `labels`."""
    state = model.state_dict()
    rows = [LABELS.index(label) for label in labels]
    for name, value in state.items():
        if name.endswith(("out.weight", "out.bias")):
            state[name] = value[rows]
    smaller = EmotionLSTM(replace(model.config, n_classes=len(labels)))
    smaller.load_state_dict(state)
    return smaller.eval()


def _bench(
    clips: Sequence[Clip],
    choice: Choice,
    options: argparse.Namespace,
    labels: tuple[str, ...] = LABELS,
) -> Workshop | Bench:
    """Where the network that was asked for is trained."""
    if choice.network == OURS:
        return _workshop(clips, options)
    cache = features_here(options, choice.features)
    return Bench(clips, cache, choice.fit, choice.network, choice.shape, labels)


def _workshop(clips: Sequence[Clip], options: argparse.Namespace) -> Workshop:
    return Workshop(clips, features_here(options, None), TrainConfig(), read_aloud(options))
