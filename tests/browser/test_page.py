"""What people read on the page, in a real browser, against scripted events."""

import pytest

from tests.page import (
    LABELS,
    WORDS,
    caption,
    expect,
    lines,
    needs_chromium,
    offer,
    room,
    status,
    talk,
    wait_for_end,
)
from utils.events import SILENT
from utils.messages import SENTENCES

pytestmark = needs_chromium


def test_growing_text_is_appended_in_place(page, server):
    server.say(0, "Good", final=False)
    expect(page.locator("#live")).to_have_text("Good")
    page.evaluate("""() => {
        window.changes = [];
        new MutationObserver((records) => window.changes.push(...records.map((r) => r.type)))
            .observe(document.getElementById("live"), { childList: true, characterData: true, subtree: true });
        window.node = document.getElementById("live").firstChild;
    }""")
    server.say(0, "Good morning", final=False)
    server.say(0, "Good evening, all", final=False)
    expect(page.locator("#live")).to_have_text("Good evening, all")
    assert set(page.evaluate("window.changes")) == {"characterData"}
    assert page.evaluate("window.node === document.getElementById('live').firstChild")
    expect(lines(page)).to_have_count(0)


def test_the_growing_line_is_outside_the_live_region(page):
    assert (
        page.evaluate("document.getElementById('live').closest('[role=log], [aria-live]')") is None
    )


def test_a_final_line_replaces_the_growing_one_and_is_frozen(page, server):
    server.say(0, "God morning", final=False)
    server.say(0, "Good morning.", label="happy")
    server.say(0, "late words", final=False)
    server.say(0, "Another ending.")
    server.say(1, "Next", final=False)
    expect(page.locator("#live")).to_have_text("Next")
    expect(lines(page)).to_have_count(1)
    expect(lines(page)).to_contain_text("Good morning.")
    expect(lines(page)).to_have_attribute("data-segment", "0")


def test_an_emotion_shows_on_the_growing_line_and_stays_with_it(page, server):
    live, tag = page.locator("#live"), page.locator("#live .feeling")
    server.say(0, "No", final=False)
    expect(live).to_have_text("No")
    height = live.evaluate("e => e.clientHeight")
    server.say(0, "No", final=False, label="angry")
    expect(tag).to_have_text("angry")
    assert live.evaluate("e => e.clientHeight") == height

    page.evaluate("window.tag = document.querySelector('#live .feeling')")
    server.say(0, "No, never", final=False, label="angry")
    expect(live).to_have_text("No, never angry")
    assert page.evaluate("window.tag.isConnected")
    colour, place = tag.evaluate("e => getComputedStyle(e).color"), tag.bounding_box()

    server.say(0, "No, never", label="angry")
    expect(lines(page)).to_have_text("No, never angry")
    expect(live).to_have_text("")
    expect(tag).to_have_count(0)
    final = lines(page).locator(".feeling")
    assert final.evaluate("e => getComputedStyle(e).color") == colour
    assert final.bounding_box() == pytest.approx(place, abs=2)  # kerning may differ by a hair


def test_an_emotion_on_the_growing_line_changes_and_goes(page, server):
    live = page.locator("#live")
    for label, word in [("fear", " afraid"), ("sad", " sad"), (None, "")]:
        server.say(0, "I see", final=False, label=label)
        expect(live).to_have_text(f"I see{word}")
        expect(live).to_have_attribute("data-emotion", label or "")
    server.say(0, "I see", final=False, label="happy")
    server.say(1, "And now", final=False)
    expect(live).to_have_text("And now")
    page.locator("#plain").click()
    server.say(1, "And now", final=False, label="happy")
    expect(live).to_have_attribute("data-emotion", "happy")
    expect(live.locator(".feeling")).to_be_hidden()


def test_a_late_final_line_goes_to_its_place(page, server):
    server.say(3, "Three.")
    server.say(1, "One.")
    server.say(2, "Two.")
    server.say(4, "Four", final=False)
    server.say(0, "Zero.")
    expect(lines(page)).to_have_text(["Zero.", "One.", "Two.", "Three."])
    expect(page.locator("#live")).to_have_text("Four")


def test_an_empty_final_line_removes_the_growing_one(page, server):
    server.say(0, "hm", final=False)
    expect(page.locator("#live")).to_have_text("hm")
    server.say(0, "")
    expect(page.locator("#live")).to_have_text("")
    expect(lines(page)).to_have_count(0)


