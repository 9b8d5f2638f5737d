"""How a thing was said, beside the words: readable, in a place of its own, and moving nothing."""

import pytest

from tests.page import (
    LABELS,
    WORDS,
    caption,
    expect,
    lines,
    needs_chromium,
    room,
)
from utils.events import SILENT

pytestmark = needs_chromium

SIZES = [(1920, 1080), (1366, 768), (390, 844)]
SENTENCE = "The new library opens on Saturday at ten, and there will be cake for everyone."
# Where each row of the words lies.
ROWS = """e => { const range = new Range();
    range.selectNodeContents([...e.childNodes].find((node) => node.nodeType === 3));
    return [...range.getClientRects()].map(({ x, y, width }) => [x, y, width].map(Math.round)); }"""


def opened(open_page, size):
    return open_page(viewport={"width": size[0], "height": size[1]})


@pytest.mark.parametrize("size", SIZES)
def test_words_stay_where_they_are_when_a_feeling_comes_and_goes(open_page, server, size):
    page = opened(open_page, size)
    server.say(0, SENTENCE)
    server.say(1, "And then?", final=False)
    expect(page.locator("#live")).to_have_text("And then?")
    before = [place.evaluate(ROWS) for place in (lines(page), page.locator("#live"))]
    for label, grade in [("happy", None), ("disgust", "likely"), (None, None), ("sad", "sure")]:
        server.say(0, SENTENCE, label=label, grade=grade)
        server.say(1, "And then?", final=False, label=label, grade=grade)
        expect(page.locator("#live")).to_have_attribute("data-emotion", label or "")
        assert [place.evaluate(ROWS) for place in (lines(page), page.locator("#live"))] == before


def test_a_line_of_another_voice_moves_nothing_when_it_ends(page, server):
    server.say(0, SENTENCE)
    server.say(1, "And then?", final=False, new_voice=True)
    expect(page.locator("#live")).to_contain_text("And then?")
    before = lines(page).first.bounding_box()
    server.say(1, "And then?", new_voice=True)
    expect(lines(page)).to_have_count(2)
    assert lines(page).first.bounding_box() == before


@pytest.mark.parametrize("size", SIZES)
def test_a_face_and_its_word_are_large_enough_and_touch_no_words(open_page, server, size):
    told = [label for label in LABELS if label != SILENT]
    server.past = [
        caption(i, SENTENCE, label=label, new_voice=i % 2 == 1) for i, label in enumerate(told)
    ]
    page = opened(open_page, size)
    expect(lines(page)).to_have_count(len(told))
    letters = page.locator("#view").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    for line in lines(page).all():
        face, tag = line.locator("svg").bounding_box(), line.locator(".feeling")
        circle = face["height"] * 21 / 24  # of the drawing: it touches no edge
        assert 0.75 * letters <= circle <= 0.9 * letters
        word = tag.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        assert word >= 0.53 * letters  # 16 minutes of arc at the distance where these have 30
        box, rows = tag.bounding_box(), line.evaluate(ROWS)
        beside = box["x"] + box["width"] <= rows[0][0] + 1
        above = box["y"] + box["height"] <= rows[0][1] + 0.35 * letters  # where no letter is
        assert beside or above, (box, rows[0])


def test_on_a_phone_feelings_take_no_width(open_page, server):
    server.past = [caption(0, SENTENCE, label="happy")]
    page = opened(open_page, (390, 844))
    expect(page.locator("#view")).to_have_attribute("data-feelings", "above")
    assert lines(page).evaluate("e => getComputedStyle(e).paddingLeft") == "0px"
    page = opened(open_page, (1920, 1080))
    expect(page.locator("#view")).to_have_attribute("data-feelings", "beside")


@pytest.mark.parametrize("off", ["reader", "room", "plain"])
def test_where_no_feelings_are_shown_no_place_is_kept(open_page, server, off):
    server.past = [caption(0, SENTENCE, label="happy")]
    server.room = room(emotion=off != "room")
    chosen = {"reader": "{ emotion: 'off' }", "plain": "{ plain: true }", "room": "{}"}[off]
    page = open_page(before=f"localStorage.display ??= JSON.stringify({chosen})")
    expect(page.locator("#view")).to_have_attribute("data-feelings", "off")
    assert lines(page).evaluate("e => getComputedStyle(e).paddingLeft") == "0px"
    expect(page.locator("#view .feeling").filter(visible=True)).to_have_count(0)


