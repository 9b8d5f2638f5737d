"""The set-up in the real program: what presenters choose and try, and readers know nothing of."""

import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line.test_app import SPEECH, Client
from tests.hub_server import NAME, REPO
from tests.program import APP, PATIENCE_S, Program
from utils.address import reachable_address

DIGITS = APP.parent / "model_state_dict/spoken_digits.nemo"


def wait_until(happened: Callable[[], bool], what: object = None) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.05)


def choose(client: Client, name: str, value: str) -> dict:
    return client.ask("choose", {"name": name, "value": value})


def settings_file(program: Program) -> Path:
    return Path(program.home) / "recognition_helpers/settings.toml"


def setting(client: Client, name: str) -> dict:
    return client.of("setup")[-1]["settings"][name]


@pytest.fixture(scope="module")
def program():
    with Program(["--asr", "whisper", "--no-emotion", "--clear-after", "7"], fresh=True) as running:
        running.wait_for("ready")
        yield running
    assert running.process.returncode == 0 and "Traceback" not in running.errors


def test_a_reader_is_told_nothing_and_can_do_nothing(program):
    with Client(program, {}) as reader, Client(program) as presenter:
        reader.wait("room", presenter=False)
        presenter.wait("setup")
        orders = {
            "setup_look": {},
            "setup_devices": {},
            "setup_end": {},
            "choose": {"name": "room", "value": "mine"},
            "try": {"microphone": ""},
            "try_end": {},
            "listen_anew": {},
            "model_get": {"name": "tiny.en"},
            "model_pause": {},
            "model_cancel": {"name": "tiny.en"},
            "model_measure": {"name": "tiny.en"},
        }
        for name, payload in orders.items():
            assert reader.ask(name, payload)["code"] in {"refused.presenter", "refused.flood"}, name
            threading.Event().wait(0.1)  # fewer than would be a flood
        assert presenter.ask("setup_look") == {"ok": True}
        presenter.wait("setup_recognisers", language="en", hears=True)
        presenter.wait("setup_devices")
        told = {name for name, _ in reader.events}
        assert not {name for name in told if name.startswith(("setup", "trial"))}, told


def test_two_presenters_agree_and_the_first_choice_is_seen_by_both(program):
    with Client(program) as one, Client(program) as other:
        assert one.wait("setup")["first"] and other.wait("setup")["first"]
        assert choose(one, "room", "Hall 2") == {"ok": True}
        wait_until(lambda: setting(other, "room")["value"] == "Hall 2")
        assert setting(other, "room")["origin"] == "file"
        wait_until(lambda: other.of("room")[-1]["name"] == "Hall 2")
        assert setting(one, "clear_after") == {"value": 7, "origin": "flag", "by": "--clear-after"}
        assert choose(one, "clear_after", "15")["code"] == "refused.fixed"
        assert other.ask("setup_end") == {"ok": True}
        wait_until(lambda: one.of("setup")[-1]["first"] is False)
    with Client(program) as later:
        assert not later.wait("setup")["first"]


def test_odd_choices_are_refused_and_nothing_is_written(program):
    with Client(program) as presenter:
        presenter.wait("setup")
        before = settings_file(program).read_text() if settings_file(program).exists() else ""
        for payload in (
            {"name": "port", "value": "1"},
            {"name": "room", "value": "x" * 100},
            {"name": "room", "value": "a\0b"},
            {"name": "room", "value": 5},
            {"name": "host", "value": "203.0.113.7"},
            {"name": "language", "value": "no such"},
            {},
        ):
            assert not presenter.ask("choose", payload)["ok"], payload
        after = settings_file(program).read_text() if settings_file(program).exists() else ""
        assert before == after
        assert presenter.connected


def test_a_choice_outlives_the_program_and_its_file_says_what_is_wrong_with_it(tmp_path):
    home = str(tmp_path)
    with Program(["--no-emotion"], home=home) as first:
        first.wait_for("ready")
        with Client(first) as presenter:
            presenter.wait("setup")
            assert choose(presenter, "room", "Hall") == choose(presenter, "listen", "true")
    path = settings_file(first)
    path.write_text(path.read_text() + 'nmae = "x"\nclear_after = "soon"\n')
    sound = ["--source", SPEECH, "--no-emotion"]
    with Program(sound, home=home) as again:
        with Client(again) as presenter:
            presenter.wait("status", state="listening")  # by itself
            assert presenter.of("room")[-1]["name"] == "Hall"
            codes = {n["code"]: n for n in presenter.of("status")[-1]["notices"]}
            assert codes["settings.unknown"]["values"] == {"names": "nmae"}
            assert "clear_after 'soon'" in codes["settings.bad"]["message"]
            assert choose(presenter, "room", "Other") == {"ok": True}
            assert presenter.ask("stop") == {"ok": True}
            presenter.wait("status", state="ready")
            assert presenter.ask("try", {"microphone": ""})["code"] == "refused.recording"
            assert not presenter.of("trial")
        assert 'nmae = "x"' in path.read_text() and 'room = "Other"' in path.read_text()
    assert "Traceback" not in again.errors


def fetch_page(port: int, host: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=30) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_others_are_let_in_and_out_while_pages_stay_open(program):
    own = reachable_address("0.0.0.0")
    if own is None:
        pytest.skip("this computer is in no network")
    with Client(program) as presenter:
        presenter.wait("setup")
        assert not fetch_page(program.port, own)
        assert choose(presenter, "host", "0.0.0.0") == {"ok": True}
        assert fetch_page(program.port, own) and fetch_page(program.port, "127.0.0.1")
        wait_until(lambda: presenter.of("room")[-1]["reader_url"] is not None)
        assert choose(presenter, "host", "127.0.0.1") == {"ok": True}
        assert not fetch_page(program.port, own) and fetch_page(program.port, "127.0.0.1")
        wait_until(lambda: presenter.of("room")[-1]["reader_url"] is None)
        assert presenter.connected and presenter.ask("setup_devices") == {"ok": True}


