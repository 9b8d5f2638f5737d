"""Make the emotion models, the recogniser of digits and the head that names sounds, and judge them.

The corpora lie in one folder, each under the name that `corpora` shows; noise/esc10 and
speech/librispeech-dev-clean lie beside that folder. All long work shows its progress, and goes
on where it was stopped.
"""

if __name__ == "__main__":
    from utils.command_line.at_start import imported

import argparse
import logging
import sys
from pathlib import Path

from emotion_model import WEIGHTS
from training import parallel
from training.arguments import add_command, add_weights, at_least
from training.corpora import READERS
from utils.command_line.arguments import filled, named_path
from utils.command_line.output import run
from utils.errors import AppError, ConfigError

try:
    from training import commands, voices
    from training.asr import arguments as asr_arguments
    from training.emotion.arguments import add_features, add_network
    from training.emotion.protocols import PROTOCOLS
    from training.evaluation import commands as evaluation_commands
    from training.features.commands import (
        ABOUT_MERGE,
        ABOUT_PLOTS,
        add_extract,
        add_merge,
        add_plots,
    )
    from training.search import commands as search_commands
    from training.sounds import commands as sounds_commands
except ModuleNotFoundError as err:  # the program runs without what only the workshop imports
    package = str(err.name).partition(".")[0]
    install = ".venv/bin/pip install -r training/requirements.txt"
    sys.exit(f"the package {package} is missing; install what training needs with: {install}")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 1 where its input is not what it should be."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if options.run is not commands.train and parallel.started():
            raise ConfigError("torchrun is for `train`: start this command without it")
        with parallel.joined():
            options.run(options)
    except AppError as err:
        print(err, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for work, about, groups in (
        (
            commands.corpora,
            "show which corpora are there, and every file that cannot be read",
            (_corpora, _plots),
        ),
        (
            commands.extract,
            "compute the features of all corpora; or write some as a file, .csv or .npz",
            (_corpora, _cache, add_extract),
        ),
        (
            commands.crossval,
            "test the recipe on unheard voices, and write a report",
            (_protocol, _corpora, _cache, _runs, add_network, add_features),
        ),
        (
            commands.train,
            "train a network on all voices, and save it as a checkpoint",
            (_corpora, _cache, _runs, _weights, _seed, _only, add_network, add_features),
        ),
        (
            commands.calibrate,
            "fit a checkpoint's probabilities and thresholds to what crossval found, and keep them",
            (_answers, _weights),
        ),
        (
            evaluation_commands.evaluate_,
            "test a checkpoint on the speakers of a corpus that it never heard, or on a folder of "
            "recordings",
            (_tested, _cache, _runs, _weights),
        ),
        (
            commands.results,
            "collect finished and running folds of all runs into one table",
            (_runs, _results),
        ),
        (commands.report, "write a report on what crossval found, or on a part of it", (_report,)),
    ):
        name = work.__name__.removesuffix("_")
        command = add_command(found, name, about)
        command.set_defaults(run=work)
        for group in groups:
            group(command)
    add_merge(add_command(found, "merge", ABOUT_MERGE))
    add_plots(add_command(found, "plots", ABOUT_PLOTS))
    search = add_command(found, "search", search_commands.ABOUT)
    search_commands.add_arguments(search, (_corpora, _cache, _runs, _seed))
    asr_arguments.add(add_command(found, "asr", asr_arguments.ABOUT))
    sounds_commands.add_arguments(add_command(found, "sounds", sounds_commands.ABOUT))
    voices.add_arguments(add_command(found, "voices", voices.ABOUT))
    return parser


def _corpora(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--corpora",
        type=named_path,
        required=True,
        dest="folder",
        metavar="DIR",
        help="folder that holds ravdess/, tess/ and so on",
    )


def _cache(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cache",
        type=named_path,
        default=Path(".cache/features"),
        metavar="DIR",
        help="keeps computed features (default: %(default)s)",
    )


def _runs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runs",
        type=named_path,
        default=Path("runs"),
        metavar="DIR",
        help="keeps states, logs and reports (default: %(default)s); "
        "tensorboard --logdir DIR shows the curves",
    )


def _weights(command: argparse.ArgumentParser) -> None:
    add_weights(command, WEIGHTS)


def _protocol(command: argparse.ArgumentParser) -> None:
    protocols = "\n".join(f"  {p.name:12} {p.about}" for p in PROTOCOLS.values())
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.description = f"{command.description}\n\nprotocols:\n{protocols}"
    command.add_argument(
        "protocol",
        choices=PROTOCOLS,
        metavar="PROTOCOL",
        help="who trains and who is tested, as listed above",
    )
    command.add_argument(
        "--seeds",
        type=at_least(1),
        default=3,
        metavar="N",
        help="networks for each fold (default: %(default)s)",
    )
    command.add_argument(
        "--fold", type=at_least(1), metavar="N", help="run this fold alone, numbered from 1"
    )


def _seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seed",
        type=at_least(0),
        default=0,
        metavar="N",
        help="of the run (default: %(default)s)",
    )


def _plots(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--plots",
        type=named_path,
        metavar="FOLDER",
        help="draw classes, lengths, levels, speakers and languages there",
    )


def _results(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out",
        type=named_path,
        metavar="FOLDER",
        help="of tables and pictures (default: RUNS/results)",
    )


def _only(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--only", choices=READERS, nargs="+", metavar="CORPUS", help="train on these alone"
    )


def _answers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "predictions",
        type=named_path,
        nargs="+",
        metavar="FILE",
        help="predictions.npz of protocols",
    )
    command.add_argument(
        "--unheard",
        type=named_path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="predictions.npz of `crossval unheard`, whose corpora were left out whole: the "
        "thresholds are chosen there",
    )


def _tested(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "what",
        type=filled,
        metavar="CORPUS|FOLDER",
        help=f"one of {', '.join(READERS)}, with --corpora; without it a folder of recordings, "
        "whose labels are read from their names or from those of the folders in it: as a corpus "
        "here names them, or a word such as angry",
    )
    command.add_argument(
        "--corpora",
        type=named_path,
        dest="folder",
        metavar="DIR",
        help="folder that holds ravdess/, tess/ and so on",
    )


def _report(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "predictions", type=named_path, metavar="FILE", help="predictions.npz of a protocol"
    )
    command.add_argument("folder", type=named_path, metavar="FOLDER", help="where the report goes")
    command.add_argument(
        "--corpus", choices=READERS, metavar="CORPUS", help="only answers to this corpus"
    )
    command.add_argument(
        "--shipped", action="store_true", help="only the six classes of the shipped model"
    )


if __name__ == "__main__":
    imported()
    sys.exit(run(main))
