"""Models are fetched whole or not at all, from a server that speaks the hub's protocol."""

import queue
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hub_server import COMMIT, CONTENT, NAME, REPO, archive
from tests.program import PATIENCE_S
from tests.whisper_models import LARGE, MULTILINGUAL, whisper
from utils.errors import ModelError
from utils.models import memory
from utils.models.catalogue import WHISPER
from utils.models.download import StoppedError
from utils.models.fetch import Fetch
from utils.models.hub import NetworkError, look_up

HOME = Path(__file__).resolve().parents[2]
STOPS_S = 25.0  # on the busiest machine; the pauses and time-outs that it cuts short are longer


def visible(folder: Path) -> list[str]:
    """What an operator sees in a folder."""
    return sorted(path.name for path in folder.glob("*") if not path.name.startswith("."))


def fetch(pauses_s: Sequence[float] = ()) -> Path:
    return Fetch(NAME, lambda done, total: None, pauses_s).run()


def test_a_whole_download(hub, models_here):
    told = []
    path = Fetch(NAME, lambda *progress: told.append(progress)).run()
    assert path == models_here / f"{NAME}.nemo"
    assert path.read_bytes() == CONTENT
    assert visible(models_here) == [path.name]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    # The hub is asked for this file only: nobody is told who asks
    assert {path for _, path, _ in hub.asked if not path.startswith("/store/")} == {
        f"/{REPO}/resolve/main/{NAME}.nemo",
        f"/{REPO}/resolve/{look_up(REPO, f'{NAME}.nemo').commit}/{NAME}.nemo",
    }


def test_what_is_here_is_not_fetched_again(hub, models_here):
    fetch()
    asked = len(hub.asked)
    fetch()
    assert len(hub.asked) == asked


def test_a_damaged_file_is_fetched_anew(hub, models_here):
    path = fetch()
    path.write_bytes(CONTENT[:1_000_000])
    assert fetch().read_bytes() == CONTENT


def test_a_broken_download_goes_on_where_it_broke(hub, models_here):
    hub.break_after = [1_000_000]
    with pytest.raises(NetworkError, match="could not be fetched"):
        fetch()
    (part,) = models_here.glob("*.part")
    assert part.stat().st_size == 1_000_000
    assert visible(models_here) == [part.name]  # nothing under the final name
    assert fetch().read_bytes() == CONTENT
    assert hub.ranges() == [None, "bytes=1000000-"]
    assert visible(models_here) == [f"{NAME}.nemo"]


def test_the_network_may_break_again_and_again_while_bytes_come(hub, models_here):
    hub.break_after = [500_000] * 5
    assert fetch(pauses_s=[0.0]).read_bytes() == CONTENT
    assert len(hub.ranges()) == 6


@pytest.mark.parametrize("status", [503, 429])
def test_attempts_end_when_nothing_comes(hub, models_here, status):
    hub.status, ending = status, Ending()
    began = time.monotonic()
    Fetch(NAME, lambda *_: None, pauses_s=[0.1, 0.2]).start(ending)
    assert ending.came.wait(PATIENCE_S)
    assert isinstance(ending.outcomes[0], NetworkError)
    assert str(status) in str(ending.outcomes[0])
    assert len(hub.asked) == 3
    assert time.monotonic() - began > 0.3
    assert visible(models_here) == []


def test_who_waits_is_told_at_once(hub, models_here):
    hub.status = 503
    with pytest.raises(NetworkError, match="503"):
        fetch(pauses_s=[60.0])
    assert len(hub.asked) == 1


def test_who_waits_for_the_network_is_told_why_and_may_try_now(hub, models_here):
    hub.status, ending, told = 503, Ending(), queue.SimpleQueue[NetworkError]()
    job = Fetch(NAME, lambda *_: None, pauses_s=[3600.0], on_wait=told.put)
    job.start(ending)
    assert "503" in str(told.get(timeout=PATIENCE_S))
    hub.status = 0
    job.try_now()
    assert ending.came.wait(PATIENCE_S)
    assert ending.outcomes == [models_here / f"{NAME}.nemo"]


