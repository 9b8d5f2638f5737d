"""What is told beside the captions: in one place, put away by whoever has read it, never covered."""

import pytest

from tests.page import (
    WORDS,
    draw,
    expect,
    needs_chromium,
    offer,
    room,
    status,
    talk,
)

pytestmark = needs_chromium

EN = WORDS["en"]
SIZES = [(1920, 1080), (1366, 768), (390, 844)]
SHEETS = {
    "settings": "s",
    "answer": "a",
    "phone": "q",
    "room": "o",
    "timeline": "m",
    "help": "?",
    "text": "d",
}
FULL = {"code": "odd", "values": {}, "message": "The disk is full."}
# Whether all of an element is on the screen, and beside the sheet that is open.
SEEN = """e => { const { left, right, top, bottom } = e.getBoundingClientRect();
    const dialog = document.querySelector("dialog[open]"), box = dialog?.getBoundingClientRect();
    const free = !box || left >= box.right || right <= box.left || top >= box.bottom - 1 || bottom <= box.top + 1;
    return free && left >= 0 && top >= 0 && right <= innerWidth + 1 && bottom <= innerHeight + 1; }"""


def fetching(done: int) -> dict:
    values = {"done_mb": done, "total_mb": 120}
    return {"code": "engine.fetching", "values": values, "message": f"{done} of 120 MB."}


def test_a_remark_can_be_put_away_and_comes_back_when_it_comes_anew(page, server):
    server.show("listening", notices=[FULL])
    notices = page.locator("#notices li")
    expect(notices).to_have_text(["The disk is full."])
    notices.get_by_role("button", name=EN["notice.away"]).click()
    expect(notices).to_have_count(0)
    server.show("listening", notices=[FULL], message="Still.")
    expect(page.locator("#status")).to_have_text("Still.")
    expect(notices).to_have_count(0)
    server.show("listening")
    server.show("listening", notices=[FULL])
    expect(notices).to_have_text(["The disk is full."])


def test_a_remark_that_counts_stays_away_while_it_counts(page, server):
    server.show("listening", notices=[fetching(1)])
    page.get_by_role("button", name=EN["notice.away"]).click()
    server.show("listening", notices=[fetching(2), FULL])
    expect(page.locator("#notices li")).to_have_text(["The disk is full."])


def test_an_offer_can_be_put_away_and_another_one_is_made(page, server):
    server.show("ready", offer=offer())
    page.locator("#offer-away").click()
    expect(page.locator("#offer")).to_be_hidden()
    server.show("ready", offer=offer("another"))
    expect(page.locator("#offer")).to_be_visible()


@pytest.mark.parametrize("presenter", [True, False])
def test_who_presents_may_try_again(open_page, server, presenter):
    server.room = room(presenter=presenter)
    waiting = {"code": "engine.waiting", "values": {}, "message": "No network."}
    server.status = status("ready", notices=[waiting])
    page = open_page()
    expect(page.locator("#notices li")).to_be_visible()
    again = page.get_by_role("button", name=EN["notice.again"])
    if presenter:
        again.click()
        assert server.asked.get(timeout=60)[0] == "fetch"
    else:
        expect(again).to_be_hidden()


@pytest.mark.parametrize("window", ["answer", "shown"])
def test_an_answer_that_was_not_spoken_says_so_where_it_was_pressed(open_page, server, window):
    server.room = room(speech=True)
    page = open_page(locale="en-GB")
    page.keyboard.press("a")
    page.locator("#answer-text").fill("Thank you.")
    if window == "shown":
        page.keyboard.press("Enter")
    page.locator(f"#{window}-speak").click()
    assert server.asked.get(timeout=60)[0] == "speak"
    failed = {"code": "speech.failed", "values": {"reason": "no sound"}, "message": "Not spoken."}
    server.show("listening", notices=[failed])
    expect(page.locator(f"#{window}-note")).to_have_text("Not spoken.")
    expect(page.locator(f"#{window}-note")).to_be_in_viewport()
    expect(page.locator("#notices li")).to_have_count(0)


def test_who_did_not_press_is_not_told_that_an_answer_was_not_spoken(page, server):
    failed = {"code": "speech.failed", "values": {"reason": "no sound"}, "message": "Not spoken."}
    server.show("listening", notices=[failed, FULL])
    expect(page.locator("#notices li")).to_have_text(["The disk is full."])


