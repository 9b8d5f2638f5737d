"""Many recordings: each is captioned once, whatever ends a process in between."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import soundfile

from tests.command_line.test_app import SPEECH
from tests.process_tree import GONE, tree
from tests.program import APP, PATIENCE_S, run
from tests.recordings import encode
from utils.command_line.batch import _most_workers, local
from utils.command_line.batch.plan import DONE, FORMS, Done, Outcome, find
from utils.command_line.batch.work import Work
from utils.config import Settings
from utils.environment import N_THREADS, cores
from utils.errors import DataError, ModelError

WORDS = ["--no-emotion", "--no-sounds"]
HELD_BY = ("spawn_main", "ray::_caption")  # how the processes that caption are called
MANY = 8


def batch(folder: Path, out: Path, *more: object) -> list[object]:
    return [*WORDS, "caption", folder, "--asr", "whisper", "--out", out, *more]


def of(out: Path) -> list[dict]:
    """What is written of what is done."""
    return [json.loads(line) for line in (out / DONE).read_text().splitlines()]


def words(path: Path) -> list[str]:
    return [line["text"] for line in json.loads(path.read_text())["lines"]]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings as an archive has them: in folders, of all kinds, some broken."""
    folder = tmp_path_factory.mktemp("archive") / "녹음 1"
    (folder / "1999/may").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    samples, rate = soundfile.read(SPEECH, dtype="float32", always_2d=True)
    shutil.copy(SPEECH, folder / "talk.flac")
    encode(folder / "talk.mp4", samples, rate, "aac", video=True)
    shutil.copy(SPEECH, folder / "1999/may/a talk.FLAC")
    shutil.copy(SPEECH, folder / ".hidden/no.flac")
    (folder / "notes.txt").write_text("not a recording")
    (folder / "empty.mp3").write_bytes(b"")
    soundfile.write(folder / "cut.ogg", samples, rate)
    whole = (folder / "cut.ogg").read_bytes()
    (folder / "cut.ogg").write_bytes(whole[: len(whole) * 3 // 4])
    return folder


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(MANY):
        shutil.copy(SPEECH, folder / f"{i}.flac")
    return folder


def test_a_whole_archive_is_captioned_and_what_is_done_is_not_done_again(
    archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "captions"
    first = run(batch(archive, out, "--workers", 2))
    assert first.returncode == 1 and "Traceback" not in first.stderr
    assert "5 recording(s), 0 done already, 5 to caption" in first.stderr
    assert "1 other file(s) are left alone" in first.stderr
    assert "empty.mp3" in first.stderr and "get the whole file again" in first.stderr
    assert "4 of 5 captioned" in first.stdout and "2 had something wrong" in first.stdout
    names = {"talk.flac", "talk.mp4", "1999/may/a talk", "cut"}
    made = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert made - {DONE, ".captions.lock"} == {f"{n}.{form}" for n in names for form in FORMS}
    one = run([*WORDS, "caption", archive / "talk.flac", "--asr", "whisper", "--format", "srt"])
    assert (out / "1999/may/a talk.srt").read_text() == one.stdout
    assert words(out / "cut.json")[0].split()[:2] == words(out / "talk.flac.json")[0].split()[:2]

    os.utime(archive / "talk.flac")  # it has changed
    before = (out / "talk.mp4.json").stat()
    again = run(batch(archive, out))
    assert "5 recording(s), 3 done already, 2 to caption" in again.stderr
    assert again.returncode == 1 and "1 of 2 captioned" in again.stdout
    assert (out / "talk.mp4.json").stat() == before
    (archive / "empty.mp3").unlink()
    (out / "cut.vtt").unlink()  # somebody has lost it
    third = run(batch(archive, out))
    assert "1 to caption" in third.stderr and (out / "cut.vtt").is_file()
    other = run(batch(archive, out, "--language", "ko"))  # no Korean recogniser is here, or it is
    assert "4 to caption" in other.stderr or "Korean" in other.stderr or "ko" in other.stderr


def started(arguments: list[object]) -> subprocess.Popen:
    """The command; it heeds Ctrl-C also where the tests themselves do not, as under nohup."""
    return subprocess.Popen(
        ["env", "--default-signal", sys.executable, APP, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def at_work(process: subprocess.Popen) -> list[int]:
    """The processes that caption, which a Ray has somewhere below."""
    found = []
    for pid in tree(process.pid):
        with suppress(*GONE):
            line = Path(f"/proc/{pid}/cmdline").read_text()
            if any(name in line for name in HELD_BY):
                found.append(pid)
    return found


def wait_for(happened: object) -> None:
    deadline_s = time.monotonic() + 4 * PATIENCE_S
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


@pytest.mark.parametrize("ray", [False, True])
def test_who_is_killed_in_the_middle_loses_nothing_and_does_nothing_twice(
    many: Path, tmp_path: Path, ray: bool
) -> None:
    if ray:
        pytest.importorskip("ray", reason="needs pip install ray")
    out = tmp_path / "captions"
    process = started(batch(many, out, "--workers", 2, *(["--ray", "local"] if ray else [])))
    wait_for(lambda: (out / DONE).is_file() and of(out) and at_work(process))
    one = at_work(process)[0]
    if not ray:  # which shares cores out by itself
        each = os.environ.get(N_THREADS) or max(1, cores() // 2)
        told = Path(f"/proc/{one}/environ").read_bytes().split(b"\0")
        assert f"{N_THREADS}={each}".encode() in told
    os.kill(one, signal.SIGKILL)
    output, errors = process.communicate(timeout=4 * PATIENCE_S)
    assert process.returncode == 0, errors
    assert f"{MANY} of {MANY} captioned" in output
    assert sorted(done["name"] for done in of(out)) == [f"{i}.flac" for i in range(MANY)]
    texts = {tuple(words(out / f"{i}.json")) for i in range(MANY)}
    assert len(texts) == 1 and texts != {()}
    assert not list(out.rglob("*.part"))


def test_the_command_goes_on_where_it_was_killed(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "captions"
    process = started(batch(many, out, "--workers", 2))
    wait_for(lambda: (out / DONE).is_file() and of(out))
    others = at_work(process)
    process.kill()
    process.communicate()
    wait_for(lambda: not any(Path(f"/proc/{pid}").is_dir() for pid in others))  # nobody is left
    n_done = len(of(out))
    assert 0 < n_done < MANY
    again = run(batch(many, out))
    assert f"{n_done} done already, {MANY - n_done} to caption" in again.stderr
    assert sorted(done["name"] for done in of(out)) == [f"{i}.flac" for i in range(MANY)]


def test_ctrl_c_says_how_to_go_on(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "captions"
    process = started(batch(many, out, "--workers", 1))
    wait_for(lambda: (out / DONE).is_file() and of(out))
    others = at_work(process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "The same command goes on with the rest" in errors and "Traceback" not in errors
    assert not any(Path(f"/proc/{pid}").is_dir() for pid in others)


def test_a_recording_that_ends_every_process_is_given_up(many: Path) -> None:
    jobs, _ = find(many, many)
    outcomes = list(
        local.run(Work(Settings(), "tests.command_line.test_batch:fatal"), jobs[:2], 1, set())
    )
    assert [(o.name, o.written) for o in outcomes] == [("0.flac", False), ("1.flac", False)]
    assert "ended 3 times (status 9)" in outcomes[0].problem


def test_engines_that_end_their_process_are_told(many: Path) -> None:
    jobs, _ = find(many, many)
    work = Work(Settings(), "tests.command_line.test_batch:never")
    with pytest.raises(ModelError, match="while it loaded its models"):
        list(local.run(work, jobs, 2, set()))


def test_engines_that_cannot_be_loaded_are_told_once(many: Path, tmp_path: Path) -> None:
    missing = tmp_path / "no.nemo"
    ended = run([*WORDS, "caption", many, "--model", missing, "--out", tmp_path / "out"])
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert ended.stderr.count(str(missing)) == 1
    assert not list((tmp_path / "out").glob("*.json"))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], "--out FOLDER"),
        (["--out", "{file}"], "cannot be written"),
        pytest.param(
            ["--out", "/proc"],
            "cannot be written to",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux"),
        ),
        (["--out", "{out}", "--workers", "0"], "expected a number from 1 on"),
        (["--out", "{out}", "--ray", "nowhere:1"], "--ray nowhere:1"),
    ],
)
def test_what_cannot_be_is_told(archive: Path, tmp_path: Path, more: list[str], told: str) -> None:
    file = tmp_path / "file"
    file.touch()
    more = [word.format(file=file, out=tmp_path / "out") for word in more]
    ended = run([*WORDS, "caption", archive, "--asr", "whisper", *more])
    assert ended.returncode in (1, 2) and told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_without_recordings_and_one_recording_with_a_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    ended = run(["caption", tmp_path, "--out", tmp_path / "out"])
    assert ended.returncode == 1 and "holds no recordings, only 1 other file(s)" in ended.stderr
    ended = run(["caption", SPEECH, "--out", tmp_path / "out"])
    assert ended.returncode == 1 and "is no folder" in ended.stderr


def test_two_commands_do_not_write_to_one_folder(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "captions"
    process = started(batch(many, out, "--workers", 1))
    wait_for(lambda: (out / DONE).is_file())
    process.send_signal(signal.SIGSTOP)
    second = run(batch(many, out))
    process.kill()
    process.communicate()
    assert second.returncode == 1 and "another command is captioning into it" in second.stderr


def test_a_list_that_was_cut_is_read_as_far_as_it_goes(many: Path, tmp_path: Path) -> None:
    jobs, _ = find(many, tmp_path)
    with Done(tmp_path, "as always") as done:
        for job in jobs[:2]:
            for path in job.outputs.values():
                path.touch()
            done.add(job, Outcome(job.name, written=True))
    path = tmp_path / DONE
    path.write_bytes(path.read_bytes()[:-9])
    with Done(tmp_path, "as always") as done:
        assert [done.has(job) for job in jobs[:3]] == [True, False, False]
        done.add(jobs[1], Outcome(jobs[1].name, written=True))
    with Done(tmp_path, "as always") as done, Done(tmp_path, "otherwise") as other:
        assert done.has(jobs[1]) and not other.has(jobs[1])


def test_a_folder_that_cannot_be_written_is_told(many: Path, tmp_path: Path) -> None:
    (tmp_path / "captions" / DONE).mkdir(parents=True)
    with pytest.raises(DataError, match="cannot be written"):
        Done(tmp_path / "captions", "")


@pytest.mark.parametrize(("free", "most"), [(2_000_000_000, 3), (100_000_000, 1), (None, 16)])
def test_there_are_no_more_processes_than_memory_bears(
    free: int | None, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.setattr("utils.command_line.batch.free_bytes", lambda: free)
    assert _most_workers(Settings()) == most


class Fatal:
    """Engines with which every recording ends the process."""

    @property
    def captioner(self) -> Iterator:
        return self  # type: ignore[return-value]

    ready, missing = "ready", ()

    def renewed(self) -> None:
        os._exit(9)


def fatal(settings: Settings) -> Fatal:
    return Fatal()


def never(settings: Settings) -> None:
    os._exit(9)
