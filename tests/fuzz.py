"""What is thrown at the program: files that are damaged or malicious, settings, and requests.

Each target takes one input and fails where the program ends in anything but its own errors, or
where its answer contradicts itself.
"""

import io
import json
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import torch
import websocket
from hypothesis import strategies as st

from tests.odd_models import UNLOADABLE, UNREADABLE, nemo
from tests.program import Program
from tests.whisper_models import whisper
from utils import audio, checkpoint, config, untrusted
from utils.captions.transcript import FORMATS
from utils.checkpoint import Format
from utils.errors import AppError, ConfigError, DataError
from utils.events import CaptionEvent, Emotion, Word
from utils.live.answering import phrases
from utils.live.saved import read_saved
from utils.models.nemo.archive import check_loadable, check_whole, languages, read_config
from utils.models.whisper import folder as whisper_folder
from utils.sources import FileSource

TEXTS = st.text(st.characters(codec=None, categories=None), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=12,
)
EXTREMES = [b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0" * 8, b"\xff" * 8]


@dataclass(frozen=True)
class Target:
    """One part of the program that takes what strangers or operators give.

    Parameters
    ----------
    inputs : what it is given
    take : gives it that, with the context that `around` opened
    around : opened once for many inputs
    """

    inputs: Callable[[], st.SearchStrategy]
    take: Callable
    around: Callable = tempfile.TemporaryDirectory


@st.composite
def changed(draw: st.DrawFn, wholes: list[bytes]) -> bytes:
    """One of some files with bytes changed, cut out, repeated or put in, or only its beginning."""
    data = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 64)))
        change = draw(st.sampled_from(["set", "cut", "drop", "put", "repeat", "extreme"]))
        if change == "set":
            data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif change == "cut":
            del data[at:]
        elif change == "drop":
            del data[at:until]
        elif change == "put":
            data[at:at] = draw(st.binary(max_size=40))
        elif change == "repeat":
            data[at:at] = data[at:until] * draw(st.integers(1, 20))
        else:
            extreme = draw(st.sampled_from(EXTREMES))
            data[at : at + len(extreme)] = extreme
    return bytes(data)


def written(folder: str, name: str, data: bytes) -> Path:
    """A file with that in it."""
    path = Path(folder) / name
    path.write_bytes(data)
    return path


# Recordings


@cache
def _recordings() -> list[bytes]:
    rng = np.random.default_rng(0)
    made = []
    for form, subtype, channels in (
        ("WAV", "PCM_16", 1),
        ("WAV", "FLOAT", 2),
        ("FLAC", "PCM_16", 1),
        ("OGG", "VORBIS", 1),
        ("OGG", "OPUS", 1),
        ("MP3", "MPEG_LAYER_III", 1),
        ("AIFF", "PCM_16", 1),
        ("AU", "PCM_16", 1),
    ):
        buffer = io.BytesIO()
        sound = rng.normal(0, 0.1, (4_800, channels))
        soundfile.write(buffer, sound, 16_000, format=form, subtype=subtype)
        made.append(buffer.getvalue())
    return made


def take_recording(folder: str, data: bytes) -> None:
    """Frames follow one another, and are numbers; what is missing is told."""
    path = written(folder, "sound", data)
    at = 0
    try:
        with FileSource(path, realtime=False) as source:
            for frame in source:
                assert frame.start >= at and frame.samples.dtype == np.float32
                assert np.isfinite(frame.samples).all()
                at = frame.start + len(frame.samples)
                if at > 60 * audio.SAMPLE_RATE:
                    break  # its header may say that there are hours
    except AppError as err:
        assert str(path) in str(err), err


# Settings


def _settings() -> st.SearchStrategy:
    names = st.sampled_from([*config.Settings.__dataclass_fields__, "unknown"])
    values = st.one_of(
        st.sampled_from(['"auto"', "true", "5000", '""', "0", "-1", "1.5", "[]", "{}", '"nemo"']),
        st.integers().map(str),
        st.floats().map(str),
        TEXTS.map(json.dumps),
        TEXTS,
    )
    lines = st.tuples(names, values).map(" = ".join)
    text = st.lists(lines, max_size=4).map("\n".join)
    files = text.map(lambda each: each.encode("utf-8", "surrogatepass")) | st.binary(max_size=200)
    named = names.map(lambda name: f"CAPTIONS_{name.upper()}")
    variables = st.dictionaries(named, TEXTS, max_size=3)
    return st.tuples(files, variables)


def take_settings(folder: str, given: tuple[bytes, dict[str, str]]) -> None:
    """Each setting has its type, or the message names what is wrong."""
    path = written(folder, "settings.toml", given[0])
    try:
        found = config.load({}, path, given[1])
    except ConfigError as err:
        assert str(err)
        return
    for name, field in config.Settings.__dataclass_fields__.items():
        assert isinstance(getattr(found, name), type(field.default)), name
        assert type(getattr(found, name)) is type(field.default), name


