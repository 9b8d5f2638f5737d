"""PocketSphinx listens at once, and the NeMo model that the settings want takes over."""

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.hub_server import HubServer
from tests.nemo_models import save_streaming
from utils.asr.nemo import Tuning
from utils.errors import ConfigError, ModelError
from utils.takeover import takeover

pytestmark = pytest.mark.nemo

DIGITS = Path(__file__).resolve().parents[1] / "model_state_dict" / "spoken_digits.nemo"


class Notices:
    """What the page was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict]] = []

    def __call__(self, code: str, **values: object) -> None:
        self.told.append((code, values))

    @property
    def codes(self) -> list[str]:
        return [code for code, _ in self.told]


@pytest.fixture
def caches(tmp_path, monkeypatch) -> Path:
    """Empty caches; returns the folder that the program's own models lie in."""
    for name in ("HF_HUB_CACHE", "HF_HOME", "NEMO_CACHE_DIR", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    folder = tmp_path / "xdg" / "recognition_helpers" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("asr", "language", "offline", "expected"),
    [
        ("auto", "en", False, True),  # the recommended one is to be fetched
        ("auto", "en", True, False),  # nothing is here, and nothing may be fetched
        ("nemo", "en", True, True),  # which will say that it cannot be fetched
        ("nemo", "ko", False, False),  # PocketSphinx cannot stand in for it
        ("sphinx", "en", False, False),
        ("sr:vosk", "en", False, False),
    ],
)
def test_when_a_model_is_to_take_over(caches, monkeypatch, asr, language, offline, expected):
    if offline:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert (takeover(asr, None, language, Tuning()) is not None) == expected


def test_a_model_on_this_machine_takes_over(caches, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (caches / "stt_en_mine.nemo").write_bytes(DIGITS.read_bytes())
    notices = Notices()
    transcriber, ready = takeover("auto", None, "en", Tuning())(notices, threading.Event())
    assert notices.told == [("engine.loading", {"name": "stt_en_mine"})]
    assert "because it is on this machine" in str(ready)
    stream = transcriber.stream()
    stream.accept(np.zeros(16_000, np.float32))
    assert stream.finish(16_000).text == ""
    transcriber.close()


def test_of_two_models_the_one_that_loads_is_taken(caches, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    good = DIGITS.read_bytes()
    (caches / "stt_en_a.nemo").write_bytes(good[: len(good) // 2])
    (caches / "stt_en_b.nemo").write_bytes(good)
    notices = Notices()
    transcriber, _ = takeover("auto", None, "en", Tuning())(notices, threading.Event())
    assert transcriber.name == "NeMo stt_en_b"
    transcriber.close()


def test_a_model_that_is_not_here_is_fetched_while_the_page_sees_how_far_it_is(
    caches, monkeypatch, tmp_path
):
    with HubServer() as hub:
        hub.files["org/small/small.nemo"] = save_streaming("hybrid", tmp_path).read_bytes()
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        notices = Notices()
        bring = takeover("nemo", "org/small", "en", Tuning())
        transcriber, ready = bring(notices, threading.Event())
    assert transcriber.name == "NeMo small"
    assert notices.codes[0] == "engine.fetching" and notices.codes[-1] == "engine.loading"
    assert [path.name for path in caches.iterdir()] == ["small.nemo"]
    transcriber.close()


@pytest.mark.parametrize(
    ("model", "message"),
    [("nowhere.nemo", "no such file"), ("org/never-heard-of", "not on this machine")],
)
def test_what_cannot_be_had_is_told(caches, monkeypatch, model, message):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=message):
        takeover("nemo", model, "en", Tuning())(Notices(), threading.Event())


def test_a_program_that_closes_does_not_wait_for_a_fetch(caches, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody answers there
    closing = threading.Event()
    threading.Timer(1.0, closing.set).start()
    with pytest.raises(ModelError, match="goes on at the next start"):
        takeover("nemo", "org/small", "en", Tuning())(Notices(), closing)


def test_phrases_that_a_model_cannot_prefer_are_refused(caches, monkeypatch):
    bring = takeover("nemo", str(DIGITS), "en", Tuning(phrases=("Okonkwo",)))
    with pytest.raises(ConfigError, match="cannot spell"):
        bring(Notices(), threading.Event())