def test_markup_is_shown_as_text(page, server):
    text = "<img src=x onerror=\"document.title='gone'\"> & <b>bold</b>"
    server.say(0, text, label="<i>odd</i>")
    server.say(1, text, final=False)
    server.show("ready", message=text, engine=text)
    for place in ("#status", "#live", "#engine"):
        expect(page.locator(place)).to_have_text(text)
    expect(lines(page)).to_contain_text(text)
    shown = page.locator("#status, #live, #engine, #lines")
    assert shown.locator("img, b, i").count() == 0


@pytest.mark.parametrize("label", [label for label in LABELS if label != SILENT])
def test_an_emotion_is_a_word_and_a_shape(page, server, label):
    server.say(0, "I see.", label=label)
    expect(lines(page)).to_have_attribute("data-emotion", label)
    tag = lines(page).locator(".feeling")
    word = {"fear": "afraid", "disgust": "disgusted"}.get(label, label)
    expect(tag).to_have_text(word)
    assert page.locator(f"symbol{tag.locator('use').get_attribute('href')}").count() == 1


def test_neutral_counts_in_the_timeline_and_says_nothing_on_the_line(page, server):
    server.say(0, "I see.", label=SILENT)
    expect(lines(page)).to_have_text("I see.")
    expect(lines(page)).to_have_attribute("data-emotion", "")
    page.keyboard.press("m")
    expect(page.locator("#timeline-table tbody tr")).to_have_count(1)
    expect(page.locator("#timeline-table tbody tr")).to_contain_text("neutral")


def test_no_emotion_shows_no_tag(page, server):
    server.say(0, "I see.")
    expect(lines(page)).to_have_text("I see.")
    expect(lines(page)).to_have_attribute("data-emotion", "")


def test_a_reload_shows_the_running_session(page, server):
    server.show("listening")
    server.past = [caption(0, "Still here."), caption(1, "growing", final=False)]
    page.reload()
    expect(lines(page)).to_have_text(["Still here."])
    expect(page.locator("#live")).to_have_text("growing")
    expect(page.locator("#record")).to_have_attribute("aria-pressed", "true")


def test_old_lines_leave_the_page(page, server):
    talk(server, 503)
    expect(lines(page).last).to_have_attribute("data-segment", "502")
    expect(lines(page)).to_have_count(500)
    expect(lines(page).first).to_have_attribute("data-segment", "3")


STILL = """() => new Promise((ended) => {
  const view = document.getElementById("view");
  let last = NaN, frames = 0;
  const look = () => {
    frames = view.scrollTop === last ? frames + 1 : 0;
    last = view.scrollTop;
    if (frames < 30) requestAnimationFrame(look);
    else ended();
  };
  look();
})"""


def test_the_page_follows_only_at_its_end(page, server):
    talk(server, 40)
    expect(lines(page)).to_have_count(40)
    wait_for_end(page)
    expect(page.locator("#back")).to_be_hidden()

    page.mouse.move(400, 300)
    page.mouse.wheel(0, -900)
    expect(page.locator("#back")).to_be_visible()
    page.evaluate(STILL)  # a wheel turns the page over some frames
    held = page.locator("#view").evaluate("e => e.scrollTop")
    talk(server, 5, first=40)
    expect(lines(page)).to_have_count(45)
    assert page.locator("#view").evaluate("e => e.scrollTop") == held

    page.locator("#back").click()
    expect(page.locator("#back")).to_be_hidden()
    talk(server, 5, first=45)
    expect(lines(page)).to_have_count(50)
    wait_for_end(page)


def test_the_end_stays_in_view_when_the_window_changes(page, server):
    talk(server, 40)
    expect(lines(page)).to_have_count(40)
    page.set_viewport_size({"width": 390, "height": 600})
    wait_for_end(page)
    expect(page.locator("#back")).to_be_hidden()


def test_the_button_asks_and_the_server_decides(page, server):
    button = page.locator("#record")
    expect(button).to_have_text("Start")
    button.click()
    assert server.asked.get(timeout=60) == ("start", {})
    expect(button).to_have_attribute("aria-pressed", "false")
    server.show("listening")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#onair")).to_have_text("Live")
    button.press("Space")
    assert server.asked.get(timeout=60) == ("stop", {})
    server.show("ready")
    expect(button).to_have_text("Start")
    button.press("Enter")
    assert server.asked.get(timeout=60) == ("start", {})


def test_a_double_press_counts_once(page, server):
    page.locator("#record").dblclick()
    server.show("listening")
    expect(page.locator("#record")).to_have_text("Stop")
    page.locator("#record").click()
    assert [server.asked.get(timeout=60)[0] for _ in range(2)] == ["start", "stop"]
    assert server.asked.empty()


