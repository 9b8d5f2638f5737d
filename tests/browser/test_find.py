"""A line that is found is gone to, and back to the live ones."""

import pytest

from tests.browser.test_page_access import problems
from tests.page import WORDS, caption, expect, lines, needs_chromium, talk, wait_for_end

pytestmark = needs_chromium

EN = WORDS["en"]
PLACES = "[...(CSS.highlights.get('found') ?? [])].map(r => r.toString())"


def fill(server) -> None:
    server.past = [
        caption(i, f"The library card number {i}." if i % 20 == 5 else f"This is line {i}.")
        for i in range(120)
    ]


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_it_is_gone_to_and_the_next_and_back(open_page, server, size):
    fill(server)
    width, height = size
    page = open_page(viewport={"width": width, "height": height})
    expect(lines(page)).to_have_count(120)
    page.keyboard.press("d")
    page.locator("#find-words").fill("library CARD")
    page.locator("#find-list .place").nth(1).click()
    expect(page.locator("#text")).to_be_hidden()
    expect(lines(page).nth(25)).to_be_in_viewport(ratio=1)
    expect(lines(page).nth(25)).to_have_attribute("data-found", "")
    expect(page.locator("#found-count")).to_have_text("2 of 6")
    expect(page.locator("#found [role=status]")).to_contain_text("The library card number 25.")
    assert page.evaluate(PLACES) == ["library card"]
    assert problems(page) == []
    talk(server, 3, first=120)
    expect(lines(page)).to_have_count(123)
    expect(lines(page).nth(25)).to_be_in_viewport(ratio=1)  # nothing moves
    page.keyboard.press("Enter")  # the button for the earlier one has the focus
    expect(page.locator("#found-count")).to_have_text("1 of 6")
    page.get_by_role("button", name=EN["find.later"]).click()
    page.get_by_role("button", name=EN["find.later"]).click()
    expect(page.locator("#found-count")).to_have_text("3 of 6")
    expect(lines(page).nth(45)).to_be_in_viewport(ratio=1)
    expect(page.locator("[data-found]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_hidden()
    expect(page.locator("[data-found]")).to_have_count(0)
    assert page.evaluate(PLACES) == []
    expect(lines(page).nth(122)).to_be_in_viewport(ratio=1)
    talk(server, 1, first=123)
    expect(lines(page).nth(123)).to_be_in_viewport(ratio=1)
    wait_for_end(page)


def test_what_is_found_is_marked_can_be_pressed_and_enter_goes_to_the_first(page, server):
    for segment, text in enumerate(["A library <b>card</b>.", "Rain.", "The Library, my library."]):
        server.say(segment, text)
    expect(lines(page)).to_have_count(3)
    page.keyboard.press("d")
    field = page.locator("#find-words")
    field.press("Enter")  # nothing is looked for yet
    field.fill("library")
    found = page.locator("#find-list .place")
    expect(found).to_have_text(["A library <b>card</b>.", "The Library, my library."])
    expect(found.locator("mark")).to_have_text(["library", "Library", "library"])
    edges = "e => ['borderColor', 'backgroundColor'].map(name => getComputedStyle(e)[name])"
    copy = page.locator("#find-list .copy").first.evaluate(edges)
    assert found.first.evaluate(edges) == copy  # as other buttons
    assert problems(page) == []
    field.press("Enter")
    expect(page.locator("#text")).to_be_hidden()
    expect(page.locator("#found-count")).to_have_text("1 of 2")
    expect(lines(page).first).to_have_attribute("data-found", "")


FRAME = """e => { const { outlineOffset, outlineWidth } = getComputedStyle(e);
const { fontSize, maskImage } = getComputedStyle(document.querySelector("#view"));
const faded = maskImage === "none" ? 0 : 0.27 * parseFloat(fontSize);
const top = e.getBoundingClientRect().top - parseFloat(outlineOffset) - parseFloat(outlineWidth);
return top >= document.querySelector("#view").getBoundingClientRect().top + faded; }"""


def test_the_frame_begins_in_view_and_words_stay_marked_in_rows_made_anew(open_page, server):
    fill(server)
    long = "Whoever has lost a library card may ask for another at the desk, for two pounds. "
    server.past[0], server.past[60] = caption(0, "A card."), caption(60, long * 9)
    page = open_page(viewport={"width": 1366, "height": 768})
    expect(lines(page)).to_have_count(120)
    page.keyboard.press("d")
    page.locator("#find-words").fill("card")
    page.locator("#find-words").press("Enter")
    expect(lines(page).first).to_have_attribute("data-found", "")
    page.wait_for_function(f"({FRAME})(document.querySelector('#lines li'))")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.locator("#find-words").fill("lost")
    page.locator("#find-words").press("Enter")
    expect(page.locator("#found-count")).to_have_text("1 of 1")
    page.wait_for_function(f"({FRAME})(document.querySelector('[data-found]'))")  # the sheet closes
    assert page.evaluate(PLACES) == ["lost"] * 9
    page.set_viewport_size({"width": 700, "height": 768})
    page.wait_for_function(f"({PLACES}).join() === '{','.join(['lost'] * 9)}'")
    assert lines(page).nth(60).evaluate(FRAME)


def test_round_at_the_ends_and_a_line_that_went_is_no_trap(open_page, server):
    fill(server)
    page = open_page()
    expect(lines(page)).to_have_count(120)
    page.keyboard.press("d")
    page.locator("#find-words").fill("library")
    page.locator("#find-list .place").first.click()
    expect(page.locator("#found-count")).to_have_text("1 of 6")
    page.locator("#found-earlier").click()
    expect(page.locator("#found-count")).to_have_text("6 of 6")
    page.locator("#found-later").click()
    expect(page.locator("#found-count")).to_have_text("1 of 6")
    server.emit("cleared", {})
    expect(page.locator("#found")).to_be_hidden()


def test_back_to_live_ends_it_too(open_page, server):
    fill(server)
    page = open_page()
    page.keyboard.press("d")
    page.locator("#find-list .place").first.click()  # of all lines
    expect(page.locator("#found-count")).to_have_text("71 of 120")
    page.locator("#found").get_by_role("button", name=EN["bar.back"]).click()
    expect(page.locator("#found")).to_be_hidden()
    expect(lines(page).nth(119)).to_be_in_viewport(ratio=1)


def test_a_sound_that_this_reader_does_not_see_is_no_line_to_go_to(open_page, server):
    server.past = [caption(0, "Good morning."), caption(1, "", sound="rain"), caption(2, "Bye.")]
    server.past += [caption(3, "", sound="rain")]
    page = open_page()
    page.keyboard.press("s")
    page.get_by_role("switch", name=EN["settings.sounds"]).click()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.locator("#find-list .place").first.click()
    expect(page.locator("#found-count")).to_have_text("1 of 2")
    page.locator("#found-later").click()
    expect(page.locator("#found-count")).to_have_text("2 of 2")
    expect(lines(page).nth(2)).to_have_attribute("data-found", "")
    page.locator("#found-later").click()
    expect(lines(page).nth(0)).to_have_attribute("data-found", "")


def test_words_are_found_in_a_saved_session(open_page, server):
    fill(server)
    server.sessions = [
        {
            "name": "captions-2026-01-01-090000.jsonl",
            "began": "2026-01-01T09:00:00",
            "length_s": 130.0,
            "lines": 120,
            "first": "This is",
        }
    ]
    page = open_page()
    page.keyboard.press("d")
    page.locator("#history-list summary").click()
    session = page.locator("#history-list .lines")
    expect(session.locator(".page p")).to_have_count(120)
    field = session.get_by_role("searchbox")
    field.fill("library")
    expect(session.get_by_role("status")).to_have_text("1 of 6")
    expect(session.locator("p").nth(6)).to_be_in_viewport()
    assert page.evaluate(PLACES) == ["library"]
    field.press("Enter")
    expect(session.get_by_role("status")).to_have_text("2 of 6")
    session.get_by_role("button", name=EN["find.earlier"]).click()
    session.get_by_role("button", name=EN["find.earlier"]).click()
    expect(session.get_by_role("status")).to_have_text("6 of 6")
    expect(session.locator("[data-found]")).to_have_text("The library card number 105.")
    expect(session.locator("[data-found]")).to_be_in_viewport()
    assert problems(page) == []
    field.fill("nothing of that")
    expect(session.get_by_role("status")).to_have_text("0 lines")
    assert page.evaluate(PLACES) == []
