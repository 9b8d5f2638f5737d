"""Places for tags that other work brings: who speaks, sounds, a translation; each with a switch."""

import json
from typing import Any

import pytest

from tests.browser.test_page_access import problems
from tests.page import WORDS, caption, expect, lines, needs_chromium, room

pytestmark = needs_chromium

EN = WORDS["en"]
COLOUR = "e => getComputedStyle(e).color"
IN_COLOURS = f"localStorage.display ??= {json.dumps(json.dumps({'speakers': True}))}"


@pytest.fixture
def coloured(open_page):
    """A page whose reader wants a colour and a name for each voice."""
    return open_page(IN_COLOURS)


def tagged(segment: int, text: str = "Somebody says something.", **tags) -> dict:
    line = caption(segment, text)
    line["tags"] |= tags
    return line


def voice(number: int, name: str | None = None) -> dict:
    return {"speaker": {"number": number, "name": name}}


KOREAN: dict[str, Any] = {"translation": {"ko": "누군가 말합니다.", "fr": "Quelqu’un parle."}}
BOTH = ["ko", "fr"]


@pytest.mark.parametrize("theme", ["dark", "light", "yellow"])
def test_each_speaker_has_a_name_and_a_colour_that_can_be_read(coloured, server, theme):
    page = coloured
    for segment in range(7):
        server.emit("caption", tagged(segment, **voice(segment + 1)))
    page.evaluate("t => { document.documentElement.dataset.theme = t; }", theme)
    expect(lines(page)).to_have_count(7)
    colours = [lines(page).nth(i).evaluate(COLOUR) for i in range(6)]
    assert len(set(colours)) == 6
    expect(page.locator(".speaker")).to_have_text([f"Voice {n}" for n in range(1, 8)])
    assert problems(page) == []


def test_who_goes_on_speaking_is_not_named_again(coloured, server):
    page = coloured
    for segment, who in enumerate((1, 1, 2, 1)):
        server.emit("caption", tagged(segment, **voice(who, "Ada" if who == 1 else None)))
    names = page.locator(".speaker")
    expect(names).to_have_text(["Ada", "Ada", "Voice 2", "Ada"])
    for i, shown in enumerate((True, False, True, True)):
        expect(names.nth(i)).to_be_visible(visible=shown)
    server.emit("caption", tagged(2, **voice(1, "Ada")))  # it was Ada after all
    expect(names.nth(3)).to_be_hidden()


def test_a_tag_that_comes_late_moves_no_word_to_another_row(open_page, server):
    text = "a line of words that is long enough to need more rows than one " * 2
    server.past = [tagged(0, text), tagged(1)]
    server.room = room(translations=BOTH)
    page = open_page(IN_COLOURS, locale="ko", viewport={"width": 390, "height": 844})
    rows = "e => [...e.childNodes].find(n => n.nodeType === 3).data"
    before = lines(page).first.evaluate(rows)
    server.emit("caption", tagged(0, text, **voice(2, "A rather long name"), **KOREAN))
    expect(page.locator(".translation")).to_have_count(1)
    assert lines(page).first.evaluate(rows) == before


def test_a_translation_stands_below_in_the_device_s_own_language(open_page, server):
    server.room = room(translations=BOTH)
    page = open_page(locale="ko-KR")
    server.emit("caption", tagged(0, **KOREAN))
    below = page.locator(".translation")
    expect(below).to_have_text("누군가 말합니다.")
    expect(below).to_have_attribute("lang", "ko")
    assert below.bounding_box()["y"] > lines(page).first.bounding_box()["y"]
    assert problems(page) == []


@pytest.mark.parametrize(
    ("name", "event", "place"), [("sounds", caption(0, "", sound="laughter"), "[data-sound]")]
)
def test_its_switch_is_offered_once_it_has_come_and_takes_it_away(page, server, name, event, place):
    server.say(9, "Words.")
    expect(lines(page)).to_have_count(1)
    page.keyboard.press("s")
    switch = page.get_by_role("switch", name=EN[f"settings.{name}"])
    expect(switch).to_be_hidden()
    server.emit("caption", event)
    expect(switch).to_be_visible()
    expect(page.locator(place)).to_be_visible()
    switch.click()
    expect(page.locator(place)).to_be_hidden()
    page.keyboard.press("Escape")
    server.past = [event]
    page.reload()
    expect(page.locator(place)).to_have_count(1)
    expect(page.locator(place)).to_be_hidden()  # remembered on this device


