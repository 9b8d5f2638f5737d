"""Make the emotion models and the recogniser of digits, and judge them on unheard voices.

The corpora lie in one folder, each under the name that `corpora` shows; noise/esc10 and
speech/librispeech-dev-clean lie beside that folder. All long work shows its progress, and goes
on where it was stopped.
"""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from emotion_model import WEIGHTS
from training.corpora import READERS
from utils.command_line.output import run
from utils.errors import AppError

try:
    from training import commands
    from training.asr import arguments as asr_arguments
    from training.emotion.protocols import PROTOCOLS
except ModuleNotFoundError as err:  # the program runs without what only the workshop imports
    package = str(err.name).partition(".")[0]
    install = ".venv/bin/pip install -r training/requirements.txt"
    sys.exit(f"the package {package} is missing; install what training needs with: {install}")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 1 where its input is not what it should be."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
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
            (_corpora,),
        ),
        (
            commands.extract,
            "compute the features of all corpora; other commands do it as needed",
            (_corpora, _cache),
        ),
        (
            commands.crossval,
            "test the recipe on unheard voices, and write a report",
            (_protocol, _corpora, _cache, _runs),
        ),
        (
            commands.train,
            "train a network on all voices, and save it as a checkpoint",
            (_corpora, _cache, _runs, _weights, _seed),
        ),
        (
            commands.calibrate,
            "fit a checkpoint's probabilities and thresholds to what crossval found, and keep them",
            (_answers, _weights),
        ),
        (
            commands.evaluate_,
            "test a checkpoint on the speakers that it never heard",
            (_corpus, _corpora, _cache, _runs, _weights),
        ),
        (commands.report, "write a report on what crossval found, or on a part of it", (_report,)),
    ):
        name = work.__name__.removesuffix("_")
        command = found.add_parser(name, help=about, description=about.capitalize() + ".")
        command.set_defaults(run=work)
        for group in groups:
            group(command)
    about = asr_arguments.ABOUT
    asr = found.add_parser("asr", help=about, description=f"{about[0].upper()}{about[1:]}.")
    asr_arguments.add(asr, _at_least)
    return parser


def _corpora(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--corpora",
        type=Path,
        required=True,
        dest="folder",
        metavar="DIR",
        help="folder that holds ravdess/, tess/ and so on",
    )


def _cache(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cache",
        type=Path,
        default=Path(".cache/features"),
        metavar="DIR",
        help="keeps computed features (default: %(default)s)",
    )


def _runs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--runs",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="keeps states, logs and reports (default: %(default)s); "
        "tensorboard --logdir DIR shows the curves",
    )


def _weights(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        metavar="FILE",
        help="the checkpoint (default: the one that ships)",
    )


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
        type=_at_least(1),
        default=3,
        metavar="N",
        help="networks for each fold (default: %(default)s)",
    )
    command.add_argument(
        "--svm",
        action="store_true",
        help="test a support vector machine on statistics of the features "
        "instead: the baseline, in seconds",
    )


def _seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seed",
        type=_at_least(0),
        default=0,
        metavar="N",
        help="of the run (default: %(default)s)",
    )


def _answers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "predictions", type=Path, nargs="+", metavar="FILE", help="predictions.npz of protocols"
    )
    command.add_argument(
        "--unheard",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="predictions.npz of `crossval unheard`, whose corpora were left out whole: the "
        "thresholds are chosen there",
    )


def _corpus(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "corpus", choices=READERS, metavar="CORPUS", help=f"one of {', '.join(READERS)}"
    )


def _report(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "predictions", type=Path, metavar="FILE", help="predictions.npz of a protocol"
    )
    command.add_argument("folder", type=Path, metavar="FOLDER", help="where the report goes")
    command.add_argument(
        "--corpus", choices=READERS, metavar="CORPUS", help="only answers to this corpus"
    )
    command.add_argument(
        "--shipped", action="store_true", help="only the six classes of the shipped model"
    )


def _at_least(least: int) -> Callable[[str], int]:
    """Reads a whole number from the command line."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from {least} on")
        return int(text)

    return read


if __name__ == "__main__":
    sys.exit(run(main))
