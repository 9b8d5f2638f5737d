"""What can be written behind the programs: no name, path or address can hold a NUL."""

import argparse
from collections.abc import Iterator

import pytest

from training.__main__ import _parser
from utils import config
from utils.command_line.arguments import parser
from utils.command_line.emotion import arguments as of_emotion

LOOKED_UP = {"model", "features", "map"}  # among names that are known
PARSERS = (
    *(parser("captions"), _parser()),
    *(of_emotion.files(), of_emotion.record(), of_emotion.microphone(), of_emotion.analyze()),
)


def texts(command: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments that take any text, those of commands below too."""
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from texts(below)
        elif action.nargs != 0 and action.choices is None and action.dest not in LOOKED_UP:
            yield action


@pytest.mark.parametrize("command", PARSERS, ids=lambda command: command.prog)
def test_each_argument_refuses_what_no_name_can_be(command: argparse.ArgumentParser) -> None:
    found = list(texts(command))
    assert found
    for action in found:
        with pytest.raises((argparse.ArgumentTypeError, ValueError, config.ConfigError)):
            if command is PARSERS[0] and action.dest in config.NAMES and action.type is None:
                config.typed_as(action.dest, "a\0b")
            else:
                (action.type or str)("a\0b")  # type: ignore[operator]  # none is a registered name


def test_it_is_told_what_is_wrong(capsys) -> None:
    with pytest.raises(SystemExit):
        parser("captions").parse_args(["caption", "a", "--out", "b\0c"])
    assert "--out: it holds a NUL character; give it without" in capsys.readouterr().err