def test_a_server_that_cannot_resume(hub, models_here):
    hub.break_after, hub.resumes = [1_000_000], False
    assert fetch(pauses_s=[0.0]).read_bytes() == CONTENT


def test_a_damaged_part_is_fetched_anew(hub, models_here):
    hub.break_after = [1_000_000]
    with pytest.raises(NetworkError):
        fetch()
    (part,) = models_here.glob("*.part")
    part.write_bytes(bytes(1_000_000))  # as a power cut may leave it
    assert fetch().read_bytes() == CONTENT


def test_a_part_of_an_older_version_is_not_mixed_in(hub, models_here):
    hub.break_after = [1_000_000]
    with pytest.raises(NetworkError):
        fetch()
    newer = archive(2_000_000)
    hub.files[f"{REPO}/{NAME}.nemo"] = newer
    assert fetch().read_bytes() == newer
    assert visible(models_here) == [f"{NAME}.nemo"]


def test_a_sign_in_page_is_no_model(hub, models_here):
    hub.portal = {"hub"}
    with pytest.raises(NetworkError, match="ask to sign in"):
        fetch()
    hub.portal, hub.break_after = set(), [1_000_000]
    with pytest.raises(NetworkError):
        fetch()
    hub.portal = {"store"}
    with pytest.raises(NetworkError, match="something else was sent"):
        fetch()
    hub.portal = set()
    assert fetch().read_bytes() == CONTENT
    assert hub.ranges()[-1] == "bytes=1000000-"  # what had come was not lost


def test_wrong_bytes_are_not_kept(hub, models_here):
    hub.spoil = True
    with pytest.raises(ModelError, match="its checksum is wrong"):
        fetch()
    assert visible(models_here) == []


@pytest.mark.parametrize(
    ("gated", "status", "message"),
    [
        (True, 0, "needs a Hugging Face account"),
        (False, 401, "Hugging Face knows no"),
        (False, 403, "could not be fetched"),
    ],
)
def test_a_refusal_is_told_and_not_tried_again(hub, models_here, gated, status, message):
    hub.gated, hub.status = gated, status
    with pytest.raises(ModelError, match=message):
        fetch(pauses_s=[60.0])
    assert len(hub.asked) == 1


def test_a_name_that_the_hub_does_not_know(hub, models_here):
    with pytest.raises(ModelError, match="Hugging Face knows no unheard_of.nemo"):
        Fetch("somebody/unheard_of", lambda *_: None).run()
    with pytest.raises(ModelError, match="neither a .nemo file nor"):
        Fetch("a/b/c", lambda *_: None)


def test_others_may_use_a_name_of_ours(hub, models_here):
    theirs = archive(1000)
    hub.files[f"somebody/{NAME}/{NAME}.nemo"] = theirs
    path = Fetch(f"somebody/{NAME}", lambda *_: None).run()
    assert path == models_here / f"somebody--{NAME}.nemo"
    assert fetch().read_bytes() == CONTENT
    assert path.read_bytes() == theirs


