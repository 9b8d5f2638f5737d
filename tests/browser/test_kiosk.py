"""A screen that nobody minds: what passers-by want to know, a calm screen, and a lock against hands."""

import pytest

from tests.browser.test_page_access import problems
from tests.browser.test_page_room import asked
from tests.page import (
    WORDS,
    CaptionServer,
    caption,
    expect,
    lines,
    needs_chromium,
    room,
    status,
    stop_clock,
    wait_for_end,
)

pytestmark = needs_chromium

EN, KO = WORDS["en"], WORDS["ko"]
SIZES = [(1920, 1080), (1366, 768), (390, 844)]
PHONES = "http://192.168.1.20:5000/read"
SMALL = """() => [...document.querySelectorAll("button, a.button, .choices label, .switch")]
    .filter((e) => e.checkVisibility()).map((e) => [e.outerHTML.slice(0, 99), e.getBoundingClientRect()])
    .filter(([, box]) => Math.min(box.width, box.height) < 64)"""


@pytest.fixture
def server():
    with CaptionServer() as server:
        server.status = status("listening")
        server.room = room(presenter=False, reader_url=PHONES)
        yield server


def sized(size: tuple[int, int]) -> dict:
    return {"viewport": {"width": size[0], "height": size[1]}}


# Whoever comes by


@pytest.mark.parametrize("size", SIZES)
def test_a_passer_by_sees_that_it_listens_in_which_language_and_what_is_kept(
    open_page, server, size
):
    page = open_page(**sized(size))
    facts = page.locator("#about-room li")
    expect(facts).to_have_text(
        [EN["about.listens"].replace("{language}", "English"), EN["about.not_saved"]]
    )
    code = page.locator("#about-room img")
    if size[0] > 960:
        expect(code).to_be_in_viewport(ratio=1)
        assert code.evaluate("e => e.complete && e.naturalWidth > 0")
        assert PHONES in (code.get_attribute("alt") or "")
    else:
        expect(code).to_be_hidden()  # it is read on a phone already
    expect(facts.last).to_be_in_viewport(ratio=1)
    assert problems(page) == []
    server.arrange(presenter=False, clear_after_min=5)
    expect(facts.last).to_have_text(EN["about.cleared.other"].replace("{count}", "5"))
    server.arrange(presenter=False, saving={"file": "a.jsonl"}, language="ko")
    expect(facts).to_have_text(
        [EN["about.listens"].replace("{language}", "Korean"), EN["about.saved"]]
    )
    expect(code).to_be_hidden()  # no phone can reach it
    server.show("ready")
    expect(facts.first).to_have_text(EN["about.ready"].replace("{language}", "Korean"))
    server.say(0, "Words")
    expect(facts.first).to_be_hidden()


def test_it_is_said_in_the_language_of_the_page_and_not_where_it_would_be_wrong(open_page, server):
    page = open_page(locale="ko-KR")
    facts = page.locator("#about-room")
    expect(facts.locator("li").first).to_have_text(
        KO["about.listens"].replace("{language}", "영어")
    )
    for state in ("lost", "error", "loading"):
        server.show(state)
        expect(facts).to_be_hidden()
    server.show("listening")
    expect(facts).to_be_visible()
    server.arrange(presenter=False, blank=True)
    expect(facts).to_be_hidden()
    server.arrange()
    expect(page.locator("#record")).to_be_visible()
    expect(facts).to_be_hidden()  # whoever presents is told what to press


# The calm screen


def idle(open_page, server, **options):
    server.past = [caption(0, "The last words.")]
    page = open_page(**options)
    expect(lines(page)).to_have_count(1)
    stop_clock(page)
    page.mouse.move(300, 300)
    return page


@pytest.mark.parametrize("size", SIZES)
def test_after_an_idle_hour_a_calm_screen_says_what_this_is(open_page, server, size):
    page = idle(open_page, server, **sized(size))
    page.keyboard.press("s")
    page.clock.fast_forward("59:00")
    expect(page.locator("#calm")).to_be_hidden()
    page.clock.fast_forward("01:01")
    expect(page.locator("#calm")).to_be_visible()
    expect(page.locator("#calm-title")).to_have_text(EN["calm.on"])
    expect(page.locator("#settings")).to_be_hidden()
    places = set()
    for _ in range(12):  # it drifts, and is never cut off
        page.clock.fast_forward("01:00")
        page.locator("#calm").evaluate(
            "e => e.getAnimations({ subtree: true }).forEach((a) => a.finish())"
        )
        box = page.locator("#calm > div").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0] + 1
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1] + 1
        places.add((round(box["x"]), round(box["y"])))
    assert len(places) > 6
    page.clock.resume()
    assert problems(page) == []