# Saved captions


def _saved() -> st.SearchStrategy:
    emotion = Emotion("angry", 0.9, {"angry": 0.9, "neutral": 0.1})
    words = (Word("Hello", 0.5, 0.9, 0.5),)
    events = [
        CaptionEvent(
            0,
            0.0,
            1.0,
            "Hello <b>\n--> 안녕",
            True,
            {"emotion": emotion, "loudness": "loud", "new_voice": True},
            words,
        ),
        CaptionEvent(1, 1.0, 2.0, "x " * 60, True),
    ]
    lines = [json.dumps(event.to_dict(), ensure_ascii=False).encode() for event in events]
    fields = st.sampled_from(list(events[0].to_dict()))
    other = st.tuples(fields, JSON).map(
        lambda pair: json.dumps(events[0].to_dict() | dict([pair])).encode()
    )
    line = other | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=80)
    return changed([b"\n".join(lines)]) | st.lists(line, max_size=4).map(b"\n".join)


def take_saved(folder: str, data: bytes) -> None:
    """What can be read can be exported in every form, and every line is counted."""
    path = written(folder, "captions.jsonl", data)
    try:
        events, bad = read_saved(path)
    except DataError as err:
        assert str(path) in str(err)
        return
    assert len(events) + bad <= len([line for line in data.split(b"\n") if line.strip()])
    for form in FORMATS.values():
        "".join(form(events)).encode()


# Quick phrases


def take_phrases(folder: str, data: bytes) -> None:
    """Those of the file or the defaults are there, each of them a text that can be sent."""
    path = written(folder, "phrases.json", data)
    found = phrases.Phrases(path, "en")
    assert found.texts == phrases.checked(found.texts)
    assert found.problem is None or str(path) in found.problem
    json.dumps(found.texts, ensure_ascii=False).encode()


# Checkpoints


@cache
def _checkpoints() -> list[bytes]:
    buffer = io.BytesIO()
    weights = torch.nn.LSTM(3, 2).state_dict()
    torch.save({"format": str(Format.EMOTION), "weights": weights, "labels": ["a", "b"]}, buffer)
    return [buffer.getvalue()]


def take_checkpoint(folder: str, data: bytes) -> None:
    """It is read whole or refused; PyTorch is given nothing else."""
    path = written(folder, "x.pt", data)
    try:
        found = checkpoint.read(path, Format.EMOTION)
    except AppError as err:
        assert str(path) in str(err)
    else:
        assert found["format"] == Format.EMOTION


# Models


@cache
def _archives() -> list[bytes]:
    small = [make() for make in (UNREADABLE | UNLOADABLE).values()]
    return [nemo(), *(data for data in small if len(data) < 300_000)]


def take_model(folder: str, data: bytes) -> None:
    """It is looked at by everything that only looks."""
    path = written(folder, "x.nemo", data)
    for look in (read_config, languages, check_whole, check_loadable):
        try:
            look(path)
        except AppError as err:
            assert str(path) in str(err)


@cache
def _whisper_files() -> dict[str, bytes]:
    return whisper()


def _whispers() -> st.SearchStrategy:
    def one(name: str) -> st.SearchStrategy:
        data = changed([_whisper_files()[name]])
        if name.endswith(".json"):
            data |= JSON.map(lambda value: json.dumps(value).encode())
        return st.tuples(st.just(name), data)

    return st.sampled_from(list(_whisper_files())).flatmap(one)


def take_whisper(folder: str, given: tuple[str, bytes]) -> None:
    """A folder with one changed file is read or refused."""
    for name, data in (_whisper_files() | dict([given])).items():
        written(folder, name, data)
    for look in (whisper_folder.check_readable, whisper_folder.languages):
        try:
            look(Path(folder))
        except AppError as err:
            assert folder in str(err)


def take_yaml(folder: str, text: str) -> None:
    """Any text is parsed or refused."""
    try:
        untrusted.parse_yaml(text)
    except ValueError as err:
        assert str(err)


# The server


