"""What the presenter does for the room, talking back, phones, feelings over time, two pages."""

import re

import pytest

from tests.page import (
    WORDS,
    expect,
    lines,
    needs_chromium,
    room,
    talk,
    wait_for_end,
)

pytestmark = needs_chromium

EN = WORDS["en"]
# A voice as a browser with speech has it; Chromium's own here has none.
VOICE = """
window.spoken = [];
window.voices = [{ lang: "en-GB", name: "test", localService: true }];
window.SpeechSynthesisUtterance = class extends EventTarget { constructor(text) { super(); this.text = text; } };
Object.defineProperty(window, "speechSynthesis", { value: Object.assign(new EventTarget(), {
    getVoices: () => window.voices, cancel() {}, speak: (u) => window.spoken.push([u.text, u.lang]) }) });
"""


def asked(server) -> tuple[str, dict]:
    return server.asked.get(timeout=60)


def test_a_reader_has_no_controls_of_the_room(open_page, server):
    server.room = room(presenter=False, reader_url="http://192.168.1.20:5000/read")
    page = open_page()
    expect(page.locator("#hint-more")).to_have_text(
        EN["hint.more.own"]
    )  # at the program's computer
    for place in (
        "#record",
        '[data-opens="room"]',
        '[data-opens="phone"]',
        "#phrases-edit",
        "#level",
    ):
        expect(page.locator(place).first).to_be_hidden()
    for key in "rbco":
        page.keyboard.press(key)
    expect(page.locator("#room")).to_be_hidden()
    assert server.asked.empty()


def test_the_presenter_reading_at_read_only_reads(browser, server):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}read")
    expect(page.locator("#status")).to_have_text("It is ready.")
    expect(page.locator("#hint")).to_have_text(EN["hint.ready.reader"])
    expect(page.locator("#hint-more")).to_have_text("")
    expect(page.locator("#record")).to_be_hidden()
    context.close()


def test_blank_is_one_key_and_hides_every_word(page, server):
    server.say(0, "Private words.")
    expect(lines(page)).to_be_visible()
    page.keyboard.press("b")
    assert asked(server) == ("blank", {"on": True})
    server.arrange(blank=True)
    expect(lines(page)).to_be_hidden()
    expect(page.locator("#hint")).to_contain_text("All screens are blank.")
    page.keyboard.press("b")
    assert asked(server) == ("blank", {"on": False})
    server.arrange()
    expect(lines(page)).to_be_visible()
    expect(page.locator("#hint")).to_have_text("")


def test_clear_asks_once_more_and_then_forgets_everything(page, server):
    talk(server, 3)
    server.say(3, "growing", final=False)
    expect(page.locator("#live")).to_have_text("growing")
    page.keyboard.press("c")
    expect(page.locator("#clear")).to_have_text(EN["room.clear.confirm"])
    assert server.asked.empty()
    page.keyboard.press("c")
    assert asked(server) == ("clear", {})
    expect(page.locator("#room-said")).to_have_text(EN["room.cleared"])
    server.emit("cleared", {})
    expect(lines(page)).to_have_count(0)
    expect(page.locator("#live")).to_have_text("")
    assert "long talk" not in page.content()


def test_a_single_press_of_clear_is_forgotten(page, server):
    page.clock.install()
    page.keyboard.press("c")
    expect(page.locator("#clear")).to_have_text(EN["room.clear.confirm"])
    page.clock.fast_forward(6000)
    expect(page.locator("#clear")).to_have_text(EN["room.clear"])
    page.locator("#clear").click()
    assert server.asked.empty()


