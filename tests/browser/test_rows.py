"""Rows end where a phrase does: not behind what belongs to the next word, and not within a number."""

import pytest

from tests.page import (
    expect,
    needs_chromium,
)

pytestmark = needs_chromium

BREAK = """async ([text, width]) => {
  const { breakRows, setFont } = await import("./static/js/rows.js");
  setFont("400 20px monospace");
  const { widthOf } = await import("./static/js/rows.js");
  return breakRows(text, width * widthOf("n")).split("\\n");
}"""


def rows(page, text: str, width: int = 32) -> list[str]:
    return page.evaluate(BREAK, [text, width])


BOUND = {"mr.", "dr.", "j.", "3.5", "with", "to", "the", "and", "by", "a", "for"}


@pytest.mark.parametrize(
    "text",
    [
        "I have never talked about it with Mr. Carter or his wife",
        "We went to the station and saw Dr. Lee there",
        "It was written a long time ago by J. Smith and a friend",
        "They have paid for the new house 3.5 million pounds",
    ],
)
def test_a_row_does_not_end_behind_what_belongs_to_the_next_word(page, text):
    for width in range(26, 42):
        found = rows(page, text, width)
        assert " ".join(found) == text
        assert not [row for row in found[:-1] if row.split()[-1].lower() in BOUND], found


@pytest.mark.parametrize("short", ["e.g.", "p.m.", "vs.", "U.S.", "Prof."])
def test_the_full_stop_of_an_abbreviation_ends_no_phrase(page, short):
    text = f"Somebody may be saying {short} apples"
    assert rows(page, text, 36)[0].split()[-1] != short


def test_a_full_stop_and_a_comma_end_a_row_that_is_nearly_full(page):
    for mark in ",.":
        text = f"The room has to close now{mark} We are very sorry"
        assert rows(page, text)[0] == f"The room has to close now{mark}"


def test_capitals_numbers_and_punctuation_stand_as_they_were_given(page, server):
    text = "At 5:30 p.m. NASA’s Dr. Lee paid £1,250.75 – “OK?” 50% of U.S. teams (3 of 6)…"
    server.say(0, text, final=False)
    expect(page.locator("#live")).to_have_text(text)
    server.say(0, text)
    expect(page.locator("#lines li")).to_have_text([text])
    assert page.locator("#lines li").evaluate("e => getComputedStyle(e).textTransform") == "none"
