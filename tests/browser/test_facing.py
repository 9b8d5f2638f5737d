"""The screen that faces whoever speaks: their own words, and the answer, large."""

import pytest

from tests.browser.test_page_access import problems
from tests.browser.test_page_room import asked
from tests.page import WORDS, caption, expect, lines, needs_chromium, room, status

pytestmark = needs_chromium

EN, KO = WORDS["en"], WORDS["ko"]
ANSWER = "Which platform does it leave from?"
SIZE = "e => parseFloat(getComputedStyle(e).fontSize)"
SIZES = [(1920, 1080), (1366, 768), (390, 844)]


@pytest.fixture
def facing(browser, server):
    server.status, server.room = status("listening"), room()
    contexts = []

    def show(query: str = "", size: tuple[int, int] = (1366, 768), **options):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{server.url}facing{query}")
        expect(page.locator("#status")).to_have_text("It is listening.")
        return page

    yield show
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", SIZES)
def test_own_words_grow_there_and_the_answer_stands_large_above_them(facing, server, size):
    page = facing(size=size)
    expect(page.locator("#hint")).to_have_text(EN["hint.listening.facing"])
    for place in (".tools", "#record", "#unlock", "#guessing", "#engine"):
        expect(page.locator(place).first).to_be_hidden()
    assert problems(page) == []
    for i in range(9):
        server.say(i, "The train to the coast leaves in ten minutes.", label="happy")
    server.say(9, "From", final=False)
    server.say(9, "From over", final=False)
    expect(page.locator("#live")).to_have_text("From over")
    expect(page.locator("#view .feeling").first).to_be_hidden()
    server.emit("answer", {"text": ANSWER})
    answer = page.locator("#facing-text")
    expect(answer).to_have_text(ANSWER)
    page.wait_for_function("() => document.getElementById('facing-text').style.fontSize")
    assert answer.evaluate(SIZE) > 1.2 * page.locator("#live").evaluate(SIZE)
    above, words, bar = (page.locator(p).bounding_box() for p in ("#facing", "#view", ".foot"))
    assert above["y"] + above["height"] <= words["y"] + 1
    assert words["y"] + words["height"] <= bar["y"] + 1 <= size[1]
    box = answer.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= size[0]
    assert box["y"] >= above["y"] and box["y"] + box["height"] <= above["y"] + above["height"]
    expect(page.locator("#live")).to_be_in_viewport(ratio=1)
    assert problems(page) == []
    server.emit("answer", {"text": ""})
    expect(page.locator("#facing")).to_be_hidden()
    expect(page.locator("#live")).to_be_in_viewport(ratio=1)


def test_size_colours_and_language_stand_in_the_address_and_are_not_remembered(facing, server):
    server.past = [caption(0, "Words.")]
    plain, large = facing(), facing("?size=200&theme=light&language=ko")
    assert lines(large).evaluate(SIZE) == pytest.approx(2 * lines(plain).evaluate(SIZE), abs=0.1)
    assert large.evaluate("document.documentElement.lang") == "ko"
    assert large.evaluate("document.documentElement.dataset.theme") == "light"
    assert large.evaluate("localStorage.length") == 0
    server.emit("cleared", {})
    expect(large.locator("#hint")).to_have_text(KO["hint.listening.facing"])


def test_blank_and_lost_hold_there_too(facing, server):
    page = facing()
    server.emit("answer", {"text": ANSWER})
    expect(page.locator("#facing")).to_be_visible()
    server.arrange(blank=True)
    expect(page.locator("#facing")).to_be_hidden()
    expect(page.locator("#hint")).to_have_text(EN["hint.blank"])
    server.arrange()
    expect(page.locator("#facing")).to_be_hidden()
    server.show("lost", message="No sound.")
    expect(page.locator("#alert")).to_be_visible()


def test_the_presenter_answers_there_and_takes_it_away(open_page, server):
    server.room = room(facing="elsewhere")
    page = open_page()
    page.keyboard.press("a")
    expect(page.locator("#answer-away")).to_be_hidden()
    page.locator("#answer-text").fill(ANSWER)
    page.keyboard.press("Enter")
    assert asked(server) == ("answer", {"text": ANSWER})
    expect(page.locator("#shown")).to_be_visible()  # that screen does not stand beside this one
    page.keyboard.press("Escape")
    server.arrange(facing="here")
    server.emit("answer", {"text": ANSWER})
    expect(page.locator("#answer-elsewhere")).to_contain_text(ANSWER)
    expect(page.locator("#facing")).to_be_hidden()  # but on that screen
    page.locator("#answer-text").fill("Thank you.")
    page.keyboard.press("Enter")
    assert asked(server) == ("answer", {"text": "Thank you."})
    expect(page.locator("#answer-text")).to_have_value("")
    expect(page.locator("#shown")).to_be_hidden()  # the captions stay in view
    assert problems(page) == []
    page.locator("#answer-away").click()
    assert asked(server) == ("answer", {"text": ""})


@pytest.mark.parametrize("allowed", [True, False])
def test_a_reader_answers_there_as_the_room_allows(open_page, server, allowed):
    server.room = room(presenter=False, answers=allowed, facing="here")
    page = open_page()
    page.keyboard.press("a")
    page.locator("#phrases button").first.click()
    if allowed:
        assert asked(server) == ("answer", {"text": "Yes."})
        expect(page.locator("#shown")).to_be_hidden()
    else:
        expect(page.locator("#shown")).to_be_visible()
        assert server.asked.empty()


def test_a_page_that_was_away_shows_no_answer_that_is_gone(facing, server):
    page = facing()
    server.emit("answer", {"text": ANSWER})
    expect(page.locator("#facing")).to_be_visible()
    server.stop()
    expect(page.locator("body")).to_have_attribute("data-state", "offline")
    server.start()
    expect(page.locator("body")).to_have_attribute("data-state", "listening")
    expect(page.locator("#facing")).to_be_hidden()