def test_the_first_word_ends_the_calm_at_once(open_page, server):
    page = idle(open_page, server)
    page.clock.fast_forward("01:01:00")
    expect(page.locator("#calm-title")).to_be_visible()
    server.say(1, "Hello", final=False)
    expect(page.locator("#live")).to_have_text("Hello")
    expect(page.locator("#calm-title")).to_be_hidden()
    page.clock.run_for(600)
    expect(page.locator("#calm")).to_be_hidden()


def test_a_touch_ends_the_calm_and_presses_nothing_below(open_page, server):
    page = idle(open_page, server, has_touch=True)
    place = page.locator('.tools [data-opens="settings"]').bounding_box()
    page.clock.fast_forward("01:01:00")
    expect(page.locator("#calm-title")).to_be_visible()
    page.touchscreen.tap(place["x"] + 20, place["y"] + 20)
    expect(page.locator("#calm-title")).to_be_hidden()
    page.clock.run_for(600)
    expect(page.locator("#calm")).to_be_hidden()
    expect(page.locator("#settings")).to_be_hidden()
    page.touchscreen.tap(place["x"] + 20, place["y"] + 20)
    expect(page.locator("#settings")).to_be_visible()


def test_a_failure_and_blank_screens_are_not_covered(open_page, server):
    page = idle(open_page, server)
    page.clock.fast_forward("01:01:00")
    expect(page.locator("#calm-title")).to_be_visible()
    server.show("lost", message="No sound.")
    expect(page.locator("#calm-title")).to_be_hidden()
    expect(page.locator("#alert")).to_be_visible()
    page.clock.fast_forward("01:01:00")
    expect(page.locator("#calm")).to_be_hidden()
    server.show("listening")
    server.arrange(presenter=False, blank=True)
    expect(page.locator("#hint")).to_have_text(EN["hint.blank"])
    page.clock.fast_forward("01:01:00")
    expect(page.locator("#calm")).to_be_hidden()


def test_where_motion_is_not_wanted_the_calm_screen_does_not_glide(open_page, server):
    page = idle(open_page, server, reduced_motion="reduce")
    page.clock.fast_forward("01:02:00")
    expect(page.locator("#calm-title")).to_be_visible()
    assert page.evaluate("document.getAnimations().filter((a) => a.playState === 'running')") == []


# The lock


def locked(open_page, server, **options):
    server.room = room(presenter=False, locked=True)
    server.past = [caption(i, f"Line {i} that somebody said.") for i in range(30)]
    page = open_page(**options)
    expect(page.locator("#unlock")).to_be_visible()
    expect(lines(page)).to_have_count(30)
    stop_clock(page)
    return page


@pytest.mark.parametrize("size", SIZES)
def test_behind_the_lock_nothing_can_be_pressed_but_its_own_button(open_page, server, size):
    notice = {"code": "test.notice", "values": {}, "message": "The computer is busy."}
    server.status = status("listening", notices=[notice])
    page = locked(open_page, server, **sized(size), has_touch=True)
    shown = page.locator("button:visible, a:visible, input:visible")
    assert [e.get_attribute("id") for e in shown.all()] == ["unlock"]
    assert page.evaluate(SMALL) == []
    for key in ("s", "a", "d", "t", "p", "+", "?", "m"):
        page.keyboard.press(key)
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("localStorage.length") == 0
    page.locator("#unlock").tap()
    page.clock.run_for(5000)
    expect(page.locator(".tools")).to_be_hidden()
    assert (
        page.evaluate("""() => { getSelection().selectAllChildren(document.getElementById("lines"));
        return ["contextmenu", "selectstart", "dragstart"].map((name) =>
            document.getElementById("view").dispatchEvent(new Event(name, { cancelable: true, bubbles: true }))); }""")
        == [False] * 3
    )
    page.clock.resume()
    assert problems(page) == []


