"""The command line of `python -m training asr`."""

import argparse
from pathlib import Path

from training.arguments import add_command, at_least
from training.asr import commands
from training.asr.digits import HELD_OUT
from utils.command_line.arguments import filled, named_path

ABOUT = "make and adapt recognisers of words (NeMo)"


def add(asr: argparse.ArgumentParser) -> None:
    """Give the parser of `asr` its commands."""
    found = asr.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for run, about in (
        (commands.train, "train the recogniser of spoken digits, and test it on an unheard voice"),
        (commands.evaluate, "test it again on the voice that it never heard"),
        (commands.finetune, "adapt a NeMo model to names, places and voices of your own"),
    ):
        command = add_command(found, run.__name__, about)
        command.set_defaults(run=run)
        if run is commands.finetune:
            _finetune(command)
        else:
            _digits(command)
        if run is not commands.evaluate:
            command.add_argument(
                "--seed",
                type=at_least(0),
                default=0,
                metavar="N",
                help="of the run (default: %(default)s)",
            )
            command.add_argument(
                "--runs",
                type=named_path,
                default=Path("runs"),
                metavar="DIR",
                help="keeps states and logs (default: %(default)s); "
                "tensorboard --logdir DIR shows the curves",
            )
        if run is commands.train:
            command.add_argument(
                "--held-out",
                type=filled,
                default=HELD_OUT,
                metavar="NAME",
                help="the voice for the test (default: %(default)s)",
            )
            command.add_argument(
                "--from",
                type=named_path,
                dest="start",
                metavar="FILE",
                help="an earlier model of these digits to go on from (default: start anew)",
            )


def _digits(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--speech",
        type=named_path,
        required=True,
        metavar="DIR",
        help="recordings of the Free Spoken Digit Dataset",
    )
    command.add_argument(
        "--noise", type=named_path, required=True, metavar="DIR", help="recordings of ESC-10"
    )
    command.add_argument(
        "--weights",
        type=named_path,
        default=commands.WEIGHTS,
        metavar="FILE",
        help="the model (default: the one that ships)",
    )


def _finetune(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "manifest",
        type=named_path,
        metavar="MANIFEST",
        help="NeMo's manifest (JSON lines: audio_filepath, duration, text, perhaps "
        "speaker), or CSV with path, text and perhaps speaker",
    )
    command.add_argument(
        "--from",
        type=named_path,
        required=True,
        dest="start",
        metavar="FILE",
        help="the .nemo file to start from",
    )
    command.add_argument(
        "--to",
        type=named_path,
        required=True,
        dest="weights",
        metavar="FILE",
        help="the .nemo file to write",
    )
    command.add_argument(
        "--epochs",
        type=at_least(1),
        default=10,
        metavar="N",
        help="times that each recording is heard (default: %(default)s)",
    )
