"""PocketSphinx listens at once, and the NeMo model that the settings want takes over.

How one is fetched meanwhile: `test_fetch_live.py`.
"""

import threading
from pathlib import Path

import numpy as np
import pytest

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
def caches(models_here) -> Path:
    """The empty folder that the program's own models lie in."""
    models_here.mkdir(parents=True)
    return models_here


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


@pytest.mark.parametrize(
    ("model", "message"),
    [("nowhere.nemo", "no such file"), ("org/never-heard-of", "not on this machine")],
)
def test_what_cannot_be_had_is_told(caches, monkeypatch, model, message):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=message):
        takeover("nemo", model, "en", Tuning())(Notices(), threading.Event())


def test_phrases_that_a_model_cannot_prefer_are_refused(caches, monkeypatch):
    bring = takeover("nemo", str(DIGITS), "en", Tuning(phrases=("Okonkwo",)))
    with pytest.raises(ConfigError, match="cannot spell"):
        bring(Notices(), threading.Event())
