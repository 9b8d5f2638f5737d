"""Only a person's scrolling takes the newest line out of view; nothing that the page does itself."""

import random
from collections.abc import Callable
from itertools import cycle

import pytest

from tests.page import (
    CHROMIUM,
    CHROMIUM_ARGS,
    caption,
    draw,
    expect,
    gap_below,
    lines,
    needs_chromium,
    offer,
    status,
    talk,
    wait_for_end,
)

pytestmark = needs_chromium

LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
TIMES = 50
NOTICE = {"code": "test.notice", "values": {}, "message": "The computer is busy. " * 6}
LEVELS = cycle([-tenths / 10 for tenths in range(600)])  # in dB
SPEECH = "this is said while all of that goes on and it takes more than one row of the screen"
# Notes each time that "Back to live" is shown: following was lost, if only for a moment.
WATCH = """() => {
  window.lost = 0;
  const back = document.getElementById("back");
  new MutationObserver(() => { if (!back.hidden) window.lost += 1; }).observe(back, { attributes: true });
}"""
LOAD_FONT = """(on) => {
  if (window.face) document.fonts.delete(window.face);
  if (!on) return null;
  const url = "static/fonts/opendyslexic-latin-400-normal.woff2";
  window.face = new FontFace("Atkinson Hyperlegible Next", `url(${url})`, { weight: "200 800" });
  document.fonts.add(window.face);
  return window.face.load().then(() => null);
}"""


def settle(page, server) -> None:
    """Wait until the page has taken all that was sent, and has drawn it."""
    db = next(LEVELS)  # none that the page has from before
    server.emit("level", {"db": db})
    page.wait_for_function("(db) => document.getElementById('level').value === db", arg=db)
    draw(page)


def following(open_page, server, size: dict, **options):
    """A page that listens and follows, with more lines than it can show."""
    server.status = status("listening")
    server.past = [caption(i, f"Line number {i} of a long talk. {SPEECH}") for i in range(30)]
    page = open_page(viewport=size, **options)
    expect(lines(page)).to_have_count(30)
    page.evaluate("document.fonts.ready")
    page.evaluate(WATCH)
    return page


def grow(server, number: int) -> None:
    """A line that is being said, up to somewhere in its last row."""
    said = SPEECH.split()
    for count in range(1, 3 + number % len(said)):
        server.say(100 + number, " ".join(said[:count]), final=False)


def finish(server, number: int) -> None:
    server.say(100 + number, SPEECH)


def stop_while_a_line_grows(page, server, number):
    grow(server, number)
    server.show("ready", notices=[NOTICE] * (1 + number % 2), offer=offer(), clears=0)
    finish(server, number)


def lost_microphone(page, server, number):
    grow(server, number)
    server.show("lost", message="No sound: the microphone is gone. Trying again by itself… " * 2)
    finish(server, number)
    settle(page, server)
    server.show("listening")
    grow(server, number + 1)


def end_of_a_recording(page, server, number):
    grow(server, number)
    finish(server, number)
    server.show("ready", message="The recording has ended.", offer=offer(), notices=[NOTICE])
    settle(page, server)
    server.show("listening")


def advice_comes_and_goes(page, server, number):
    grow(server, number)
    server.show("listening", notices=[NOTICE] * (number % 4))
    server.emit("refused", {"code": "test", "message": "Only the presenter can do that."})
    server.show("listening", offer=offer() if number % 2 else None)
    grow(server, number)


def resize(page, server, number):
    grow(server, number)
    size = page.viewport_size
    step = 90 if number % 2 else -90
    page.set_viewport_size({"width": size["width"] - step, "height": size["height"] + step})
    grow(server, number)


def rotate(page, server, number):
    grow(server, number)
    size = page.viewport_size
    page.set_viewport_size({"width": size["height"], "height": size["width"]})
    finish(server, number)


