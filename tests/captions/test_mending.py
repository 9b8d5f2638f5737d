"""A line with other words is still the same line: in its place, with its tags, and marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.captions.mending import LONGEST, Mended, cleaned
from utils.captions.transcript import to_srt, to_txt, to_vtt
from utils.errors import RequestError
from utils.events import CaptionEvent, Word

SAID = "good morning mister jon son and welcome".split()
LINE = CaptionEvent(
    3,
    10.0,
    14.0,
    " ".join(SAID),
    True,
    {"loudness": "loud"},
    tuple(Word(w, 10.0 + i / 2, 10.4 + i / 2, 0.9) for i, w in enumerate(SAID)),
)


def test_words_that_were_heard_keep_their_times_and_others_share_the_gap():
    line = Mended().mend(LINE, "good morning Mr Johnson and welcome")
    assert line.text == "good morning Mr Johnson and welcome" and line.tags["mended"] is True
    assert [w.text for w in line.words] == line.text.split()
    assert line.words[:2] == LINE.words[:2] and line.words[4:] == LINE.words[5:]
    assert (line.words[2].start_s, line.words[3].end_s) == (10.9, 12.5)
    assert line.words[2].end_s == line.words[3].start_s


@given(st.text(min_size=1, max_size=80))
def test_times_never_run_backwards_whatever_is_typed(text):
    try:
        words = cleaned(text)
    except RequestError:
        return
    line = Mended().mend(LINE, words)
    times = [t for word in line.words for t in (word.start_s, word.end_s)]
    assert times == sorted(times) and all(10.0 <= t <= 14.0 for t in times)
    assert " ".join(w.text for w in line.words) == line.text == " ".join(line.text.split())


def test_a_tag_that_comes_late_does_not_bring_the_old_words_back():
    mended = Mended()
    mended.mend(LINE, "good evening")
    late = mended.apply(LINE.tagged("emotion", "glad"))
    assert late.text == "good evening" and late.tags == {
        "loudness": "loud",
        "emotion": "glad",
        "mended": True,
    }
    assert mended.restore(late) == LINE.tagged("emotion", "glad")
    assert mended.apply(LINE) == LINE


def test_to_write_what_was_heard_takes_the_mark_away():
    mended = Mended()
    line = mended.mend(mended.mend(LINE, "good evening"), "good night")
    assert mended.mend(line, LINE.text) == LINE


def test_a_line_without_times_of_words_gets_none():
    line = Mended().mend(CaptionEvent(0, 0.0, 1.0, "a b", True), "a c")
    assert line.words == () and line.text == "a c"


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x1b", "\u202e\u2066", "x" * (LONGEST + 1)])
def test_what_is_no_line_is_refused(text):
    with pytest.raises(RequestError):
        cleaned(text)


def test_control_characters_and_what_turns_letters_around_are_left_out():
    assert cleaned(" a\u202eb\n\x1b[31mc ") == "ab [31mc"


def test_exports_mark_it():
    lines = [Mended().mend(LINE, "good evening")]
    assert "".join(to_txt(lines)) == "00:10  [mended] good evening\n"
    for form in (to_srt, to_vtt):
        assert "[mended] good evening" in "".join(form(lines))
