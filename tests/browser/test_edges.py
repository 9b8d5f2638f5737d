"""Nothing is cut off: not the sentence of a blank screen, not a row of words, not a long name."""

import pytest

from tests.page import caption, draw, expect, lines, needs_chromium, offer, room, status
from utils.setup.recognisers import recognisers

pytestmark = needs_chromium

SIZES = [(1920, 1080), (1366, 768), (390, 844)]
LARGEST = "localStorage.setItem('display', JSON.stringify({ size: 400 }))"
# Feelings that the upper edge of the view cuts, and that are to be seen.
CUT_FEELINGS = """() => {
    const view = document.querySelector("#view");
    const edge = view.getBoundingClientRect().top;
    const hidden = parseFloat(getComputedStyle(view).getPropertyValue("--cut")) || 0;
    return [...view.querySelectorAll(".feeling")].filter((feeling) => {
        const { top, bottom, height } = feeling.getBoundingClientRect();
        return top < edge - 0.1 * height && bottom > edge + hidden + 0.15 * height;
    }).length;
}"""
# How feelings stand at the upper edge of the view: in its cut part but shown, below it but not shown.
WRONG_FEELINGS = """() => {
    const view = document.querySelector("#view");
    const edge = view.getBoundingClientRect().top;
    const hidden = parseFloat(getComputedStyle(view).getPropertyValue("--cut")) || 0;
    return [...view.querySelectorAll(".feeling")].filter((feeling) => {
        const { top, bottom, height } = feeling.getBoundingClientRect();
        const shown = getComputedStyle(feeling).opacity !== "0";
        const cut = top < edge + hidden - 0.1 * height;
        return bottom > edge + hidden && shown === cut;
    }).length;
}"""
# Rows of words that the upper edge of the view cuts, and that are to be seen.
CUT_ROWS = """() => {
    const view = document.querySelector("#view");
    const edge = view.getBoundingClientRect().top;
    const hidden = parseFloat(getComputedStyle(view).getPropertyValue("--cut")) || 0;
    const range = document.createRange();
    return [...view.querySelectorAll(".caption")].flatMap((line) => {
        range.selectNodeContents([...line.childNodes].find((node) => node.nodeType === 3));
        return [...range.getClientRects()].filter(({ top, bottom, height }) =>
            top < edge - 0.1 * height && bottom > edge + hidden + 0.15 * height);
    }).length;
}"""
# Parts of names of models, between spaces, hyphens and underscores, that are not in one row.
BROKEN_NAMES = """() => [...document.querySelectorAll("#setup-models b, #setup-engine")].flatMap((name) =>
    [...name.childNodes].filter((node) => node.nodeType === 3).flatMap((node) =>
        [...node.data.matchAll(/[^\\s_-]+/g)].filter(({ 0: part, index }) => {
            const range = new Range();
            range.setStart(node, index);
            range.setEnd(node, index + part.length);
            return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
        }).map(([part]) => part)))"""


@pytest.mark.parametrize("size", SIZES)
def test_what_a_blank_screen_says_fits_at_any_size_of_text(open_page, server, size):
    width, height = size
    page = open_page(before=LARGEST, viewport={"width": width, "height": height})
    server.arrange(blank=True)
    expect(page.locator("#hint")).to_be_visible()
    box = page.locator("#hint").bounding_box()
    assert box["y"] >= page.locator("main").bounding_box()["y"] - 1
    assert box["y"] + box["height"] <= page.locator(".foot").bounding_box()["y"] + 1
    assert page.locator("#hint").evaluate("e => e.scrollWidth <= e.clientWidth")


@pytest.mark.parametrize("size", SIZES)
def test_the_upper_edge_cuts_no_row(open_page, server, size):
    width, height = size
    server.past = [
        caption(
            i, f"This is line {i} of a talk. " * (1 + i % 3), label="sad" if i % 5 == 0 else None
        )
        for i in range(40)
    ]
    page = open_page(viewport={"width": width, "height": height})
    expect(lines(page)).to_have_count(40)
    for key in "+++---":
        page.keyboard.press(key)
        expect(lines(page).nth(39)).to_be_in_viewport()
        draw(page)
        assert page.evaluate(CUT_ROWS) == 0
    for segment in range(40, 46):
        server.say(segment, f"This is line {segment} of a talk. " * (1 + segment % 3))
        expect(lines(page)).to_have_count(segment + 1)
        draw(page)
        assert page.evaluate(CUT_ROWS) == 0


def test_the_upper_edge_cuts_no_feeling_that_stands_above_its_words(open_page, server):
    """Wherever the line lies, by a pixel or two: the newest line pushes it up as it grows."""
    server.past = [caption(i, "This is a line.", label="sad") for i in range(30)]
    page = open_page(viewport={"width": 390, "height": 844})
    expect(lines(page)).to_have_count(30)
    view = page.locator("#view")
    expect(view).to_have_attribute("data-feelings", "above")
    found = []
    for height in range(844, 744, -7):
        page.set_viewport_size({"width": 390, "height": height})
        expect(lines(page).last).to_be_in_viewport()
        draw(page)
        found.append(view.evaluate("e => e.style.getPropertyValue('--cut')"))
        assert page.evaluate(CUT_FEELINGS) == 0
        assert page.evaluate(CUT_ROWS) == 0
    assert any(found)


