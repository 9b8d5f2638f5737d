"""Other hands in the document, such as a browser that translates: the words go on all the same."""

import pytest

from tests.page import (
    expect,
    lines,
    needs_chromium,
    talk,
    wait_for_end,
)

pytestmark = needs_chromium

# As browsers translate: each text goes, and elements of the translator's own come in its place.
TRANSLATE = """
window.translate = (root) => {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) found.push(texts.currentNode);
  for (const text of found) {
    if (!text.data.trim() || text.parentElement.closest("font, script, style")) continue;
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    inner.append(text.data.toUpperCase());
    outer.append(inner);
    text.replaceWith(outer);
  }
};
"""
# And whenever the page changes, again.
KEEP_TRANSLATING = """() => {
  window.translate(document.body);
  new MutationObserver(() => window.translate(document.body))
    .observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture
def page(open_page):
    return open_page(before=TRANSLATE)


def grow(page, server, text: str) -> None:
    server.say(0, text, final=False)
    expect(page.locator("#live")).to_have_text(text)


@pytest.mark.parametrize(
    "change",
    [
        "window.translate(live)",
        "live.firstChild.data = 'Something else'",
        "live.firstChild.remove()",
        "live.append('and more')",
        "live.innerHTML = '<b>Bold</b> words'",
        "live.remove()",
        "document.getElementById('captions').remove()",
        "document.getElementById('lines').replaceWith('gone')",
        "document.querySelector('#lines li').remove()",
        "document.getElementById('lines').replaceChildren()",
    ],
)
def test_the_next_word_puts_right_what_was_changed(page, server, change):
    server.say(0, "The first line.")
    server.say(1, "The second line.")
    server.say(2, "Good", final=False)
    expect(page.locator("#live")).to_have_text("Good")
    page.evaluate(f"() => {{ const live = document.getElementById('live'); {change}; }}")
    server.say(2, "Good morning", final=False)
    expect(page.locator("#live")).to_have_text("Good morning")
    assert page.evaluate("document.querySelectorAll('#live').length") == 1
    server.say(2, "Good morning.")
    server.say(3, "And", final=False)
    expect(lines(page)).to_have_text(["The first line.", "The second line.", "Good morning."])
    expect(page.locator("#live")).to_have_text("And")
    top = [page.locator(place).bounding_box()["y"] for place in ("#captions", "#live")]
    assert top[0] < top[1]
    wait_for_end(page)


def test_after_a_clear_words_come_again(page, server):
    grow(page, server, "Good")
    page.evaluate("window.translate(document.body)")
    expect(page.locator("#live")).to_have_text("GOOD")
    server.emit("cleared", {})
    expect(page.locator("#live")).to_have_text("")
    grow(page, server, "New words")


def test_tags_and_dashes_are_kept_and_not_doubled(page, server):
    server.say(0, "No", final=False, label="angry", new_voice=True)
    expect(page.locator("#live")).to_have_text("– No angry")
    for text in ("No, never", "No, never again"):
        page.evaluate("window.translate(document.body)")
        server.say(0, text, final=False, label="angry", new_voice=True)
        expect(page.locator("#live")).to_contain_text(text)
        for part in (".voice", ".feeling"):
            expect(page.locator(f"#live {part}")).to_have_count(1)
    page.evaluate("window.translate(document.body)")
    server.say(0, "No.", label="sad")
    expect(lines(page)).to_have_text("No. sad")
    expect(page.locator("#live")).to_have_text("")


def test_a_page_that_is_translated_all_the_time_shows_every_word(page, server):
    page.evaluate(KEEP_TRANSLATING)
    said = []
    for word in "this is a sentence that grows word by word".split():
        said.append(word)
        server.say(0, " ".join(said), final=False)
        expect(page.locator("#live")).to_have_text(" ".join(said).upper())
    server.say(0, " ".join(said), label="happy")
    talk(server, 5, first=1)
    expect(lines(page)).to_have_count(6)
    expect(lines(page).first).to_contain_text(" ".join(said).upper())
    server.show("lost", message="The microphone is gone.")
    expect(page.locator("#alert")).to_have_text("THE MICROPHONE IS GONE.")
    server.show("listening", message="Listening again.")
    expect(page.locator("#status")).to_have_text("LISTENING AGAIN.")


def test_translated_lines_stay_so_while_others_come(page, server):
    talk(server, 3)
    expect(lines(page)).to_have_count(3)
    page.evaluate("window.translate(document.getElementById('lines'))")
    talk(server, 2, first=3)
    expect(lines(page)).to_have_count(5)
    expect(lines(page).first).to_have_text("THIS IS LINE NUMBER 0 OF A LONG TALK.")
    expect(lines(page).last).to_have_text("This is line number 4 of a long talk.")


def test_the_growing_line_asks_not_to_be_translated(page):
    assert page.locator("#live").evaluate("e => e.translate") is False
    assert page.locator("#lines").evaluate("e => e.translate") is True


def test_a_tag_that_comes_after_the_final_line_is_shown(open_page, server):
    page = open_page()
    server.say(0, "I told you so.")
    server.say(1, "And then?")
    expect(lines(page)).to_have_count(2)
    server.say(0, "I told you so.", label="angry", new_voice=True, loudness="loud")
    first = lines(page).nth(0)
    expect(first).to_contain_text("angry")
    expect(first).to_have_attribute("data-voice", "")
    expect(first).to_have_attribute("data-loudness", "loud")
    expect(lines(page)).to_have_count(2)
    page.keyboard.press("m")
    expect(page.locator("#timeline-table tbody tr")).to_have_count(1)
