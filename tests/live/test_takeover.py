"""What is embedded listens at once, and the model that the settings want takes over.

How one is fetched meanwhile: `test_fetch_live.py`.
"""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.feeding import Fed
from tests.hub_server import NAME, REPO
from tests.whisper_models import MULTILINGUAL, whisper, write
from utils.asr import Tuning
from utils.asr.vosk import folder as vosk
from utils.errors import ConfigError, ModelError
from utils.live.engines import Course
from utils.live.takeover import offered, takeover
from utils.models.whisper.files import packaged

pytestmark = pytest.mark.nemo

DIGITS = Path(__file__).resolve().parents[2] / "model_state_dict" / "spoken_digits.nemo"


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
    ("asr", "model", "language", "expected"),
    [
        ("auto", None, "en", False),  # nothing is here; what could be fetched is offered
        ("nemo", None, "en", True),
        ("nemo", None, "de", False),  # nothing can stand in for it
        ("auto", "base.en", "en", True),
        ("auto", "tiny.en", "en", False),  # it listens from the start
        ("whisper", None, "en", False),
        ("whisper", "small", "de", False),
        ("sr:vosk", None, "en", False),
    ],
)
def test_when_a_model_is_to_take_over(caches, asr, model, language, expected):
    assert (takeover(asr, model, language, Tuning()) is not None) == expected


def test_vosk_listens_until_a_model_for_korean_is_ready(caches):
    if not vosk.is_here("ko"):
        pytest.skip("needs make korean")
    assert takeover("auto", None, "ko", Tuning()) is None
    assert takeover("nemo", None, "ko", Tuning()) and takeover("whisper", None, "ko", Tuning())
    write(caches / "small", whisper(MULTILINGUAL))
    notices = Notices()
    # It has no real weights.
    with pytest.raises(ModelError, match="small: Whisper cannot be loaded"):
        takeover("auto", None, "ko", Tuning())(notices, Course())
    assert notices.told == [("engine.loading", {"name": "small"})]


def test_what_is_offered(hub, models_here, monkeypatch):
    offer = offered("auto", None, "en", Tuning())
    assert (offer.name, offer.size_mb) == (NAME, 460)
    assert offered("whisper", None, "en", Tuning()) is None  # an engine that was asked for stays
    assert offered("auto", None, "de", Tuning()) is None  # it is fetched at once
    with monkeypatch.context() as patch:
        # too little also where NeMo, which counts else, was loaded by another test
        patch.setattr("utils.models.memory.free_bytes", lambda: 8 * 10**8)
        assert offered("auto", None, "en", Tuning()) is None
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=4 * 10**8))
        assert offered("auto", None, "en", Tuning()) is None
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "nemo", None)  # it is not installed
        assert offered("auto", None, "en", Tuning()) is None
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert offered("auto", None, "en", Tuning()) is None
    assert hub.asked == []  # nothing is asked before somebody presses


def test_what_is_offered_is_fetched_and_opened(hub, models_here):
    hub.files[f"{REPO}/{NAME}.nemo"] = DIGITS.read_bytes()
    notices = Notices()
    offer = offered("auto", None, "en", Tuning())
    transcriber, ready = offer.bring(notices, Course())
    transcriber.close()
    assert notices.codes[-2:] == ["engine.fetching", "engine.loading"]
    assert str(ready) == f"Ready. Words by NeMo {NAME}, because it is recommended for en."
    assert offered("auto", None, "en", Tuning()) is None


def test_a_whisper_that_was_named_is_fetched_and_takes_over(hub, models_here):
    folder = packaged()
    if folder is None:
        pytest.skip("the package with the weights is not installed")
    for path in folder.iterdir():
        if path.is_file():
            hub.files[f"Systran/faster-whisper-base.en/{path.name}"] = path.read_bytes()
    notices = Notices()
    transcriber, ready = takeover("auto", "base.en", "en", Tuning())(notices, Course())
    transcriber.close()
    assert notices.told[-1] == ("engine.loading", {"name": "base.en"})
    assert str(ready) == "Ready. Words by Whisper base.en, as asked with --model base.en."


def test_a_model_on_this_machine_takes_over(caches, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (caches / "stt_en_mine.nemo").write_bytes(DIGITS.read_bytes())
    notices = Notices()
    transcriber, ready = takeover("auto", None, "en", Tuning())(notices, Course())
    assert notices.told == [("engine.loading", {"name": "stt_en_mine"})]
    assert "because it is on this machine" in str(ready)
    stream = Fed(transcriber.stream())
    stream.accept(np.zeros(16_000, np.float32))
    assert stream.finish(16_000).text == ""
    transcriber.close()


def test_of_two_models_the_one_that_loads_is_taken(caches, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    good = DIGITS.read_bytes()
    (caches / "stt_en_a.nemo").write_bytes(good[: len(good) // 2])
    (caches / "stt_en_b.nemo").write_bytes(good)
    notices = Notices()
    transcriber, _ = takeover("auto", None, "en", Tuning())(notices, Course())
    assert transcriber.name == "NeMo stt_en_b"
    transcriber.close()


@pytest.mark.parametrize(
    ("model", "message"),
    [("nowhere.nemo", "no such file"), ("org/never-heard-of", "not on this machine")],
)
def test_what_cannot_be_had_is_told(caches, monkeypatch, model, message):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=message):
        takeover("nemo", model, "en", Tuning())(Notices(), Course())


def test_phrases_that_a_model_cannot_prefer_are_refused(caches, monkeypatch):
    bring = takeover("nemo", str(DIGITS), "en", Tuning(phrases=("Okonkwo",)))
    with pytest.raises(ConfigError, match="cannot spell"):
        bring(Notices(), Course())
