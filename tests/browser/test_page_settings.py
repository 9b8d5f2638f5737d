"""How a reader sets the page for their own eyes, and that it stays so."""

import json

import pytest

from tests.page import (
    WORDS,
    caption,
    draw,
    expect,
    lines,
    needs_chromium,
    talk,
    wait_for_end,
)

pytestmark = needs_chromium

SIZE = "e => parseFloat(getComputedStyle(e).fontSize)"
KIOSK = {"width": 1920, "height": 1080}
LONG = "The new library beside the station opens on Saturday at ten and there will be music in the hall"


def stored(page) -> dict:
    return json.loads(page.evaluate("localStorage.display ?? '{}'"))


def kept(**settings) -> str:
    """A script that puts settings into the browser's storage, once."""
    return f"localStorage.display ??= {json.dumps(json.dumps(settings))}"


def root(page, name: str) -> str:
    return page.evaluate(f"document.documentElement.dataset.{name}")


def test_settings_are_one_press_away_take_effect_and_stay(open_page, server):
    server.past = [caption(0, "Good morning.", label="happy")]
    page = open_page(color_scheme="dark")
    expect(lines(page)).to_have_count(1)
    first = lines(page).evaluate(SIZE)
    page.locator('[data-opens="settings"]').first.click()
    panel = page.locator("#settings")
    panel.get_by_role("button", name="More: Text size").click()
    panel.get_by_label("Yellow on black", exact=True).check()
    panel.get_by_label("For dyslexia", exact=True).check()
    panel.get_by_label("Large", exact=True).check()
    panel.get_by_label("Only when sure", exact=True).check()
    panel.get_by_role("button", name="Less: Lines of text").click()

    def check():
        assert lines(page).evaluate(SIZE) == pytest.approx(1.25 * first, abs=0.01)
        assert root(page, "theme") == "yellow" and root(page, "emotion") == "sure"
        assert (
            lines(page).evaluate("e => getComputedStyle(e).fontFamily").startswith("OpenDyslexic")
        )
        page.wait_for_function("() => document.fonts.check('20px OpenDyslexic')")
        ratio = lines(page).evaluate("e => parseFloat(getComputedStyle(e).lineHeight)")
        assert ratio == pytest.approx(1.6 * 1.25 * first, rel=0.01)
        expect(page.locator(".caption .feeling")).to_be_visible()
        assert stored(page)["lines"] == 10

    check()
    page.reload()
    expect(lines(page)).to_have_count(1)
    check()
    page.keyboard.press("s")
    page.locator("#reset").click()
    assert (
        lines(page).evaluate(SIZE) == pytest.approx(first, abs=0.01)
        and root(page, "theme") == "dark"
    )


def test_the_settings_are_shown_as_they_are(open_page):
    page = open_page(before=kept(theme="light", size=200, plain=True, spacing="wide", lines=3))
    page.keyboard.press("s")
    panel = page.locator("#settings")
    expect(panel.get_by_label("Black on white")).to_be_checked()
    expect(panel.get_by_label("Large", exact=True)).to_be_checked()
    expect(panel.get_by_role("switch", name="Words only")).to_be_checked()
    expect(panel.locator('[data-stepper="size"] output')).to_have_text("200 %")
    expect(panel.locator('[data-stepper="lines"] output')).to_have_text("3")


def test_a_stepper_stops_at_its_ends_and_keeps_the_focus(open_page):
    page = open_page(before=kept(size=320))
    page.keyboard.press("s")
    more = page.get_by_role("button", name="More: Text size")
    more.focus()
    for _ in range(3):
        page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-disabled", "true")
    expect(more).to_be_focused()
    assert stored(page)["size"] == 400


def test_each_key_does_what_the_list_says(open_page, server):
    server.past = [caption(0, "Good morning.", label="happy")]
    page = open_page(color_scheme="light")
    expect(lines(page)).to_have_count(1)
    keys = {
        "t": ("theme", "dark"),
        "f": ("font", "dyslexic"),
        "h": ("spacing", "wide"),
        "e": ("emotion", "sure"),
        "g": ("language", "en"),
        "p": ("plain", True),
        "+": ("size", 125),
        ".": ("distance", 0.4),
        "[": ("lines", 10),
    }
    for key, (name, value) in keys.items():
        page.keyboard.press(key)
        assert stored(page)[name] == value, key
    for key, (name, value) in {"-": ("size", 100), ",": ("distance", 0), "]": ("lines", 0)}.items():
        page.keyboard.press(key)
        assert stored(page)[name] == value, key


def test_the_list_of_keys_names_every_key(open_page):
    page = open_page()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    named = set("".join(page.locator("#help kbd").all_text_contents()))
    assert set("RBCOQASDMTFHEPG?,.[]−+") <= named


