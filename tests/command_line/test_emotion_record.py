"""`emotion_model.py record`: what is spoken into the microphone is told, and kept whole or not."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

import emotion_model
from tests.sound_server import SoundServer
from utils.audio import level_db, load

HOME = Path(__file__).resolve().parents[2]
CLIP = HOME / "tests" / "data" / "angry.flac"
PATIENCE_S = 120.0


def record(*words: object) -> int:
    return emotion_model.main(["record", *map(str, words)])


def speak(server: SoundServer) -> subprocess.Popen:
    """Somebody is angry for longer than any test lasts."""
    return server.play(np.tile(load(CLIP), 60), wait=False)


def test_what_is_spoken_is_told_with_a_bar_for_each_class_and_kept(
    sound_server: SoundServer, tmp_path: Path, capsys
) -> None:
    path = tmp_path / "new" / "mine.wav"
    speaker = speak(sound_server)
    assert record("--seconds", 5.2, "--out", path) == 0
    speaker.terminate()
    told = capsys.readouterr()
    # Its name, if the sound server has told it by the first frame: nobody is kept waiting for that.
    assert re.search(
        r"Speak now: 5\.2 s are recorded from (Monitor of Null Output|the default microphone)\.",
        told.err,
    )
    assert f"kept in {path}" in told.err
    first, *rows = told.out.splitlines()
    assert first in ("angry, sure", "angry, likely")
    assert [row.split()[0] for row in rows] == [
        "neutral",
        "happy",
        "sad",
        "angry",
        "fear",
        "disgust",
    ]
    longest = max(rows, key=lambda row: row.count("█"))
    assert longest.split()[0] == "angry" and longest.endswith(" %")
    assert [entry.name for entry in path.parent.iterdir()] == ["mine.wav"]
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode, "another program may read it"
    with wave.open(str(path)) as file:
        found = (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes())
    assert found == (1, 2, 16_000, round(5.2 * 16_000))
    assert level_db(load(path)) == pytest.approx(level_db(load(CLIP)), abs=3)
    assert emotion_model.main([str(path)]) == 0  # the file is heard as the microphone was
    again = json.loads(capsys.readouterr().out)
    assert first == f"{again['label']}, {again['grade']}"
    # what reads a file takes its offset away, which moves a score by a tenth of a point
    shown = int(longest.split()[-2])
    assert shown == pytest.approx(100 * again["scores"]["angry"], abs=0.7)


def test_a_terminal_counts_down_and_shows_the_level(sound_server: SoundServer) -> None:
    speaker = speak(sound_server)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, HOME / "emotion_model.py", "record", "--seconds", "1"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as running:
        os.close(theirs)
        shown = b""
        while block := read(ours):
            shown += block
    os.close(ours)
    speaker.terminate()
    lines = shown.decode().split("\r")
    left = [float(line.split()[0]) for line in lines if " s  " in line]
    assert left == sorted(left, reverse=True) and 0.8 < left[0] < 1 and left[-1] < 0.1
    assert any("█" in line for line in lines)
    assert running.returncode == 0


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other side has gone
        return b""


def test_a_muted_microphone_is_told_and_nothing_is_kept(
    sound_server: SoundServer, tmp_path: Path, capsys
) -> None:
    assert record("--seconds", 0.5, "--out", tmp_path / "a.wav") == 1
    told = capsys.readouterr()
    assert "gave no sound at all: is it muted or unplugged?" in told.err
    assert "app.py microphones" in told.err
    assert told.out == "" and not list(tmp_path.iterdir())


def test_without_speech_nothing_is_guessed_and_the_sound_is_kept(
    sound_server: SoundServer, tmp_path: Path, capsys
) -> None:
    rng = np.random.default_rng(0)
    hiss = sound_server.play(rng.normal(0, 0.01, 60 * 16_000), wait=False)
    assert record("--seconds", 2, "--out", tmp_path / "a.wav") == 0
    hiss.terminate()
    told = capsys.readouterr()
    assert told.out == "no speech: none is heard in it; come closer, or speak louder\n"
    assert level_db(load(tmp_path / "a.wav")) == pytest.approx(-40, abs=3)


def test_no_microphone_and_no_such_microphone_are_told(
    sound_server: SoundServer, tmp_path: Path, capsys
) -> None:
    assert record("--microphone", "Nobody's", "--out", tmp_path / "a.wav") == 1
    assert 'no microphone "Nobody\'s"' in capsys.readouterr().err
    sound_server.kill()
    assert record("--out", tmp_path / "a.wav") == 1
    told = capsys.readouterr().err
    assert "no microphone found; connect one" in told or "cannot be opened" in told
    assert not list(tmp_path.iterdir())


def test_whoever_stops_it_leaves_nothing(sound_server: SoundServer, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, HOME / "emotion_model.py", "record", "--seconds", "600", "--out", "a.wav"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr and "Speak now" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
    assert running.returncode == 130 and "Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_a_recording_is_not_written_over(sound_server: SoundServer, tmp_path: Path, capsys) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"precious")
    assert record("--out", path) == 1
    told = capsys.readouterr().err
    assert "is there already; name another file, or replace it with --overwrite" in told
    assert "Speak now" not in told and path.read_bytes() == b"precious"
    speaker = speak(sound_server)
    assert record("--seconds", 1, "--out", path, "--overwrite") == 0
    speaker.terminate()
    assert len(load(path)) == 16_000


def test_where_it_cannot_be_written_is_told_before_anyone_speaks(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("")
    for path, reason in (
        (tmp_path / "file" / "a.wav", "cannot be written in"),
        (Path("/proc/a.wav"), "cannot be written in /proc"),  # where not even root makes one
        (tmp_path / "b.wav", "is a folder"),
        (tmp_path / f"{300 * 'a'}.wav", "too long"),
    ):
        if reason == "is a folder":
            path.mkdir()
        assert record("--out", path) == 1
        told = capsys.readouterr().err
        assert reason in told and "name a" in told and "Speak now" not in told


def test_what_is_no_plain_file_is_never_replaced(tmp_path: Path, capsys) -> None:
    pipe, link = tmp_path / "pipe.wav", tmp_path / "link.wav"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere.wav")
    for path in (pipe, link):
        assert record("--out", path, "--overwrite") == 1
        told = capsys.readouterr().err
        assert "is there already, and no plain file" in told and "Speak now" not in told
    assert pipe.is_fifo() and link.is_symlink()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--seconds", "0"), "0: expected 0.5 to 600 seconds"),
        (("--seconds", "nan"), "nan: expected 0.5 to 600 seconds"),
        (("--seconds", "long"), "long: expected 0.5 to 600 seconds"),
        (("--out", "a.mp3"), "a.mp3: expected a name that ends in .wav"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_loaded(words, reason, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        record(*words)
    assert ended.value.code == 2 and reason in capsys.readouterr().err