def test_a_long_press_opens_it_and_shows_how_far_it_is(open_page, server):
    page = locked(open_page, server)
    button, held = page.locator("#unlock"), "e => Number(e.style.getPropertyValue('--held'))"
    button.hover()
    page.mouse.down()
    page.clock.run_for(1500)
    assert button.evaluate(held) == pytest.approx(0.5, abs=0.03)
    expect(button).to_have_text(EN["lock.holding"])
    page.mouse.up()
    assert button.evaluate(held) == 0
    expect(button).to_have_text(EN["lock.hold"])
    page.mouse.down()
    page.clock.run_for(2900)
    expect(page.locator(".tools")).to_be_hidden()
    page.clock.run_for(150)
    expect(page.locator(".tools")).to_be_visible()
    page.mouse.up()
    expect(page.locator("#unlocked")).to_have_text(EN["lock.open"])
    page.keyboard.press("s")
    expect(page.locator("#settings")).to_be_visible()
    page.clock.run_for(59_000)
    page.keyboard.press("Tab")  # a touch puts it off
    page.clock.run_for(59_000)
    expect(page.locator("#settings")).to_be_visible()
    page.clock.run_for(2000)
    expect(page.locator("#settings")).to_be_hidden()
    expect(page.locator(".tools")).to_be_hidden()


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_by_keyboard_the_key_is_held(open_page, server, key):
    page = locked(open_page, server)
    page.locator("#unlock").focus()
    page.keyboard.down(key)
    page.clock.run_for(1000)
    page.keyboard.up(key)
    page.clock.run_for(5000)
    expect(page.locator(".tools")).to_be_hidden()
    page.keyboard.down(key)
    page.keyboard.down(key)  # as it repeats
    page.clock.run_for(3100)
    page.keyboard.up(key)
    expect(page.locator(".tools")).to_be_visible()
    expect(page.locator('.tools [data-opens="answer"]')).to_be_focused()
    assert page.locator("dialog[open]").count() == 0
    page.clock.resume()
    assert problems(page) == []


def test_what_presses_for_somebody_need_not_hold(open_page, server):
    page = locked(open_page, server)
    page.locator("#unlock").evaluate("e => e.click()")
    page.clock.run_for(3100)
    expect(page.locator(".tools")).to_be_visible()


def test_a_locked_page_comes_back_to_its_newest_words(open_page, server):
    page = locked(open_page, server, **sized((1366, 768)))
    page.locator("#view").evaluate("e => e.scrollTo(0, 0)")
    expect(page.locator("#back")).to_be_visible()
    page.mouse.click(400, 300)
    page.clock.run_for(19_000)
    expect(page.locator("#back")).to_be_visible()
    page.clock.run_for(2000)
    expect(page.locator("#back")).to_be_hidden()
    wait_for_end(page)


def test_the_presenter_locks_readers_and_stays_free(open_page, server):
    server.room = room(locked=True)
    page = open_page()
    expect(page.locator("#record")).to_be_visible()
    expect(page.locator("#unlock")).to_be_hidden()
    page.keyboard.press("o")
    switch = page.get_by_role("switch", name=EN["room.locked"])
    expect(switch).to_be_checked()
    switch.uncheck()
    assert asked(server) == ("lock", {"on": False})
    page.get_by_role("switch", name=EN["room.answers"]).check()
    assert asked(server) == ("answers", {"on": True})


def test_a_lock_closes_what_a_reader_had_open(open_page, server):
    page = open_page()
    page.keyboard.press("s")
    expect(page.locator("#settings")).to_be_visible()
    server.arrange(presenter=False, locked=True)
    expect(page.locator("#settings")).to_be_hidden()
    expect(page.locator("#unlock")).to_be_visible()
    server.arrange(presenter=False)
    expect(page.locator(".tools")).to_be_visible()
    expect(page.locator("#unlock")).to_be_hidden()


def test_on_a_large_screen_that_is_touched_all_targets_have_64_pixels(open_page, server):
    server.room = room(reader_url=PHONES)
    page = open_page(**sized((1366, 768)), has_touch=True, is_mobile=True)
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    assert page.evaluate(SMALL) == []
    for name, key in {
        "settings": "s",
        "answer": "a",
        "room": "o",
        "text": "d",
        "help": "?",
    }.items():
        page.keyboard.press(key)
        expect(page.locator(f"#{name}")).to_be_visible()
        assert page.evaluate(SMALL) == [], name
        page.keyboard.press("Escape")
        expect(page.locator(f"#{name}")).to_be_hidden()
