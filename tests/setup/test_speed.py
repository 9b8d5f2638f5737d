"""How fast a recogniser is, is measured on this machine, and kept."""

import pytest

from utils.errors import ModelError
from utils.setup.speed import Speeds


def test_what_was_measured_is_kept_for_its_language(tmp_path, whisper):
    path = tmp_path / "speeds.json"
    speeds = Speeds(path)
    assert speeds.of("en") == {}
    speeds.measure("tiny.en", "en")
    work = speeds.of("en")["tiny.en"]
    assert work > 0.0
    assert Speeds(path).of("en") == {"tiny.en": work} and Speeds(path).of("ko") == {}


@pytest.mark.parametrize("text", ["", "[]", '{"en x": "y"}', "\0"])
def test_what_cannot_be_read_is_measured_again(tmp_path, text):
    (tmp_path / "speeds.json").write_text(text)
    assert Speeds(tmp_path / "speeds.json").of("en") == {}


def test_a_recogniser_that_cannot_be_loaded_says_why(tmp_path, models_here):
    with pytest.raises(ModelError, match="not on this machine"):
        Speeds(tmp_path / "speeds.json").measure("base.en", "en")
