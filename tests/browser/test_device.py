"""The page and the device that it is on: an app, a screen that stays on, a sign for new words, no sound."""

import json
import tempfile

import pytest

from tests.browser.test_page_access import problems
from tests.page import (
    CHROMIUM,
    CHROMIUM_ARGS,
    WORDS,
    caption,
    expect,
    launch,
    lines,
    needs_chromium,
    playwright_api,
    room,
    status,
    stop_clock,
)

pytestmark = needs_chromium

EN = WORDS["en"]
NAME = "captions.test"  # a name that is no browser's own computer
LIGHTEST, HEAVIEST = 50_000, 300_000  # bytes of the page before fonts
LOCKS = """window.locks = [];
const ask = WakeLock.prototype.request;
WakeLock.prototype.request = async function (kind) {
    const lock = await ask.call(this, kind);
    window.locks.push(lock);
    return lock;
};"""
REFUSES = (
    "WakeLock.prototype.request = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
)
HELD = "locks.map((lock) => !lock.released)"
# Whatever could make a sound, from the first script of the page on.
LISTENS = """window.sounds = [];
for (const name of ["AudioContext", "webkitAudioContext", "Audio", "SpeechSynthesisUtterance", "Notification"]) {
    if (!(name in window)) continue;
    window[name] = new Proxy(window[name], { construct(kind, given) {
        window.sounds.push(name);
        return Reflect.construct(kind, given);
    } });
}
HTMLMediaElement.prototype.play = function () { window.sounds.push("play"); return Promise.resolve(); };
SpeechSynthesis.prototype.speak = () => window.sounds.push("speak");
navigator.mediaDevices.getUserMedia = () => Promise.reject(window.sounds.push("microphone"));"""
BUZZES = "window.buzzed = []; navigator.vibrate = (pattern) => window.buzzed.push(pattern);"


@pytest.fixture(scope="module")
def browser():
    with playwright_api.sync_playwright() as playwright:
        browser = launch(playwright, f"--host-resolver-rules=MAP {NAME} 127.0.0.1")
        yield browser
        browser.close()


def chosen(how: str) -> str:
    return f"localStorage.display ??= JSON.stringify({{ attention: '{how}' }})"


# As an app


def test_a_browser_finds_nothing_that_hinders_installing_it(server):
    with (
        playwright_api.sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as folder,
    ):
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, args=CHROMIUM_ARGS, locale="ko-KR"
        )
        page = context.new_page()
        page.goto(f"{server.url}read")
        expect(page.locator("#manifest")).to_have_attribute(
            "href", "app.webmanifest?language=ko&page=read"
        )
        browser = context.new_cdp_session(page)
        manifest = browser.send("Page.getAppManifest")
        assert manifest["errors"] == [] and manifest["manifest"]["startUrl"] == f"{server.url}read"
        assert json.loads(manifest["data"])["name"] == WORDS["ko"]["page.title"]
        assert browser.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        assert page.evaluate("navigator.serviceWorker.getRegistrations()") == []
        assert page.evaluate("caches.keys()") == []
        context.close()


def test_the_whole_screen_is_one_press_or_one_key(open_page):
    page = open_page()
    page.keyboard.press("s")
    button = page.get_by_role("button", name=EN["fullscreen"], exact=True)
    button.click()
    expect(page.locator("#fullscreen")).to_have_text(EN["fullscreen.end"])
    assert page.evaluate("document.fullscreenElement === document.documentElement")
    expect(page.locator("#settings")).to_be_visible()
    page.locator("#fullscreen").click()
    expect(button).to_be_visible()
    page.keyboard.press("w")
    page.wait_for_function("() => document.fullscreenElement")


def test_before_fonts_the_page_is_light(open_page, server):
    server.past = [caption(i, "Some words.", label="happy") for i in range(3)]
    page = open_page()
    expect(lines(page)).to_have_count(3)
    page.evaluate("document.fonts.ready")
    sizes = page.evaluate("""performance.getEntriesByType("resource")
        .concat(performance.getEntriesByType("navigation"))
        .map(({ name, decodedBodySize }) => [name, decodedBodySize])""")
    fonts = [name for name, _ in sizes if name.endswith(".woff2")]
    weight = sum(size for name, size in sizes if name not in fonts)
    assert fonts and LIGHTEST < weight <= HEAVIEST, sorted(sizes, key=lambda one: -one[1])[:9]


# A screen that stays on


def test_the_screen_is_kept_on_while_captions_are_live_and_no_longer(open_page, server):
    page = open_page(before=LOCKS)
    assert page.evaluate(HELD) == []
    server.show("listening")
    page.wait_for_function(f"() => {HELD}.join() === 'true'")
    page.keyboard.press("s")
    expect(page.locator("#awake")).to_have_text(EN["awake.on"])
    server.show("ready")
    page.wait_for_function(f"() => {HELD}.join() === 'false'")
    expect(page.locator("#awake")).to_have_text(EN["awake.off"])


