"""What a page shows after the program was away, or the page: nothing lost, nothing hidden."""

import pytest

from tests.page import (
    WORDS,
    CaptionServer,
    caption,
    expect,
    lines,
    needs_chromium,
    room,
    status,
    talk,
    wait_for_end,
)
from tests.relay import Relay
from web.events import PING_S, PONG_S

pytestmark = needs_chromium

EN = WORDS["en"]
RESTARTED, MISSED = EN["captions.restarted"], EN["captions.missed"]
PATIENCE_MS = 60_000  # for the page to find the program again on a busy machine


def all_lines(page):
    """Lines and marks, in the order in which they stand."""
    return page.locator("#lines > li")


def go_away(page, server) -> None:
    server.stop()
    expect(page.locator("body")).to_have_attribute("data-state", "offline", timeout=PATIENCE_MS)


def come_back(page, server, past=(), **changes) -> None:
    server.past = list(past)
    server.status = status("listening", **changes)
    server.start()
    expect(page.locator("body")).to_have_attribute("data-state", "listening", timeout=PATIENCE_MS)


def test_a_restart_of_the_program_keeps_what_was_said_under_a_mark(page, server):
    server.say(7, "Old line.", label="happy")
    server.say(8, "old and growing", final=False)
    expect(page.locator("#live")).to_have_text("old and growing")
    go_away(page, server)
    come_back(page, server, session="two")
    expect(all_lines(page)).to_have_text(["Old line. happy", "old and growing", RESTARTED])
    expect(page.locator("#live")).to_have_text("")
    server.say(0, "New", final=False)
    expect(page.locator("#live")).to_have_text("New")
    server.say(0, "New line.")
    server.say(8, "Another line.")  # segments count from 0 again
    server.say(7, "A late line.")
    new = ["New line.", "A late line.", "Another line."]
    expect(all_lines(page)).to_have_text(["Old line. happy", "old and growing", RESTARTED, *new])
    wait_for_end(page)


def test_restarts_without_a_word_between_make_one_mark(page, server):
    server.show("ready", session="one and a half")
    server.show("ready", session="two")
    server.say(0, "Words.")
    for session in ("three", "four", "five"):
        server.show("listening", session=session)
    server.say(0, "More words.")
    expect(all_lines(page)).to_have_text(["Words.", RESTARTED, "More words."])


def test_old_lines_of_a_session_before_leave_the_page_too(page, server):
    talk(server, 300)
    server.show("listening", session="two")
    talk(server, 300)
    server.say(300, "The last.")
    expect(lines(page).last).to_have_text("The last.")
    expect(all_lines(page)).to_have_count(500)
    server.say(2, "This is there already.")
    server.emit("cleared", {})
    server.say(301, "Afterwards.")
    expect(all_lines(page)).to_have_text(["Afterwards."])


def test_the_mark_is_worded_in_the_readers_language(page, server):
    server.say(0, "Words.")
    server.show("listening", session="two")
    expect(page.locator(".mark")).to_have_text(RESTARTED)
    page.keyboard.press("g")
    expect(page.locator(".mark")).to_have_text(RESTARTED)  # English, chosen
    page.keyboard.press("g")
    expect(page.locator(".mark")).to_have_text(WORDS["ko"]["captions.restarted"])


def test_lines_that_were_missed_leave_a_mark_where_they_were(page, server):
    talk(server, 3)
    server.say(3, "so far", final=False)
    expect(page.locator("#live")).to_have_text("so far")
    go_away(page, server)
    late = [caption(104, "Later."), caption(105, "Later still."), caption(106, "and", final=False)]
    come_back(page, server, late, left_out=103)
    expect(all_lines(page).nth(3)).to_have_text("so far")
    expect(all_lines(page).nth(4)).to_have_text(MISSED)
    expect(lines(page)).to_have_count(6)
    expect(lines(page).last).to_have_text("Later still.")
    expect(page.locator("#live")).to_have_text("and")
    go_away(page, server)
    come_back(page, server, late, left_out=103)  # nothing more is missing
    expect(page.locator(".mark")).to_have_count(1)
    expect(lines(page)).to_have_count(6)
    server.say(103, "Missed.", label="sad")  # a tag of it came late
    server.say(106, "and so on.")
    expect(lines(page)).to_have_count(7)
    expect(page.locator(".mark")).to_have_text(MISSED)