def test_the_upper_edge_cuts_no_feeling_beside_its_words(open_page, server):
    """It is higher than its row, and reaches into the next one, or into the line below."""
    texts = ["No.", "This is a line of a talk. " * 4]
    server.past = [caption(i, texts[i % 2], label="sad") for i in range(30)]
    page = open_page(viewport={"width": 1366, "height": 768})
    expect(lines(page)).to_have_count(30)
    expect(page.locator("#view")).to_have_attribute("data-feelings", "beside")
    left_out = 0
    for height in range(768, 648, -8):
        page.set_viewport_size({"width": 1366, "height": height})
        draw(page)
        assert page.evaluate(WRONG_FEELINGS) == 0
        assert page.evaluate(CUT_ROWS) == 0
        left_out += page.locator("[data-cut]").count()
    assert left_out
    page.locator("#view").hover()
    page.mouse.wheel(0, -150)
    expect(page.locator("#back")).to_be_visible()
    expect(page.locator("[data-cut]")).to_have_count(0)


def test_a_growing_line_that_is_higher_than_the_view_loses_its_feeling_whole(open_page, server):
    rows = "localStorage.setItem('display', JSON.stringify({ lines: 4 }))"
    page = open_page(before=rows, viewport={"width": 1366, "height": 768})
    left_out = 0
    for count in range(4, 9):
        text = "This is a line of a talk. " * count
        server.say(0, text, label="sad", final=False)
        expect(page.locator("#live")).to_contain_text(text.strip())
        draw(page)
        assert page.evaluate(WRONG_FEELINGS) == 0
        left_out += page.locator("#live[data-cut]").count()
    assert left_out


def test_who_scrolls_sees_all_there_is(page, server):
    server.say(0, "This is a line of a talk. " * 60)
    expect(lines(page)).to_have_count(1)
    page.locator("#view").hover()
    page.mouse.wheel(0, -150)
    expect(page.locator("#back")).to_be_visible()
    draw(page)
    assert page.locator("#view").evaluate("e => e.style.getPropertyValue('--cut')") == ""


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_an_offer_takes_two_rows_at_the_most_on_a_phone(open_page, server, locale):
    name = "stt_en_fastconformer_hybrid_large_streaming_multi"
    server.status = status("listening", offer=offer(name))
    text = open_page(viewport={"width": 390, "height": 844}, locale=locale).locator("#offer-text")
    expect(text).to_contain_text("460 MB")
    assert name not in text.inner_text()
    rows = text.evaluate("e => e.offsetHeight / parseFloat(getComputedStyle(e).lineHeight)")
    assert rows < 2.5


def test_the_upper_edge_cuts_no_row_of_a_translation(open_page, server):
    server.past = [caption(i, f"This is line {i} of a talk. " * (1 + i % 3)) for i in range(30)]
    for line in server.past:
        line["tags"]["translation"] = {
            "ko": "이것은 긴 말의 한 줄입니다. " * (2 + line["segment"] % 3)
        }
    server.room = room(translations=["ko"])
    page = open_page(locale="ko", viewport={"width": 390, "height": 844})
    expect(page.locator(".translation")).to_have_count(30)
    for height in range(844, 744, -9):
        page.set_viewport_size({"width": 390, "height": height})
        draw(page)
        assert page.evaluate(CUT_ROWS) == 0
        assert page.evaluate(CUT_ROWS.replace(".caption", ".translation")) == 0


def test_the_upper_edge_cuts_no_row_below_the_name_of_a_voice(open_page, server):
    server.past = [caption(i, f"This is line {i} of a talk. " * (1 + i % 3)) for i in range(40)]
    for line in server.past:
        line["tags"]["speaker"] = {"number": line["segment"] % 3 + 1}
    names = "localStorage.setItem('display', JSON.stringify({ speakers: true }))"
    page = open_page(before=names, viewport={"width": 1366, "height": 768})
    expect(lines(page)).to_have_count(40)
    for height in range(768, 668, -9):
        page.set_viewport_size({"width": 1366, "height": height})
        expect(lines(page).last).to_be_in_viewport()
        draw(page)
        assert page.evaluate(CUT_ROWS) == 0


@pytest.mark.parametrize("size", [*SIZES, (320, 640)])
def test_no_name_of_a_model_is_broken_within_a_word(open_page, server, size):
    width, height = size
    server.status = status("ready", engine="NeMo stt_en_fastconformer_hybrid_large_streaming_multi")
    page = open_page(viewport={"width": width, "height": height})
    names = ("microphone", "language", "model")
    chosen = {name: {"value": "", "origin": "built in", "by": ""} for name in names}
    told = {"first": False, "file": "", "pending": [], "rooms": [], "settings": chosen}
    server.emit("setup", told | {"recording": False})
    page.keyboard.press("u")
    heard = {"language": "en", "languages": ["en"], "hears": True, "speeds": {}, "measuring": ""}
    server.emit("setup_recognisers", heard | {"recognisers": recognisers("en")})
    page.locator('[data-step="language"]').click()
    names = page.locator("#setup-models b")
    expect(
        names.filter(has_text="stt_en_fastconformer_hybrid_large_streaming_multi")
    ).to_be_visible()
    assert page.evaluate(BROKEN_NAMES) == []
    assert page.locator("#setup .content").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
