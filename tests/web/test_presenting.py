"""How a browser becomes the presenter's: a real browser, the real program, the link it prints."""

from collections.abc import Iterator

import pytest

from tests.page import WORDS, browser, expect, needs_chromium  # noqa: F401 - the fixture
from tests.program import PATIENCE_S, Program

pytestmark = needs_chromium

PROGRAM = ["--asr", "whisper", "--no-emotion"]
EN = WORDS["en"]


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with Program(PROGRAM) as running:
        running.wait_for("ready")
        yield running
    assert "Traceback" not in running.errors


@pytest.fixture
def page(browser):
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_S * 1000)
    expect.set_options(timeout=PATIENCE_S * 1000)
    yield context.new_page()
    context.close()


def test_this_computers_browser_is_told_how_to_become_the_presenter(page, program):
    page.goto(program.url)
    expect(page.locator("#hint-more")).to_have_text(EN["hint.more.own"])
    expect(page.locator("#record")).to_be_hidden()
    page.goto(f"{program.url}/read")
    expect(page.locator("#hint")).to_have_text(EN["hint.ready.reader"])
    expect(page.locator("#hint-more")).to_have_text("")


def test_a_link_opens_once_and_the_browser_stays_the_presenters(page, program, browser):
    page.goto(program.url)
    link = program.link()
    page.goto(link)  # in a window that is open already
    expect(page.locator("#record")).to_be_enabled()
    assert page.url == f"{program.url}/"
    page.goto(program.url)
    expect(page.locator("#record")).to_be_enabled()
    with browser.new_context() as found:  # who finds the link in a history
        stranger = found.new_page()
        stranger.goto(link)
        expect(stranger.locator("#refusal")).to_contain_text("used already, or is too old")
        expect(stranger.locator("#hint-more")).to_have_text(EN["hint.more.own"])
        expect(stranger.locator("#record")).to_be_hidden()
        assert stranger.url == f"{program.url}/"


def test_a_browser_stays_the_presenters_over_a_restart(page):
    with Program(PROGRAM) as first:
        first.wait_for("ready")
        page.goto(first.link())
        expect(page.locator("#record")).to_be_enabled()
        first.process.terminate()
        first.process.wait()
        expect(page.locator("#record")).to_be_disabled()
        with Program(PROGRAM, port=first.port, home=first.home):
            expect(page.locator("#record")).to_be_enabled()
            page.reload()
            expect(page.locator("#record")).to_be_visible()