def test_the_room_is_set_by_switches_that_show_how_it_is(page, server):
    page.keyboard.press("o")
    panel = page.locator("#room")
    for words, request, field in [
        ("room.emotion", "emotion", False),
        ("room.sounds", "sounds", False),
        ("room.save", "save", True),
    ]:
        panel.get_by_role("switch", name=EN[words]).click()
        assert asked(server) == (request, {"on": field})
    panel.get_by_label("15 min").check()
    assert asked(server) == ("clear_after", {"minutes": 15})
    saving = {"file": "captions<img>.jsonl", "folder": "/home/kiosk"}
    server.arrange(emotion=False, clear_after_min=60, saving=saving)
    expect(panel.get_by_label("60 min")).to_be_checked()
    expect(panel.get_by_role("switch", name=EN["room.emotion"])).not_to_be_checked()
    expect(page.locator("#room-save-note")).to_have_text("Saved in /home/kiosk/captions<img>.jsonl")
    expect(page.locator("#saving")).to_be_visible()
    expect(panel.get_by_role("link")).to_have_count(0)
    page.keyboard.press("d")
    downloads = page.locator("#text").get_by_role("link")
    expect(downloads).to_have_text(["TXT", "DOCX", "SRT", "VTT", "JSON"])


def test_saving_is_seen_by_everyone(open_page, server):
    server.room = room(presenter=False, saving={"file": "captions.jsonl"})
    expect(open_page().locator("#saving")).to_have_text(EN["bar.saving"])


def test_a_refusal_is_said_calmly_and_the_switch_goes_back(page, server):
    server.answer = {"ok": False, "code": "refused.odd", "message": "The disk is full."}
    page.keyboard.press("o")
    switch = page.get_by_role("switch", name=EN["room.save"])
    switch.click()
    expect(page.locator("#room #refusal")).to_have_text("The disk is full.")
    expect(page.locator("#refusal")).to_be_in_viewport()
    expect(page.locator("#alert")).to_have_text("")
    expect(switch).not_to_be_checked()