@pytest.mark.parametrize(
    ("state", "engine", "enabled", "pressed"),
    [
        ("loading", "", False, "false"),
        ("ready", "Test engine", True, "false"),
        ("listening", "Test engine", True, "true"),
        ("lost", "Test engine", True, "true"),
        ("error", "Test engine", True, "false"),
        ("error", "", False, "false"),
    ],
)
def test_each_state_has_its_button(page, server, state, engine, enabled, pressed):
    server.show(state, engine=engine, message="Something new.")
    expect(page.locator("#status")).to_have_text("Something new.")
    expect(page.locator("#status")).to_have_attribute("data-state", state)
    expect(page.locator("#record")).to_be_enabled(enabled=enabled)
    expect(page.locator("#record")).to_have_attribute("aria-pressed", pressed)
    failed = state in ("lost", "error")
    expect(page.locator("#alert")).to_have_text("Something new." if failed else "")


def test_loading_shows_its_progress(page, server):
    bar = page.locator("#progress")
    server.show("loading")
    expect(bar).to_be_visible()
    assert bar.get_attribute("value") is None
    server.show("loading", progress=0.25)
    expect(bar).to_have_attribute("value", "0.25")
    server.show("ready")
    expect(bar).to_be_hidden()
    expect(page.locator("#engine")).to_have_text("Test engine")


def test_the_level_is_shown_while_listening(page, server):
    expect(page.locator("#level")).to_be_hidden()
    server.show("listening")
    expect(page.locator("#level")).to_be_visible()
    server.emit("level", {"db": -18.5})
    expect(page.locator("#level")).to_have_js_property("value", -18.5)


def test_the_presenter_sees_which_microphone_is_heard_and_readers_do_not(page, server):
    microphone = page.locator("#microphone")
    server.arrange(microphone="Anna’s <b>headset")
    expect(microphone).to_be_hidden()
    server.show("listening")
    expect(microphone).to_have_text("Microphone: Anna’s <b>headset")
    server.show("lost")
    expect(microphone).to_be_hidden()
    server.show("listening")
    server.arrange(presenter=False, microphone="Anna’s headset")
    expect(microphone).to_be_hidden()
    expect(microphone).to_have_text("")


def test_hints_show_only_while_there_are_no_words(page, server):
    hint = page.locator("#hint")
    expect(hint).to_have_text("Press Start and speak.")
    server.show("listening")
    expect(hint).to_contain_text("Speak now.")
    server.show("listening", quiet=True)
    expect(hint).to_have_text(WORDS["en"]["hint.quiet"])
    server.show("lost", code="lost.stuck")  # they had begun
    expect(hint).to_have_text(WORDS["en"]["hint.lost.stuck"])
    server.say(0, "Hello", final=False)
    expect(hint).to_have_text("")


def test_nobody_is_asked_to_speak_where_a_recording_is_heard(page, server):
    microphone = {"value": "", "origin": "built in", "by": ""}
    told = {"first": False, "file": "", "pending": ["microphone"], "rooms": []}
    server.emit("setup", told | {"settings": {"microphone": microphone}, "recording": True})
    hint = page.locator("#hint")
    expect(hint).to_have_text(WORDS["en"]["hint.ready.recording"])
    server.show("listening")
    expect(hint).to_have_text("Listening.\nThe words will appear here.")
    server.show("ready")
    page.keyboard.press("u")
    expect(page.locator("#setup-no-device")).to_have_text(WORDS["en"]["setup.microphone.recording"])
    for place in (".trial", "#setup-pending"):
        expect(page.locator(place)).to_be_hidden()


@pytest.mark.parametrize(
    ("state", "engine", "key"),
    [
        ("lost", "Test engine", "hint.lost"),
        ("error", "Test engine", "hint.error"),
        ("error", "", "hint.error.start"),
    ],
)
@pytest.mark.parametrize("presenter", [True, False])
def test_a_page_without_words_and_sound_is_not_black(page, server, state, engine, key, presenter):
    server.arrange(presenter=presenter)
    server.show(state, engine=engine, message="There is no microphone. Plug one in.")
    expect(page.locator("#hint")).to_have_text(WORDS["en"][key])
    more = "" if presenter else WORDS["en"]["hint.more.failed"]  # the bar says why, once
    expect(page.locator("#hint-more")).to_have_text(more)
    expect(page.locator("#alert")).to_be_in_viewport()
    server.say(0, "Hello", final=False)
    expect(page.locator("#first")).to_be_hidden()


def test_languages_are_told_by_their_names(page, server):
    values = {"engine": "Whisper", "language": "ko"}
    server.show("ready", code="ready.embedded", values=values)
    expect(page.locator("#status")).to_contain_text("no NeMo model for Korean is on this machine")
    for code in ("ready.embedded", "ready.recommended", "translation.none"):
        assert WORDS["en"][f"status.{code}"] == SENTENCES[code]


