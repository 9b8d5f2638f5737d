"""The presenter mends a line in its place; everybody sees it, and that it was mended."""

import pytest

from tests.browser.test_page_access import problems
from tests.page import WORDS, caption, expect, lines, needs_chromium, room, talk, wait_for_end

pytestmark = needs_chromium

EN = WORDS["en"]
FIELD = ".mend textarea"


def mended(segment: int, text: str, **changes) -> dict:
    line = caption(segment, text, **changes)
    line["tags"]["mended"] = True
    return line


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_a_press_on_a_line_opens_it_and_enter_sends_the_words(open_page, server, size):
    width, height = size
    server.past = [caption(0, "Good morning Mr Jonson."), caption(1, "Welcome.")]
    page = open_page(viewport={"width": width, "height": height})
    lines(page).first.click()
    field = page.locator(FIELD)
    expect(field).to_be_focused()
    expect(field).to_have_value("Good morning Mr Jonson.")
    expect(lines(page).first.locator(FIELD)).to_have_count(1)  # in its place
    assert problems(page) == []
    field.fill("Good morning Mr Johnson.")
    box = page.locator(".mend").get_by_role("switch")
    expect(box).to_have_accessible_name(EN["mend.remember"].format(words="Johnson"))
    box.check()
    field.press("Enter")
    sent = {"segment": 0, "text": "Good morning Mr Johnson.", "remember": "Johnson"}
    assert server.asked.get(timeout=60) == ("correct", sent)
    expect(page.locator(".mend")).to_have_count(0)
    expect(lines(page).first).to_be_focused()
    server.emit("caption", mended(0, "Good morning Mr Johnson."))
    expect(lines(page).first.get_by_role("img", name=EN["captions.mended"])).to_be_visible()
    expect(lines(page).first).to_have_text("Good morning Mr Johnson.")
    assert problems(page) == []


def test_the_mark_moves_no_word(open_page, server):
    text = "a line of words that is long enough to need more rows than one, " * 3
    server.past = [caption(0, text), caption(1, "x")]
    page = open_page(viewport={"width": 390, "height": 844})
    before = lines(page).first.bounding_box()
    server.emit("caption", mended(0, text))
    expect(page.locator(".mended")).to_have_count(1)
    assert lines(page).first.bounding_box() == before
    assert page.locator("#view").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_words_only_hides_feelings_but_not_that_a_line_was_mended(page, server):
    line = mended(0, "Good morning.", label="happy", loudness="loud")
    line["tags"] |= {"speaker": {"number": 1, "name": "Ada"}}
    server.emit("caption", line)
    page.keyboard.press("s")
    page.get_by_role("switch", name=EN["settings.speakers"]).click()
    page.keyboard.press("Escape")
    for place in (".feeling", ".speaker", ".mended"):
        expect(lines(page).locator(place)).to_be_visible()
    page.locator("#plain").click()
    for place in (".feeling", ".speaker"):
        expect(lines(page).locator(place)).to_be_hidden()
    expect(lines(page).get_by_role("img", name=EN["captions.mended"])).to_be_visible()


def test_the_chart_over_time_has_the_words_that_were_mended(page, server):
    server.say(0, "Good morning.", label="happy")
    page.keyboard.press("m")
    words = page.locator("#timeline-table tbody td:last-child")
    for line, shown in (
        (caption(0, "Sent again.", label="happy"), "Good morning."),
        (mended(0, "Good evening.", label="happy"), "Good evening."),
        (caption(0, "Good morning.", label="happy"), "Good morning."),
    ):
        server.emit("caption", line)
        expect(words.last).to_have_text(shown)