def test_keys_can_be_switched_off_and_leave_typing_alone(open_page):
    page = open_page(before=kept(theme="dark"))
    page.keyboard.press("a")
    page.locator("#answer-text").fill("")
    page.keyboard.type("pets?")
    assert page.locator("#answer-text").input_value() == "pets?"
    assert root(page, "theme") == "dark"
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.get_by_role("switch", name="Keyboard shortcuts").click()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.keyboard.press("?")
    assert root(page, "theme") == "dark"
    expect(page.locator("#help")).to_be_hidden()


def test_refused_storage_breaks_nothing(open_page, server):
    server.past = [caption(0, "Good morning.")]
    refuse = """Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } })"""
    page = open_page(before=refuse)
    expect(lines(page)).to_have_text(["Good morning."])
    first = lines(page).evaluate(SIZE)
    page.keyboard.press("+")
    assert lines(page).evaluate(SIZE) == pytest.approx(1.25 * first, abs=0.01)


@pytest.mark.parametrize(
    "rubbish", ["{", "null", "[1]", '"x"', '{"size": 1e9, "theme": "<b>", "font": null}']
)
def test_rubbish_in_storage_is_as_good_as_nothing(open_page, server, rubbish):
    server.past = [caption(0, "Good morning.")]
    page = open_page(before=f"localStorage.display ??= {json.dumps(rubbish)}", color_scheme="dark")
    expect(lines(page)).to_have_text(["Good morning."])
    assert root(page, "theme") == "dark" and root(page, "font") == "clear"


@pytest.mark.parametrize(("metres", "inches"), [(1, 24), (2, 24), (2, 32), (0.4, 14)])
def test_the_distance_sets_the_height_of_capitals(open_page, server, metres, inches):
    """0.0087 of the distance, in the millimetres of this screen."""
    server.past = [caption(0, "Good morning.")]
    page = open_page(before=kept(distance=metres, screen=inches), viewport=KIOSK, screen=KIOSK)
    expect(lines(page)).to_have_count(1)
    page.evaluate("document.fonts.ready")
    measure = """e => { const c = document.createElement("canvas").getContext("2d");
        const style = getComputedStyle(e); c.font = `400 ${style.fontSize} ${style.fontFamily}`;
        return c.measureText("H").actualBoundingBoxAscent; }"""
    mm_per_px = inches * 25.4 / (1920**2 + 1080**2) ** 0.5
    assert lines(page).evaluate(measure) * mm_per_px == pytest.approx(
        8.7 * metres, abs=2 * mm_per_px
    )


def test_a_screen_too_small_for_the_distance_says_how_far_it_reaches(open_page):
    page = open_page(before=kept(distance=10, screen=14), viewport=KIOSK, screen=KIOSK)
    page.keyboard.press("s")
    expect(page.locator("#reach")).to_contain_text("can be read from")
    assert float(page.locator("#reach").inner_text().split("from ")[1].split(" m")[0]) < 10


@pytest.mark.parametrize("count", [2, 3, 5])
def test_so_many_lines_are_shown_as_are_chosen(open_page, server, count):
    page = open_page(before=kept(lines=count), viewport=KIOSK)
    talk(server, 20)
    expect(lines(page)).to_have_count(20)
    row = lines(page).first.evaluate("e => parseFloat(getComputedStyle(e).lineHeight)")
    height = page.locator("#view").evaluate("e => e.clientHeight")
    assert count * row <= height < (count + 1) * row


def test_a_line_holds_32_to_40_characters(open_page, server):
    for size in [(1920, 1080), (1366, 768)]:
        page = open_page(viewport={"width": size[0], "height": size[1]})
        server.say(0, f"{LONG} {LONG} {LONG}")
        expect(lines(page)).to_have_count(1)
        rows = lines(page).evaluate("e => e.firstChild.data").split("\n")
        assert (
            all(len(row) <= 42 for row in rows) and sum(map(len, rows[:-1])) / (len(rows) - 1) >= 28
        ), rows


def test_growing_text_never_moves_to_another_row(open_page, server):
    page = open_page(viewport={"width": 900, "height": 700})
    words, before = f"{LONG}, {LONG}".split(), []
    for count in range(1, len(words) + 1):
        server.say(0, " ".join(words[:count]), final=False)
        expect(page.locator("#live")).to_have_text(" ".join(words[:count]))
        rows = page.locator("#live").evaluate("e => e.firstChild.data").split("\n")
        assert rows[: max(len(before) - 1, 0)] == before[:-1]
        assert rows[len(before) - 1].startswith(before[-1]) if before else True
        before = rows
    server.say(0, " ".join(words))
    expect(lines(page)).to_have_count(1)
    assert lines(page).evaluate("e => e.firstChild.data").split("\n") == before
    heads = {"and", "on", "at", "in", "the", "beside", "of"}
    assert not [row for row in before[:-1] if row.split()[-1] in heads]
    rows = "e => Math.round(e.clientHeight / parseFloat(getComputedStyle(e).lineHeight))"
    assert lines(page).evaluate(rows) == len(before)  # the browser breaks no row once more