def test_the_first_screen_says_what_will_come_and_where_letters_are_chosen(page, server):
    expect(page.locator("#hint-more")).to_contain_text(WORDS["en"]["bar.settings"])
    assert page.locator("#hint").evaluate("e => getComputedStyle(e).fontSize") == page.locator(
        "#view"
    ).evaluate("e => getComputedStyle(e).fontSize")


def test_what_is_offered_can_be_fetched_once_and_again_after_a_failure(page, server):
    here, button = page.locator("#offer"), page.locator("#offer-fetch")
    expect(here).to_be_hidden()
    server.show("ready", offer=offer())
    expect(here).to_contain_text("Better captions in English: 460 MB.")
    expect(button).to_have_text("Fetch")
    button.press("Enter")
    assert server.asked.get(timeout=60) == ("fetch", {})

    server.show("listening", offer=offer(busy=True))
    expect(button).to_have_text("Fetching…")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_be_focused()
    button.click(force=True)
    server.show("listening", offer=offer())
    expect(button).to_have_text("Fetch")
    button.click()
    assert server.asked.get(timeout=60) == ("fetch", {})
    assert server.asked.empty()
    server.show("listening")
    expect(here).to_be_hidden()


def test_readers_are_offered_nothing(open_page, server):
    server.room = room(presenter=False)
    server.status = status("ready", offer=offer())
    page = open_page()
    expect(page.locator("#hint")).not_to_be_empty()
    expect(page.locator("#offer")).to_be_hidden()


def test_the_offer_is_made_in_korean(open_page, server):
    server.status = status("ready", offer=offer())
    page = open_page(locale="ko-KR")
    expect(page.locator("#offer-fetch")).to_have_text("받기")
    expect(page.locator("#offer-text")).to_contain_text("더 나은 영어 자막: 460 MB")


def test_a_lost_connection_is_said_and_mended(page, server):
    server.say(0, "Kept line.")
    expect(lines(page)).to_have_count(1)
    server.stop()
    expect(page.locator("#alert")).to_have_text("Connection to the program is lost. Trying again…")
    expect(page.locator("#record")).to_be_disabled()
    expect(lines(page)).to_have_text(["Kept line."])

    server.past = [caption(0, "Kept line."), caption(1, "Missed line.")]
    server.status = status("listening")
    server.start()
    expect(page.locator("#record")).to_be_enabled()
    expect(page.locator("#alert")).to_have_text("")
    expect(lines(page)).to_have_text(["Kept line.", "Missed line."])


def test_a_connection_closed_by_the_server_is_mended(page, server):
    for sid, _ in list(server.socketio.server.manager.get_participants("/", None)):
        server.socketio.server.disconnect(sid)
    expect(page.locator("#alert")).to_have_text("")
    expect(page.locator("#record")).to_be_enabled()


def test_captions_carry_their_language(open_page, server):
    server.room = room(language="cy")
    page = open_page()
    for place in ("#captions", "#live"):
        expect(page.locator(place)).to_have_attribute("lang", "cy")


def test_people_are_told_that_feelings_are_guessed(page):
    expect(page.locator("#guessing")).to_be_in_viewport()


@pytest.mark.parametrize("size", [(320, 256), (320, 640), (390, 844), (844, 390)])
def test_a_small_window_never_scrolls_sideways(open_page, server, size):
    server.status = status("listening", offer=offer(name="x" * 60))
    server.past = [
        caption(i, "Wide words " + "w" * 40, label=label) for i, label in enumerate(LABELS)
    ]
    page = open_page(viewport={"width": size[0], "height": size[1]})
    expect(lines(page)).to_have_count(len(LABELS))
    for state in ("listening", "lost"):
        server.show(state, message="The microphone is gone. Trying to find it again…")
        expect(page.locator("#status")).to_have_attribute("data-state", state)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        box = page.locator("#record").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1]


@pytest.mark.parametrize(
    ("size", "letters", "target"),
    [((1920, 1080), (88, 92), 64), ((1366, 768), (56, 68), 48), ((390, 844), (24, 28), 44)],
)
def test_captions_are_large_enough(open_page, server, size, letters, target):
    server.past = [caption(0, "Good morning.")]
    page = open_page(viewport={"width": size[0], "height": size[1]})
    font_px = lines(page).evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert letters[0] <= font_px <= letters[1]
    assert page.locator("#record").bounding_box()["height"] >= target


def test_reduced_motion_stops_the_live_sign(open_page, server):
    server.status = status("listening")
    sign = "getComputedStyle(document.getElementById('onair'), '::before').animationName"
    assert open_page().evaluate(sign) == "breathe"
    assert open_page(reduced_motion="reduce").evaluate(sign) == "none"
