"""`python emotion_model.py`: how speech was spoken, in recordings or at the microphone.

`files` hears recordings as a whole, `record` the microphone, `lines` it line by line, `analyze` a
recording by `chunks`, which it shows as `bars` and as a `timeline`, plays (`player`), and fetches
where it lies behind an address (`fetched`). `stats` is the workshop's `evaluate`.
"""

import argparse
import runpy
import sys
from pathlib import Path
from typing import cast

from utils.command_line.emotion import arguments as known
from utils.command_line.emotion.analyze import analyze
from utils.command_line.emotion.files import say_files
from utils.command_line.emotion.kept import Kept
from utils.command_line.emotion.recognizer import Load
from utils.command_line.emotion.record import record
from utils.command_line.output import note
from utils.errors import AppError


def say(load: Load, arguments: list[str] | None = None) -> int:
    """Do what the command line asks for; the exit status is 1 where a sound was unusable.

    Parameters
    ----------
    load : reads a checkpoint
    arguments : those of the process where None
    """
    words = sys.argv[1:] if arguments is None else arguments
    commands = {
        "record": _record,
        "microphone": _microphone,
        "analyze": _analyze,
        "stats": _stats,
    }
    command = commands.get(words[0] if words else "")
    try:
        return command(load, words[1:]) if command else _files(load, words)
    except AppError as err:
        note(str(err))
        return 1


def _files(load: Load, words: list[str]) -> int:
    options = known.files().parse_args(words)
    return say_files(load(options.emotion), options.files, options.together)


def _record(load: Load, words: list[str]) -> int:
    options = known.record().parse_args(words)
    out = _kept(options.out, options)
    record(load(options.emotion), options.seconds, options.microphone, out)
    return 0


def _microphone(load: Load, words: list[str]) -> int:
    # here, as they come with all that captions need
    from utils.command_line.emotion.lines import tell_lines
    from utils.live.loading import OpenEmotion

    options = known.microphone().parse_args(words)
    both = cast(OpenEmotion, load)  # `emotion_model.EmotionRecognizer` is what either wants
    tell_lines(both, options.emotion, options.microphone, options.language, options.text)
    return 0


def _analyze(load: Load, words: list[str]) -> int:
    options = known.analyze().parse_args(words)
    plot = _kept(options.plot, options)
    analyze(
        load(options.emotion),
        options.recording,
        options.chunk,
        plays=options.play,
        jsonl=options.jsonl,
        plot=plot,
    )
    return 0


def _stats(_load: Load, words: list[str]) -> int:
    """Run the workshop, which the program does without: it is no part of it to be imported."""
    options = known.stats().parse_args(words)
    # so that none is taken for an option
    places = [f"--corpora={options.corpora}", f"--weights={options.checkpoint}"]
    sys.argv = ["training", "evaluate", *places, "--", options.corpus]
    runpy.run_module("training", run_name="__main__", alter_sys=True)
    return 0  # not reached: it ends the process


def _kept(path: Path | None, options: argparse.Namespace) -> Kept | None:
    return Kept(path, options.overwrite) if path else None
