"""Subtitles are cut where a reader would pause, and no word stands alone."""

from itertools import pairwise

import pytest

from utils.captions.export.cues import (
    CUE_LINES,
    LETTERS_A_SECOND,
    LINE_CHARS,
    SHORTEST_S,
    Timed,
    cues,
    width,
)

LONG = (
    "I asked Mr. Carter and Dr. Lee about the 3.5 million pounds for the roof, and they said that "
    "nobody in the town had ever seen such a sum of money. The library will be closed until May."
)


def timed(text: str) -> list[Timed]:
    return [(word, float(i), i + 0.5) for i, word in enumerate(text.split())]


def texts(text: str) -> list[str]:
    words = timed(text)
    return [cue.text for cue in cues(words, 0.0, float(len(words)))]


def test_every_word_is_in_a_cue_that_fits():
    found = texts(LONG)
    assert " ".join(found).split() == LONG.split()
    for text in found:
        rows = text.split("\n")
        assert len(rows) <= CUE_LINES and all(width(row) <= LINE_CHARS for row in rows)


def test_no_word_stands_alone_in_a_cue():
    for count in range(2, 40):
        found = texts(" ".join(LONG.split()[:count]))
        assert all(len(text.split()) > 1 for text in found), found


@pytest.mark.parametrize("count", range(2, 41))
def test_no_row_ends_behind_what_belongs_to_the_next_word(count):
    words = "We saw Mr. Lee go to the end of the road with a dog and J. Smith at 5 p.m.".split() * 4
    leading = {"Mr.", "to", "the", "of", "with", "a", "and", "J.", "at"}
    rows = "\n".join(texts(" ".join(words[:count]))).split("\n")
    assert not [row for row in rows[:-1] if row.split()[-1] in leading]


def test_a_cue_ends_with_a_sentence_where_it_can():
    text = "It is raining in the whole of the country. Nobody in the town will go out tonight."
    assert texts(text + " We will stay here.")[0].endswith(".")


def test_two_rows_are_about_as_long():
    (text,) = texts("The reading room has to close on the first of May, I am sorry.")
    first, second = map(len, text.split("\n"))
    assert abs(first - second) < 25


def test_a_cue_lasts_from_its_first_word_to_its_last():
    found = list(cues(timed(LONG), -1.0, 99.0))
    assert found[0].start_s == -1.0 and found[-1].end_s == 99.0
    for before, after in zip(found, found[1:], strict=False):
        assert before.end_s <= after.start_s


def test_a_word_wider_than_a_row_has_one_of_its_own():
    found = texts(f"See {'x' * 60} there")
    assert " ".join(found).split() == ["See", "x" * 60, "there"]


def test_a_cue_stands_until_it_is_read_where_the_next_one_leaves_time():
    """A phrase said in a hurry, and then a pause within the line."""
    first = "It is raining in all of the country."
    said = f"{first} Nobody in this town will ever go out at night here.".split()
    n_first = len(first.split())
    starts = [0.1 * i if i < n_first else 3.0 + 0.3 * i for i in range(len(said))]
    words = [(word, at, at + 0.1) for word, at in zip(said, starts)]
    found = list(cues(words, 0.0, words[-1][2]))
    assert found[0].text.replace("\n", " ") == first
    assert found[0].end_s == len(first) / LETTERS_A_SECOND > words[n_first - 1][2] + 1
    for before, after in pairwise(found):
        assert before.end_s <= after.start_s


def test_no_cue_is_too_short_to_be_read_where_it_can_be_cut_elsewhere():
    words = [(word, 0.15 * i, 0.15 * i + 0.1) for i, word in enumerate(f"Oh dear. {LONG}".split())]
    found = list(cues(words, 0.0, words[-1][2]))
    assert all(cue.end_s - cue.start_s >= SHORTEST_S for cue in found), found
