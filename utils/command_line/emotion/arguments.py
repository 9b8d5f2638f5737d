"""What can be written behind `python emotion_model.py`."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from utils.command_line.arguments import filled, named_path, plain
from utils.emotion.windows import MIN_S

PROGRAM = "emotion_model.py"
LONGEST_CHUNK_S, LONGEST_S = 60.0, 600.0
RECORD = "record from the microphone, and tell how it was spoken"
LINES = "tell each line that is spoken into the microphone, and how it is spoken"
ANALYZE = "tell how speech sounds along a recording, a video, or one behind an address"
STATS = "judge a checkpoint on a corpus that it never heard; python -m training evaluate does it"


def files() -> argparse.ArgumentParser:
    """Where no command stands first: recordings, each as a whole."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Say how recordings of speech were spoken, a JSON line each.",
        epilog=f"commands (--help after each says the rest):\n  record       {RECORD}\n"
        f"  microphone   {LINES}\n  analyze      {ANALYZE}\n"
        f"  stats        {STATS}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", type=filled, nargs="+", metavar="FILE", help="recordings or videos"
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="they are of one microphone and its room: each is heard against how the others "
        "sound, and more is recognised",
    )
    return _with_checkpoint(parser)


def record() -> argparse.ArgumentParser:
    """Of `record`."""
    parser = _command("record", RECORD)
    parser.add_argument(
        "--seconds",
        type=seconds(LONGEST_S),
        default=4.0,
        metavar="S",
        help="of the recording (default: 4)",
    )
    parser.add_argument("--microphone", type=plain, metavar="NAME_OR_INDEX", help="input device")
    parser.add_argument("--out", type=ending(".wav"), metavar="FILE", help="keep it as WAV")
    _add_overwrite(parser, "--out")
    return _with_checkpoint(parser)


def microphone() -> argparse.ArgumentParser:
    """Of `microphone`."""
    parser = _command("microphone", LINES)
    parser.add_argument("--text", action="store_true", help="tell what the words say, too")
    parser.add_argument("--language", type=filled, default="en", help="of the speech (default: en)")
    parser.add_argument("--microphone", type=plain, metavar="NAME_OR_INDEX", help="input device")
    return _with_checkpoint(parser)


def analyze() -> argparse.ArgumentParser:
    """Of `analyze`."""
    parser = _command("analyze", ANALYZE)
    parser.add_argument(
        "recording", type=filled, metavar="FILE_OR_URL", help="a recording, a video or a URL"
    )
    parser.add_argument(
        "--chunk",
        type=seconds(LONGEST_CHUNK_S),
        default=3.0,
        metavar="S",
        help="seconds that are heard at a time (default: 3)",
    )
    parser.add_argument("--play", action="store_true", help="play the sound, in step")
    parser.add_argument("--jsonl", action="store_true", help="print JSON lines instead of bars")
    parser.add_argument("--plot", type=ending(".png"), metavar="PNG", help="draw a timeline there")
    _add_overwrite(parser, "--plot")
    return _with_checkpoint(parser)


def stats() -> argparse.ArgumentParser:
    """Of `stats`."""
    parser = _command("stats", STATS)
    parser.add_argument("checkpoint", type=named_path, metavar="CHECKPOINT")
    parser.add_argument(
        "--corpus", type=filled, required=True, metavar="NAME", help="such as ravdess"
    )
    parser.add_argument(
        "--corpora",
        type=named_path,
        required=True,
        metavar="DIR",
        help="the folder that holds that of the corpus",
    )
    return parser


def seconds(most: float) -> Callable[[str], float]:
    """For `argparse`: from as little as the network hears on to `most`."""
    return partial(_seconds, most=most)


def ending(suffix: str) -> Callable[[str], Path]:
    """For `argparse`: a file whose name ends so."""
    return partial(_ending, suffix=suffix)


def _seconds(text: str, most: float) -> float:
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not MIN_S <= found <= most:
        raise argparse.ArgumentTypeError(f"{text}: expected {MIN_S:g} to {most:g} seconds")
    return found


def _ending(text: str, suffix: str) -> Path:
    path = named_path(text)
    if path.suffix.lower() != suffix:
        raise argparse.ArgumentTypeError(f"{text}: expected a name that ends in {suffix}")
    return path


def _command(name: str, about: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"{PROGRAM} {name}", description=f"{about[0].upper()}{about[1:]}."
    )


def _add_overwrite(parser: argparse.ArgumentParser, option: str) -> None:
    parser.add_argument(
        "--overwrite", action="store_true", help=f"replace the file of {option} where there is one"
    )


def _with_checkpoint(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--emotion",
        type=named_path,
        metavar="CHECKPOINT",
        help="a network of your own, of python -m training train, instead of the one that ships",
    )
    return parser