def zoom(page, server, number):
    """As a browser does it: fewer CSS pixels, each of more of the screen's."""
    grow(server, number)
    factor = (1, 1.25, 2, 0.67)[number % 4]
    size = page.viewport_size
    device = {"width": round(size["width"] / factor), "height": round(size["height"] / factor)}
    client = page.context.new_cdp_session(page)
    client.send(
        "Emulation.setDeviceMetricsOverride",
        device | {"deviceScaleFactor": factor, "mobile": False},
    )
    client.detach()
    finish(server, number)


def a_font_comes(page, server, number):
    grow(server, number)
    page.evaluate(LOAD_FONT, number % 2 == 0)
    finish(server, number)


def sheets_open_and_close(page, server, number):
    grow(server, number)
    page.keyboard.press("soam?"[number % 5])
    finish(server, number)
    settle(page, server)
    page.keyboard.press("Escape")


def other_letters(page, server, number):
    grow(server, number)
    page.keyboard.press("+-f+h-[p]eptt"[number % 13])
    finish(server, number)


def cleared(page, server, number):
    grow(server, number)
    server.emit("cleared", {})
    server.show("listening", clears=number + 1)
    talk(server, 12, first=1000 * (number + 1))


TRIGGERS: list[Callable] = [
    stop_while_a_line_grows,
    lost_microphone,
    end_of_a_recording,
    advice_comes_and_goes,
    resize,
    rotate,
    zoom,
    a_font_comes,
    sheets_open_and_close,
    other_letters,
]


@pytest.mark.parametrize("trigger", [*TRIGGERS, cleared], ids=lambda trigger: trigger.__name__)
def test_what_the_page_does_itself_never_stops_following(open_page, server, trigger):
    page = following(open_page, server, LAPTOP)
    for number in range(TIMES):
        if number == TIMES // 2:
            page.set_viewport_size(PHONE)
        trigger(page, server, number)
        settle(page, server)
        assert page.evaluate("window.lost") == 0, number
        assert gap_below(page) < 2, number


STATES = ("listening", "listening", "ready", "lost", "error", "loading")


def one_event(page, server, dice, number):
    """One thing that may happen to a page, of any kind."""
    said = SPEECH.split()
    line = 100 + number // 8
    match dice.randrange(10):
        case 0 | 1 | 2:
            text = " ".join(said[: dice.randint(1, len(said))])
            server.say(line, text, final=False, label=dice.choice([None, "happy", "sad"]))
        case 3:
            server.say(line - dice.randrange(3), SPEECH, loudness=dice.choice([None, "loud"]))
        case 4:
            state = dice.choice(STATES)
            server.show(state, message=f"It is {state}. " * dice.randint(1, 8))
        case 5:
            changes = {
                "offer": dice.choice([None, offer()]),
                "notices": [NOTICE] * dice.randrange(4),
            }
            server.show("listening", **changes)
        case 6:
            server.arrange(blank=dice.random() < 0.2, emotion=dice.random() < 0.8)
        case 7:
            server.emit("refused", {"code": "test", "message": "Not now. " * dice.randint(1, 9)})
        case 8:
            page.keyboard.press(dice.choice("soam?+-+-fhpet[]"))
            page.keyboard.press("Escape")
        case 9:
            dice.choice([resize, rotate, zoom, a_font_comes])(page, server, number)
            page.set_viewport_size(dice.choice([LAPTOP, PHONE]))


@pytest.mark.parametrize("seed", [17])
def test_following_outlasts_a_thousand_random_events(open_page, server, seed):
    page = following(open_page, server, LAPTOP)
    dice = random.Random(seed)
    for number in range(1000):
        one_event(page, server, dice, number)
        if dice.random() < 0.2:
            settle(page, server)
            assert page.evaluate("window.lost") == 0, number
    server.arrange()
    settle(page, server)
    assert page.evaluate("window.lost") == 0
    assert gap_below(page) < 2


def by_wheel(page):
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -120)


