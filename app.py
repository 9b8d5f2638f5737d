"""Live captions with the speaker's emotion: the page, its events and the command line."""

if __name__ == "__main__":
    from utils.command_line.at_start import imported

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from utils import config
from utils.asr.choose import check_choice
from utils.captions.offending import masking
from utils.captions.transcript import FORMATS
from utils.command_line import models as models_command
from utils.command_line.arguments import parser
from utils.command_line.ending import leave
from utils.command_line.output import note, put, run
from utils.command_line.recordings import (
    caption_events,
    export,
    final_lines,
    list_microphones,
    with_progress,
)
from utils.errors import AppError, DataError
from utils.folders import state_folder
from utils.live import loading
from utils.live.engines import Engines
from utils.live.loader import Progress
from utils.models.hub import forbid_network
from utils.monitoring import logs
from utils.setup.rooms import rooms as rooms_of
from utils.sources import FileSource
from web.room_app import add_only_room
from web.serving import print_link, print_operators_link, serve, serve_readers

if TYPE_CHECKING:
    from emotion_model import EmotionRecognizer

HOME = Path(__file__).resolve().parent


def open_emotion(checkpoint: Path | None) -> "EmotionRecognizer":
    """The emotion model of a checkpoint; None for the one that ships."""
    # torch takes seconds to import, which the page need not wait for
    from emotion_model import WEIGHTS, EmotionRecognizer

    return EmotionRecognizer.load(checkpoint or WEIGHTS)


def load_engines(
    settings: config.Settings, progress: Progress, first_segment: int = 0, live: bool = True
) -> Engines:
    """Load what captions need: see `utils.live.loading`."""
    return loading.load_engines(settings, progress, open_emotion, first_segment, live)


def load_for_rooms(settings: config.Settings, progress: Progress, rooms: int) -> Engines:
    """Load what captions of several rooms need."""
    return loading.load_engines(settings, progress, open_emotion, rooms=rooms)


def create_app(found: config.Gathered) -> Flask:
    """The page of a room and its events, or of several: see `web.room_app` and `web.several`."""
    file = config.settings_file(HOME)
    several, problems = rooms_of(found)
    for problem in problems:
        note(problem)
    found = replace(found, problems=(*found.problems, *problems))
    if not several:
        return add_only_room(Flask(__name__), found, file, load_engines)
    from web.several import add_rooms

    return add_rooms(lambda: Flask(__name__), found, several, file, load_for_rooms)


def load_quietly(settings: config.Settings) -> Engines:
    """Load what captions of recordings need, in another process than the command's."""
    logs.begin(None)
    if settings.offline:
        forbid_network()
    return load_engines(settings, lambda done, message: None, live=False)


def caption(settings: config.Settings, args: argparse.Namespace) -> int:
    """Caption a recording to standard output, or all in a folder to files, as fast as possible."""
    check_choice(settings.asr, settings.model or None, settings.language)
    path = Path(args.file)
    if path.is_dir():
        if not args.out:
            raise DataError(f"{path} is a folder; say with --out FOLDER where its captions go")
        from utils.command_line.batch import caption_folder

        out, load = Path(args.out), "app:load_quietly"
        return caption_folder(settings, path, out, load, args.workers, args.ray)
    if args.out or args.workers or args.ray:
        raise DataError(f"{path} is no folder; --out, --workers and --ray are for all in a folder")
    return caption_one(settings, path, args.format)


def caption_one(settings: config.Settings, path: Path, form: str) -> int:
    """Caption a recording as fast as possible, to standard output."""
    source = FileSource(path, realtime=False)
    engines = load_engines(settings, lambda done, message: note(str(message)), live=False)
    engines.captioner.live = False
    for message in (engines.ready, *engines.missing):
        note(str(message))
    try:
        events = with_progress(caption_events(engines.captioner, source), source.duration_s)
        lines = events if form == "jsonl" else final_lines(events)
        for text in FORMATS[form](map(masking(settings.offending), lines)):
            put(text)
    finally:
        engines.captioner.close()
    return 0


def _serve_or_link(found: config.Gathered, args: argparse.Namespace) -> int:
    """Serve the page, or print a link for who does; what is wrong with the file is told."""
    for problem in found.problems:
        note(problem)
    if args.command == "link":
        if args.rooms:
            return print_operators_link(found.settings, args.here, args.new)
        return print_link(found.settings, args.here, args.new, args.metrics)
    if found.settings.offline:
        forbid_network()
    return serve(found, create_app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    args = parser(__doc__).parse_args(arguments)
    end_log = logs.begin(None if args.command else state_folder() / "log")
    path = config.settings_file(HOME)
    try:
        if args.command == "microphones":
            return list_microphones()
        if args.command == "export":
            settings = config.load(vars(args), path)
            return export(args.file, args.format, masking(settings.offending))
        if args.command in (None, "link"):  # they must work whatever became of the file
            return _serve_or_link(config.gather(vars(args), path), args)
        settings = config.load(vars(args), path)
        if args.command == "web":
            return serve_readers(settings, lambda: Flask(__name__))
        if settings.offline:
            forbid_network()
        if args.command == "models":
            return models_command.run(args.action, getattr(args, "name", None), settings.language)
        return caption(settings, args)
    except AppError as err:
        note(f"app.py: {err}")
        return 1
    finally:
        end_log()


if __name__ == "__main__":
    imported()
    leave(run(main))
