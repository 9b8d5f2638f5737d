"""`emotion_model.py analyze`: a recording chunk by chunk, in the terminal, as lines and drawn."""

import json
import os
import pty
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from PIL import Image
from scipy.signal import correlate

import emotion_model
from tests.command_line.test_emotion_record import read
from tests.program import free_port
from tests.recordings import encode
from tests.sound_server import SoundServer
from utils.audio import SAMPLE_RATE, load
from utils.command_line.emotion import player as player_module
from utils.command_line.emotion.bars import Table, bar, clock
from utils.command_line.emotion.chunks import cut
from utils.command_line.emotion.player import Player
from utils.errors import AudioError, CaptureError
from utils.sources import MicrophoneSource

HOME = Path(__file__).resolve().parents[2]
SPEECH = HOME / "tests" / "data" / "speech.flac"
ANGRY = HOME / "tests" / "data" / "angry.flac"
LABELS = ["neutral", "happy", "sad", "angry", "fear", "disgust"]


def analyze(*words: object) -> int:
    return emotion_model.main(["analyze", *map(str, words)])


@pytest.fixture(scope="module")
def talk() -> np.ndarray:
    """Read, then silence, then angry: float32 (n,)."""
    return np.concatenate([load(SPEECH), np.zeros(4 * SAMPLE_RATE, np.float32), load(ANGRY)])