def by_finger(page):
    """Drawn down over the captions, as a touch screen tells of it."""
    client = page.context.new_cdp_session(page)
    points = [[{"x": 200, "y": 200 + 20 * step}] for step in range(10)]
    kinds = ["touchStart"] + ["touchMove"] * 9
    for kind, point in zip(kinds, points, strict=True):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": point})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    client.detach()


def by_key(key: str):
    def press(page):
        page.locator("#view").focus()
        page.keyboard.press(key)

    press.__name__ = f"by_{key}"
    return press


def by_finding_in_the_page(page):
    """What no hand tells of: the browser's own search, a screen reader."""
    page.evaluate("document.querySelector('#lines li').scrollIntoView()")


HANDS = [
    by_wheel,
    by_finger,
    by_key("ArrowUp"),
    by_key("PageUp"),
    by_key("Home"),
    by_key("Shift+Space"),
]
HANDS += [by_finding_in_the_page]


@pytest.mark.parametrize("hand", HANDS, ids=lambda hand: hand.__name__)
def test_a_person_s_scrolling_stops_following_while_words_come(open_page, server, hand):
    """Each hand, five times, in the midst of a growing line; the words that come take nothing back."""
    touch = {"has_touch": True, "is_mobile": True} if hand is by_finger else {}
    page = following(open_page, server, LAPTOP, **touch)
    # "Back to live" holds against what still glides, which a second jump at once would look like.
    for number in range(1 if hand is by_finding_in_the_page else 5):
        grow(server, number)
        hand(page)
        for count in range(4):
            server.say(200 + 10 * number + count, SPEECH)
        settle(page, server)
        expect(page.locator("#back")).to_be_visible()
        assert gap_below(page) > 2
        page.locator("#back").click()
        settle(page, server)
        expect(page.locator("#back")).to_be_hidden()
        wait_for_end(page)  # what the hand set gliding comes to rest first
        page.mouse.move(400, 300)


def test_dragging_the_bar_beside_the_captions_stops_following(browser, server):
    """In a browser that shows one: Playwright hides it otherwise."""
    kind = browser.browser_type
    hidden = ["--hide-scrollbars"]
    shown = kind.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS, ignore_default_args=hidden)
    page = following(lambda **options: opened(shown, server, options), server, LAPTOP)
    box = page.locator("#view").bounding_box()
    x, y = box["x"] + box["width"] - 4, box["y"] + box["height"] - 30
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 7):
        page.mouse.move(x, y - 10 * step)
        server.say(100 + step, SPEECH)
    expect(page.locator("#back")).to_be_visible()
    page.mouse.up()
    settle(page, server)
    assert gap_below(page) > 2
    shown.close()


def opened(browser, server, options):
    page = browser.new_page(**options)
    page.goto(server.url)
    return page


def test_whoever_scrolls_back_to_the_end_follows_again(open_page, server):
    page = following(open_page, server, LAPTOP)
    by_wheel(page)
    expect(page.locator("#back")).to_be_visible()
    for _ in range(TIMES):  # a busy Firefox may lose a turn of the wheel, and a hand turns on
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(100)
        if page.locator("#back").is_hidden():
            break
    expect(page.locator("#back")).to_be_hidden()
    server.say(100, SPEECH)
    settle(page, server)
    assert gap_below(page) < 2


def test_a_hand_that_moves_the_view_by_a_hair_does_not_stop_it(open_page, server):
    page = following(open_page, server, LAPTOP)
    page.mouse.move(400, 300)
    page.mouse.wheel(0, -3)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -3)  # which makes a browser larger
    page.keyboard.up("Control")
    settle(page, server)
    expect(page.locator("#back")).to_be_hidden()
    wait_for_end(page)


def test_a_page_that_shows_all_its_lines_has_nothing_to_come_back_from(open_page, server):
    page = open_page(viewport=LAPTOP)
    server.say(0, "A short line.")
    expect(lines(page)).to_have_count(1)
    page.evaluate(WATCH)
    for hand in (by_wheel, by_finger, by_key("PageUp"), by_key("Home")):
        hand(page)
    settle(page, server)
    assert page.evaluate("window.lost") == 0
