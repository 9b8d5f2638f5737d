"""Words that offend: as they were heard, their first letter, or hidden; the room's choice or one's own."""

import pytest

from tests.page import (
    caption,
    expect,
    lines,
    needs_chromium,
    room,
)

pytestmark = needs_chromium

HEARD, SHORT, HIDDEN = "Oh shit, he said.", "Oh s***, he said.", "Oh ***, he said."


def test_by_default_words_are_shown_as_they_were_heard(page, server):
    server.say(0, HEARD)
    expect(lines(page)).to_have_text([HEARD])
    fetched = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert not [name for name in fetched if name.endswith("/offending")]


def test_the_rooms_choice_holds_for_every_page_and_at_once(page, server):
    server.say(0, HEARD, label="angry")
    server.say(1, "This shit", final=False)
    expect(page.locator("#live")).to_have_text("This shit")
    for how, final, growing in [
        ("first", SHORT, "This s***"),
        ("hidden", HIDDEN, "This ***"),
        ("off", HEARD, "This shit"),
    ]:
        server.arrange(offending=how)
        expect(page.locator("#live")).to_have_text(growing)
        expect(lines(page)).to_have_text([f"{final} angry"])


def test_a_line_that_grows_is_shortened_as_it_grows(open_page, server):
    server.room = room(offending="first")
    page = open_page()
    for text, shown in [("Oh", "Oh"), ("Oh shit", "Oh s***"), ("Oh shit here", "Oh s*** here")]:
        server.say(0, text, final=False)
        expect(page.locator("#live")).to_have_text(shown)


def test_a_readers_own_choice_goes_before_the_rooms(open_page, server):
    server.room = room(offending="hidden")
    server.past = [caption(0, HEARD, label="angry")]
    page = open_page()
    expect(lines(page)).to_have_text([f"{HIDDEN} angry"])
    page.keyboard.press("s")
    chosen = page.locator("[name=offending]")
    for value, text, asked in [
        ("off", HEARD, "?words=off"),
        ("first", SHORT, "?words=first"),
        ("room", HIDDEN, ""),
    ]:
        chosen.and_(page.locator(f"[value={value}]")).check()
        expect(lines(page)).to_have_text([f"{text} angry"])
        link = page.locator("#text a[download]").first
        expect(link).to_have_attribute("href", f"export/txt{asked}")
    page.keyboard.press("Escape")
    for _ in range(2):  # as the browser has it, English, Korean
        page.keyboard.press("g")
    expect(link).to_have_attribute("href", "export/txt?language=ko")
    page.keyboard.press("g")
    expect(link).to_have_attribute("href", "export/txt")
    page.keyboard.press("m")
    expect(page.locator("#timeline-table td").last).to_have_text(HIDDEN)


def test_the_presenter_asks_for_everyone(page, server):
    page.keyboard.press("o")
    page.locator("[name=room_offending][value=first]").check()
    assert server.asked.get(timeout=60) == ("offending", {"how": "first"})
    server.arrange(offending="hidden")
    expect(page.locator("[name=room_offending][value=hidden]")).to_be_checked()


@pytest.mark.parametrize("answer", ["nothing", "an error"])
def test_without_the_list_words_are_shown_as_they_were_heard(open_page, server, answer):
    page = open_page()
    broken = (lambda r: r.abort()) if answer == "nothing" else (lambda r: r.fulfill(status=500))
    page.route("**/offending", broken)
    server.arrange(offending="hidden")
    server.say(0, HEARD)
    expect(lines(page)).to_have_text([HEARD])
