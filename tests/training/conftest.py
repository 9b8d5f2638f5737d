"""What several tests of training mix in."""

import numpy as np
import pytest

from tests.training.made import rng
from training import run
from utils.audio import SAMPLE_RATE


@pytest.fixture(scope="module")
def noises() -> list[np.ndarray]:
    """Hiss, and a hum that comes and goes, float32."""
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    hum = np.sin(2 * np.pi * 100 * time_s) * np.sin(2 * np.pi * time_s)
    return [s.astype(np.float32) for s in (0.1 * rng().standard_normal(SAMPLE_RATE), 0.1 * hum)]


@pytest.fixture(autouse=True)
def every_look_is_kept(monkeypatch) -> None:
    """Runs keep their state at each look, however fast the machine is: tests kill them there."""
    monkeypatch.setattr(run, "KEEP_S", 0.0)