def test_sure_and_likely_differ_in_shape_words_and_name(page, server):
    server.say(0, "I see.", label="happy", grade="sure")
    server.say(1, "I see.", label="happy")
    server.say(2, "I see.", label="happy", grade="likely")
    expect(lines(page)).to_have_count(3)
    tags = lines(page).locator(".feeling")
    expect(tags).to_have_text(["happy", "happy", "happy?"])
    assert [tag.get_attribute("aria-label") for tag in tags.all()] == [
        "happy",
        "happy",
        "perhaps happy",
    ]
    fills = tags.locator("svg").evaluate_all("es => es.map((e) => getComputedStyle(e).fill)")
    assert fills[0] == fills[1] != "none" and fills[2] == "none"
    weights = tags.evaluate_all("es => es.map((e) => Number(getComputedStyle(e).fontWeight))")
    assert weights[0] == weights[1] > weights[2] >= 400


def test_a_feeling_that_becomes_sure_is_filled(page, server):
    server.say(0, "No", final=False, label="angry", grade="likely")
    expect(page.locator("#live .feeling")).to_have_text("angry?")
    server.say(0, "No", final=False, label="angry", grade="sure")
    expect(page.locator("#live .feeling")).to_have_text("angry")
    expect(page.locator("#live .feeling")).to_have_attribute("data-grade", "sure")


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_reader_may_see_all_or_only_the_sure_ones_or_none(open_page, server, size):
    page = opened(open_page, size)
    server.say(0, "I see.", label="happy")
    server.say(1, "I see.", label="sad", grade="likely")
    shown = page.locator("#view .feeling").filter(visible=True)
    expect(shown).to_have_count(2)
    for key, count in (("e", 1), ("e", 0), ("e", 2)):
        page.keyboard.press(key)
        expect(shown).to_have_count(count)
    page.keyboard.press("e")
    page.keyboard.press("m")
    expect(page.locator("#timeline-table tbody tr")).to_have_count(1)


def test_what_no_face_means_is_said_once(page):
    notice = WORDS["en"]["page.notice"]
    assert "no face" in notice
    expect(page.locator("#guessing")).to_have_text(notice)


def test_feelings_and_sounds_are_in_the_language_of_the_page_and_words_in_theirs(open_page, server):
    server.room = room(language="cy")
    server.past = [caption(0, "Bore da.", label="happy", new_voice=True)]
    server.past += [caption(1, "", sound="laughter"), caption(2, "Pwy", final=False)]
    page = open_page(locale="ko-KR")
    expect(page.locator("#live")).to_have_text("Pwy")
    language = "e => e.closest('[lang]').lang"
    assert lines(page).nth(0).evaluate(language) == "cy"
    assert page.locator("#live").evaluate(language) == "cy"
    for place in (".feeling", ".voice"):
        assert lines(page).nth(0).locator(place).evaluate(language) == "ko", place
    assert lines(page).nth(1).evaluate(language) == "ko"
    expect(lines(page).nth(1)).to_have_text(f"[{WORDS['ko']['sound.laughter']}]")
    page.keyboard.press("g")
    expect(lines(page).nth(1)).to_have_text(f"[{WORDS['en']['sound.laughter']}]")
    for line, place in ((0, ".feeling"), (0, ".voice"), (1, "")):
        element = lines(page).nth(line).locator(place) if place else lines(page).nth(line)
        assert element.evaluate(language) == "en", place
    server.arrange(language="pl")  # the program was started again for another language
    expect(page.locator("#captions")).to_have_attribute("lang", "pl")
    expect(page.locator("#live")).to_have_attribute("lang", "pl")


def test_loudness_has_a_switch_of_its_own(page, server):
    server.say(0, "Good morning.", loudness="loud", label="happy")
    weight = "e => Number(getComputedStyle(e).fontWeight)"
    assert lines(page).evaluate(weight) > 600
    page.keyboard.press("s")
    page.get_by_role("switch", name=WORDS["en"]["settings.loudness"]).click()
    assert lines(page).evaluate(weight) == 400
    expect(lines(page).locator(".feeling")).to_be_visible()
