"""The page for everyone: axe-core, keyboard, zoom, direction of writing, motion, contrast."""

import pytest

from tests.page import (
    LABELS,
    ROOT,
    caption,
    expect,
    lines,
    needs_chromium,
    offer,
    room,
    status,
    talk,
)

pytestmark = needs_chromium

AXE = (ROOT / "tests/vendor/axe.min.js").read_text(encoding="utf-8")
AXE_RUN = """() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    rules: { "color-contrast-enhanced": { enabled: true }, "target-size": { enabled: true } },
}).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`)))"""
THEMES = ("dark", "light", "yellow")
DIALOGS = {
    "settings": "s",
    "answer": "a",
    "phone": "q",
    "room": "o",
    "timeline": "m",
    "help": "?",
    "text": "d",
}
# What can be pressed now, and what a Tab key should reach: of radios only the chosen one.
REACHABLE = """(root) => [...(root ?? document.body).querySelectorAll(
    "a[href], button:not(:disabled), input, textarea, [tabindex='0']")]
    .filter((e) => e.checkVisibility() && !(e.type === "radio" && !e.checked)
        && (root || !e.closest("dialog"))).length"""
FOCUSED = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const shown = e.type === "radio" ? e.nextElementSibling : e;
    const { outlineStyle, outlineWidth } = getComputedStyle(shown);
    window.marks ??= new Map();
    if (!window.marks.has(e)) window.marks.set(e, window.marks.size);
    return { mark: window.marks.get(e), name: e.outerHTML.slice(0, 120),
             visible: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
}"""


def problems(page) -> list[str]:
    """What axe-core finds."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(AXE_RUN)


def themed(open_page, theme, **options):
    script = f"localStorage.display ??= JSON.stringify({{ theme: '{theme}' }})"
    return open_page(before=script, **options)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_in_any_state(open_page, server, theme):
    server.past = [caption(i, "Some words.", label=label) for i, label in enumerate(LABELS)]
    server.past += [
        caption(7, "", sound="laughter"),
        caption(8, "And?", new_voice=True, loudness="loud"),
    ]
    page = themed(open_page, theme)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    server.say(9, "growing", final=False, loudness="quiet")
    expect(page.locator("#live")).to_have_text("growing")
    notice = {"code": "fetch", "values": {"done_mb": 10, "total_mb": 40}, "message": "10 of 40 MB"}
    for state, changes in [
        ("loading", {"progress": 0.3}),
        ("ready", {"offer": offer(), "notices": [notice, notice]}),
        ("listening", {"offer": offer(busy=True)}),
        ("listening", {}),
        ("listening", {"quiet": True}),
        ("lost", {}),
        ("error", {}),
    ]:
        server.show(state, message=f"{state} {changes}", **changes)
        expect(page.locator("#status")).to_have_text(f"{state} {changes}")
        assert problems(page) == [], state
    server.arrange(blank=True, saving={"file": "captions.jsonl"})
    expect(page.locator("#view")).to_be_hidden()
    assert problems(page) == []
    server.stop()
    expect(page.locator("body")).to_have_attribute("data-state", "offline")
    assert problems(page) == []


def test_axe_would_find_a_contrast_below_seven(page):
    page.evaluate("document.getElementById('hint').style.color = '#8a8a8a'")  # 5.6:1
    found = problems(page)
    assert len(found) == 1 and found[0].startswith("color-contrast-enhanced"), found


@pytest.mark.parametrize("presenter", [True, False])
def test_axe_finds_nothing_on_the_idle_screen(open_page, server, presenter):
    server.room = room(presenter=presenter)
    page = open_page()
    expect(page.locator("#hint")).not_to_be_empty()
    assert problems(page) == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_axe_finds_nothing_in_any_dialog(open_page, server, theme, size):
    server.past = [caption(i, "Some words.", label=label) for i, label in enumerate(LABELS)]
    server.room = room(reader_url="http://192.168.1.20:5000/read")
    page = themed(open_page, theme, viewport={"width": size[0], "height": size[1]})
    expect(lines(page)).to_have_count(len(LABELS))
    for name, key in DIALOGS.items():
        page.keyboard.press(key)
        expect(page.locator(f"#{name}")).to_be_visible()
        assert problems(page) == [], name
        page.keyboard.press("Escape")
        expect(page.locator(f"#{name}")).to_be_hidden()
    page.keyboard.press("a")
    page.locator("#phrases button").first.click()
    expect(page.locator("#shown")).to_be_visible()
    assert problems(page) == []


def walk(page, root: str | None = None) -> list[dict]:
    """Press Tab until the focus comes round; every stop is visibly focused."""
    wanted = page.evaluate(REACHABLE, page.query_selector(root) if root else None)
    stops = {}
    for _ in range(2 * wanted + 4):
        page.keyboard.press("Tab")
        if stop := page.evaluate(FOCUSED):
            assert stop["visible"], stop
            stops[stop["mark"]] = stop["name"]
    assert len(stops) >= wanted, (wanted, stops)
    return list(stops.values())


