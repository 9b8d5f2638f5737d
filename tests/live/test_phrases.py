"""Quick phrases: the operator's list, kept whole, never a surprise."""

import json
import os

import pytest

from utils.errors import DataError
from utils.live.answering.phrases import DEFAULTS, LONGEST, LONGEST_JSON, MOST, Phrases


def test_defaults_hold_in_the_language_of_the_room(tmp_path):
    assert Phrases(tmp_path / "phrases.json", "ko-KR").texts == DEFAULTS["ko"]
    assert Phrases(tmp_path / "phrases.json", "fi").texts == DEFAULTS["en"]


def test_other_phrases_are_kept(tmp_path):
    path = tmp_path / "new" / "phrases.json"
    Phrases(path, "en").replace(["  One\ntwo \x07", "", "네", "네"])
    again = Phrases(path, "en")
    assert again.texts == ["One two", "네"] and again.problem is None


@pytest.mark.parametrize(
    "wrong",
    ["text", [1], {"a": "b"}, None, ["x" * (LONGEST + 1)], [str(i) for i in range(MOST + 1)]],
)
def test_what_is_no_list_of_phrases_is_refused_and_changes_nothing(tmp_path, wrong):
    phrases = Phrases(tmp_path / "phrases.json", "en")
    with pytest.raises(DataError, match="expected"):
        phrases.replace(wrong)
    assert phrases.texts == DEFAULTS["en"] and not phrases._path.exists()


def test_phrases_that_cannot_be_kept_hold_in_this_run_and_that_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    phrases = Phrases(tmp_path / "file" / "phrases.json", "en")
    phrases.replace(["Yes"])
    assert phrases.texts == ["Yes"] and str(tmp_path / "file") in phrases.not_kept
    (tmp_path / "file").unlink()
    phrases.replace(["No"])
    assert phrases.not_kept is None and Phrases(phrases._path, "en").texts == ["No"]


def test_a_mark_in_front_as_windows_editors_write_it_is_no_fault(tmp_path):
    path = tmp_path / "phrases.json"
    path.write_text('\ufeff["Yes"]', encoding="utf-8")
    assert Phrases(path, "en").texts == ["Yes"]


def test_the_longest_list_fits_into_an_event_in_any_script(tmp_path):
    for letter in ("한", "😀", '"', "\x07"):
        for escaped in (True, False):
            event = json.dumps([letter * LONGEST] * MOST, ensure_ascii=escaped)
            assert len(event.encode()) <= LONGEST_JSON


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "phrases.json")
    assert "not a file" in Phrases(tmp_path / "phrases.json", "en").problem


@pytest.mark.parametrize("text", ["{", '"x"', "[1]", "\udcff", "[" * 100_000, "x" * 2_000_000])
def test_a_bad_file_is_told_and_not_lost(tmp_path, text):
    path = tmp_path / "phrases.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    phrases = Phrases(path, "en")
    assert phrases.texts == DEFAULTS["en"] and str(path) in phrases.problem
    phrases.replace(["Yes"])
    assert json.loads(path.read_text()) == ["Yes"] and phrases.problem is None
    assert path.with_suffix(".bad.json").exists()
