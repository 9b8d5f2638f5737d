"""What can be written behind `python app.py`."""

import argparse
from functools import partial
from pathlib import Path

from utils.captions.transcript import FORMATS


def parser(description: str) -> argparse.ArgumentParser:
    """The commands and their options; what is not given is not in the result.

    Parameters
    ----------
    description : of the program
    """
    # SUPPRESS: a subcommand's default must not undo what was given before its name
    shared = partial(argparse.ArgumentParser, add_help=False, argument_default=argparse.SUPPRESS)
    speech = shared()
    speech.add_argument("--language", help="of the speech, such as en or ko (default en)")
    speech.add_argument("--offline", action="store_true", help="use no network; fetch no model")
    engine = shared(parents=[speech])
    engine.add_argument("--asr", help="recogniser: auto, nemo, whisper, vosk or sr:NAME")
    engine.add_argument("--model", help="a .nemo file, a Whisper's folder, or a model's name")
    engine.add_argument(
        "--pace", help="how soon words come: auto, fastest, balanced or accurate (default auto)"
    )
    engine.add_argument("--phrases", metavar="FILE", help="names and places to prefer, one a line")
    engine.add_argument(
        "--translate", metavar="LANGUAGES", help="translate finished lines, such as fr,de"
    )
    engine.add_argument(
        "--text-emotion",
        action="store_const",
        const=True,
        help="tell what the words of finished lines say, beside how they were said",
    )
    served = shared()
    served.add_argument("--host", help="address to serve at (default 127.0.0.1)")
    served.add_argument("--port", type=int, help="port to serve at (default 5000)")
    served.add_argument("--address", metavar="NAME", help="by which phones reach this computer")
    served.add_argument(
        "--proxy", metavar="ADDRESS", help="under which a proxy shows the page (https://…)"
    )
    served.add_argument("--room", metavar="NAME", help="of the room, which every page shows")
    served.add_argument(
        "--redis", metavar="ADDRESS", help="by which other computers show the room (redis://…)"
    )

    program = argparse.ArgumentParser(
        prog="app.py", description=description, parents=[engine, served]
    )
    program.add_argument("--microphone", metavar="NAME_OR_INDEX", help="input device")
    program.add_argument("--source", metavar="FILE", help="a recording instead of the microphone")
    program.add_argument(
        "--offending",
        metavar="HOW",
        help="words that offend: off (as heard), first (first letter) or hidden (default off)",
    )
    program.add_argument(
        "--emotion",
        dest="emotion_model",
        metavar="CHECKPOINT",
        help="estimate emotion by a network of your own, of python -m training train",
    )
    program.add_argument(
        "--no-emotion",
        dest="emotion",
        action="store_const",
        const=False,
        help="estimate no emotion, for anyone",
    )
    program.add_argument(
        "--no-sounds",
        dest="sounds",
        action="store_const",
        const=False,
        help="tell of no sounds that are no speech",
    )
    program.add_argument(
        "--clear-after", metavar="MINUTES", help="clear the lines after so long without speech"
    )
    program.add_argument(
        "--memory-limit", metavar="MEGABYTES", help="above which memory is given back (0: none)"
    )
    program.add_argument("--save", metavar="FOLDER", help="write finished lines to files there")
    program.add_argument(
        "--listen",
        action="store_const",
        const=True,
        help="listen from the start, without a press",
    )
    program.add_argument(
        "--locked",
        action="store_const",
        const=True,
        help="keep readers' controls behind a long press, as on a kiosk",
    )
    program.add_argument(
        "--answers",
        action="store_const",
        const=True,
        help="let readers put answers on the screen that faces whoever speaks (/facing)",
    )
    commands = program.add_subparsers(
        dest="command", metavar="caption | export | link | microphones | models | web"
    )
    commands.add_parser(
        "web", parents=[served], help="show a room of another computer to readers, by Redis"
    )
    to_file = commands.add_parser(
        "caption", parents=[engine], help="caption a recording, or all in a folder"
    )
    to_file.add_argument("file", type=filled, metavar="FILE_OR_FOLDER")
    to_file.add_argument(
        "--format", choices=FORMATS, default="jsonl", help="of one recording (default jsonl)"
    )
    to_file.add_argument(
        "--out",
        type=filled,
        metavar="FOLDER",
        help="write TXT, SRT, VTT and JSON of each recording there",
    )
    to_file.add_argument(
        "--workers", type=_number, metavar="N", help="recordings at once (default: by this machine)"
    )
    to_file.add_argument(
        "--ray",
        type=filled,
        metavar="ADDRESS",
        help="caption on a Ray cluster: auto, ray://HEAD:10001 or local",
    )
    saved = commands.add_parser("export", help="turn saved captions into another format")
    saved.add_argument("file", type=filled, metavar="SAVED.jsonl")
    saved.add_argument("--format", choices=FORMATS, default="txt")
    to_device = commands.add_parser("link", help="print a link that lets a device present")
    to_device.add_argument("--here", action="store_true", help="for this computer's own browser")
    to_device.add_argument("--metrics", action="store_true", help="print the metrics' token")
    to_device.add_argument(
        "--rooms",
        action="store_true",
        help="for who operates all rooms: of this program, or of --redis by a web node",
    )
    to_device.add_argument("--new", action="store_true", help="and let nobody else present")
    commands.add_parser("microphones", help="list the input devices")
    models = commands.add_parser("models", parents=[speech], help="list, get or delete models")
    actions = models.add_subparsers(dest="action", metavar="get | add | remove")
    get = actions.add_parser("get", parents=[speech], help="fetch a model")
    get.add_argument(
        "name",
        type=filled,
        nargs="?",
        help="of the list, or FROM-TO; by default the recommended one",
    )
    added = actions.add_parser(
        "add", help="take a model that translates or reads emotion, which you have downloaded"
    )
    added.add_argument("name", type=filled, metavar="FILE_OR_FOLDER")
    actions.add_parser("remove", help="delete a model").add_argument("name", type=filled)
    return program


def _number(text: str) -> int:
    """A number from 1 on, for `argparse`."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a number from 1 on")
    return number


def plain(text: str) -> str:
    """Reads a name, a path or an address from the command line; none can hold a NUL."""
    if "\0" in text:
        raise argparse.ArgumentTypeError("it holds a NUL character; give it without")
    return text


def filled(text: str) -> str:
    """Reads a name from the command line; "" would be the folder that one is in."""
    if not plain(text).strip():
        raise argparse.ArgumentTypeError("it is empty; give a name")
    return text


def named_path(text: str) -> Path:
    """Reads the name of a file or a folder from the command line."""
    return Path(filled(text))
