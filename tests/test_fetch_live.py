"""A model fetched behind the captions takes over while they run, in the program itself."""

import time

import numpy as np
import pytest
import soundfile

from tests.hub_server import NAME, REPO
from tests.program import APP, PATIENCE_S, Program
from utils.audio import SAMPLE_RATE, load

pytestmark = pytest.mark.nemo

DIGITS = APP.parent / "model_state_dict/spoken_digits.nemo"


@pytest.fixture
def recording(shared, tmp_path):
    """Three minutes of spoken digits."""
    folder = shared / "speech/spoken-digits"
    pause = np.zeros(SAMPLE_RATE, np.float32)
    once = [np.r_[load(folder / f"{n}_george_0.ogg"), pause] for n in range(10)]
    path = tmp_path / "digits.wav"
    soundfile.write(path, np.concatenate(once * 12), SAMPLE_RATE)
    return path


def test_a_model_that_is_fetched_takes_over(hub, models_here, recording):
    hub.files[f"{REPO}/{NAME}.nemo"] = DIGITS.read_bytes()
    hub.rate, hub.break_after = 2_000_000, [3_000_000]
    with Program(["--source", recording]) as program:
        assert program.wait_for("ready")["engine"].startswith("PocketSphinx")
        deadline = time.monotonic() + PATIENCE_S
        while not (engine := program.health()["engine"]).startswith("NeMo"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert engine == f"NeMo {NAME}"
    assert (models_here / f"{NAME}.nemo").read_bytes() == DIGITS.read_bytes()
    assert len(hub.ranges()) == 2 and hub.ranges()[1] == "bytes=3000000-"


def test_offline_nothing_is_fetched(hub, models_here):
    with Program(["--offline"]) as program:
        assert program.wait_for("ready")["engine"].startswith("PocketSphinx")
        time.sleep(2)
    assert hub.asked == []


def test_ending_the_program_ends_the_fetch_at_once(hub, models_here):
    hub.files[f"{REPO}/{NAME}.nemo"] = DIGITS.read_bytes()
    hub.rate = 500_000
    with Program() as program:
        program.wait_for("ready")
        while not any(models_here.glob("*.part")):
            time.sleep(0.1)
        time.sleep(1)
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert "Traceback" not in program.errors
    assert not list(models_here.glob("*.nemo"))
    assert next(models_here.glob("*.part")).stat().st_size > 0