def test_loudness_moves_no_word(open_page, server):
    page = open_page(viewport=KIOSK)
    for segment, loudness in enumerate([None, "loud", "quiet"]):
        server.say(segment, LONG, loudness=loudness)
    expect(lines(page)).to_have_count(3)
    assert len(set(lines(page).evaluate_all("es => es.map((e) => e.firstChild.data)"))) == 1
    weights = lines(page).evaluate_all(
        "es => es.map((e) => Number(getComputedStyle(e).fontWeight))"
    )
    assert weights[1] > weights[0] > weights[2] >= 400
    colours = lines(page).evaluate_all("es => es.slice(0, 2).map((e) => getComputedStyle(e).color)")
    assert len(set(colours)) == 1  # never paler
    assert len(set(lines(page).evaluate_all("es => es.map((e) => e.clientHeight)"))) == 1


def test_plain_is_one_press_and_leaves_only_the_words(page, server):
    server.say(0, "Good morning.", label="happy", loudness="loud")
    expect(lines(page).locator(".feeling")).to_be_visible()
    page.locator("#plain").click()
    expect(lines(page).locator(".feeling")).to_be_hidden()
    assert lines(page).evaluate("e => getComputedStyle(e).fontWeight") == "400"
    expect(page.locator("#plain")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(("locale", "code"), [("ko-KR", "ko"), ("en-GB", "en"), ("cy-GB", "en")])
def test_the_browser_chooses_the_language(open_page, locale, code):
    page = open_page(locale=locale)
    assert page.evaluate("document.documentElement.lang") == code
    expect(page.locator("#record")).to_have_text(WORDS[code]["bar.start"])


def test_a_hand_chooses_the_language_at_once_for_everything(page, server):
    server.say(0, "Good morning.", label="happy")
    server.show("listening", code="listening.late", values={"late_s": 4}, message="Late: 4")
    expect(page.locator("#status")).to_have_text("Late: 4")  # English is the server's own
    page.keyboard.press("s")
    page.locator("#settings").get_by_label("한국어").check()
    expect(page.locator("#settings-title")).to_have_text(WORDS["ko"]["settings.title"])
    expect(page.locator("#record")).to_have_text(WORDS["ko"]["bar.stop"])
    expect(lines(page).locator(".feeling")).to_have_text(WORDS["ko"]["emotion.happy"])
    expect(page.locator("#status")).to_have_text(
        WORDS["ko"]["status.listening.late"].format(late_s=4)
    )
    page.reload()
    expect(page.locator("#record")).to_have_text(WORDS["ko"]["bar.stop"])


def test_missing_words_fall_back_to_english(open_page, server):
    some = {"language.name": "한국어", "bar.start": "시작"}
    page = open_page(locale="en-GB")
    page.route("**/words/ko.json", lambda route: route.fulfill(json=some))
    page.keyboard.press("s")
    page.locator("#settings").get_by_label("한국어").check()
    expect(page.locator("#record")).to_have_text("시작")
    expect(page.locator("#settings-title")).to_have_text(WORDS["en"]["settings.title"])


def test_words_that_do_not_come_leave_the_page_in_english(open_page, server):
    page = open_page(locale="en-GB")
    page.route("**/words/ko.json", lambda route: route.abort())
    page.keyboard.press("s")
    page.locator("#settings").get_by_label("한국어").check()
    expect(page.locator("#settings-title")).to_have_text(WORDS["en"]["settings.title"])
    server.say(0, "Good morning.")
    expect(lines(page)).to_have_text(["Good morning."])


def test_a_change_of_letters_keeps_the_newest_line_in_view(open_page, server):
    page = open_page(viewport=KIOSK, before=kept(font="dyslexic", lines=3))
    server.past = [caption(i, LONG) for i in range(20)]
    page.reload()
    expect(lines(page)).to_have_count(20)
    page.evaluate("document.fonts.ready")
    for key in "fffhh++--":
        page.keyboard.press(key)
        page.evaluate("document.fonts.ready")
        draw(page)
        assert page.locator("#back").is_hidden(), key
        wait_for_end(page)


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_what_a_heading_says_is_not_said_again_below_it(open_page, locale):
    page = open_page(locale=locale)
    again = page.evaluate("""() => [...document.querySelectorAll("dialog")].flatMap((dialog) => {
        const headings = [...dialog.querySelectorAll("h2, h3")].map((heading) => heading.textContent);
        const labels = [...dialog.querySelectorAll("legend:not(.unseen), .row > span, p")];
        return labels.map((label) => label.textContent).filter((words) => words && headings.includes(words));
    })""")
    assert again == []