def test_the_keyboard_reaches_every_control_of_the_page(page, server):
    server.show("listening")
    talk(server, 40)
    expect(lines(page)).to_have_count(40)
    names = walk(page)
    for control in ('id="record"', 'id="plain"', 'data-opens="settings"', 'id="view"'):
        assert any(control in name for name in names), control


@pytest.mark.parametrize("name", DIALOGS)
def test_the_keyboard_reaches_every_control_of_a_dialog(open_page, server, name):
    server.room = room(reader_url="http://192.168.1.20:5000/read", speech=True)
    page = open_page()
    opener = page.locator(f'.tools [data-opens="{name}"]')
    if opener.count():
        opener.focus()
        page.keyboard.press("Enter")
    else:
        page.keyboard.press(DIALOGS[name])
    expect(page.locator(f"#{name}")).to_be_visible()
    walk(page, f"#{name}")
    page.keyboard.press("Escape")
    expect(page.locator(f"#{name}")).to_be_hidden()
    if opener.count():
        expect(opener).to_be_focused()


def test_the_keyboard_scrolls_the_captions(page, server):
    talk(server, 60)
    expect(lines(page)).to_have_count(60)
    page.locator("#view").focus()
    page.keyboard.press("Home")
    expect(page.locator("#view")).to_have_js_property("scrollTop", 0)  # the browser glides there
    expect(page.locator("#back")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator("#back")).to_be_hidden()


@pytest.mark.parametrize("size", [(320, 256), (320, 640), (390, 844), (844, 390)])
def test_dialogs_fit_a_small_window(open_page, server, size):
    server.room = room(reader_url=f"http://192.168.1.20:5000/{'x' * 40}")
    page = open_page(viewport={"width": size[0], "height": size[1]})
    for name, key in DIALOGS.items():
        page.keyboard.press(key)
        dialog = page.locator(f"#{name}")
        expect(dialog).to_be_visible()
        box = dialog.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0] + 1, name
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1] + 1, name
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
        content = dialog.locator(".content")
        assert content.evaluate("e => e.scrollWidth - e.clientWidth") <= 0, name
        content.evaluate("e => e.scrollTo(0, e.scrollHeight)")
        expect(dialog.locator(".close")).to_be_in_viewport()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()


@pytest.mark.parametrize("size", [(320, 256), (844, 390)])
def test_in_a_low_window_the_newest_words_still_have_room(open_page, server, size):
    """320 by 256 is 1280 by 1024 at 400 %; the other is a phone on its side."""
    server.status = status("listening", engine="An engine with a rather long name")
    page = open_page(viewport={"width": size[0], "height": size[1]})
    talk(server, 9)
    server.say(9, "These are the words that count.", final=False)
    expect(page.locator("#live")).to_have_text("These are the words that count.")
    words, bar = page.locator("#live").bounding_box(), page.locator(".foot").bounding_box()
    assert words["y"] >= 0 and words["y"] + words["height"] <= bar["y"] + 1
    assert bar["y"] + bar["height"] <= size[1] + 1
    row = page.locator("#live").evaluate("e => parseFloat(getComputedStyle(e).lineHeight)")
    assert page.locator("#view").evaluate("e => e.clientHeight") >= 2 * row
    for place in ("#engine", "#guessing"):
        page.locator(place).scroll_into_view_if_needed()
        expect(page.locator(place)).to_be_in_viewport()


def test_while_it_connects_the_page_says_so(open_page, server):
    page = open_page()
    page.route_web_socket("**/socket.io/**", lambda _: None)  # opens, and says nothing
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-state", "connecting")
    expect(page.locator("#status")).to_have_text("Connecting…")
    expect(page.locator("#record")).to_be_hidden()
    assert problems(page) == []


def test_on_a_phone_the_newest_line_sits_at_the_bottom(open_page, server):
    page = open_page(viewport={"width": 390, "height": 844})
    server.say(0, "A first line.")
    expect(lines(page)).to_have_count(1)
    below = page.locator(".foot").bounding_box()["y"]
    box = lines(page).bounding_box()
    assert 0 <= below - (box["y"] + box["height"]) < 30