def test_a_token_does_not_leave_the_hub(hub, models_here, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch()
    assert hub.at_store
    assert not any("authorization" in {*map(str.lower, sent)} for sent in hub.at_store)


def test_no_network(models_here, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(NetworkError, match="check the network"):
        fetch()
    assert not models_here.exists()


def test_offline_nothing_is_asked(hub, models_here, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="--offline"):
        fetch(pauses_s=[60.0])
    assert hub.asked == []


def test_a_folder_that_cannot_be_written(hub, models_here):
    models_here.parent.mkdir(parents=True)
    models_here.write_text("a file where the folder should be")
    with pytest.raises(ModelError, match="set XDG_CACHE_HOME"):
        fetch()


@pytest.fixture
def small_disk(request, tmp_path, monkeypatch):
    """A disk of 100 MB, which the program leaves to others, and little more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = int(request.param[:-1]) * 1_000_000
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    monkeypatch.setenv("XDG_CACHE_HOME", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("small_disk", ["102M"], indirect=True)
def test_a_disk_that_is_too_small_is_not_begun_on(hub, small_disk):
    with pytest.raises(ModelError, match=r"the disk is too full .* 3 MB to fetch, 102 MB free"):
        fetch()
    assert visible(small_disk / "recognition_helpers/models") == []
    assert hub.ranges() == []


@pytest.mark.parametrize("small_disk", ["110M"], indirect=True)
def test_a_disk_that_others_fill_gets_its_room_back(hub, small_disk):
    def fill(done: int, total: int) -> None:
        (small_disk / "other").write_bytes(bytes(shutil.disk_usage(small_disk).free - 8192))

    hub.rate = 2_000_000
    with pytest.raises(ModelError, match="the disk ran full"):
        Fetch(NAME, fill, pauses_s=[60.0]).run()
    assert visible(small_disk / "recognition_helpers/models") == []


def test_a_quota_that_is_reached_gets_its_room_back(hub, models_here):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(ModelError, match="the disk ran full"):
            fetch(pauses_s=[60.0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert visible(models_here) == []


def test_two_processes_take_turns(hub, models_here):
    hub.rate = 3_000_000
    code = (
        "from utils.models.fetch import Fetch\n"
        f"print(Fetch({NAME!r}, lambda done, total: None).run())"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=HOME, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    paths = {process.communicate(timeout=PATIENCE_S)[0].strip() for process in both}
    assert paths == {str(models_here / f"{NAME}.nemo")}
    assert (models_here / f"{NAME}.nemo").read_bytes() == CONTENT
    assert len(hub.ranges()) == 1


class Ending:
    """What a fetch in the background tells in the end."""

    def __init__(self) -> None:
        self.outcomes: list[Path | ModelError] = []
        self.came = threading.Event()

    def __call__(self, outcome: Path | ModelError) -> None:
        self.outcomes.append(outcome)
        self.came.set()


def test_in_the_background(hub, models_here):
    told, ending = [], Ending()
    hub.rate = 1_000_000  # bytes a second: 3 s in all
    began = time.monotonic()
    Fetch(NAME, lambda *progress: told.append(progress)).start(ending)
    assert not ending.came.is_set()  # it did not wait for the end
    assert ending.came.wait(PATIENCE_S)
    assert ending.outcomes == [models_here / f"{NAME}.nemo"]
    assert ending.outcomes[0].read_bytes() == CONTENT
    assert 3 <= len(told) <= 2 * (time.monotonic() - began) + 2
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("when", ["receiving", "stalled", "waiting"])
def test_stopped_within_a_second_and_resumed(hub, models_here, when):
    begun, ending = threading.Event(), Ending()
    hub.rate = 1_000_000
    if when == "stalled":
        hub.rate = 20  # a byte a second: nothing comes
    if when == "waiting":
        hub.break_after = [0]
    behind = Fetch(NAME, lambda *_: begun.set(), pauses_s=[60.0])
    behind.start(ending)
    if when == "waiting":
        while not hub.ranges():
            time.sleep(0.01)
        time.sleep(0.2)
    else:
        assert begun.wait(PATIENCE_S)
    began = time.monotonic()
    behind.stop()
    assert time.monotonic() - began < STOPS_S
    assert not any(thread.name == "fetch" for thread in threading.enumerate())
    assert ending.outcomes == []
    assert not (models_here / f"{NAME}.nemo").exists()
    hub.rate = 0
    assert fetch().read_bytes() == CONTENT
    if when == "receiving":
        assert hub.ranges()[1].startswith("bytes=")


def test_stopped_while_nobody_answers(models_here, monkeypatch):
    ending = Ending()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{mute.getsockname()[1]}")
        behind = Fetch(NAME, lambda *_: None)
        behind.start(ending)
        time.sleep(0.5)
        began = time.monotonic()
        behind.stop()
        assert time.monotonic() - began < STOPS_S
    assert not ending.came.wait(1.0)
    assert not models_here.exists()


def test_a_stopped_fetch_does_not_run(hub, models_here):
    behind = Fetch(NAME, lambda *_: None)
    behind.stop()
    with pytest.raises(StoppedError):
        behind.run()


def test_a_failure_in_the_background_is_told(hub, models_here):
    ending = Ending()
    hub.gated = True
    Fetch(NAME, lambda *_: None).start(ending)
    assert ending.came.wait(PATIENCE_S)
    assert isinstance(ending.outcomes[0], ModelError)
    assert "account" in str(ending.outcomes[0])


def test_too_little_memory_and_nothing_is_asked(hub, models_here, monkeypatch):
    ending = Ending()
    monkeypatch.setattr(memory, "free_bytes", lambda: 300_000_000)
    Fetch(NAME, lambda *_: None).start(ending)
    assert ending.came.wait(PATIENCE_S)
    assert "too large for the memory of this machine" in str(ending.outcomes[0])
    assert hub.asked == []


# A model of several files

FOLDER = "Systran/faster-whisper-base.en"


@pytest.fixture
def files(hub) -> dict[str, bytes]:
    """The files of base.en, on the hub."""
    model = whisper(n_bytes=3_000_000)
    serve(hub, FOLDER, model)
    return model


def serve(hub, repo: str, model: dict[str, bytes]) -> None:
    for name, data in model.items():
        hub.files[f"{repo}/{name}"] = data


def fetch_folder(pauses_s: Sequence[float] = (), name: str = "base.en") -> Path:
    return Fetch(name, lambda done, total: None, pauses_s).run()


def inside(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_several_files_are_one_model(hub, models_here, files):
    told = []
    path = Fetch(FOLDER, lambda *progress: told.append(progress)).run()
    assert path == models_here / "base.en"
    assert inside(path) == files
    assert visible(models_here) == ["base.en"]
    assert told[-1] == (sum(map(len, files.values())),) * 2
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    # After the first question all are asked for at one commit
    asked = [path for _, path, _ in hub.asked if "/resolve/" in path]
    assert asked[0] == f"/{FOLDER}/resolve/main/model.bin"
    assert all(f"/resolve/{COMMIT}/" in path for path in asked[1:])
    count = len(hub.asked)
    assert fetch_folder() == path
    assert len(hub.asked) == count  # it is here


def test_either_vocabulary_and_more_mel_bands(hub, models_here):
    large = whisper(LARGE, mels=128)
    serve(hub, "Systran/faster-whisper-large-v3", large)
    assert inside(fetch_folder(name="large-v3")) == large


def test_several_files_go_on_where_they_broke(hub, models_here, files):
    hub.break_after = [1_000_000]
    with pytest.raises(NetworkError):
        fetch_folder()
    [part] = models_here.glob("*.part")
    assert inside(part).keys() == {"model.bin"}
    assert (part / "model.bin").stat().st_size == 1_000_000
    hub.break_after = [10_000_000, 10]  # now in the second file
    with pytest.raises(NetworkError):
        fetch_folder()
    assert visible(models_here) == [part.name]  # nothing under the final name
    assert inside(part)["model.bin"] == files["model.bin"]
    assert inside(fetch_folder()) == files
    assert hub.ranges() == [None, "bytes=1000000-"]
    assert "bytes=10-" in [wanted for *_, wanted in hub.asked]
    assert visible(models_here) == ["base.en"]


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "vocabulary.txt"])
def test_a_damaged_part_of_a_folder_is_fetched_anew(hub, models_here, files, name):
    hub.break_after = [10_000_000] * 3 + [10]
    with pytest.raises(NetworkError):
        fetch_folder()
    [part] = models_here.glob("*.part")
    (part / name).write_bytes(bytes(len(files[name])))
    assert inside(fetch_folder()) == files


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"])
def test_a_damaged_folder_is_fetched_anew(hub, models_here, files, name):
    path = fetch_folder()
    (path / name).write_bytes(files[name][: len(files[name]) // 2])
    assert inside(fetch_folder()) == files


def test_wrong_bytes_of_a_small_file_are_not_kept(hub, models_here, files):
    hub.break_after = [10_000_000, 0]  # the weights come, the next file does not
    with pytest.raises(NetworkError):
        fetch_folder()
    hub.spoil = True
    with pytest.raises(ModelError, match="its checksum is wrong"):
        fetch_folder()
    assert not (models_here / "base.en").exists()
    hub.spoil = False
    assert inside(fetch_folder()) == files
    assert hub.ranges() == [None]  # the weights were right and were kept


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"])
def test_a_repository_that_lacks_a_file(hub, models_here, files, name):
    del hub.files[f"{FOLDER}/{name}"]
    with pytest.raises(ModelError, match=f"Hugging Face knows no {name}"):
        fetch_folder(pauses_s=[60.0])
    assert visible(models_here) == []


def test_a_name_that_begins_another(hub, models_here, files):
    serve(hub, "Systran/faster-whisper-base", whisper(MULTILINGUAL, n_bytes=3_000_000))
    hub.break_after = [1_000_000]
    with pytest.raises(NetworkError):
        fetch_folder()
    fetch_folder(name="base")
    assert [name.split(".part")[0][:8] for name in visible(models_here)] == ["base", "base.en."]
    assert inside(fetch_folder()) == files
    assert hub.ranges()[-1] == "bytes=1000000-"


def test_a_newer_version_of_a_folder(hub, models_here, files):
    hub.break_after = [1_000_000]
    with pytest.raises(NetworkError):
        fetch_folder()
    newer = whisper(n_bytes=2_000_000)
    serve(hub, FOLDER, newer)
    assert inside(fetch_folder()) == newer
    assert visible(models_here) == ["base.en"]


def test_a_folder_in_the_background_stopped_and_resumed(hub, models_here, files):
    begun, ending = threading.Event(), Ending()
    hub.rate = 1_000_000
    behind = Fetch("base.en", lambda *_: begun.set())
    behind.start(ending)
    assert begun.wait(PATIENCE_S)
    began = time.monotonic()
    behind.stop()
    assert time.monotonic() - began < STOPS_S
    assert ending.outcomes == [] and not (models_here / "base.en").exists()
    hub.rate = 0
    again = Fetch("base.en", lambda *_: None)
    again.start(ending)
    assert ending.came.wait(PATIENCE_S)
    assert ending.outcomes == [models_here / "base.en"]
    assert inside(models_here / "base.en") == files
    assert hub.ranges()[1].startswith("bytes=")


@pytest.mark.parametrize("small_disk", ["105M"], indirect=True)
def test_a_folder_that_does_not_fit_the_disk(hub, small_disk):
    serve(hub, FOLDER, whisper(n_bytes=10_000_000))
    with pytest.raises(ModelError, match=r"the disk is too full for base\.en: 11 MB to fetch"):
        fetch_folder()
    assert hub.ranges() == []


def test_a_folder_over_a_quota_gets_its_room_back(hub, models_here, files):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(ModelError, match="the disk ran full"):
            fetch_folder(pauses_s=[60.0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert visible(models_here) == []


def test_a_name_outside_the_catalogue_is_of_the_kind_that_is_said(hub, models_here):
    model = whisper()
    serve(hub, "somebody/theirs", model)
    path = Fetch("somebody/theirs", lambda *_: None, kind=WHISPER).run()
    assert path == models_here / "somebody--theirs"
    assert inside(path) == model


def test_too_little_memory_for_a_whisper(hub, models_here, files, monkeypatch):
    ending = Ending()
    monkeypatch.setattr(memory, "free_bytes", lambda: 340_000_000)
    Fetch("base.en", lambda *_: None).start(ending)
    assert ending.came.wait(PATIENCE_S)
    assert "base.en is too large for the memory of this machine" in str(ending.outcomes[0])
    assert hub.asked == []