@contextmanager
def serving() -> Iterator[Program]:
    """The program, with nothing to hear; it has logged no traceback in the end."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--asr", "whisper", "--no-emotion", "--offline", "--save", folder]
        with Program(arguments, {"PULSE_SERVER": "unix:/nowhere"}) as program:
            yield program
            assert program.health()
        assert "Traceback" not in program.errors, program.errors[-3_000:]


def _requests() -> st.SearchStrategy:
    known = [
        "/",
        "/read",
        "/present",
        "/reach",
        "/health",
        "/qr.svg",
        "/export/srt",
        "/export/x",
        "/static/css/captions.css",
        "/static/../app.py",
        "/socket.io/?EIO=4&transport=websocket",
        "/socket.io/?EIO=4&transport=polling",
        "/static/%2e%2e/app.py",
        "//evil.example/",
        "*",
    ]
    places = st.sampled_from(known) | TEXTS.map(lambda text: f"/{text}")
    methods = st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "TRACE", "get", "X" * 50])
    names = st.sampled_from(
        [
            "Host",
            "Cookie",
            "Origin",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Prefix",
            "Forwarded",
            "Content-Length",
            "Transfer-Encoding",
            "Accept-Encoding",
            "Range",
            "Upgrade",
            "Connection",
            "Sec-WebSocket-Version",
            "Sec-WebSocket-Key",
            "Content-Type",
            "If-None-Match",
            "If-Modified-Since",
            "Authorization",
            "Expect",
            "Accept-Language",
        ]
    )
    values = TEXTS | st.sampled_from(
        [
            "websocket",
            "Upgrade",
            "13",
            "chunked",
            "-1",
            "99999999999",
            "bytes=0-",
            "127.0.0.1",
            "http://evil.example",
            "captions=x",
            "session=\xff",
            "gzip",
            "null",
        ]
    )
    return st.tuples(
        methods, places, st.lists(st.tuples(names, values), max_size=4), st.binary(max_size=100)
    )


def take_request(program: Program, given: tuple[str, str, list[tuple[str, str]], bytes]) -> None:
    """It is answered, without an error of the server's, or the connection is ended."""
    method, place, lines, body = given
    head = [f"{method} {place} HTTP/1.1", *(f"{name}: {value}" for name, value in lines)]
    if not any(name == "Host" for name, _ in lines):
        head.append(f"Host: 127.0.0.1:{program.port}")
    data = "\r\n".join(head).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as line:
        try:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(64)
        except ConnectionError:
            return
    status = b"".join(answer.split(b" ")[1:2])
    assert not status.startswith(b"5") or status in (b"501", b"503", b"505"), answer


def _packets() -> st.SearchStrategy:
    names = st.sampled_from(
        [
            "start",
            "stop",
            "fetch",
            "clear",
            "blank",
            "emotion",
            "clear_after",
            "save",
            "phrases",
            "lock",
            "answers",
            "answer",
            "connect",
            "disconnect",
            "*",
            "room",
            "",
            "__proto__",
        ]
    )
    payloads = JSON | st.fixed_dictionaries(
        {},
        optional={
            "on": JSON | st.booleans(),
            "minutes": JSON | st.integers(-5, 2_000),
            "list": JSON | st.lists(TEXTS, max_size=5),
            "language": JSON,
            "text": JSON,
        },
    )
    events = st.tuples(names, payloads).map(lambda pair: "42" + json.dumps(pair))
    numbered = st.tuples(st.integers(0), names, payloads).map(
        lambda three: f"42{three[0]}{json.dumps(three[1:])}"
    )
    others = TEXTS | st.sampled_from(["2", "3", "1", "6", "40", "41", "40/x,", "43", '451-["x"]'])
    packet = events | numbered | others | st.binary(max_size=50)
    return st.tuples(st.booleans(), st.lists(packet, max_size=6))


def take_packets(program: Program, given: tuple[bool, list[str | bytes]]) -> None:
    """A page that sends anything is answered or cut off, and the next is greeted."""
    presents, packets = given
    headers = program.presenter if presents else {}
    place = f"ws://127.0.0.1:{program.port}/socket.io/?EIO=4&transport=websocket"
    page = websocket.WebSocket()
    page.settimeout(60)
    try:
        page.connect(place, header=headers)
        assert str(page.recv()).startswith("0{")
        page.send("40")
        for packet in packets:
            if isinstance(packet, bytes):
                page.send_binary(packet)
            else:
                page.send(packet.encode("utf-8", "replace").decode())
        page.settimeout(0.02)
        while page.recv():
            pass
    except (OSError, websocket.WebSocketException):
        pass  # cut off, refused for there are too many, or no more is told
    finally:
        page.shutdown()


TARGETS = {
    "recordings": Target(lambda: changed(_recordings()), take_recording),
    "settings": Target(_settings, take_settings),
    "saved": Target(_saved, take_saved),
    "phrases": Target(
        lambda: (
            JSON.map(lambda each: json.dumps(each).encode())
            | st.binary(max_size=200)
            | changed([b'["Yes.", "No, thank you."]'])
        ),
        take_phrases,
    ),
    "checkpoints": Target(lambda: changed(_checkpoints()), take_checkpoint),
    "models": Target(lambda: changed(_archives()), take_model),
    "whispers": Target(_whispers, take_whisper),
    "yaml": Target(lambda: TEXTS | st.text("ab&*[]{}:-,!?|>'\"# \n\t%@$<", max_size=80), take_yaml),
    "requests": Target(_requests, take_request, serving),
    "events": Target(_packets, take_packets, serving),
}