@pytest.mark.parametrize("size", SIZES)
def test_sheets_cover_neither_alerts_nor_saving_nor_the_way_back(open_page, server, size):
    server.room = room(reader_url="http://192.168.1.20:5000/read", saving={"file": "a.jsonl"})
    page = open_page(viewport={"width": size[0], "height": size[1]})
    talk(server, 60)
    expect(page.locator("#captions li")).to_have_count(60)
    page.locator("#view").hover()
    page.mouse.wheel(0, -900)
    expect(page.locator("#back")).to_be_visible()
    server.show("lost", message="No sound.", notices=[FULL], offer=offer())
    expect(page.locator("#notices li")).to_be_visible()
    for name, key in SHEETS.items():
        page.keyboard.press(key)
        expect(page.locator(f"#{name}")).to_be_visible()
        draw(page)
        for place in ("#alert", "#saving", "#back", "#notices li", "#offer-fetch"):
            assert page.locator(place).first.evaluate(SEEN), (name, place)
        page.keyboard.press("Escape")
        expect(page.locator(f"#{name}")).to_be_hidden()


@pytest.mark.parametrize("size", SIZES)
def test_what_a_sheet_leaves_free_is_one_press_away(open_page, server, size):
    page = open_page(viewport={"width": size[0], "height": size[1]})
    talk(server, 60)
    expect(page.locator("#captions li")).to_have_count(60)
    page.locator("#view").hover()
    page.mouse.wheel(0, -900)
    expect(page.locator("#back")).to_be_visible()
    page.keyboard.press("s")
    draw(page)
    box = page.locator("#back").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#settings")).to_be_hidden()
    expect(page.locator("#back")).to_be_hidden()
    page.keyboard.press("s")
    box = page.locator(".tools [data-opens=answer]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#answer")).to_be_visible()


def test_minutes_that_were_set_at_the_start_have_their_mark(open_page, server):
    server.room = room(clear_after_min=30)
    page = open_page()
    page.keyboard.press("o")
    choices = page.locator("#room [name=clear_after]:checked + span")
    expect(choices).to_have_text("30 min")
    server.arrange(clear_after_min=15)
    expect(choices).to_have_text("15 min")
    expect(page.locator("#room").get_by_text("30 min")).to_be_hidden()


@pytest.mark.parametrize("size", SIZES)
def test_a_new_reader_needs_two_touches_for_size_colours_and_download(open_page, server, size):
    server.room = room(presenter=False)
    page = open_page(viewport={"width": size[0], "height": size[1]}, has_touch=True)

    def touched(*places: str) -> None:
        """Only what lies in view can be touched."""
        for place in places:
            expect(page.locator(place)).to_be_in_viewport(ratio=1)
            page.locator(place).tap()

    before = page.locator("#view").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    touched('.tools [data-opens="settings"]', '[data-stepper="size"] button:last-child')
    after = page.locator("#view").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert after > before
    page.keyboard.press("Escape")
    touched('.tools [data-opens="settings"]', '[data-jumps="part-colours"]')
    expect(page.locator("#settings").get_by_text("Yellow on black")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    touched('.tools [data-opens="text"]')
    for download in page.locator("#text a[download]").all():  # each of them is the second touch
        expect(download).to_be_in_viewport(ratio=1)


def test_a_sheet_shows_that_there_is_more_below(open_page):
    page = open_page(viewport={"width": 1366, "height": 768})
    page.keyboard.press("s")
    sheet = page.locator("#settings")
    expect(sheet).to_have_attribute("data-more", "")
    sheet.locator(".content").evaluate("e => e.scrollTo(0, e.scrollHeight)")
    expect(sheet).not_to_have_attribute("data-more", "")
    page.keyboard.press("d")
    expect(page.locator("#text")).not_to_have_attribute("data-more", "")


def test_what_is_pressed_does_not_move_when_the_end_of_a_sheet_is_reached(open_page):
    page = open_page(viewport={"width": 1366, "height": 768})
    page.keyboard.press("s")
    sheet = page.locator("#settings")
    expect(sheet).to_have_attribute("data-more", "")
    switch = page.get_by_role("switch", name="Keyboard shortcuts")
    scrolled = """e => {
      e.closest(".content").scrollTo(0, 1e6);
      return e.getBoundingClientRect().top;
    }"""
    before = switch.evaluate(scrolled)
    expect(sheet).not_to_have_attribute("data-more", "")
    assert switch.evaluate("e => e.getBoundingClientRect().top") == before