def test_it_can_all_be_done_by_keyboard_and_escape_leaves_it(page, server):
    talk(server, 3)
    expect(lines(page)).to_have_count(3)
    page.locator("#view").focus()
    page.keyboard.press("Tab")
    expect(lines(page).nth(2)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(lines(page).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("r b c other")  # no key of the page does what it usually does
    page.keyboard.press("Escape")
    expect(lines(page).nth(1)).to_have_text("This is line number 1 of a long talk.")
    expect(lines(page).nth(1)).to_be_focused()
    assert server.asked.empty()
    page.keyboard.press("Enter")
    page.keyboard.type("other")
    page.keyboard.press("Enter")
    assert server.asked.get(timeout=60)[1]["text"] == "other"


def test_only_the_newest_line_stands_in_the_way_of_tab(page, server):
    talk(server, 5)
    expect(page.locator("#lines [tabindex]")).to_have_count(1)
    expect(lines(page).nth(4)).to_have_attribute("tabindex", "0")
    server.arrange(presenter=False)
    expect(page.locator("#lines [tabindex]")).to_have_count(0)


def test_readers_cannot(open_page, server):
    server.room, server.past = room(presenter=False), [caption(0, "Good morning.")]
    page = open_page()
    lines(page).first.click()
    page.keyboard.press("Enter")
    expect(page.locator(".mend")).to_have_count(0)
    server.emit("caption", mended(0, "Good evening."))
    expect(lines(page)).to_have_text(["Good evening."])


def test_who_loses_the_controls_loses_the_form(page, server):
    talk(server, 1)
    lines(page).first.click()
    expect(page.locator(FIELD)).to_be_focused()
    server.arrange(presenter=False)
    expect(page.locator(".mend")).to_have_count(0)


def test_of_two_presenters_both_see_what_the_other_wrote(page, server):
    talk(server, 1)
    lines(page).first.click()
    page.locator(FIELD).fill("mine")
    server.emit("caption", mended(0, "theirs"))
    expect(page.locator(".mend .note")).to_have_text(EN["mend.other"].format(text="theirs"))
    expect(page.locator(FIELD)).to_have_value("mine")
    page.locator(FIELD).press("Enter")
    assert server.asked.get(timeout=60)[1]["text"] == "mine"


def test_it_is_undone(page, server):
    server.emit("caption", mended(0, "Good evening."))
    lines(page).first.click()
    page.get_by_role("button", name=EN["mend.restore"]).click()
    assert server.asked.get(timeout=60) == ("restore", {"segment": 0})
    server.say(0, "Good morning.")
    expect(lines(page)).to_have_text(["Good morning."])
    expect(page.locator(".mended")).to_have_count(0)


def test_a_refusal_keeps_what_was_typed(page, server):
    talk(server, 1)
    server.answer = {"ok": False, "code": "refused.flood", "message": "Too much."}
    lines(page).first.click()
    page.locator(FIELD).fill("other")
    page.locator(FIELD).press("Enter")
    expect(page.locator("#refusal")).to_be_visible()
    expect(page.locator(FIELD)).to_have_value("other")


def test_what_is_typed_while_it_is_saved_stays(page, server):
    talk(server, 1)
    server.answering.clear()
    lines(page).first.click()
    page.locator(FIELD).fill("other")
    page.locator(FIELD).press("Enter")
    assert server.asked.get(timeout=60)[1]["text"] == "other"
    page.locator(FIELD).press_sequentially(" words")
    page.locator(FIELD).press("Enter")
    server.answering.set()
    expect(page.locator(".mend")).to_have_attribute("aria-busy", "false")
    expect(page.locator(FIELD)).to_have_value("other words")
    assert server.asked.empty()  # one after the other
    server.emit("caption", mended(0, "other"))
    server.say(1, "This came after it.")
    expect(lines(page)).to_have_count(2)
    expect(page.locator(".mend .note")).to_be_empty()  # nobody else has written
    page.locator(FIELD).press("Enter")
    assert server.asked.get(timeout=60)[1]["text"] == "other words"
    expect(page.locator(".mend")).to_have_count(0)


def test_the_line_keeps_its_place_while_others_come_and_captions_go_on_after(page, server):
    talk(server, 40)
    expect(lines(page)).to_have_count(40)
    lines(page).nth(38).click()
    before = page.locator(FIELD).bounding_box()
    talk(server, 10, first=40)
    expect(lines(page)).to_have_count(50)
    assert page.locator(FIELD).bounding_box() == before
    page.locator(FIELD).press("Escape")
    expect(page.locator("#back")).to_be_hidden()
    expect(lines(page).nth(49)).to_be_in_viewport(ratio=1)
    wait_for_end(page)


def test_a_cleared_line_takes_its_form_along(page, server):
    talk(server, 2)
    lines(page).first.click()
    server.emit("cleared", {})
    expect(page.locator(".mend")).to_have_count(0)
    talk(server, 30)
    expect(lines(page).nth(29)).to_be_in_viewport()


@pytest.mark.parametrize("gone", ["cleared", "no presenter"])
def test_what_was_typed_and_not_saved_stays_until_it_is_closed(page, server, gone):
    talk(server, 2)
    lines(page).first.click()
    page.locator(FIELD).fill("mine, and long")
    if gone == "cleared":
        server.emit("cleared", {})
        expect(lines(page)).to_have_count(0)
    else:
        server.arrange(presenter=False)
    form = page.locator("main > .mend")
    expect(form.locator(".note")).to_have_text(EN["mend.kept"])
    expect(page.locator(FIELD)).to_have_value("mine, and long")
    expect(page.locator(FIELD)).to_be_focused()
    assert problems(page) == []
    page.keyboard.type("er")
    page.keyboard.press("Enter")
    talk(server, 30, first=2)
    expect(lines(page).last).to_be_in_viewport()
    expect(page.locator(FIELD)).to_have_value("mine, and longer")
    assert server.asked.empty()  # there is nothing to mend
    server.arrange(blank=True)
    expect(form).to_be_hidden()
    server.arrange()
    form.get_by_role("button", name=EN["bar.close"]).click()
    expect(page.locator(".mend")).to_have_count(0)
    lines(page).last.click()
    expect(lines(page).last.locator(FIELD)).to_be_focused()


def test_a_press_on_another_line_loses_no_words(page, server):
    talk(server, 2)
    lines(page).first.click()
    page.locator(FIELD).fill("mine")
    lines(page).last.click()
    expect(page.locator(FIELD)).to_have_value("mine")
    expect(page.locator(FIELD)).to_be_focused()
    page.keyboard.press("Escape")
    lines(page).last.click()
    expect(lines(page).last.locator(FIELD)).to_be_focused()


def test_other_ends_of_rows_are_no_words_of_ones_own(page, server):
    server.say(0, "Good\rmorning,\r\neveryone.")
    server.say(1, "Welcome.")
    lines(page).first.click()
    expect(page.locator(FIELD)).to_have_value("Good\nmorning,\neveryone.")
    lines(page).last.click()  # nothing is unsaved that would keep the first one open
    expect(page.locator(FIELD)).to_have_value("Welcome.")
    lines(page).first.click()
    page.locator(FIELD).press("Enter")
    expect(page.locator(".mend")).to_have_count(0)
    assert server.asked.empty()


def test_the_keys_pass_over_a_sound_that_is_not_shown(page, server):
    server.say(0, "Good morning.")
    server.say(1, "", sound="rain")
    server.say(2, "Bye.")
    expect(lines(page)).to_have_count(3)
    page.keyboard.press("s")
    page.get_by_role("switch", name=EN["settings.sounds"]).click()
    page.keyboard.press("Escape")
    server.say(3, "", sound="laughter")
    page.locator("#view").focus()
    page.keyboard.press("Tab")
    expect(lines(page).nth(2)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(lines(page).nth(0)).to_be_focused()


def test_a_sound_has_no_words_to_mend(page, server):
    server.say(0, "", sound="laughter")
    lines(page).first.click()
    expect(page.locator(".mend")).to_have_count(0)


def test_a_mended_line_that_a_page_never_had_is_not_put_before_others(page, server):
    talk(server, 2, first=10)
    expect(lines(page)).to_have_count(2)
    server.emit("caption", mended(3, "An old line."))
    talk(server, 1, first=12)
    expect(lines(page)).to_have_count(3)
    expect(lines(page).first).to_have_text("This is line number 10 of a long talk.")


def test_words_that_offend_stay_hidden_but_are_mended_as_they_are(open_page, server):
    server.room, server.past = room(offending="first"), [caption(0, "What a shit day.")]
    page = open_page()
    expect(lines(page)).to_have_text(["What a s*** day."])
    lines(page).first.click()
    expect(page.locator(FIELD)).to_have_value("What a shit day.")
    server.emit("caption", mended(0, "What a shit, shit day."))
    page.locator(FIELD).press("Escape")
    expect(lines(page)).to_have_text(["What a s***, s*** day."])


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("see mister jon son.", "see Mr Johnson.", "Mr Johnson"),
        ("see Ann,", "see Anne,", "Anne"),
        ("a b c d e f", "q w e r t f", ""),
        ("same", "same", ""),
        ("a b", "a", ""),
        ("도서관은 토요일에", "박물관은 토요일에", "박물관은"),
    ],
)
def test_what_is_offered_to_be_remembered(page, before, after, words):
    changed = "async ([a, b]) => (await import('/static/js/mend.js')).changed(a, b)"
    assert page.evaluate(changed, [before, after]) == words


def spoken(segment: int, text: str, number: int, **name: str) -> dict:
    line = caption(segment, text)
    line["tags"]["speaker"] = {"number": number, **name}
    return line


NAME = ".mend input[type=text]"


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_the_voice_of_a_line_gets_a_name(open_page, server, size):
    width, height = size
    server.past = [spoken(0, "Good morning.", 1), spoken(1, "Welcome.", 2)]
    page = open_page(viewport={"width": width, "height": height})
    lines(page).nth(1).click()
    field = page.locator(NAME)
    expect(field).to_have_accessible_name(EN["mend.voice"].format(number=2))
    expect(field).to_have_value("")
    assert problems(page) == []
    field.fill("Ada")
    field.press("Enter")
    assert server.asked.get(timeout=60) == ("name_voice", {"number": 2, "name": "Ada"})
    expect(page.locator(".mend")).to_have_count(0)
    assert server.asked.empty()  # its words are as they were
    server.emit("caption", spoken(1, "Welcome.", 2, name="Ada"))
    expect(page.locator(".speaker").nth(1)).to_have_text("Ada")
    lines(page).nth(1).click()
    expect(field).to_have_value("Ada")
    page.locator(FIELD).fill("Welcome back.")
    field.fill("")
    page.get_by_role("button", name=EN["mend.save"]).click()
    assert server.asked.get(timeout=60) == ("name_voice", {"number": 2, "name": ""})
    assert server.asked.get(timeout=60)[0] == "correct"


def test_a_line_of_no_known_voice_asks_for_no_name(page, server):
    talk(server, 1)
    lines(page).first.click()
    expect(page.locator(FIELD)).to_be_focused()
    expect(page.locator(NAME)).to_be_hidden()


def test_a_name_that_is_refused_stays_typed_and_the_words_wait_for_it(page, server):
    server.past = [spoken(0, "Good morning.", 1)]
    server.emit("caption", server.past[0])
    server.answer = {"ok": False, "code": "refused.voice", "message": "No."}
    lines(page).first.click()
    page.locator(FIELD).fill("other")
    page.locator(NAME).fill("Ada")
    page.locator(NAME).press("Enter")
    assert server.asked.get(timeout=60)[0] == "name_voice"
    expect(page.locator("#refusal")).to_be_visible()
    expect(page.locator(NAME)).to_have_value("Ada")
    expect(page.locator(FIELD)).to_have_value("other")
    assert server.asked.empty()