def test_arabic_is_written_from_right_to_left(page, server):
    server.say(0, "مرحبا بكم في المكتبة الجديدة.", label="happy")
    server.say(1, "Good morning.")
    server.say(
        2, "مرحبا " * 20 + "NASA " * 20
    )  # a row that begins with Latin letters stays in its place
    server.say(3, "شكرا", final=False)
    expect(page.locator("#live")).to_have_text("شكرا")
    direction = "e => getComputedStyle(e).direction"
    assert lines(page).nth(0).evaluate(direction) == "rtl"
    assert lines(page).nth(1).evaluate(direction) == "ltr"
    assert page.locator("#live").evaluate(direction) == "rtl"
    edge = "e => { const r = new Range(); r.selectNodeContents(e); return r.getBoundingClientRect().right; }"
    right = page.locator(".column").evaluate("e => e.getBoundingClientRect().right")
    # the place for a feeling is where the line begins
    right -= lines(page).nth(0).evaluate("e => parseFloat(getComputedStyle(e).paddingRight)")
    face = lines(page).nth(0).locator(".feeling svg").bounding_box()
    assert face["x"] >= right
    assert right - lines(page).nth(0).evaluate(edge) < 2
    assert right - lines(page).nth(1).evaluate(edge) > 100
    rows = """e => { const r = new Range(); r.selectNodeContents(e.firstChild);
        return [...r.getClientRects()].map((box) => box.right); }"""
    assert max(right - edge for edge in lines(page).nth(2).evaluate(rows)[-1:]) < 2


def test_a_page_in_a_language_from_right_to_left_is_mirrored(page):
    page.evaluate("document.documentElement.dir = 'rtl'")
    record, tools = page.locator("#record").bounding_box(), page.locator(".tools").bounding_box()
    assert record["x"] > tools["x"]
    page.keyboard.press("s")
    assert page.locator("#settings").bounding_box()["x"] == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_moves_by_itself_where_motion_is_not_wanted(open_page, server):
    server.status = status("listening")
    moving = "document.getAnimations().filter((a) => a.playState === 'running').length"
    assert open_page().evaluate(moving) == 1  # the sign that it is live
    assert open_page(reduced_motion="reduce").evaluate(moving) == 0


def test_nothing_flashes(page, server):
    server.show("listening")
    expect(page.locator("#onair")).to_have_text("Live")
    timing = page.evaluate("document.getAnimations().map((a) => a.effect.getTiming().duration)")
    assert all(duration >= 1000 for duration in timing)  # at most one change a second, not three


@pytest.mark.parametrize(
    ("size", "target"), [((1920, 1080), 64), ((1366, 768), 44), ((390, 844), 44)]
)
def test_targets_are_large_enough(open_page, server, size, target):
    server.room = room(reader_url="http://192.168.1.20:5000/read")
    page = open_page(viewport={"width": size[0], "height": size[1]})
    small = f"""() => [...document.querySelectorAll("button, a.button, .choices label, .switch, textarea")]
        .filter((e) => e.checkVisibility()).map((e) => [e.outerHTML.slice(0, 99), e.getBoundingClientRect()])
        .filter(([, box]) => Math.min(box.width, box.height) < {target})"""
    assert page.evaluate(small) == []
    for name, key in DIALOGS.items():
        page.keyboard.press(key)
        expect(page.locator(f"#{name}")).to_be_visible()
        assert page.evaluate(small) == []
        page.keyboard.press("Escape")
        expect(page.locator(f"#{name}")).to_be_hidden()


def test_korean_has_letters_of_the_page_s_own_which_others_do_not_fetch(open_page, server):
    fetched = []
    watch = "performance.getEntriesByType('resource').map((entry) => entry.name)"
    server.past = [caption(0, "Good morning.")]
    for locale in ("en-GB", "ko-KR"):
        page = open_page(locale=locale)
        page.evaluate("document.fonts.ready")
        fetched.append([name for name in page.evaluate(watch) if "noto-sans-kr" in name])
    assert fetched[0] == []
    assert fetched[1] and page.evaluate("document.fonts.check('20px \"Noto Sans KR\"', '가힣')")


def test_letters_for_dyslexia_are_as_high_and_stand_in_words(open_page, server):
    """Capitals as high as the others', and a gap between words that is narrower than a letter."""
    server.past = [caption(0, "HHHH nn nn")]
    measure = """() => { const line = document.querySelector(".caption"), { font, wordSpacing } = getComputedStyle(line);
        const c = document.createElement("canvas").getContext("2d"); c.font = font;
        return { capital: c.measureText("H").actualBoundingBoxAscent,
            gap: c.measureText(" ").width + parseFloat(wordSpacing), letter: c.measureText("n").width }; }"""
    sizes = {}
    for font in ("clear", "dyslexic"):
        page = open_page(before=f"localStorage.display ??= JSON.stringify({{ font: '{font}' }})")
        expect(lines(page)).to_have_count(1)
        page.evaluate("document.fonts.ready")
        sizes[font] = page.evaluate(measure)
    assert sizes["dyslexic"]["capital"] == pytest.approx(sizes["clear"]["capital"], rel=0.05)
    assert 0.4 < sizes["dyslexic"]["gap"] / sizes["dyslexic"]["letter"] < 0.8, sizes