def words(client: Client) -> str:
    return " ".join(event["text"] for event in client.of("trial_words"))


@pytest.mark.sound_server
def test_what_is_tried_is_heard_by_presenters_alone_and_leaves_nothing(sound_server, tmp_path):
    with Program(["--asr", "whisper", "--no-emotion"], sound_server.env) as program:
        program.wait_for("ready")
        with Client(program) as presenter, Client(program, {}) as reader:
            presenter.wait("setup")
            assert presenter.ask("try", {"microphone": ""}) == {"ok": True}
            presenter.wait("trial", state="listening")
            sound_server.play(SPEECH)
            wait_until(lambda: "face" in words(presenter), presenter.events[-5:])
            assert presenter.of("trial_level")
            assert presenter.ask("start") == {"ok": True}  # which ends the trial
            presenter.wait("trial", state="over")
            presenter.wait("status", state="listening")
            assert presenter.ask("try", {"microphone": ""})["code"] == "refused.live"
            assert presenter.ask("stop") == {"ok": True}
            presenter.wait("status", state="ready")
            assert not reader.of("caption") and not presenter.of("caption")
            told = {name for name, _ in reader.events}
            assert not {name for name in told if name.startswith("trial")}
    assert "Traceback" not in program.errors and "face" not in program.errors


@pytest.mark.sound_server
def test_a_microphone_that_goes_while_it_is_tried_is_told_and_comes_back(sound_server):
    with Program(["--asr", "whisper", "--no-emotion"], sound_server.env) as program:
        program.wait_for("ready")
        with Client(program) as presenter:
            presenter.wait("setup")
            presenter.ask("try", {"microphone": ""})
            presenter.wait("trial", state="listening")
            sound_server.kill()
            presenter.wait("trial", state="lost", code="lost")
            sound_server.start()
            n_told = len(presenter.of("trial"))
            wait_until(lambda: "listening" in [t["state"] for t in presenter.of("trial")[n_told:]])
            assert presenter.ask("try", {"microphone": "no such"}) == {"ok": True}
            wait_until(lambda: "no such" in str(presenter.of("trial")[-1].get("message")))
            assert presenter.ask("try_end") == {"ok": True}
            assert program.health()["state"] == "ready"


@pytest.mark.sound_server
def test_a_trial_ends_with_the_page_that_began_it(sound_server):
    with Program(["--asr", "whisper", "--no-emotion"], sound_server.env) as program:
        program.wait_for("ready")
        with Client(program) as other:
            other.wait("setup")
            with Client(program) as presenter:
                presenter.wait("setup")
                presenter.ask("try", {"microphone": ""})
                other.wait("trial", state="listening")
            other.wait("trial", state="over")
            wait_until(lambda: not sound_server.pactl("list", "short", "source-outputs"))


@pytest.mark.sound_server
def test_another_microphone_is_heard_after_a_press_while_captions_are_live(sound_server):
    sound_server.add("desk", "Desk")
    desk = "Monitor of Desk"
    with Program(["--asr", "whisper", "--no-emotion"], sound_server.env) as program:
        program.wait_for("ready")
        with Client(program) as presenter:
            presenter.wait("setup")
            presenter.ask("start")
            presenter.wait("status", state="listening")
            assert choose(presenter, "microphone", desk) == {"ok": True}
            wait_until(lambda: presenter.of("setup")[-1]["pending"] == ["microphone"])
            assert presenter.ask("listen_anew") == {"ok": True}
            wait_until(lambda: presenter.of("room")[-1]["microphone"] == desk)
            wait_until(lambda: presenter.of("setup")[-1]["pending"] == [])
            sound_server.play(SPEECH, sink="desk")
            presenter.wait("caption", final=True)


@pytest.mark.nemo
def test_a_model_that_was_fetched_takes_over_and_stays(hub, models_here):
    hub.files[f"{REPO}/{NAME}.nemo"] = DIGITS.read_bytes()
    hub.rate = 2_000_000
    with Program(["--no-emotion"]) as program:
        program.wait_for("ready")
        with Client(program) as presenter:
            presenter.wait("setup")
            assert presenter.ask("model_get", {"name": NAME}) == {"ok": True}
            presenter.wait("setup_fetch", state="fetching")
            wait_until(lambda: program.health()["engine"] == f"NeMo {NAME}")
            wait_until(lambda: setting(presenter, "model")["value"] == NAME)
        assert f'model = "{NAME}"' in settings_file(program).read_text()


def test_a_home_that_cannot_be_written_to_says_that_choices_hold_for_now(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    environment = {"XDG_CONFIG_HOME": str(blocked), "HOME": os.environ["HOME"]}
    with Program(["--no-emotion"], environment) as program:
        program.wait_for("ready")
        with Client(program) as presenter:
            presenter.wait("setup")
            assert choose(presenter, "room", "Hall") == {"ok": True}
            wait_until(
                lambda: any(
                    n["code"] == "settings.not_kept" for n in presenter.of("status")[-1]["notices"]
                )
            )
            wait_until(lambda: setting(presenter, "room")["value"] == "Hall")
    assert "Traceback" not in program.errors