def test_a_page_that_is_shown_again_keeps_the_screen_on_again(open_page, server):
    page = open_page(before=LOCKS)
    server.show("listening")
    page.wait_for_function(f"() => {HELD}.join() === 'true'")
    # what a browser does with a page that is hidden
    page.evaluate("""Object.defineProperty(document, "hidden", { value: true, configurable: true });
        window.locks[0].release()""")
    page.wait_for_function(f"() => {HELD}.join() === 'false'")
    page.evaluate(
        """delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))"""
    )
    page.wait_for_function(f"() => {HELD}.join() === 'false,true'")


def test_a_device_that_refuses_is_said_to(open_page, server):
    server.status = status("listening")
    page = open_page(before=REFUSES)
    page.keyboard.press("s")
    expect(page.locator("#awake")).to_have_text(EN["awake.refused"])


def test_an_address_without_encryption_is_said_to_be_the_cause(browser, server):
    server.status = status("listening")
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url.replace("127.0.0.1", NAME))
    expect(page.locator("#status")).to_have_text("It is listening.")
    assert not page.evaluate("isSecureContext")
    page.keyboard.press("s")
    expect(page.locator("#awake")).to_have_text(EN["awake.insecure"])
    assert problems(page) == []
    context.close()


# New words after a pause


def begin(open_page, server, before: str, **options):
    server.status = status("listening")
    server.past = [caption(0, "Said before.")]
    page = open_page(before=before, **options)
    expect(lines(page)).to_have_count(1)
    stop_clock(page)
    say(page, server, 1)
    page.clock.run_for(2000)  # that one was new
    page.evaluate("window.buzzed?.splice(0)")
    return page


def say(page, server, segment: int, after_s: int = 0) -> None:
    page.clock.fast_forward(1000 * after_s)
    server.say(segment, f"Line {segment}")
    expect(lines(page)).to_have_count(segment + 1)


def test_new_words_after_a_pause_flash_once_and_softly(open_page, server):
    page = begin(open_page, server, chosen("flash"))
    flash = page.locator("#attention")
    expect(flash).to_be_hidden()
    say(page, server, 2, after_s=27)
    expect(flash).to_be_hidden()
    say(page, server, 3, after_s=31)
    expect(flash).to_be_visible()
    assert page.evaluate("document.elementFromPoint(600, 300).id") != "attention"  # in nobody's way
    duration, count = page.evaluate("""(() => { const { duration, iterations } =
        document.getElementById("attention").getAnimations()[0].effect.getTiming(); return [duration, iterations]; })()""")
    assert duration >= 1000 and count == 1
    page.clock.run_for(1600)
    expect(flash).to_be_hidden()
    say(page, server, 4, after_s=5)
    expect(flash).to_be_hidden()


def test_where_motion_is_not_wanted_a_frame_stands_still(open_page, server):
    page = begin(open_page, server, chosen("flash"), reduced_motion="reduce")
    say(page, server, 2, after_s=31)
    expect(page.locator("#attention")).to_be_visible()
    assert page.evaluate("document.getElementById('attention').getAnimations()") == []
    assert (
        page.locator("#attention").evaluate("e => getComputedStyle(e).backgroundColor")
        == "rgba(0, 0, 0, 0)"
    )


def test_a_vibration_is_a_choice_where_the_device_has_one(open_page, server):
    page = begin(open_page, server, chosen("vibrate") + ";" + BUZZES)
    say(page, server, 2, after_s=31)
    assert len(page.evaluate("window.buzzed")) == 1
    expect(page.locator("#attention")).to_be_hidden()
    page.keyboard.press("s")
    expect(page.locator("[name=attention][value=vibrate]")).to_be_checked()
    none = open_page(before="delete Navigator.prototype.vibrate")
    none.keyboard.press("s")
    expect(none.locator("[name=attention][value=flash]")).to_be_visible()
    expect(none.locator("[name=attention][value=vibrate]")).to_be_hidden()


def test_nothing_of_it_is_done_unasked(open_page, server):
    page = begin(open_page, server, BUZZES)
    say(page, server, 2, after_s=600)
    expect(page.locator("#attention")).to_be_hidden()
    assert page.evaluate("window.buzzed") == []


@pytest.mark.parametrize("how", ["off", "flash", "vibrate"])
def test_a_reader_s_page_makes_no_sound_nor_opens_what_could(open_page, server, how):
    """A sound would come out of a hearing aid that is paired with the device, over what it hears."""
    server.room = room(presenter=False, answers=True)
    page = begin(open_page, server, LISTENS + BUZZES + chosen(how))
    say(page, server, 2, after_s=31)
    server.emit("answer", {"text": "Hello."})
    server.show("lost", message="No sound comes in.")
    expect(page.locator("#alert")).to_have_text("No sound comes in.")
    server.show("listening")
    for key in ("a", "s", "d", "m", "?", "w"):
        page.keyboard.press(key)
    page.evaluate("new AudioContext()")  # that one would be seen
    assert page.evaluate("window.sounds") == ["AudioContext"]
    assert page.locator("audio, video").count() == 0
