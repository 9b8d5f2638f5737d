"""Quick phrases: the operator's list, kept whole, never a surprise."""

import json

import pytest

from utils.errors import DataError
from utils.phrases import DEFAULTS, LONGEST, MOST, Phrases


def test_defaults_hold_in_the_language_of_the_room(tmp_path):
    assert Phrases(tmp_path / "phrases.json", "ko-KR").texts == DEFAULTS["ko"]
    assert Phrases(tmp_path / "phrases.json", "fi").texts == DEFAULTS["en"]


def test_other_phrases_are_kept(tmp_path):
    path = tmp_path / "new" / "phrases.json"
    Phrases(path, "en").replace(["  One\ntwo \x07", "", "네", "네"])
    again = Phrases(path, "en")
    assert again.texts == ["One two", "네"] and again.problem is None


@pytest.mark.parametrize(
    "wrong", ["text", [1], {"a": "b"}, None, ["x" * (LONGEST + 1)], [str(i) for i in range(MOST + 1)]]
)
def test_what_is_no_list_of_phrases_is_refused_and_changes_nothing(tmp_path, wrong):
    phrases = Phrases(tmp_path / "phrases.json", "en")
    with pytest.raises(DataError, match="expected"):
        phrases.replace(wrong)
    assert phrases.texts == DEFAULTS["en"] and not phrases._path.exists()


@pytest.mark.parametrize("text", ["{", '"x"', "[1]", "\udcff"])
def test_a_bad_file_is_told_and_not_lost(tmp_path, text):
    path = tmp_path / "phrases.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    phrases = Phrases(path, "en")
    assert phrases.texts == DEFAULTS["en"] and str(path) in phrases.problem
    phrases.replace(["Yes"])
    assert json.loads(path.read_text()) == ["Yes"] and phrases.problem is None
    assert path.with_suffix(".bad.json").exists()