def test_what_was_missed_is_marked_also_after_a_blank(page, server):
    talk(server, 3)
    expect(lines(page)).to_have_count(3)
    go_away(page, server)
    server.room = room(blank=True)
    come_back(page, server, left_out=None)
    server.arrange()
    server.show("listening", left_out=103)
    server.say(104, "Later.")
    expect(lines(page)).to_have_count(4)
    expect(all_lines(page).nth(3)).to_have_text(MISSED)


def test_a_page_that_missed_nothing_has_no_mark(page, server):
    talk(server, 5)
    server.say(5, "growing", final=False)
    expect(page.locator("#live")).to_have_text("growing")
    go_away(page, server)
    past = [caption(4, "This is line number 4 of a long talk."), caption(5, "Grown.")]
    come_back(page, server, past, left_out=3)
    expect(lines(page)).to_have_count(6)
    expect(lines(page).last).to_have_text("Grown.")
    expect(page.locator(".mark")).to_have_count(0)


def test_a_page_that_opens_late_has_no_mark(open_page, server):
    server.past = [caption(104, "Later.")]
    server.status = status("listening", left_out=103)
    page = open_page()
    expect(all_lines(page)).to_have_text(["Later."])


def test_what_was_cleared_while_a_page_was_away_goes_when_it_comes_back(page, server):
    server.say(0, "Private.")
    expect(lines(page)).to_have_count(1)
    server.emit("cleared", {})
    server.status = status("ready", clears=1)
    server.say(1, "Public.")
    expect(lines(page)).to_have_text(["Public."])
    go_away(page, server)
    come_back(page, server, [caption(1, "Public.")], clears=1)
    expect(lines(page)).to_have_text(["Public."])
    go_away(page, server)
    come_back(page, server, [caption(2, "Afterwards.")], clears=2)
    expect(lines(page)).to_have_text(["Afterwards."])


def test_what_was_blank_is_not_shown_by_a_restart(page, server):
    server.say(0, "Private.")
    expect(lines(page)).to_have_count(1)
    server.arrange(blank=True)
    expect(page.locator("#view")).to_be_hidden()
    go_away(page, server)
    server.room = room()
    come_back(page, server, session="two")
    expect(page.locator("#view")).to_be_visible()
    assert "Private" not in page.content()


def test_a_dead_network_is_told_and_comes_back(browser):
    assert PING_S + PONG_S <= 8.0
    with (
        CaptionServer(PING_S) as server,
        Relay(server.port) as relay,
        browser.new_context() as context,
    ):
        server.status = status("listening")
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{relay.port}/")
        expect(page.locator("#onair")).to_have_text(EN["onair.live"])
        server.say(0, "Words.")
        expect(lines(page)).to_have_text(["Words."])
        relay.dead = True
        expect(page.locator("#onair")).to_have_text(EN["onair.lost"], timeout=PATIENCE_MS)
        expect(page.locator("#alert")).to_have_text(EN["status.offline"])
        server.past = [caption(0, "Words."), caption(1, "Said meanwhile.")]
        relay.dead = False
        expect(page.locator("#onair")).to_have_text(EN["onair.live"], timeout=PATIENCE_MS)
        expect(lines(page)).to_have_text(["Words.", "Said meanwhile."])


@pytest.mark.parametrize("size", [(1920, 1080), (390, 844), (320, 256)])
def test_marks_fit_every_screen(open_page, server, size):
    page = open_page(viewport={"width": size[0], "height": size[1]})
    server.say(0, "Words.")
    server.show("listening", session="two")
    mark = page.locator(".mark")
    expect(mark).to_have_text(RESTARTED)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert mark.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert mark.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 16
