"""A model that was offered is fetched behind the captions and takes over, in the program itself."""

import time

import numpy as np
import pytest
import soundfile

from tests.command_line.test_app import SPEECH, Client
from tests.hub_server import NAME, REPO
from tests.program import APP, PATIENCE_S, Program
from utils.audio import SAMPLE_RATE, load

pytestmark = pytest.mark.nemo

DIGITS = APP.parent / "model_state_dict/spoken_digits.nemo"


@pytest.fixture
def recording(tmp_path):
    """Four minutes of a sentence, which makes two lines, and digits."""
    pause = np.zeros(SAMPLE_RATE, np.float32)
    once = [np.r_[load(SPEECH.with_name(f"{name}.flac")), pause] for name in ("speech", "digits")]
    path = tmp_path / "digits.wav"
    soundfile.write(path, np.concatenate(once * 20), SAMPLE_RATE)
    return path


def wait_for_engine(program: Program, name: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while program.health()["engine"] != name:
        assert time.monotonic() < deadline, program.health()
        time.sleep(0.2)


def test_a_model_that_was_offered_is_fetched_and_takes_over(hub, models_here, recording):
    hub.files[f"{REPO}/{NAME}.nemo"] = DIGITS.read_bytes()
    hub.rate, hub.break_after = 2_000_000, [3_000_000]
    with Program(["--source", recording]) as program:
        program.wait_for("ready")
        with Client(program) as presenter:
            first = presenter.wait("status", state="ready")
            assert first["engine"] == "Whisper tiny.en"
            assert first["offer"] == {"name": NAME, "size_mb": 460, "busy": False}
            assert hub.asked == []
            presenter.ask("start")
            presenter.wait("caption", final=False)  # somebody is speaking
            assert presenter.ask("fetch") == presenter.ask("fetch") == {"ok": True}
            presenter.wait("status", offer={"name": NAME, "size_mb": 460, "busy": True})
            wait_for_engine(program, f"NeMo {NAME}")
            presenter.wait("status", engine=f"NeMo {NAME}", state="listening", offer=None)
            told = [notice for s in presenter.of("status") for notice in s["notices"]]
            codes = {notice["code"] for notice in told}
            assert {"engine.fetching", "engine.loading"} <= codes
            changed = len(presenter.events)
            now = presenter.of("caption")[-1]["segment"]
            presenter.wait("caption", segment=now + 4, final=True)
            check_lines(presenter, changed)
    assert (models_here / f"{NAME}.nemo").read_bytes() == DIGITS.read_bytes()
    assert len(hub.ranges()) == 2 and hub.ranges()[1] == "bytes=3000000-"


def test_a_fetch_that_failed_can_be_asked_for_again(hub, models_here):
    hub.files[f"{REPO}/{NAME}.nemo"] = DIGITS.read_bytes()
    hub.gated = True
    with Program(["--no-emotion"]) as program:
        program.wait_for("ready")
        with Client(program) as presenter:
            offer = presenter.wait("status", state="ready")["offer"]
            presenter.ask("fetch")
            presenter.wait("status", offer=offer | {"busy": True})
            wait_for_notice(presenter, "engine.kept")
            kept = presenter.of("status")[-1]
            assert "Hugging Face account" in kept["notices"][0]["message"]
            presenter.wait("status", offer=offer, notices=kept["notices"])
            assert kept["engine"] == "Whisper tiny.en" and kept["state"] == "ready"
            hub.gated = False
            presenter.ask("fetch")
            wait_for_engine(program, f"NeMo {NAME}")


def check_lines(presenter: Client, changed: int) -> None:
    """No line is missing, Whisper's are before the change, and NeMo's after it."""
    captions = [p if n == "caption" and p["final"] else None for n, p in presenter.events]
    lines = [line for line in captions if line]
    assert [line["segment"] for line in lines] == list(range(len(lines)))
    assert lines[0]["text"].startswith("I can assure you that this is a modern face")
    assert any("seven five five" in line["text"] for line in captions[changed:] if line)


def wait_for_notice(client: Client, code: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not any(n["code"] == code for s in client.of("status") for n in s["notices"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_offline_nothing_is_offered_or_fetched(hub, models_here):
    with Program(["--offline", "--no-emotion"]) as program:
        assert program.wait_for("ready")["engine"] == "Whisper tiny.en"
        with Client(program) as presenter:
            assert presenter.wait("status", state="ready")["offer"] is None
            assert presenter.ask("fetch") == {"ok": True}
        time.sleep(1)
    assert hub.asked == []


def test_ending_the_program_ends_the_fetch_at_once(hub, models_here):
    hub.files[f"{REPO}/{NAME}.nemo"] = DIGITS.read_bytes()
    hub.rate = 100_000
    with Program(["--no-emotion"]) as program:
        program.wait_for("ready")
        with Client(program) as presenter:
            presenter.ask("fetch")
        while not any(part.stat().st_size for part in models_here.glob("*.part")):
            time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < len(DIGITS.read_bytes()) / hub.rate  # not to its end
    assert "Traceback" not in program.errors
    assert not list(models_here.glob("*.nemo"))
    assert next(models_here.glob("*.part")).stat().st_size > 0
