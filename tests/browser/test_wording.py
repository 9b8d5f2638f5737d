"""What words say, beside how they were said: marked as of the words, quieter, and moving nothing."""

import pytest

from tests.browser.test_edges import CUT_FEELINGS, CUT_ROWS
from tests.browser.test_feelings import ROWS, SENTENCE, SIZES
from tests.browser.test_page_access import problems
from tests.page import WORDS, caption, draw, expect, lines, needs_chromium, room

pytestmark = needs_chromium

EN = WORDS["en"]
STYLE = "e => { const { color, fontWeight, fontSize } = getComputedStyle(e); return [color, Number(fontWeight), parseFloat(fontSize)]; }"


def worded(segment: int, text: str = SENTENCE, words: object = "sad", **changes) -> dict:
    """A line whose words say something; `words`: the label, or any other value of the tag."""
    line = caption(segment, text, **changes)
    if isinstance(words, str):
        words = {"label": words, "confidence": 0.9, "scores": {words: 0.9}}
    line["tags"]["text_emotion"] = words
    return line


@pytest.fixture
def reading(open_page, server):
    """Opens a page of a room that has what tells what words say."""
    server.room = room(text_emotion=True)
    return open_page


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_it_is_told_apart_from_the_voice_by_words_shape_and_name(reading, server, locale):
    server.past = [worded(0, words="happy", label="angry"), worded(1, words="surprised")]
    page, words = reading(locale=locale), WORDS[locale]
    tags = page.locator(".wording")
    expect(tags).to_have_text(
        [
            words["export.words"].format(feeling=words[f"emotion.{it}"])
            for it in ("happy", "surprised")
        ]
    )
    expect(tags.first).to_have_accessible_name(
        words["wording.name"].format(feeling=words["emotion.happy"])
    )
    assert tags.first.evaluate("e => e.closest('[lang]').lang") == locale
    voice = page.locator("#view .feeling")
    expect(voice).to_have_text([words["emotion.angry"]])
    shapes = [tag.locator("use").get_attribute("href") for tag in (voice, tags.first, tags.last)]
    assert shapes == ["#tone-angry", "#icon-wording", "#icon-wording"]
    (colour, weight, size), quiet = voice.evaluate(STYLE), tags.first.evaluate(STYLE)
    assert quiet[0] != colour and quiet[1] < weight and quiet[2] < size
    assert quiet == tags.last.evaluate(STYLE)  # no feeling has a colour here
    letters = page.locator("#view").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert quiet[2] >= 0.53 * letters  # as the words of feelings
    for theme in ("dark", "light", "yellow"):
        page.evaluate("t => { document.documentElement.dataset.theme = t; }", theme)
        assert problems(page) == []


@pytest.mark.parametrize("size", SIZES)
def test_it_comes_late_and_moves_nothing(reading, server, size):
    server.past = [caption(i, SENTENCE, label="sad" if i == 1 else None) for i in range(2)]
    server.past.append(caption(2, "No.", new_voice=True))
    page = reading(viewport={"width": size[0], "height": size[1]})
    server.say(3, "And then?", final=False)
    expect(page.locator("#live")).to_have_text("And then?")
    places = [*lines(page).all(), page.locator("#live")]
    before = [(place.bounding_box(), place.evaluate(ROWS)) for place in places]
    server.emit("caption", worded(0, words="disgust"))
    server.emit("caption", worded(1, words="disgust", label="sad"))
    server.emit("caption", worded(2, "No.", new_voice=True))
    tags = page.locator(".wording")
    expect(tags).to_have_count(3)
    assert [(place.bounding_box(), place.evaluate(ROWS)) for place in places] == before
    letters = page.locator("#view").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    for tag, line in zip(tags.all(), lines(page).all(), strict=True):
        box, rows = tag.bounding_box(), line.evaluate(ROWS)
        assert box["y"] + box["height"] <= rows[0][1] + 0.35 * letters  # where no letter is
        assert box["x"] + box["width"] <= size[0]
        text = tag.locator("span")
        assert text.evaluate(
            "e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight"
        )
    voice, beside = (
        lines(page).nth(1).locator(".feeling").bounding_box(),
        tags.nth(1).bounding_box(),
    )
    assert voice["x"] + voice["width"] < beside["x"]


@pytest.mark.parametrize("size", SIZES[1:])
def test_the_upper_edge_cuts_it_no_more_than_a_row(reading, server, size):
    server.past = [
        worded(
            i, "This is a line. " * (1 + i % 3), label="sad" if i % 2 else None, new_voice=i % 4 > 1
        )
        for i in range(30)
    ]
    page = reading(viewport={"width": size[0], "height": size[1]})
    expect(lines(page)).to_have_count(30)
    for height in range(size[1], size[1] - 100, -13):
        page.set_viewport_size({"width": size[0], "height": height})
        draw(page)
        assert page.evaluate(CUT_FEELINGS) == page.evaluate(CUT_ROWS) == 0
        assert page.evaluate(CUT_FEELINGS.replace(".feeling", ".wording")) == 0


