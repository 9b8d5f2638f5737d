"""A long day: what a page holds does not grow with what was said, and it follows to the end."""

import pytest

from tests.page import caption, expect, lines, needs_chromium, wait_for_end

pytestmark = needs_chromium

MOST = 500  # lines that stay, as in captions.js
COUNT = "document.querySelectorAll('*').length"


def line(segment: int) -> dict:
    """One with all that may stand on it."""
    told = caption(segment, f"This is line number {segment}.", label="happy")
    told["tags"] |= {
        "mended": True,
        "speaker": {"number": segment % 7 + 1},
        "translation": {"ko": "번역"},
    }
    return told


def say(server, page, first: int, last: int) -> None:
    """Lines one after the other, each seen; a page that a busy machine cuts off gets them again."""
    for segment in range(first, last):
        server.past.append(line(segment))
        server.emit("caption", server.past[-1])
    expect(page.locator(f'[data-segment="{last - 1}"]')).to_have_count(1)


@pytest.mark.parametrize("width", [390, 1366])
def test_elements_are_bounded_and_the_newest_line_is_followed(open_page, server, width):
    server.past = [line(segment) for segment in range(MOST)]
    page = open_page(viewport={"width": width, "height": 800})
    expect(lines(page)).to_have_count(MOST)
    counts = []
    for first in range(MOST, MOST + 60, 20):
        say(server, page, first, first + 20)
        expect(lines(page).last).to_be_in_viewport(ratio=1)
        counts.append(page.evaluate(COUNT))
    assert len(set(counts)) == 1
    expect(lines(page)).to_have_count(MOST)
    wait_for_end(page)
    expect(page.locator("#back")).to_be_hidden()


def test_who_reads_up_loses_nothing_and_then_the_page_is_as_small_as_before(open_page, server):
    server.past = [line(segment) for segment in range(MOST)]
    page = open_page()
    expect(lines(page)).to_have_count(MOST)
    page.locator("#view").hover()
    page.mouse.wheel(0, -2000)
    expect(page.locator("#back")).to_be_visible()
    say(server, page, MOST, MOST + 20)
    expect(lines(page)).to_have_count(MOST + 20)
    page.locator("#back").click()
    say(server, page, MOST + 20, MOST + 30)
    expect(lines(page)).to_have_count(MOST)
    expect(lines(page).last).to_be_in_viewport(ratio=1)
