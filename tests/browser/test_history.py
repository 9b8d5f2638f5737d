"""What was said is found, copied, and kept: this session's lines, and those that were saved."""

import pytest

from tests.browser.test_page_access import problems
from tests.page import (
    WORDS,
    caption,
    expect,
    lines,
    needs_chromium,
    room,
)

pytestmark = needs_chromium

EN = WORDS["en"]
SESSIONS = [
    {
        "name": f"captions-2026-01-0{day}-090000.jsonl",
        "began": f"2026-01-0{day}T09:00:00",
        "length_s": 130.0,
        "lines": 2,
        "first": "Good <b>morning</b>.",
    }
    for day in (2, 1)
]


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_words_are_found_in_this_session_and_copied(open_page, server, size):
    server.past = [
        caption(0, "The library opens on Saturday."),
        caption(1, "도서관은 토요일에 엽니다.", label="happy"),
        caption(2, "", sound="laughter"),
        caption(3, "Bring a <b>LIBRARY</b> card."),
    ]
    width, height = size
    page = open_page(
        viewport={"width": width, "height": height},
        permissions=["clipboard-read", "clipboard-write"],
        locale="en-GB",
    )
    expect(lines(page)).to_have_count(4)
    page.keyboard.press("d")
    found = page.locator("#find-list li span")
    page.locator("#find-words").fill("library")
    expect(found).to_have_text(["The library opens on Saturday.", "Bring a <b>LIBRARY</b> card."])
    expect(page.locator("#find-count")).to_have_text("2 lines")
    server.say(4, "Which library?")
    expect(found).to_have_count(3)
    page.locator("#find-words").fill("토요일")
    expect(found).to_have_count(1)
    page.locator("#find-list .copy").click()
    expect(page.locator("#find-said")).to_have_text(EN["find.copied"])
    assert page.evaluate("navigator.clipboard.readText()") == "도서관은 토요일에 엽니다."
    page.locator("#copy-all").click()
    copied = "The library opens on Saturday.\n도서관은 토요일에 엽니다."
    expect(page.locator("#find-said")).to_have_text(EN["find.copied"])
    assert page.evaluate("navigator.clipboard.readText()").startswith(copied)
    assert problems(page) == []


def test_where_the_clipboard_is_closed_a_line_is_copied_all_the_same(open_page, server):
    server.past = [caption(0, "Good morning.")]
    page = open_page(before="Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    expect(lines(page)).to_have_count(1)
    page.keyboard.press("d")
    page.evaluate("""document.addEventListener("copy", () => {
        document.title = document.activeElement.value; })""")
    page.locator("#copy-all").click()
    expect(page.locator("#find-said")).to_have_text(EN["find.copied"])
    expect(page).to_have_title("Good morning.")
    expect(page.locator("#copy-all")).to_be_focused()


def test_saved_sessions_are_listed_read_downloaded_and_deleted(open_page, server):
    server.sessions, server.past = SESSIONS, [caption(0, "Good <b>morning</b>.")]
    page = open_page(locale="en-GB")
    page.keyboard.press("d")
    items = page.locator("#history-list > li")
    expect(items).to_have_count(2)
    expect(items.first.locator(".when")).to_have_text("2 Jan 2026, 09:00 · 2 min")
    expect(items.first.locator(".first")).to_have_text("Good <b>morning</b>.")
    items.first.locator("summary").click()
    expect(items.first.locator(".page p")).to_have_text(["Good <b>morning</b>."])
    name = SESSIONS[0]["name"]
    for form in ("txt", "docx", "srt", "vtt", "json"):
        expect(items.first.locator(f'a[href="saved/{name}/{form}"]')).to_have_count(1)
    assert problems(page) == []
    delete = items.first.locator("> .actions button")
    delete.click()
    expect(delete).to_have_text(EN["history.delete.confirm"])
    assert server.asked.empty()
    server.sessions = SESSIONS[1:]
    delete.click()
    assert server.asked.get(timeout=60) == ("forget", {"name": name})
    expect(items).to_have_count(1)
    page.get_by_role("switch", name=EN["history.open"]).click()
    assert server.asked.get(timeout=60) == ("history", {"on": True})


def test_sounds_that_were_saved_are_in_the_language_of_the_page_or_left_out(open_page, server):
    server.sessions = SESSIONS
    server.past = [caption(0, "Good morning."), caption(1, "", sound="rain")]
    page = open_page(locale="ko-KR")
    page.keyboard.press("d")
    saved = page.locator("#history-list > li").first
    saved.locator("summary").click()
    rain = f"[{WORDS['ko']['sound.rain']}]"
    expect(saved.locator(".page p")).to_have_text(["Good morning.", rain])
    expect(saved.locator(".page p").last).to_have_attribute("lang", "ko")
    expect(page.locator("#find-list li span")).to_have_text(["Good morning.", rain])
    page.keyboard.press("s")
    page.get_by_role("switch", name=WORDS["ko"]["settings.sounds"]).click()
    page.keyboard.press("d")
    expect(page.locator("#find-list li span")).to_have_text(["Good morning."])
    saved.locator("summary").click()
    expect(saved.locator(".page p")).to_have_text(["Good morning."])


def test_readers_see_saved_sessions_as_the_room_allows(open_page, server):
    server.sessions, server.room = SESSIONS, room(presenter=False)
    page = open_page()
    page.keyboard.press("d")
    expect(page.locator("#history")).to_be_hidden()
    server.arrange(presenter=False, history=True)
    expect(page.locator("#history-list > li")).to_have_count(2)
    expect(page.locator("#history-list li > .actions button")).to_have_count(2)
    expect(page.locator("#history-list li > .actions button").first).to_be_hidden()
    expect(page.get_by_role("switch", name=EN["history.open"])).to_be_hidden()