def test_where_both_do_not_fit_it_is_not_cut(reading, server):
    server.past = [worded(0, words="disgust", label="disgust"), worded(1, "No.")]
    large = "localStorage.setItem('display', JSON.stringify({ size: 250 }))"
    page = reading(before=large, viewport={"width": 390, "height": 844})
    both, alone = page.locator(".said").all()
    expect(alone.locator("span", has_text=EN["emotion.sad"]).last).to_be_visible()
    box, tag = both.bounding_box(), both.locator(".wording").bounding_box()
    assert tag["y"] >= box["y"] + box["height"]  # below what is seen of them
    box, tag = alone.bounding_box(), alone.locator(".wording").bounding_box()
    assert tag["y"] + tag["height"] <= box["y"] + box["height"] + 1
    assert alone.locator("span span").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_each_reader_has_a_switch_where_the_room_has_it(page, server):
    server.past = [worded(0, label="happy"), worded(1)]
    for line in server.past:
        server.emit("caption", line)
    expect(lines(page)).to_have_count(2)
    shown = page.locator(".wording").filter(visible=True)
    expect(shown).to_have_count(0)  # the room has it no more
    page.keyboard.press("s")
    switch = page.get_by_role("switch", name=EN["settings.wording"])
    expect(switch).to_be_hidden()
    server.room = room(text_emotion=True)
    server.emit("room", server.room)
    expect(shown).to_have_count(2)
    expect(switch).to_be_checked()
    switch.click()
    expect(shown).to_have_count(0)
    expect(page.locator(".caption .feeling")).to_be_visible()  # of the voice
    page.keyboard.press("Escape")
    expect(page.locator("#view")).to_have_attribute("data-feelings", "beside")
    page.reload()
    expect(lines(page)).to_have_count(2)
    expect(shown).to_have_count(0)  # remembered on this device
    page.keyboard.press("s")
    switch.click()
    page.keyboard.press("Escape")
    expect(shown).to_have_count(2)
    page.keyboard.press("e")
    page.keyboard.press("e")  # no feelings of the voice
    expect(page.locator(".caption .feeling").filter(visible=True)).to_have_count(0)
    expect(shown).to_have_count(2)
    expect(page.locator("#guessing")).to_be_visible()
    page.keyboard.press("p")
    expect(shown).to_have_count(0)
    expect(page.locator("#guessing")).to_be_hidden()
    page.keyboard.press("p")
    page.keyboard.press("?")
    expect(page.locator("#help").get_by_text(EN["help.see.wording"])).to_be_visible()


def test_what_is_switched_off_for_all_goes_and_what_says_nothing_is_not_shown(reading, server):
    odd = ("neutral", None, 5, [], {}, {"label": 7})
    server.past = [worded(i, words=words) for i, words in enumerate(odd)]
    server.past.append(worded(len(odd)))
    page = reading()
    expect(page.locator(".wording")).to_have_count(1)
    expect(lines(page).last.locator(".wording")).to_be_visible()
    server.arrange(emotion=False)
    expect(page.locator(".wording")).to_have_count(0)
    server.arrange(text_emotion=True)
    expect(page.locator(".wording")).to_have_count(0)  # what is said from here on has it
    server.emit("caption", worded(len(odd) + 1))
    expect(page.locator(".wording")).to_have_count(1)


def test_it_stands_in_the_chart_over_time_and_in_saved_sessions(reading, server):
    server.past = [worded(0, "Oh no.", label="happy"), worded(1, "Well.", words="surprised")]
    server.past += [worded(2, "So.", words="neutral"), caption(3, "", sound="rain")]
    name = "captions-2026-01-01-090000.jsonl"
    server.sessions = [
        {"name": name, "began": "2026-01-01T09:00:00", "length_s": 9.0, "lines": 4, "first": "Oh"}
    ]
    page = reading(locale="en")
    expect(lines(page)).to_have_count(4)
    sad, surprised = (
        EN["export.words"].format(feeling=EN[f"emotion.{it}"]) for it in ("sad", "surprised")
    )
    page.keyboard.press("m")
    names = page.locator("#timeline-chart .moments > span")
    expect(names).to_have_text(["happy", sad, surprised, "[rain]"])
    cells = page.locator("#timeline-table tbody td:nth-child(2)")
    expect(cells).to_have_text(["[rain]", surprised, f"happy{sad}"])
    assert problems(page) == []
    server.arrange(text_emotion=False)
    expect(names).to_have_text(["happy", "[rain]"])
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.locator("#history-list summary").click()
    saved = page.locator("#history-list .page p")
    expect(saved).to_have_text([f"Oh no. happy {sad}", f"Well. {surprised}", "So.", "[rain]"])
    field = page.locator("#history-list").get_by_role("searchbox")
    field.fill("surprised")
    expect(page.locator("#history-list").get_by_text("0 lines")).to_be_visible()  # no words of it
    field.fill("well")
    expect(page.locator("#history-list [data-found]")).to_contain_text("Well.")
    page.locator("#plain").evaluate("e => e.click()")
    expect(saved.locator(".wording, .feeling").filter(visible=True)).to_have_count(0)
