"""Captions alone on a transparent ground, for a picture behind them."""

import io

import pytest
from PIL import Image

from tests.browser.test_page_access import problems
from tests.page import (
    caption,
    expect,
    lines,
    needs_chromium,
    room,
    status,
)

pytestmark = needs_chromium

SIZE = "e => parseFloat(getComputedStyle(e).fontSize)"


@pytest.fixture
def overlay(browser, server):
    server.app.add_url_rule("/overlay", "overlay", server._page)
    server.past = [caption(i, f"This is line {i}.", label="happy") for i in range(8)]
    server.status, server.room = status("listening"), room(saving={"file": "a.jsonl"})
    context = browser.new_context(viewport={"width": 1280, "height": 720})

    def show(query: str = ""):
        page = context.new_page()
        page.goto(f"{server.url}overlay{query}")
        expect(lines(page)).to_have_count(8)
        return page

    yield show
    context.close()


def test_the_ground_is_transparent_and_nothing_but_two_rows_is_seen(overlay):
    page = overlay()
    for place in ("#engine", "#guessing", ".foot", "#record", ".tools", ".feeling", "#first"):
        expect(page.locator(place).first).to_be_hidden()
    expect(lines(page).nth(7)).to_be_in_viewport(ratio=1)
    expect(lines(page).nth(5)).not_to_be_in_viewport()
    row = page.locator("#view").evaluate("e => parseFloat(getComputedStyle(e).lineHeight)")
    assert page.locator("#view").bounding_box()["height"] < 3 * row
    picture = Image.open(io.BytesIO(page.screenshot(omit_background=True)))
    assert [picture.getpixel(at)[3] for at in ((5, 5), (1270, 5), (640, 300), (1270, 700))] == [
        0
    ] * 4
    box = lines(page).nth(7).bounding_box()
    middle = box["x"] + 2, box["y"] + box["height"] / 2
    assert picture.getpixel(tuple(map(int, middle)))[3] > 200  # words have a ground of their own
    assert problems(page) == []


def test_size_place_and_lines_stand_in_the_address_and_are_not_remembered(overlay):
    plain = overlay()
    large = overlay("?size=200&place=top&lines=4&emotion=all")
    assert lines(large).first.evaluate(SIZE) == pytest.approx(2 * lines(plain).first.evaluate(SIZE))
    assert large.locator("#view").bounding_box()["y"] == 0
    assert plain.locator("#view").bounding_box()["y"] > 360
    expect(large.locator(".feeling").first).to_be_visible()
    assert large.evaluate("localStorage.length") == 0
    odd = overlay("?size=7&place=<b>&lines=0.5&theme=x")
    assert lines(odd).first.evaluate(SIZE) == lines(plain).first.evaluate(SIZE)


def test_that_captions_have_stopped_is_said_there_too(overlay, server):
    page = overlay()
    server.show("lost", message="No sound.")
    expect(page.locator("#alert")).to_be_visible()
    expect(page.locator(".tools")).to_be_hidden()
    server.show("listening")
    expect(page.locator(".foot")).to_be_hidden()