def choose(page, words: str) -> None:
    page.keyboard.press("s")
    page.get_by_role("radio", name=words, exact=True).check()
    page.keyboard.press("Escape")


def test_a_reader_chooses_among_the_room_s_translations_and_where_they_stand(page, server):
    below, first = page.locator(".translation"), lines(page).first
    page.keyboard.press("s")
    offered = page.get_by_role("group", name=EN["settings.translate"])
    expect(offered).to_be_hidden()  # this room has none
    page.keyboard.press("Escape")
    server.past = [tagged(0, **KOREAN), tagged(1)]
    server.arrange(translations=BOTH)
    server.emit("caption", server.past[0])
    expect(first).to_be_visible()
    expect(below).to_have_count(0)  # the device is set to English
    choose(page, "français")
    expect(below).to_have_text("Quelqu’un parle.")
    expect(below).to_have_attribute("lang", "fr")
    choose(page, EN["settings.translation.instead"])
    expect(first).to_have_text("Quelqu’un parle.")
    expect(first).to_have_attribute("lang", "fr")
    expect(below).to_have_count(0)
    assert problems(page) == []
    server.room = room(translations=BOTH)
    page.reload()
    expect(lines(page)).to_have_text(["Quelqu’un parle.", "Somebody says something."])
    server.arrange(translations=["ko"])  # the other model is gone
    expect(first).to_have_text("Somebody says something.")
    server.arrange(translations=BOTH)
    expect(first).to_have_text("Quelqu’un parle.")  # the choice is remembered
    choose(page, EN["settings.translate.off"])
    expect(first).to_have_text("Somebody says something.")


def test_a_dash_is_all_until_a_reader_wants_colours_and_names(page, server):
    server.emit("caption", tagged(0, new_voice=True, **voice(2)))
    server.emit("caption", tagged(1))
    name, first = page.locator(".speaker"), lines(page).first
    expect(page.locator(".voice")).to_be_visible()
    expect(name).to_be_hidden()
    plain = lines(page).nth(1).evaluate(COLOUR)
    calm = first.evaluate(COLOUR)
    page.keyboard.press("s")
    switch = page.get_by_role("switch", name=EN["settings.speakers"])
    expect(switch).not_to_be_checked()
    switch.click()
    expect(name).to_be_visible()
    assert first.evaluate(COLOUR) not in (plain, calm)
    page.keyboard.press("Escape")
    page.keyboard.press("p")  # words only: no name, nor a colour alone
    expect(name).to_be_hidden()
    assert first.evaluate(COLOUR) == calm
    server.past = [tagged(0, **voice(2))]
    page.reload()
    expect(lines(page)).to_have_count(1)
    page.keyboard.press("p")
    expect(name).to_be_visible()  # remembered on this device


def test_colours_are_offered_once_there_are_voices(page, server):
    switch = page.get_by_role("switch", name=EN["settings.speakers"])
    page.keyboard.press("s")
    server.emit("caption", tagged(0))
    expect(lines(page)).to_have_count(1)
    expect(switch).to_be_hidden()
    server.emit("caption", tagged(1, **voice(2)))
    expect(switch).to_be_visible()


def test_a_growing_line_is_named_as_soon_as_its_voice_is_known(coloured, server):
    server.emit("caption", tagged(0, **voice(1)))
    live = coloured.locator("#live")
    server.emit("caption", tagged(1, "And") | {"final": False})
    expect(live).to_have_text("And")
    server.emit("caption", tagged(1, "And I", **voice(2)) | {"final": False})
    expect(live.locator(".speaker")).to_have_text("Voice 2")
    server.emit("caption", tagged(1, "And I", **voice(1)) | {"final": False})
    expect(live.locator(".speaker")).to_be_hidden()  # it is the one before, who goes on


def test_odd_tags_break_nothing(page, server):
    odd = (5, "x", [], {}, {"number": "x"}, {"number": -1}, {"number": 10**15, "name": 7})
    for segment, value in enumerate(odd):
        server.emit("caption", tagged(segment, speaker=value, translation=value))
    expect(lines(page)).to_have_count(len(odd))
    server.say(20, "And on.")
    expect(lines(page).last).to_have_text("And on.")
