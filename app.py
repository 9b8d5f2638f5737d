"""Live captions with the speaker's emotion: the page, its events and the command line."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from utils import config
from utils.address import ANY, url
from utils.asr import Transcriber, Tuning
from utils.asr.choose import check_choice, open_embedded, open_transcriber
from utils.asr.phrases import read_phrases
from utils.asr.registry import open_voices
from utils.captions.offending import OffendingWords, masking, own_list
from utils.captions.pipeline import Captioner
from utils.captions.transcript import FORMATS
from utils.command_line import models as models_command
from utils.command_line.arguments import parser
from utils.command_line.ending import end_on_signals
from utils.command_line.output import note, put, run, tell
from utils.command_line.recordings import caption_events, export, list_microphones, with_progress
from utils.errors import AppError, DataError, ModelError
from utils.faults import cause
from utils.folders import config_folder, data_folder, state_folder
from utils.live.board import Board
from utils.live.care import Care
from utils.live.engines import Better, Engines, optional
from utils.live.loader import Progress
from utils.live.phrases import Phrases
from utils.live.resume import Resume
from utils.live.room import Room
from utils.live.session import Session
from utils.live.takeover import offered, takeover
from utils.messages import Message, say
from utils.models.hub import forbid_network
from utils.models.memory import EMOTION_ADDRESSES, EMOTION_BYTES, check_spare
from utils.monitoring import logs
from utils.sources import FileSource, MicrophoneSource, Source
from utils.tags import Tag
from utils.tags.emotion import EmotionTag
from utils.tags.loudness import LoudnessTag
from utils.tags.voices import VoicesTag
from web.access import LINK_S, Links, Token
from web.events import Events
from web.gate import guarded
from web.link import forget_serving, link, note_serving, own_link, reader_url
from web.pages import add_pages
from web.server import Server, check_port

if TYPE_CHECKING:
    from emotion_model import EmotionRecognizer

SETTINGS_FILE = Path(__file__).resolve().parent / "settings.toml"
TOKEN_FILE = "presenter-key"  # in the state folder

log = logging.getLogger(__name__)


def load_engines(settings: config.Settings, progress: Progress, live: bool = True) -> Engines:
    """Load what captions need, telling how far it is.

    Parameters
    ----------
    live : somebody waits for captions, so that what loads fast listens first

    Raises
    ------
    AppError : a model is missing or does not fit
    """
    progress(0.1, say("loading.recogniser"))
    transcriber, ready, better = _open_recogniser(settings, progress, live)
    progress(0.5, say("loading.detector"))
    captioner = Captioner(transcriber)
    missing: list[Message] = []  # of what comes last, so that it takes no memory from the words
    for tag in _tags(settings, progress, missing):
        captioner.tags.add(tag)
    offer = offered(*_choice(settings)) if live else None
    return Engines(captioner, ready, better, offer, tuple(missing))


def _tags(settings: config.Settings, progress: Progress, missing: list[Message]) -> Iterator[Tag]:
    """What is said of each line besides its words; what cannot be opened is told and left out."""
    yield LoudnessTag()
    if settings.emotion:
        progress(0.6, say("loading.emotion"))
        if emotions := optional(_open_emotion, "emotion.missing", missing):
            yield EmotionTag(emotions)
    if voices := optional(open_voices, "voices.missing", missing):
        yield VoicesTag(voices)


def _open_emotion() -> "EmotionRecognizer":
    check_spare("emotion", EMOTION_BYTES, EMOTION_ADDRESSES)
    # torch takes seconds to import, which the page need not wait for
    from emotion_model import EmotionRecognizer

    return EmotionRecognizer.load()


def _open_recogniser(
    settings: config.Settings, progress: Progress, live: bool
) -> tuple[Transcriber, Message, Better | None]:
    """What listens, what to say of it, and what brings the one that is to take over."""

    def on_fetch(name: str, done_bytes: int, total_bytes: int) -> None:
        done_mb, total_mb = done_bytes // 1_000_000, total_bytes // 1_000_000
        progress(0.1, say("loading.fetch", name=name, done_mb=done_mb, total_mb=total_mb))

    asr, model, language, how = _choice(settings)
    if live and (better := takeover(asr, model, language, how)):
        try:
            transcriber = open_embedded(language, how)
        except ModelError as err:  # then the other one is waited for
            log.warning("%s", err)
        else:
            return transcriber, say("ready.until", engine=transcriber.name), better
    return *open_transcriber(asr, model, language, how, on_fetch), None


def _choice(settings: config.Settings) -> tuple[str, str | None, str, Tuning]:
    return settings.asr, settings.model or None, settings.language, tuning(settings)


def tuning(settings: config.Settings) -> Tuning:
    """How a recogniser is to be used: its pace, and names that it should know.

    Raises
    ------
    ConfigError : the list of phrases cannot be used
    """
    return Tuning(settings.pace, read_phrases(settings.phrases) if settings.phrases else ())


def open_source(settings: config.Settings, start: int) -> Source:
    """The microphone, counting samples from `start`, or the recording that stands in for it."""
    if settings.source:
        return FileSource(settings.source, realtime=True, start=start)
    return MicrophoneSource(settings.microphone_device, start=start)


def create_app(settings: config.Settings) -> Flask:
    """Make the page and its events; nothing is loaded, nor looked after, until it is served.

    Serve it with `web.server.Server`, which gives WebSocket its connection,
    within `app.extensions["session"]` and `app.extensions["room"]`, which are context managers.
    """
    app = Flask(__name__)
    token = Token(state_folder() / TOKEN_FILE)
    events = Events(app, token)
    board = Board(events.publish)
    resume = Resume(state_folder() / f"listening-{settings.port}")
    session = Session(
        load=lambda progress: load_engines(settings, progress),
        open_source=lambda start: open_source(settings, start),
        board=board,
        publish=events.publish,
        listen=settings.listen or resume.wanted(),
        resume=resume,
    )
    links = Links(token)
    saving_folder = Path(os.path.expanduser(settings.save or data_folder() / "captions"))
    room = Room(
        session,
        board,
        events.announce,
        phrases=Phrases(config_folder() / "phrases.json", settings.language),
        offending=OffendingWords(own_list()),
        saving_folder=saving_folder,
        reader_url=reader_url(settings),
        language=settings.language,
    )
    events.open(room)
    room.set_clear_after(settings.clear_after)
    room.set_offending(settings.offending)
    if settings.save:
        try:
            room.set_saving(True)
        except DataError as err:  # captions come first
            session.notice("saving.failed", reason=str(err))
    if token.problem:
        session.notice("link.missing", reason=token.problem)
    add_pages(app, room, token, links, settings.language)
    app.wsgi_app = guarded(app.wsgi_app, settings)  # type: ignore[method-assign]  # Flask's way
    care = Care(session, events.sends, saving_folder, settings.memory_limit * 1_000_000)
    app.extensions |= {"session": session, "board": board, "room": room, "links": links}
    app.extensions["care"] = care
    return app


def serve(settings: config.Settings) -> int:
    """Serve the page until the process is told to end."""
    check_choice(settings.asr, settings.model or None, settings.language)
    tuning(settings)
    if settings.source:
        FileSource(settings.source, realtime=True).close()  # a wrong path is told at once
    check_port(settings.host, settings.port)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for each request
    app = create_app(settings)
    end_on_signals()
    with ExitStack() as ending, suppress(KeyboardInterrupt):
        ending.callback(forget_serving, state_folder())
        ending.enter_context(app.extensions["room"])
        ending.enter_context(app.extensions["session"])
        server = Server(settings.host, settings.port, app)
        ending.enter_context(app.extensions["care"])
        _announce(settings, app)
        server.serve_forever()
    return 0


def _announce(settings: config.Settings, app: Flask) -> None:
    """Tell on the terminal where the captions are, and leave word for `app.py link`."""
    room, links = app.extensions["room"], app.extensions["links"]
    try:
        note_serving(state_folder(), settings, links.run)
    except OSError as err:  # captions come first
        app.extensions["session"].notice("link.missing", reason=cause(err, str(state_folder())))
    here = "127.0.0.1" if settings.host in ANY else settings.host
    tell(f"Captions are at {url(here, settings.port)}  (Ctrl-C ends)")
    tell(
        f"To present, open {own_link(settings.host, settings.port, links.new())}  (once, within "
        f"{LINK_S // 60} minutes; `.venv/bin/python app.py link --here` prints another)"
    )
    if room.reader_url:
        tell(f"Phones read along at {room.reader_url}")


def print_link(settings: config.Settings, here: bool, new: bool, monitor: bool) -> int:
    """Print a link that makes a browser the presenter's, with a new token if asked.

    Parameters
    ----------
    monitor : print what lets a monitor elsewhere read the metrics instead
    """
    token = Token(state_folder() / TOKEN_FILE)
    if new:
        token.renew()
        note("Every older link, and every browser that presented, has lost its power.")
    if monitor:
        put(f"{token.for_metrics()}\n")
        return 0
    address, told = link(state_folder(), settings.port, token, here)
    put(f"{address}\n")
    note(told)
    return 0


def caption(settings: config.Settings, path: str, form: str) -> int:
    """Caption a recording as fast as possible, to standard output."""
    check_choice(settings.asr, settings.model or None, settings.language)
    source = FileSource(path, realtime=False)
    engines = load_engines(settings, lambda done, message: note(str(message)), live=False)
    engines.captioner.live = False
    for message in (engines.ready, *engines.missing):
        note(str(message))
    try:
        events = with_progress(caption_events(engines.captioner, source), source.duration_s)
        for text in FORMATS[form](map(masking(settings.offending), events)):
            put(text)
    finally:
        engines.captioner.close()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    args = parser(__doc__).parse_args(arguments)
    end_log = logs.begin(None if args.command else state_folder() / "log")
    try:
        if args.command == "microphones":
            return list_microphones()
        if args.command == "export":
            settings = config.load(vars(args), SETTINGS_FILE)
            return export(args.file, args.format, masking(settings.offending))
        settings = config.load(vars(args), SETTINGS_FILE)
        if settings.offline:
            forbid_network()
        if args.command == "models":
            return models_command.run(args.action, getattr(args, "name", None), settings.language)
        if args.command == "caption":
            return caption(settings, args.file, args.format)
        if args.command == "link":
            return print_link(settings, args.here, args.new, args.metrics)
        return serve(settings)
    except AppError as err:
        note(f"app.py: {err}")
        return 1
    finally:
        end_log()


if __name__ == "__main__":
    sys.exit(run(main))