@pytest.fixture(scope="module")
def video(talk: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "talk.mp4"
    return encode(path, talk[:, None], SAMPLE_RATE, "aac", video=True)


def lines_of(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# --- what is told


def test_a_video_is_told_chunk_by_chunk(video: Path, talk: np.ndarray, capsys) -> None:
    assert analyze(video, "--chunk", 2.5, "--jsonl") == 0
    lines = lines_of(capsys)
    assert [line["start_s"] for line in lines] == [2.5 * i for i in range(len(lines))]
    assert [line["end_s"] for line in lines[:-1]] == [line["start_s"] for line in lines[1:]]
    assert lines[-1]["end_s"] == pytest.approx(len(talk) / SAMPLE_RATE, abs=0.1)
    keys = ["path", "start_s", "end_s", "speech", "label", "grade", "confidence", "scores"]
    for line in lines:
        assert list(line) == keys and line["path"] == str(video)
        assert line["grade"] in ((None,) if line["label"] == "unsure" else ("sure", "likely"))
        if line["speech"]:
            assert list(line["scores"]) == LABELS
            assert line["confidence"] == max(line["scores"].values())
        else:
            assert line["scores"] is line["confidence"] is None
    speech = [line["speech"] for line in lines]
    assert speech[0] and speech[1] and speech[-1] and not all(speech)
    assert lines[-1]["label"] == "angry"


def test_a_terminal_gets_a_row_with_a_bar_for_each_class(video: Path, capsys) -> None:
    assert analyze(video) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["from", *LABELS]
    assert [row.split()[0] for row in rows] == ["0:00", "0:03", "0:06", "0:09"]
    assert "no speech" in rows[2] and "█" not in rows[2]
    assert "angry" in rows[3]
    angry = slice(head.index("angry"), head.index("fear"))
    assert rows[3][angry].count("█") == max(row.count("█") for row in rows[3:])
    assert max(map(len, [head, *rows])) <= 80


def test_on_a_terminal_progress_stands_below_and_goes(video: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 80))
    with subprocess.Popen(
        [sys.executable, HOME / "emotion_model.py", "analyze", video], stdout=theirs, stderr=theirs
    ) as running:
        os.close(theirs)
        shown = b""
        while block := read(ours):
            shown += block
    os.close(ours)
    assert running.returncode == 0
    text = shown.decode()
    assert "left" in text and " %" in text
    for line in text.split("\r\n"):  # what is left of each when it is done
        assert "left" not in line.rpartition("\r")[2]


def test_chunks_do_not_depend_on_how_the_sound_comes(talk: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    whole = list(cut([talk], 1.3))
    for _ in range(5):
        places = np.sort(rng.integers(0, len(talk), 40))
        parts = list(cut(np.split(talk, places), 1.3))
        assert all(map(np.array_equal, whole, parts)) and len(whole) == len(parts)
    assert np.array_equal(np.concatenate(whole), talk)


@pytest.mark.parametrize("length_s", [0.5, 2.9, 3.0, 3.49, 3.5, 6.4])
def test_no_chunk_is_too_short_to_be_heard(length_s: float) -> None:
    lengths = [len(part) / SAMPLE_RATE for part in cut([np.zeros(round(length_s * 16_000))], 3.0)]
    assert sum(lengths) == pytest.approx(length_s)
    assert min(lengths) >= 0.5 and max(lengths) < 3.5


def test_what_came_before_a_damage_is_told() -> None:
    def blocks() -> Iterator[np.ndarray]:
        yield np.ones(4 * SAMPLE_RATE, np.float32)
        raise AudioError("damaged")

    found: list[int] = []
    with pytest.raises(AudioError, match="damaged"):
        found.extend(map(len, cut(blocks(), 3.0)))
    assert found == [3 * SAMPLE_RATE, SAMPLE_RATE]


def test_a_network_of_ones_own_is_heard(tmp_path: Path, capsys) -> None:
    recognizer = emotion_model.EmotionRecognizer.load()
    recognizer.labels = tuple(f"other {label}" for label in LABELS)
    for name in ("judgement", "familiar", "unaided"):
        setattr(recognizer, name, type(recognizer.judgement).untuned(recognizer.labels))
    recognizer.save(tmp_path / "mine.pt")
    assert analyze(ANGRY, "--jsonl", "--emotion", tmp_path / "mine.pt") == 0
    (line,) = lines_of(capsys)
    assert set(line["scores"]) == set(recognizer.labels)
    assert analyze(ANGRY, "--emotion", tmp_path / "none.pt") == 1
    assert f"{tmp_path / 'none.pt'}: no such file" in capsys.readouterr().err


# --- bars


def test_a_bar_grows_by_eighths() -> None:
    assert [bar(share, 2) for share in (0, 1 / 16, 0.5, 0.75, 1)] == ["  ", "▏ ", "█ ", "█▌", "██"]
    assert bar(float(np.nextafter(1, 2)), 2) == "██" and bar(-0.1, 2) == "  "


def test_times_are_those_of_a_clock() -> None:
    times_s = (0, 3, 2.5, 59.96, 61.5, 3600, 3723)
    assert [*map(clock, times_s)] == "0:00 0:03 0:02.5 1:00 1:01.5 1:00:00 1:02:03".split()


@pytest.mark.parametrize("columns", [20, 60, 80, 200])
def test_a_table_fits_its_terminal_as_far_as_names_can_be_told(columns: int, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    table = Table(LABELS)
    rows = [table.head(), table.row(3723, "disgust, likely", dict.fromkeys(LABELS, 1.0))]
    assert max(len(row.rstrip("\n")) for row in rows) <= max(columns, 60)
    assert all(label[:3] in rows[0] for label in LABELS)


def test_a_terminal_that_knows_no_blocks_gets_other_signs() -> None:
    ended = subprocess.run(
        [sys.executable, HOME / "emotion_model.py", "analyze", ANGRY],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert ended.returncode == 0 and "###" in ended.stdout and "?" not in ended.stdout


# --- the timeline


def test_a_timeline_is_drawn(video: Path, tmp_path: Path, capsys) -> None:
    path = tmp_path / "new" / "talk.png"
    assert analyze(video, "--plot", path) == 0
    assert f"drawn in {path}" in capsys.readouterr().err
    assert [entry.name for entry in path.parent.iterdir()] == ["talk.png"]
    with Image.open(path) as image:
        assert image.format == "PNG" and image.width > image.height > 500
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    drawn = {tuple(colour) for colour in np.unique(pixels, axis=0)}
    assert {
        (0xD5, 0x5E, 0x00),
        (0xE4, 0xE4, 0xE4),
        (0x8A, 0x8A, 0x8A),
    } <= drawn  # mark, none, level


@pytest.mark.parametrize("name", ["$^{$.flac", 30 * "안녕", 100 * "a", "no-utf-8-\udcff.flac"])
def test_a_name_is_drawn_as_it_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(ANGRY.read_bytes())
    assert analyze(path, "--plot", tmp_path / "a.png") == 0
    assert (tmp_path / "a.png").is_file()


def test_a_picture_is_not_drawn_over(video: Path, tmp_path: Path, capsys) -> None:
    path = tmp_path / "talk.png"
    path.write_bytes(b"precious")
    assert analyze(video, "--plot", path) == 1
    told = capsys.readouterr()
    assert "is there already" in told.err and told.out == ""
    assert path.read_bytes() == b"precious"
    assert analyze(video, "--plot", path, "--overwrite") == 0
    with Image.open(path) as image:
        assert image.format == "PNG"


def test_without_matplotlib_it_says_what_to_install(video, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert analyze(video, "--plot", tmp_path / "a.png") == 1
    told = capsys.readouterr()
    assert "pip install -r utils/command_line/emotion/analyze.txt" in told.err and told.out == ""
    assert analyze(video) == 0


# --- bad input


def silent_video(path: Path) -> Path:
    """Pictures, and no sound track."""
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        for number in range(20):
            image = np.full((48, 64, 3), number * 10, np.uint8)
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        out.mux(pictures.encode(None))
    return path


def test_what_cannot_be_told_says_why_and_leaves_nothing(tmp_path: Path, capsys) -> None:
    short, silence = tmp_path / "short.wav", tmp_path / "silence.wav"
    soundfile.write(short, load(ANGRY)[: SAMPLE_RATE // 3], SAMPLE_RATE)
    soundfile.write(silence, np.zeros(3 * SAMPLE_RATE), SAMPLE_RATE)
    (tmp_path / "text.wav").write_text("no sound")
    for path, reason in (
        (silent_video(tmp_path / "mute.mp4"), "holds no sound that can be read"),
        (short, "0.333 s of audio, expected at least 0.5 s; give a longer recording"),
        (silence, "no speech is heard in it; give a recording of somebody who speaks"),
        (tmp_path / "text.wav", "not a readable recording"),
        (tmp_path / "none.wav", "no such file"),
        (tmp_path, "it is a folder, not a file"),
    ):
        assert analyze(path, "--plot", tmp_path / "a.png") == 1
        said = capsys.readouterr().err
        assert said.startswith(f"{path}: ") and said.count(str(path)) == 1 and reason in said
        assert not list(tmp_path.glob("*.png*")) and not list(tmp_path.glob(".*"))


def test_of_a_damaged_recording_what_is_there_is_told_and_drawn(tmp_path: Path, capsys) -> None:
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.tile(load(SPEECH), 3), SAMPLE_RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert analyze(path, "--plot", tmp_path / "a.png") == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) >= 3 and "get the whole file again" in told.err
    assert (tmp_path / "a.png").is_file()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--chunk", "0"), "0: expected 0.5 to 60 seconds"),
        (("--chunk", "-3"), "-3: expected 0.5 to 60 seconds"),
        (("--chunk", "inf"), "inf: expected 0.5 to 60 seconds"),
        (("--chunk", "all"), "all: expected 0.5 to 60 seconds"),
        (("--plot", "a.jpg"), "a.jpg: expected a name that ends in .png"),
    ],
)
def test_what_makes_no_sense_is_told(words: tuple[str, str], reason: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        analyze(SPEECH, *words)
    assert ended.value.code == 2 and reason in capsys.readouterr().err


def test_a_reader_that_has_gone_is_no_error(video: Path) -> None:
    ended = subprocess.run(
        f"set -o pipefail; {sys.executable} emotion_model.py analyze {video} | head -c 1",
        shell=True,
        executable="/bin/bash",
        cwd=HOME,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr


# --- played in step


def heard_meanwhile(command: list[object]) -> tuple[np.ndarray, subprocess.CompletedProcess]:
    """What the default microphone heard while a command ran, float32 (n,)."""
    frames: list[np.ndarray] = []
    with MicrophoneSource() as source:
        reader = threading.Thread(
            target=lambda: frames.extend(frame.samples for frame in source), daemon=True
        )
        reader.start()
        ended = subprocess.run([*map(str, command)], capture_output=True, text=True)
        source.close()
        reader.join()
    return np.concatenate(frames), ended


def test_the_sound_is_played_whole_and_in_order(sound_server: SoundServer, talk, video) -> None:
    command = [sys.executable, HOME / "emotion_model.py", "analyze", video, "--play", "--jsonl"]
    heard, ended = heard_meanwhile(command)
    assert ended.returncode == 0, ended.stderr
    assert [json.loads(line)["start_s"] for line in ended.stdout.splitlines()] == [0, 3, 6, 9]
    at = []
    for start in (1, 2, 3, 4, 10, 11):  # seconds in which somebody speaks
        part = talk[start * SAMPLE_RATE :][: SAMPLE_RATE // 2]
        found = correlate(heard, part, mode="valid", method="fft")
        energy = np.convolve(np.square(heard), np.ones(len(part)), "valid")
        alike = found / np.sqrt(np.maximum(energy, 1e-3) * np.square(part).sum())
        assert alike.max() > 0.5, start  # a busy machine leaves gaps; other speech is below 0.2
        at.append(int(alike.argmax()))
    assert at == sorted(at)
    assert (at[-1] - at[0]) / SAMPLE_RATE >= 9.9


def test_where_nothing_can_be_played_it_says_so(sound_server: SoundServer, capsys) -> None:
    sound_server.kill()
    assert analyze(ANGRY, "--play") == 1
    told = capsys.readouterr()
    assert "the sound cannot be played" in told.err and "leave --play out" in told.err
    assert told.out == ""


def test_a_sound_server_that_freezes_is_not_waited_for(
    sound_server: SoundServer, monkeypatch
) -> None:
    monkeypatch.setattr(player_module, "PATIENCE_S", 0.5)
    with Player() as player:
        player.play(np.zeros(SAMPLE_RATE // 2, np.float32))
        sound_server.suspend()
        with pytest.raises(CaptureError, match="the sound system does not answer"):
            for _ in range(20):
                player.play(np.zeros(SAMPLE_RATE, np.float32))
    sound_server.resume()


def test_a_sound_server_that_dies_is_told(sound_server: SoundServer, monkeypatch) -> None:
    monkeypatch.setattr(player_module, "PATIENCE_S", 2.0)
    with Player() as player:
        player.play(np.zeros(SAMPLE_RATE // 2, np.float32))
        sound_server.kill()
        with pytest.raises(CaptureError, match="cannot be played|does not answer"):
            for _ in range(20):
                player.play(np.zeros(SAMPLE_RATE, np.float32))


# --- behind an address


class Site(ThreadingHTTPServer):
    """Serves a folder; `asked` has the paths, and where it is to `cut` a video breaks off."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.cut = False
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(SimpleHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.cut and self.path.endswith(".mp4"):
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4")
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(bytes(1000))
            self.close_connection = True
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(video: Path, tmp_path: Path, monkeypatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "talk.mp4").write_bytes(video.read_bytes())
    silent_video(folder / "mute.mp4")
    page = "<html><head><title>A talk</title></head><body>{}</body></html>"
    player = '<video src="{}"></video>'
    (folder / "page.html").write_text(page.format(player.format("talk.mp4")))
    (folder / "none.html").write_text(page.format("Nothing to hear."))
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with Site(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["talk.mp4", "page.html"])
def test_a_video_behind_an_address_is_told_as_the_file(
    name: str, site: Site, video: Path, tmp_path: Path, capsys
) -> None:
    assert analyze(video, "--jsonl") == 0
    here = lines_of(capsys)
    assert analyze(f"{site.url}/{name}", "--jsonl") == 0
    there = lines_of(capsys)
    assert {line.pop("path") for line in there} == {f"{site.url}/{name}"}
    assert there == [{key: line[key] for key in line if key != "path"} for line in here]
    assert set(site.asked) == {f"/{name}", "/talk.mp4"}
    assert not list((tmp_path / "temporary").iterdir())


SPY = """
import sys
places = set()
def spy(event, words):
    if event in ("socket.connect", "socket.sendto"):
        places.add(words[1])
    elif event == "socket.getaddrinfo":
        places.add(words[:2])
sys.addaudithook(spy)
import emotion_model
status = emotion_model.main(["analyze", sys.argv[1]])
print(places, file=sys.stderr)
sys.exit(status)
"""


def test_nobody_is_asked_but_the_address(site: Site) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SPY, f"{site.url}/page.html"],
        cwd=HOME,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == f"{ {('127.0.0.1', site.server_port)} }\n"


def test_what_is_not_to_be_had_says_why(site: Site, tmp_path: Path, capsys) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/talk.mp4"
    for address, reason in (
        (f"{site.url}/gone.mp4", "cannot be fetched (Unable to download webpage: HTTP Error 404"),
        (f"{site.url}/none.html", "cannot be fetched (Unsupported URL"),
        (f"{site.url}/mute.mp4", "holds no sound that can be read"),
        (nowhere, "Connection refused); check the address and the network"),
        ("http://nowhere.invalid/talk.mp4", "check the address and the network, or download it"),
        ("http://[bad", "check the address and the network, or download it to a file"),
        ("ftp://127.0.0.1/talk.mp4", "no such file"),
    ):
        assert analyze(address, "--plot", tmp_path / "a.png") == 1
        told = capsys.readouterr()
        assert told.err.startswith(f"{address}: ") and reason in told.err
        assert told.out == "" and "temporary" not in told.err
        assert not list((tmp_path / "temporary").iterdir())
    assert not list(tmp_path.glob("*.png"))


def test_a_connection_that_breaks_is_told(site: Site, tmp_path: Path, capsys) -> None:
    site.cut = True
    assert analyze(f"{site.url}/talk.mp4") == 1
    assert "check the address and the network" in capsys.readouterr().err
    assert not list((tmp_path / "temporary").iterdir())


def test_without_yt_dlp_it_says_what_to_install(site: Site, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    assert analyze(f"{site.url}/talk.mp4") == 1
    told = capsys.readouterr().err
    assert "pip install -r utils/command_line/emotion/analyze.txt, or give a file" in told
    assert site.asked == []