def heard(page) -> list[str]:
    """What a screen reader finds in alerts; what lies behind an open window it does not find."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    known = {node["nodeId"]: node for node in nodes}

    def text(node) -> str:
        if node.get("role", {}).get("value") == "StaticText":
            return node["name"]["value"]
        return "".join(text(known[i]) for i in node.get("childIds", ()) if i in known)

    alerts = [n for n in nodes if not n["ignored"] and n.get("role", {}).get("value") == "alert"]
    return [said for said in map(text, alerts) if said]


@pytest.mark.parametrize("window", ["settings", "answer", "room", "shown"])
def test_a_lost_microphone_is_said_over_an_open_window(page, server, window):
    page.keyboard.press({"settings": "s", "room": "o"}.get(window, "a"))
    if window == "shown":
        page.locator("#phrases button").first.click()
    said = page.locator(f"#{window} #alert-over")
    server.show("lost", message="No sound: the microphone is unplugged.")
    expect(said).to_have_text("No sound: the microphone is unplugged.")
    expect(said).to_be_in_viewport()
    assert heard(page) == ["No sound: the microphone is unplugged."]
    server.show("listening")
    expect(said).to_have_text("")
    assert heard(page) == []


def test_without_a_window_a_lost_microphone_is_said_once(page, server):
    server.show("lost", message="No sound: the microphone is unplugged.")
    expect(page.locator("#alert")).to_be_visible()
    assert heard(page) == ["No sound: the microphone is unplugged."]


def test_feelings_switched_off_for_everyone_leave_the_page(page, server):
    server.say(0, "Good morning.", label="happy")
    expect(lines(page).locator(".feeling")).to_be_visible()
    expect(page.locator("#guessing")).to_be_visible()
    server.arrange(emotion=False)
    expect(lines(page).locator(".feeling")).to_have_count(0)
    expect(page.locator("#guessing")).to_be_hidden()
    page.keyboard.press("m")
    expect(page.locator("#timeline-empty")).to_have_text(EN["timeline.off"])


def test_feelings_over_time_as_chart_and_table(page, server):
    page.keyboard.press("m")
    expect(page.locator("#timeline-empty")).to_have_text(EN["timeline.empty"])
    expect(page.locator("#timeline-table")).to_be_hidden()
    server.say(0, "Hello.", label="happy")
    server.say(1, "No comment.")
    server.say(40, "How dare you!", label="angry")
    server.say(41, "still growing", final=False, label="sad")
    rows = page.locator("#timeline-table tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first.locator("td")).to_have_text(["1:20", "angry", "How dare you!"])
    expect(page.locator("#timeline-chart .moments")).to_have_count(2)
    expect(page.locator("#timeline-chart")).to_have_attribute(
        "aria-label", re.compile("0:00 to 1:21")
    )
    expect(page.locator("#timeline-chart .times span")).to_have_text(["0:00", "1:21"])
    boxes = [mark.bounding_box() for mark in page.locator(".track i").all()]
    assert boxes[0]["x"] < boxes[1]["x"]
    server.emit("cleared", {})
    expect(rows).to_have_count(0)


def test_sounds_over_time_stand_below_the_feelings_and_follow_the_readers_switch(page, server):
    server.say(0, "", sound="rain", end_s=60.0)
    server.say(1, "Hello.", label="happy")
    server.say(2, "", sound="our door bell")
    server.say(3, "", sound="music", final=False)
    page.keyboard.press("m")
    rows = page.locator("#timeline-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.last.locator("td")).to_have_text(["0:00", f"[{EN['sound.rain']}]", ""])
    names = page.locator("#timeline-chart .moments > span")
    expect(names).to_have_text(["happy", "[rain]", "[our door bell]"])
    mark, track = (
        page.locator(f".moments:nth-child(2) {e}").bounding_box() for e in ("i", ".track")
    )
    assert mark["width"] == pytest.approx(track["width"], abs=2)  # the longest ends the chart
    server.arrange(emotion=False)
    expect(page.locator("#timeline-empty")).to_have_text(EN["timeline.off"])
    expect(names).to_have_text(["[rain]", "[our door bell]"])
    for key in ("Escape", "g", "g", "m"):  # as the browser has it, English, Korean
        page.keyboard.press(key)
    expect(names.first).to_have_text(f"[{WORDS['ko']['sound.rain']}]")
    for key in ("Escape", "g", "s"):
        page.keyboard.press(key)
    page.get_by_role("switch", name=EN["settings.sounds"]).click()
    page.keyboard.press("m")
    expect(names).to_have_count(0)


def test_an_answer_is_shown_large_and_can_be_turned_round(page, server):
    page.keyboard.press("a")
    expect(page.locator("#answer-text")).to_be_focused()
    page.keyboard.type("Please <b>repeat</b> that.")
    page.keyboard.press("Enter")
    text = page.locator("#shown-text")
    expect(text).to_have_text("Please <b>repeat</b> that.")
    size = text.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size > 80
    fits = "e => e.scrollHeight <= e.parentElement.clientHeight && e.scrollWidth <= e.parentElement.clientWidth"
    assert text.evaluate(fits)
    page.locator("#shown-turn").click()
    assert page.locator(".fit").evaluate("e => getComputedStyle(e).rotate") == "180deg"
    page.keyboard.press("Escape")
    expect(page.locator("#shown")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#answer")).to_be_hidden()
    page.keyboard.press("a")
    page.locator("#answer-text").fill("word " * 90)
    page.keyboard.press("Enter")
    assert text.evaluate(fits)
    assert server.asked.empty()


def test_an_empty_answer_is_not_shown(page):
    page.keyboard.press("a")
    page.keyboard.type("   ")
    page.keyboard.press("Enter")
    expect(page.locator("#shown")).to_be_hidden()


def test_an_answer_is_spoken_by_the_browser(open_page, server):
    page = open_page(before=VOICE, locale="en-GB")
    page.keyboard.press("a")
    page.locator("#answer-text").fill("Thank you.")
    page.locator("#answer-speak").click()
    assert page.evaluate("window.spoken") == [["Thank you.", "en-GB"]]
    assert server.asked.empty()


def test_an_answer_is_spoken_by_the_server_where_the_browser_has_no_voice(open_page, server):
    server.room = room(speech=True)
    page = open_page(locale="en-GB")
    page.keyboard.press("a")
    page.locator("#answer-text").fill("Thank you.")
    page.locator("#answer-speak").click()
    assert asked(server) == ("speak", {"text": "Thank you.", "language": "en"})


def test_without_any_voice_the_page_says_so(open_page, server):
    server.room = room(speech=True, presenter=False)
    page = open_page(locale="en-GB")
    page.keyboard.press("a")
    expect(page.locator("#answer-speak")).to_be_hidden()
    expect(page.locator("#answer-note")).to_have_text(EN["answer.silent"])


def test_speaking_is_offered_once_the_browser_has_a_voice_of_the_device(open_page, server):
    page = open_page(before=VOICE, locale="en-GB")
    page.keyboard.press("a")
    speak = page.locator("#answer-speak")
    expect(speak).to_be_visible()
    come = "voices => { window.voices = voices; speechSynthesis.dispatchEvent(new Event('voiceschanged')); }"
    for lang, own in (("en-GB", False), ("ko-KR", True)):
        page.evaluate(come, [{"lang": lang, "localService": own}])
        expect(speak).to_be_hidden()
        expect(page.locator("#answer-note")).to_have_text(EN["answer.silent"])
        page.evaluate(come, [{"lang": "en-US", "localService": True}])
        expect(speak).to_be_visible()
        expect(page.locator("#answer-note")).to_be_empty()


def test_quick_answers_are_shown_at_a_press_and_edited_by_the_presenter(page, server):
    page.keyboard.press("a")
    page.get_by_role("button", name="Please repeat that.").click()
    expect(page.locator("#shown-text")).to_have_text("Please repeat that.")
    page.keyboard.press("Escape")
    page.locator("#phrases-edit").click()
    page.locator("#phrases-text").fill("Hello.\n\n  Where is the lift? \n")
    page.locator("#phrases-save").click()
    assert asked(server) == ("phrases", {"list": ["Hello.", "Where is the lift?"]})
    server.arrange(phrases=["Hello.", "Where is the <i>lift</i>?"])
    expect(page.locator("#phrases button")).to_have_text(["Hello.", "Where is the <i>lift</i>?"])


def test_quick_answers_beyond_the_limits_are_told_before_they_are_sent(page, server):
    page.keyboard.press("a")
    page.locator("#phrases-edit").click()
    for text, told in (
        ("한" * 201, EN["answer.edit.long"].format(start="한" * 30, letters=200)),
        ("😀" * 201, EN["answer.edit.long"].format(start="😀" * 30, letters=200)),
        ("\n".join(map(str, range(41))), EN["answer.edit.many"].format(number=41, most=40)),
    ):
        page.locator("#phrases-text").fill(text)
        page.locator("#phrases-save").click()
        expect(page.locator("#refusal")).to_have_text(told)
        assert server.asked.empty()
    page.locator("#phrases-text").fill("😀" * 200 + "\nYes.\nYes.")
    page.locator("#phrases-save").click()
    assert asked(server) == ("phrases", {"list": ["😀" * 200, "Yes."]})


def test_a_phone_finds_its_way_by_the_code(page, server):
    page.keyboard.press("q")
    expect(page.locator("#phone-none")).to_contain_text(EN["setup.readers.all"])
    page.locator("#phone-none button").click()
    expect(page.locator("#setup")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    expect(page.locator("#phone-code")).to_be_hidden()
    server.arrange(reader_url="http://192.168.1.20:5000/read")
    code = page.locator("#phone-code")
    expect(code).to_be_visible()
    assert code.evaluate("e => e.decode().then(() => e.naturalWidth)") > 0
    expect(page.locator("#phone-url")).to_have_text("http://192.168.1.20:5000/read")
    assert code.bounding_box()["width"] >= 200


def test_two_pages_agree(open_page, server):
    first, second = open_page(), open_page(viewport={"width": 390, "height": 844})
    server.show("listening")
    talk(server, 5)
    server.say(5, "and more", final=False)
    for one in (first, second):
        expect(one.locator("#live")).to_have_text("and more")
    assert lines(first).all_inner_texts() != []
    texts = [
        [" ".join(text.split()) for text in lines(one).all_text_contents()]
        for one in (first, second)
    ]
    assert texts[0] == texts[1]


def test_notices_stand_beside_the_state_and_each_other(page, server):
    notice = {
        "code": "fetch.odd",
        "values": {"name": "X", "done_mb": 30, "total_mb": 120},
        "message": "X: 30 of 120 MB.",
    }
    server.show("listening", notices=[notice])
    notices, progress = page.locator("#notices li"), page.locator("#notices progress")
    expect(notices).to_have_text(["X: 30 of 120 MB."])
    expect(progress).to_have_js_property("value", 0.25)
    full = {"code": "odd", "values": {}, "message": "The disk is full."}
    server.show("listening", notices=[full, notice])
    expect(notices).to_have_text(["The disk is full.", "X: 30 of 120 MB."])
    expect(progress.first).to_be_hidden()
    expect(progress.last).to_be_visible()
    server.show("listening", notices=[full])
    expect(notices).to_have_text(["The disk is full."])
    expect(progress).to_be_hidden()
    server.show("listening")
    expect(page.locator("#notices")).to_be_hidden()


def test_sounds_stand_in_brackets_and_voices_behind_a_dash(page, server):
    server.say(0, "", sound="laughter")
    server.say(1, "", sound="<b>odd</b>")
    server.say(2, "Who is there?", new_voice=True)
    expect(lines(page)).to_have_text(["[laughter]", "[<b>odd</b>]", "– Who is there?"])
    assert lines(page).nth(0).evaluate("e => parseFloat(getComputedStyle(e).fontSize)") < lines(
        page
    ).nth(2).evaluate("e => parseFloat(getComputedStyle(e).fontSize)")


def test_the_last_words_stay_however_long_it_is_silent(page, server):
    server.show("listening")
    server.say(0, "The last words.")
    expect(lines(page)).to_be_in_viewport()
    page.clock.install()
    page.clock.fast_forward("30:00")
    server.show("listening", quiet=True, message="Nothing is heard.")
    expect(page.locator("#status")).to_have_text("Nothing is heard.")
    expect(lines(page)).to_be_in_viewport()


def test_new_lines_are_counted_for_someone_who_reads_up(page, server):
    talk(server, 60)
    expect(lines(page)).to_have_count(60)
    page.locator("#view").evaluate("e => e.scrollTo(0, 300)")
    expect(page.locator("#back")).to_have_text(EN["bar.back"])
    talk(server, 1, first=60)
    expect(page.locator("#back")).to_have_text(f"{EN['bar.back']} · 1 new line")
    talk(server, 2, first=61)
    expect(page.locator("#back")).to_have_text(f"{EN['bar.back']} · 3 new lines")
    page.keyboard.press("End")
    expect(page.locator("#back")).to_be_hidden()
    wait_for_end(page)


def test_reading_up_stays_still_even_when_old_lines_would_leave(page, server):
    talk(server, 500)
    expect(lines(page)).to_have_count(500)
    page.locator("#view").evaluate("e => e.scrollTo(0, 600)")
    expect(page.locator("#back")).to_be_visible()
    place = lines(page).nth(20).bounding_box()
    talk(server, 30, first=500)
    expect(lines(page)).to_have_count(530)
    assert lines(page).nth(20).bounding_box() == place
    page.locator("#back").click()
    talk(server, 1, first=530)
    expect(lines(page)).to_have_count(500)


def test_a_long_session_stays_small(page, server):
    talk(server, 700)
    expect(lines(page).last).to_have_attribute("data-segment", "699")
    assert page.evaluate("document.querySelectorAll('*').length") < 1500


def test_scrolling_up_wins_over_words_of_the_same_moment(page, server):
    talk(server, 60)
    expect(lines(page)).to_have_count(60)
    # Both within one frame: the browser tells of a scroll only before the next one.
    page.evaluate("""() => {
        document.getElementById("view").scrollTo(0, 300);
        document.fonts.dispatchEvent(new Event("loadingdone"));
    }""")
    expect(page.locator("#back")).to_be_visible()
    assert page.locator("#view").evaluate("e => e.scrollTop") == 300
