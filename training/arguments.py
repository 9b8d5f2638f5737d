"""Arguments that several commands of `python -m training` share."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from utils.command_line.arguments import named_path


def add_command(
    found: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str
) -> argparse.ArgumentParser:
    """A command, and what it is about; names in that keep their capitals."""
    return found.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")


def add_weights(command: argparse.ArgumentParser, default: Path) -> None:
    """`--weights`, the checkpoint that is written or tested."""
    command.add_argument(
        "--weights",
        type=named_path,
        default=default,
        metavar="FILE",
        help="the checkpoint (default: the one that ships)",
    )


def add_readers(command: argparse.ArgumentParser) -> None:
    """`--speech`, people who read aloud."""
    command.add_argument(
        "--speech", type=named_path, required=True, metavar="DIR", help="readers of LibriSpeech"
    )


def at_least(least: int) -> Callable[[str], int]:
    """Reads a whole number from the command line."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from {least} on")
        return int(text)

    return read


def number(text: str) -> float:
    """Reads a number from the command line."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number")
    return found
